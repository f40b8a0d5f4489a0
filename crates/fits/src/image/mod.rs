//! Images: from an HDU, plain or in compressed tiles, to pixels.

pub(crate) mod codec;
mod grid;
mod pixels;
mod quantise;
pub(crate) mod rice;
mod rows;
mod scale;
mod tiled;
mod window;

use std::io::{Read, Seek, SeekFrom};

pub use pixels::Pixels;
pub use rows::Rows;

pub(crate) use pixels::Stored;
pub(crate) use scale::{Scale, unscaled};

use crate::hdu::{Hdu, Kind, product};
use crate::{FitsError, Header};
use tiled::Tiles;

/// The largest image that is decoded, in bytes: 16,384 by 16,384 pixels of 32 bits.
pub const MAX_IMAGE_BYTES: u64 = 1 << 30;

/// Pixels with their shape.
#[derive(Debug, Clone, PartialEq)]
pub struct Image {
    /// The lengths of the axes, slowest first as numpy has them; for a picture: rows, then columns.
    pub shape: Vec<usize>,
    /// The pixels, the last axis running fastest.
    pub pixels: Pixels,
}

impl Image {
    /// Decodes the image of `hdu`, which was found in this source.
    ///
    /// # Errors
    /// [`FitsError::WrongKind`] if it holds none, [`FitsError::TooLarge`] past [`MAX_IMAGE_BYTES`],
    /// [`FitsError::Cut`], [`FitsError::Damaged`], [`FitsError::Header`] and [`FitsError::Unsupported`] as its data and
    /// header call for.
    pub fn read(source: &mut (impl Read + Seek), hdu: &Hdu) -> Result<Self, FitsError> {
        let stored = read_stored(source, hdu)?;
        let shape = hdu.shape.iter().map(|&length| length as usize).collect();
        Ok(Self { shape, pixels: Scale::of(&hdu.header).apply(stored) })
    }

    /// The type that the pixels of `hdu` have when they are decoded, as numpy names it; nothing if it holds no image.
    ///
    /// # Errors
    /// [`FitsError::Header`] if the header names no type.
    pub fn dtype(hdu: &Hdu) -> Result<Option<&'static str>, FitsError> {
        if !hdu.is_image() {
            return Ok(None);
        }
        let none = Stored::read(&mut std::io::empty(), bits_of(hdu)?, 0)?;
        Ok(Some(Scale::of(&hdu.header).apply(none).dtype()))
    }
}

/// The image of `hdu` before `BZERO` and `BSCALE`.
fn read_stored(source: &mut (impl Read + Seek), hdu: &Hdu) -> Result<Stored, FitsError> {
    let (bits, count) = checked(hdu)?;
    if hdu.kind == Kind::CompressedImage {
        let tiles = Tiles::of(hdu, bits)?;
        return match bits {
            8 => tiles.all::<u8>(source),
            16 => tiles.all::<i16>(source),
            32 => tiles.all::<i32>(source),
            64 => tiles.all::<i64>(source),
            -32 => tiles.all::<f32>(source),
            _ => tiles.all::<f64>(source),
        };
    }
    one_group(hdu, bits)?;
    source.seek(SeekFrom::Start(hdu.data_offset))?;
    Stored::read(source, bits, count)
}

/// Sees that the data of a plain image are at least its pixels.
fn one_group(hdu: &Hdu, bits: i64) -> Result<(), FitsError> {
    let pixels = product(&hdu.shape).unwrap_or(u64::MAX);
    if pixels.saturating_mul(bits.unsigned_abs() / 8) > hdu.data_length {
        return Err(FitsError::header("GCOUNT", "one group of data is needed"));
    }
    Ok(())
}

/// Gives the image of a compressed `hdu` before `BZERO` and `BSCALE` piece by piece, as it stands plain in a file. What is
/// held at a time is as large as a row of tiles.
pub(crate) fn plain_pieces(
    source: &mut (impl Read + Seek),
    hdu: &Hdu,
    sink: impl FnMut(&[u8]) -> Result<(), FitsError>,
) -> Result<(), FitsError> {
    let (bits, _) = checked(hdu)?;
    let tiles = Tiles::of(hdu, bits)?;
    match bits {
        8 => tiles.pieces::<u8>(source, sink),
        16 => tiles.pieces::<i16>(source, sink),
        32 => tiles.pieces::<i32>(source, sink),
        64 => tiles.pieces::<i64>(source, sink),
        -32 => tiles.pieces::<f32>(source, sink),
        _ => tiles.pieces::<f64>(source, sink),
    }
}

/// The bits of a pixel and the number of pixels, of an HDU that holds an image of a size that is accepted.
fn checked(hdu: &Hdu) -> Result<(i64, usize), FitsError> {
    if hdu.kind == Kind::RandomGroups {
        return Err(FitsError::Unsupported { what: format!("an image in random groups (HDU {})", hdu.index) });
    }
    if !hdu.is_image() {
        let found = if hdu.shape.is_empty() { "empty" } else { hdu.kind.name() };
        return Err(FitsError::WrongKind { hdu: hdu.index, found: found.to_owned(), wanted: "an image".to_owned() });
    }
    let bits = bits_of(hdu)?;
    Ok((bits, pixel_count(hdu, bits)?))
}

/// The bits of a pixel of an image, compressed or not.
fn bits_of(hdu: &Hdu) -> Result<i64, FitsError> {
    bits(&hdu.header, if hdu.kind == Kind::CompressedImage { "ZBITPIX" } else { "BITPIX" })
}

/// The bits of a pixel, negative for reals.
fn bits(header: &Header, keyword: &str) -> Result<i64, FitsError> {
    match header.integer(keyword) {
        Some(bits @ (8 | 16 | 32 | 64 | -32 | -64)) => Ok(bits),
        _ => Err(FitsError::header(keyword, "8, 16, 32, 64, -32 or -64 is needed")),
    }
}

fn pixel_count(hdu: &Hdu, bits: i64) -> Result<usize, FitsError> {
    let count = product(&hdu.shape).unwrap_or(u64::MAX);
    let size = count.saturating_mul(bits.unsigned_abs() / 8);
    if size > MAX_IMAGE_BYTES {
        let what = format!("the image of HDU {} (in bytes)", hdu.index);
        return Err(FitsError::TooLarge { what, size, limit: MAX_IMAGE_BYTES });
    }
    Ok(count as usize)
}
