//! Images to files: plain, or in Rice-compressed tiles of one row.

use std::io::{Cursor, Write};

use fitsio_pure::compress::{CompressPixel, Dither, Quantize, TileCompression, compress_image_hdu};

use crate::checksum::{self, Sum};
use crate::header::BLOCK;
use crate::image::unscaled;
use crate::structure::is_storage;
use crate::{Card, FitsError, Hdu, Header, Image, Pixels, Value};

/// Where an HDU stands in its file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Position {
    /// At its beginning.
    Primary,
    /// After another.
    Extension,
}

/// How reals become the whole numbers that Rice coding needs. Whole numbers are kept as they are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Quantisation {
    /// The step is the noise of a row divided by this: larger is finer. cfitsio's own is 4.
    pub level: f32,
    /// Whether a known random offset hides the steps (`SUBTRACTIVE_DITHER_1`).
    pub dither: bool,
}

/// Writes a primary HDU without data. Cards of `header` that say how data are stored are replaced; so it is in all of
/// these functions, and `CHECKSUM` and `DATASUM` are stamped.
///
/// # Errors
/// [`FitsError::Io`].
pub fn empty_primary(sink: &mut impl Write, header: &Header) -> Result<(), FitsError> {
    let mut written = structure(Position::Primary, 8, &[])?;
    append(&mut written, header, |_| false);
    checksum::stamp(&mut written, Sum::default())?;
    written.write(sink)
}

/// Writes an image as it is. `BZERO` and `BSCALE` follow from its type.
///
/// # Errors
/// [`FitsError::Unwritable`] if the shape is not that of the pixels, [`FitsError::Io`].
pub fn image(sink: &mut impl Write, position: Position, header: &Header, image: &Image) -> Result<(), FitsError> {
    check(image)?;
    let (stored, zero) = unscaled(&image.pixels);
    let mut written = structure(position, bits(&image.pixels), &image.shape)?;
    if let Some(zero) = zero {
        written.push(Card::new("BZERO", zero, "offset of unsigned or signed numbers")?);
        written.push(Card::new("BSCALE", Value::Integer(1), "")?);
    }
    append(&mut written, header, |card| matches!(card.keyword(), "BZERO" | "BSCALE" | "BLANK"));
    let (mut sum, mut length) = (Sum::default(), 0);
    stored.pieces(|piece| {
        sum.add(piece);
        length += piece.len();
        Ok(())
    })?;
    checksum::stamp(&mut written, sum)?;
    written.write(sink)?;
    stored.pieces(|piece| Ok(sink.write_all(piece)?))?;
    Ok(sink.write_all(&vec![0; length.next_multiple_of(BLOCK) - length])?)
}

/// Writes an image as an extension in Rice-compressed tiles of one row.
///
/// # Errors
/// As [`image()`]; 64-bit whole numbers cannot be compressed so.
pub fn rice(sink: &mut impl Write, header: &Header, image: &Image, reals: Quantisation) -> Result<(), FitsError> {
    check(image)?;
    let packed = match &image.pixels {
        Pixels::U8(values) => packed(image, values, reals),
        Pixels::I8(values) => packed(image, values, reals),
        Pixels::U16(values) => packed(image, values, reals),
        Pixels::I16(values) => packed(image, values, reals),
        Pixels::U32(values) => packed(image, values, reals),
        Pixels::I32(values) => packed(image, values, reals),
        Pixels::F32(values) => packed(image, values, reals),
        Pixels::F64(values) => packed(image, values, reals),
        Pixels::U64(_) | Pixels::I64(_) => {
            Err(unwritable("64-bit whole numbers cannot be Rice-compressed; write the image plain"))
        }
    }?;
    let Some(table) = Hdu::read(&mut Cursor::new(&packed), 1, 0)? else {
        return Err(unwritable("the compressed table has no header"));
    };
    let data = &packed[table.data_offset as usize..];
    let mut written = table.header;
    append(&mut written, header, |card| matches!(card.keyword(), "BZERO" | "BSCALE" | "BLANK"));
    let mut sum = Sum::default();
    sum.add(data);
    checksum::stamp(&mut written, sum)?;
    written.write(sink)?;
    Ok(sink.write_all(data)?)
}

fn packed<T: CompressPixel>(image: &Image, values: &[T], reals: Quantisation) -> Result<Vec<u8>, FitsError> {
    let axes: Vec<usize> = image.shape.iter().rev().copied().collect();
    let dither = if reals.dither { Dither::Subtractive } else { Dither::None };
    let compression = TileCompression::rice().quantize(Quantize::new().level(reals.level).dither(dither));
    compress_image_hdu(&axes, values, &compression, &[]).map_err(|error| unwritable(&error.to_string()))
}

fn unwritable(problem: &str) -> FitsError {
    FitsError::Unwritable { what: "the image".to_owned(), problem: problem.to_owned() }
}

fn check(image: &Image) -> Result<(), FitsError> {
    let count = image.shape.iter().try_fold(1_usize, |count, &length| count.checked_mul(length));
    if image.shape.is_empty() || image.shape.len() > 999 || count != Some(image.pixels.len()) {
        let (shape, found) = (&image.shape, image.pixels.len());
        return Err(unwritable(&format!("the shape {shape:?} is not that of {found} pixels")));
    }
    Ok(())
}

fn bits(pixels: &Pixels) -> i128 {
    match pixels {
        Pixels::U8(_) | Pixels::I8(_) => 8,
        Pixels::U16(_) | Pixels::I16(_) => 16,
        Pixels::U32(_) | Pixels::I32(_) => 32,
        Pixels::U64(_) | Pixels::I64(_) => 64,
        Pixels::F32(_) => -32,
        Pixels::F64(_) => -64,
    }
}

/// The cards that begin an image of this shape.
fn structure(position: Position, bits: i128, shape: &[usize]) -> Result<Header, FitsError> {
    let whole = |value: usize| Value::Integer(value as i128);
    let mut header = Header::default();
    header.push(match position {
        Position::Primary => Card::new("SIMPLE", Value::Logical(true), "conforms to FITS standard")?,
        Position::Extension => Card::new("XTENSION", Value::Text("IMAGE".to_owned()), "image extension")?,
    });
    header.push(Card::new("BITPIX", Value::Integer(bits), "bits of a pixel, negative for reals")?);
    header.push(Card::new("NAXIS", whole(shape.len()), "number of axes")?);
    for (index, length) in shape.iter().rev().enumerate() {
        header.push(Card::new(&format!("NAXIS{}", index + 1), whole(*length), "")?);
    }
    match position {
        Position::Primary => header.push(Card::new("EXTEND", Value::Logical(true), "there may be extensions")?),
        Position::Extension => {
            header.push(Card::new("PCOUNT", whole(0), "")?);
            header.push(Card::new("GCOUNT", whole(1), "")?);
        }
    }
    Ok(header)
}

/// Adds the cards of `header` that do not say how data are stored, and are not `unwanted`.
fn append(written: &mut Header, header: &Header, unwanted: impl Fn(&Card) -> bool) {
    for card in header.cards().iter().filter(|card| !is_storage(card) && !unwanted(card)) {
        written.push(card.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checksum::{Verdict, verify};

    fn header() -> Header {
        let cards = [
            ("EXTNAME", Value::Text("SCI".into())),
            ("NAXIS", Value::Integer(7)),
            ("BZERO", Value::Real(3.0)),
            ("OBJECT", Value::Text("M 31".into())),
        ];
        cards.into_iter().map(|(keyword, value)| Card::new(keyword, value, "").unwrap()).collect()
    }

    /// The image that the last HDU of `bytes` holds, with all sums verified.
    fn read(bytes: &[u8]) -> (Header, Image) {
        let mut source = Cursor::new(bytes);
        let hdus = Hdu::walk(&mut source).unwrap();
        for hdu in &hdus {
            let found = verify(&mut source, hdu).unwrap();
            assert_eq!((found.checksum, found.datasum), (Verdict::Right, Verdict::Right), "HDU {}", hdu.index);
        }
        let last = hdus.last().unwrap();
        assert_eq!((last.name.as_str(), last.header.text("OBJECT")), ("SCI", Some("M 31")));
        (last.header.clone(), Image::read(&mut source, last).unwrap())
    }

    fn images() -> Vec<Image> {
        let count = 3 * 50;
        let all = [
            Pixels::U8((0..count).map(|value| value as u8).collect()),
            Pixels::I8((0..count).map(|value| value as i8).collect()),
            Pixels::U16((0..count).map(|value| 65_535 - value as u16).collect()),
            Pixels::I16((0..count).map(|value| value as i16 - 40).collect()),
            Pixels::U32((0..count).map(|value| u32::MAX - value as u32 * 7).collect()),
            Pixels::I32((0..count).map(|value| value - 1000).collect()),
            Pixels::U64((0..count).map(|value| u64::MAX - value as u64).collect()),
            Pixels::I64((0..count).map(|value| i64::MIN + i64::from(value)).collect()),
            Pixels::F32((0..count).map(|value| value as f32 * 0.1).collect()),
            Pixels::F64((0..count).map(|value| f64::from(value) * 0.1).collect()),
        ];
        all.into_iter().map(|pixels| Image { shape: vec![3, 50], pixels }).collect()
    }

    #[test]
    fn an_image_of_every_type_is_read_as_it_was_written() {
        for written in images() {
            let mut bytes = Vec::new();
            image(&mut bytes, Position::Primary, &header(), &written).unwrap();
            assert_eq!(read(&bytes).1, written);
            bytes.clear();
            empty_primary(&mut bytes, &Header::default()).unwrap();
            image(&mut bytes, Position::Extension, &header(), &written).unwrap();
            assert_eq!(read(&bytes).1, written);
        }
    }

    #[test]
    fn whole_numbers_survive_rice_compression() {
        for written in images() {
            let mut bytes = Vec::new();
            empty_primary(&mut bytes, &Header::default()).unwrap();
            let result = rice(&mut bytes, &header(), &written, Quantisation { level: 16.0, dither: false });
            match &written.pixels {
                Pixels::U64(_) | Pixels::I64(_) => {
                    assert!(matches!(result, Err(FitsError::Unwritable { .. })), "{result:?}");
                }
                Pixels::F32(_) | Pixels::F64(_) => {}
                _ => assert_eq!(read(&bytes).1, written),
            }
        }
    }

    #[test]
    fn reals_survive_rice_compression_to_half_a_step() {
        let mut state = 1_u64;
        let mut noise = |_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            1000.0 + 30.0 * (state >> 40) as f32 / (1 << 24) as f32
        };
        let values: Vec<f32> = (0..40_000).map(&mut noise).collect();
        let written = Image { shape: vec![200, 200], pixels: Pixels::F32(values.clone()) };
        for dither in [false, true] {
            let mut bytes = Vec::new();
            empty_primary(&mut bytes, &Header::default()).unwrap();
            rice(&mut bytes, &header(), &written, Quantisation { level: 16.0, dither }).unwrap();
            let (header, image) = read(&bytes);
            assert_eq!(header.text("ZQUANTIZ"), Some(if dither { "SUBTRACTIVE_DITHER_1" } else { "NO_DITHER" }));
            let Pixels::F32(found) = image.pixels else { panic!("reals stay reals") };
            let off = values.iter().zip(&found).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            assert!(off > 0.0 && off < 1.0, "{off}");
            assert!(bytes.len() < 80_000, "{}", bytes.len());
        }
    }

    #[test]
    fn a_shape_that_is_not_that_of_the_pixels_is_refused() {
        let wrong = Image { shape: vec![2, 2], pixels: Pixels::U8(vec![0; 5]) };
        assert!(image(&mut Vec::new(), Position::Primary, &header(), &wrong).is_err());
        let huge = Image { shape: vec![usize::MAX, 2], pixels: Pixels::U8(vec![0; 5]) };
        assert!(image(&mut Vec::new(), Position::Primary, &header(), &huge).is_err());
    }
}
