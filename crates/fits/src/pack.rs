//! 32-bit reals to lossless compressed tiles (`GZIP_2`), so that whoever has several cores can pack several tiles at a time.
//!
//! The bytes of a tile are sorted by significance: first the signs and exponents of all pixels, which are nearly the same, last the
//! low bits of their fractions, which in a real frame are noise. Noise does not get shorter, and to try takes most of the time; so
//! from the first such plane on bytes are stored as they are. It is all one gzip, which every reader of `GZIP_2` reads.

use std::io::Write;

use flate2::{Compress, Compression, Crc, FlushCompress, Status};

use crate::checksum::{self, Sum};
use crate::header::BLOCK;
use crate::structure::is_storage;
use crate::{Card, FitsError, Header, Value};

/// The bytes of a pixel.
const BYTES: usize = 4;

/// Packs the pixels of a tile.
///
/// # Errors
/// [`FitsError::Unwritable`] if the compressor fails, which would be a fault of ours.
pub fn tile(values: &[f32]) -> Result<Vec<u8>, FitsError> {
    let count = values.len();
    let mut sorted = vec![0; BYTES * count];
    let mut planes = sorted.chunks_exact_mut(count.max(1));
    for shift in [24, 16, 8, 0] {
        let Some(plane) = planes.next() else { break };
        plane.iter_mut().zip(values).for_each(|(byte, value)| *byte = (value.to_bits() >> shift) as u8);
    }
    let noisy = sorted.chunks_exact(count.max(1)).position(is_noise).unwrap_or(BYTES);
    let (tried, stored) = sorted.split_at(noisy * count);
    let mut packed = Vec::with_capacity(tried.len() / 2 + stored.len() + stored.len() / LONGEST_STORED * 5 + 64);
    // RFC 1952: deflate, no name, no time, no system.
    packed.extend_from_slice(&[0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 0xFF]);
    deflate(tried, if stored.is_empty() { FlushCompress::Finish } else { FlushCompress::Sync }, &mut packed)?;
    let pieces = stored.len().div_ceil(LONGEST_STORED);
    for (index, piece) in stored.chunks(LONGEST_STORED).enumerate() {
        // RFC 1951, 3.2.4: at the edge of a byte, whether it is the last block, its length and that length inverted.
        let length = (piece.len() as u16).to_le_bytes();
        packed.push(u8::from(index + 1 == pieces));
        packed.extend_from_slice(&length);
        packed.extend(length.map(|byte| !byte));
        packed.extend_from_slice(piece);
    }
    let mut sum = Crc::new();
    sum.update(&sorted);
    packed.extend_from_slice(&sum.sum().to_le_bytes());
    packed.extend_from_slice(&sum.amount().to_le_bytes());
    Ok(packed)
}

/// The longest block that is stored as it is.
const LONGEST_STORED: usize = 65_535;

/// Deflates `bytes` behind `packed`; flushed, not finished, it ends at the edge of a byte and something can follow.
fn deflate(bytes: &[u8], flush: FlushCompress, packed: &mut Vec<u8>) -> Result<(), FitsError> {
    let mut compress = Compress::new(Compression::fast(), false);
    loop {
        let rest = &bytes[(compress.total_in() as usize).min(bytes.len())..];
        packed.reserve(rest.len() / 2 + 64);
        let status = compress.compress_vec(rest, packed, flush).map_err(|error| unwritable(&error.to_string()))?;
        let done = match flush {
            FlushCompress::Finish => status == Status::StreamEnd,
            _ => compress.total_in() as usize == bytes.len() && packed.len() < packed.capacity(),
        };
        if done {
            return Ok(());
        }
    }
}

/// Whether bytes hardly get shorter: by how often each value comes in a part of them, they have more than 7 bits of 8.
fn is_noise(plane: &[u8]) -> bool {
    const LOOKED_AT: usize = 4096;
    let step = (plane.len() / LOOKED_AT).max(1);
    let mut counts = [0_u32; 256];
    plane.iter().step_by(step).for_each(|byte| counts[usize::from(*byte)] += 1);
    let all = f64::from(counts.iter().sum::<u32>());
    // Shannon 1948: the bits that a value takes at least.
    let bits: f64 = counts
        .iter()
        .filter(|count| **count > 0)
        .map(|count| -f64::from(*count) / all * (f64::from(*count) / all).log2())
        .sum();
    bits > 7.0
}

/// An image of 32-bit reals whose tiles were packed by [`tile`].
#[derive(Debug, Clone, Copy)]
pub struct Packed<'a> {
    /// Pixels in a row (`NAXIS1`).
    pub width: usize,
    /// The number of rows (`NAXIS2`).
    pub height: usize,
    /// How many rows a tile has; the last one has what is left.
    pub tile_rows: usize,
    /// The tiles, the lowest first.
    pub tiles: &'a [Vec<u8>],
}

/// Writes a packed image as an extension. Cards of `header` that say how data are stored or scaled are replaced, and `CHECKSUM`
/// and `DATASUM` are stamped.
///
/// # Errors
/// [`FitsError::Unwritable`] if the tiles are not as many as the image needs, or longer than 4 GiB together; [`FitsError::Io`].
pub fn image(sink: &mut impl Write, header: &Header, image: Packed) -> Result<(), FitsError> {
    let Packed { width, height, tile_rows, tiles } = image;
    if width == 0 || height == 0 || tile_rows == 0 || tiles.len() != height.div_ceil(tile_rows) {
        let count = tiles.len();
        return Err(unwritable(&format!("{count} tiles of {tile_rows} rows are not {width} x {height} pixels")));
    }
    let mut rows = Vec::with_capacity(8 * tiles.len());
    let mut heap = 0_u64;
    for tile in tiles {
        let place = i32::try_from(heap).map_err(|_| unwritable("its tiles are longer than 2 GiB together"))?;
        rows.extend_from_slice(&(tile.len() as i32).to_be_bytes());
        rows.extend_from_slice(&place.to_be_bytes());
        heap += tile.len() as u64;
    }
    let mut written = structure(image, heap)?;
    for card in header.cards() {
        if !is_storage(card) && !matches!(card.keyword(), "BZERO" | "BSCALE" | "BLANK") {
            written.push(card.clone());
        }
    }
    let mut sum = Sum::default();
    sum.add(&rows);
    tiles.iter().for_each(|tile| sum.add(tile));
    checksum::stamp(&mut written, sum)?;
    written.write(sink)?;
    sink.write_all(&rows)?;
    tiles.iter().try_for_each(|tile| sink.write_all(tile))?;
    let length = rows.len() + heap as usize;
    Ok(sink.write_all(&vec![0; length.next_multiple_of(BLOCK) - length])?)
}

/// The cards of the table, and of the image within.
fn structure(Packed { width, height, tile_rows, tiles }: Packed, heap: u64) -> Result<Header, FitsError> {
    let whole = |value: usize| Value::Integer(value as i128);
    let text = |text: &str| Value::Text(text.to_owned());
    let longest = tiles.iter().map(Vec::len).max().unwrap_or_default();
    let cards = [
        ("XTENSION", text("BINTABLE"), "binary table extension"),
        ("BITPIX", whole(8), "8-bit bytes"),
        ("NAXIS", whole(2), "2-dimensional table"),
        ("NAXIS1", whole(8), "width of table in bytes"),
        ("NAXIS2", whole(tiles.len()), "number of tiles"),
        ("PCOUNT", Value::Integer(heap.into()), "size of the heap in bytes"),
        ("GCOUNT", whole(1), "one group"),
        ("TFIELDS", whole(1), "number of fields in each row"),
        ("TTYPE1", text("COMPRESSED_DATA"), ""),
        ("TFORM1", text(&format!("1PB({longest})")), ""),
        ("ZIMAGE", Value::Logical(true), "the table is a compressed image"),
        ("ZTENSION", text("IMAGE"), "image extension"),
        ("ZBITPIX", Value::Integer(-32), "32-bit reals"),
        ("ZNAXIS", whole(2), "number of axes"),
        ("ZNAXIS1", whole(width), ""),
        ("ZNAXIS2", whole(height), ""),
        ("ZPCOUNT", whole(0), ""),
        ("ZGCOUNT", whole(1), ""),
        ("ZTILE1", whole(width), "size of the tiles"),
        ("ZTILE2", whole(tile_rows.min(height)), "size of the tiles"),
        ("ZCMPTYPE", text("GZIP_2"), "sorted by significance, then gzip"),
        ("ZQUANTIZ", text("NONE"), "lossless"),
    ];
    cards.into_iter().map(|(keyword, value, comment)| Card::new(keyword, value, comment)).collect()
}

fn unwritable(problem: &str) -> FitsError {
    FitsError::Unwritable { what: "the image".to_owned(), problem: problem.to_owned() }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;
    use crate::checksum::{Verdict, verify};
    use crate::{Hdu, Image, Pixels, write};

    /// The image of `values` in rows of `width`, written in tiles of `tile_rows` rows and read again.
    fn round(width: usize, tile_rows: usize, values: &[f32]) -> (Vec<u8>, Header, Image) {
        let tiles: Vec<_> = values.chunks(width * tile_rows).map(|part| tile(part).unwrap()).collect();
        let mut bytes = Vec::new();
        write::empty_primary(&mut bytes, &Header::default()).unwrap();
        let mut header = Header::default();
        header.set("EXTNAME", Value::Text("SCI".into()), None).unwrap();
        header.set("BZERO", Value::Integer(32_768), None).unwrap();
        header.set("ZTILE1", Value::Integer(1), None).unwrap();
        image(&mut bytes, &header, Packed { width, height: values.len() / width, tile_rows, tiles: &tiles }).unwrap();
        let mut source = Cursor::new(&bytes);
        let hdus = Hdu::walk(&mut source).unwrap();
        let sums = verify(&mut source, &hdus[1]).unwrap();
        assert_eq!((sums.checksum, sums.datasum), (Verdict::Right, Verdict::Right));
        let image = Image::read(&mut source, &hdus[1]).unwrap();
        (bytes, hdus[1].header.clone(), image)
    }

    fn bits(pixels: &Pixels) -> Vec<u32> {
        let Pixels::F32(values) = pixels else { panic!("reals stay reals") };
        values.iter().map(|value| value.to_bits()).collect()
    }

    #[test]
    fn every_bit_comes_back_whatever_the_pixels_and_the_tiles() {
        let mut state = 7_u32;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state
        };
        let noise: Vec<f32> = (0..70_000).map(|_| 100.0 + (next() >> 8) as f32 / 65_536.0).collect();
        let anything: Vec<f32> = (0..70_000).map(|_| f32::from_bits(next())).collect();
        let mut flat = vec![7.5; 70_000];
        flat[..4].copy_from_slice(&[f32::NAN, f32::INFINITY, -0.0, f32::from_bits(1)]);
        for values in [noise, anything, flat] {
            for (width, tile_rows) in [(700, 1), (700, 16), (700, 1000), (1, 70_000), (70_000, 1)] {
                let (_, header, image) = round(width, tile_rows, &values);
                let expected: Vec<u32> = values.iter().map(|value| value.to_bits()).collect();
                assert!(bits(&image.pixels) == expected, "{width} {tile_rows}");
                assert_eq!((header.text("EXTNAME"), header.get("BZERO")), (Some("SCI"), None));
            }
        }
    }

    #[test]
    fn what_repeats_gets_short_and_noise_hardly_longer() {
        let flat = tile(&[5.0; 10_000]).unwrap();
        assert!(flat.len() < 1_000, "{}", flat.len());
        let mut state = 1_u32;
        let noise: Vec<f32> = (0..40_000)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                f32::from_bits(state ^ state << 13)
            })
            .collect();
        assert!(tile(&noise).unwrap().len() < 160_100);
    }

    #[test]
    fn tiles_that_are_not_those_of_the_image_are_refused() {
        let tiles = [vec![0; 4]];
        for (width, height, tile_rows) in [(0, 1, 1), (1, 0, 1), (1, 1, 0), (1, 3, 2)] {
            let packed = Packed { width, height, tile_rows, tiles: &tiles };
            assert!(matches!(image(&mut Vec::new(), &Header::default(), packed), Err(FitsError::Unwritable { .. })));
        }
    }
}
