//! Images: from an HDU, plain or in compressed tiles, to pixels.

mod codec;
mod pixels;
mod quantise;
mod scale;
mod tiled;

use std::io::{Read, Seek, SeekFrom};

pub use pixels::Pixels;

pub(crate) use pixels::Stored;
pub(crate) use scale::{Scale, unscaled};

use crate::hdu::{Hdu, Kind, product};
use crate::{FitsError, Header};

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
    /// [`FitsError::Damaged`], [`FitsError::Header`] and [`FitsError::Unsupported`] as its data and header call for.
    pub fn read(source: &mut (impl Read + Seek), hdu: &Hdu) -> Result<Self, FitsError> {
        let stored = read_stored(source, hdu)?;
        let shape = hdu.shape.iter().map(|&length| length as usize).collect();
        Ok(Self { shape, pixels: Scale::of(&hdu.header).apply(stored) })
    }
}

/// The image of `hdu` before `BZERO` and `BSCALE`.
pub(crate) fn read_stored(source: &mut (impl Read + Seek), hdu: &Hdu) -> Result<Stored, FitsError> {
    if !hdu.is_image() {
        let found = if hdu.shape.is_empty() { "empty" } else { hdu.kind.name() };
        return Err(FitsError::WrongKind { hdu: hdu.index, found: found.to_owned(), wanted: "an image".to_owned() });
    }
    let compressed = hdu.kind == Kind::CompressedImage;
    let bits = bits(&hdu.header, if compressed { "ZBITPIX" } else { "BITPIX" })?;
    let count = pixel_count(hdu, bits)?;
    if compressed {
        let data = hdu.read_data(source, MAX_IMAGE_BYTES)?;
        return tiled::decode(hdu, &data, bits, count);
    }
    if count as u64 * (bits.unsigned_abs() / 8) > hdu.data_length {
        return Err(FitsError::header("GCOUNT", "one group of data is needed"));
    }
    source.seek(SeekFrom::Start(hdu.data_offset))?;
    Stored::read(source, bits, count)
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
