//! What an image holds, in a few figures, so that content can be compared whatever the compression.

use std::io::{Read, Seek};

use holotype_core::{Digest, Hasher};
use serde::Serialize;
use serde_json::Number;

use crate::{FitsError, Hdu, Image, Pixels};

/// The figures of one image.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ImageStats {
    /// The place of its HDU in the file, 0 for the primary.
    pub index: usize,
    /// The name of its HDU.
    pub name: String,
    /// The lengths of its axes, slowest first.
    pub shape: Vec<usize>,
    /// The type of its pixels, as numpy names it.
    pub dtype: &'static str,
    /// How many pixels are not a number.
    pub nan: u64,
    /// The least pixel; nothing if there is no number, or it is infinite.
    pub min: Option<Number>,
    /// The largest pixel; nothing if there is no number, or it is infinite.
    pub max: Option<Number>,
    /// The sum of the pixels that are numbers; exact for whole numbers. Nothing if it is infinite.
    pub sum: Option<Number>,
    /// The SHA-256 of the pixels, least significant byte first; of the many forms of NaN the usual one is taken, for
    /// programs differ in which they write.
    pub sha256: Digest,
}

/// The figures of all images of a file.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FileStats {
    /// One entry for each HDU that holds an image.
    pub hdus: Vec<ImageStats>,
}

impl FileStats {
    /// Decodes every image of the file, one after the other.
    ///
    /// # Errors
    /// As [`Hdu::walk`] and [`Image::read`].
    pub fn read(source: &mut (impl Read + Seek)) -> Result<Self, FitsError> {
        let mut hdus = Vec::new();
        for hdu in Hdu::walk(source)?.iter().filter(|hdu| hdu.is_image()) {
            hdus.push(ImageStats::of(hdu, Image::read(source, hdu)?));
        }
        Ok(Self { hdus })
    }
}

impl ImageStats {
    /// The figures of the image of `hdu`.
    pub fn of(hdu: &Hdu, image: Image) -> Self {
        let figures = match &image.pixels {
            Pixels::F32(values) => reals(values.iter().copied().map(f64::from)),
            Pixels::F64(values) => reals(values.iter().copied()),
            Pixels::U8(values) => wholes(values.iter().copied().map(i128::from)),
            Pixels::I8(values) => wholes(values.iter().copied().map(i128::from)),
            Pixels::U16(values) => wholes(values.iter().copied().map(i128::from)),
            Pixels::I16(values) => wholes(values.iter().copied().map(i128::from)),
            Pixels::U32(values) => wholes(values.iter().copied().map(i128::from)),
            Pixels::I32(values) => wholes(values.iter().copied().map(i128::from)),
            Pixels::U64(values) => wholes(values.iter().copied().map(i128::from)),
            Pixels::I64(values) => wholes(values.iter().copied().map(i128::from)),
        };
        Self {
            index: hdu.index,
            name: hdu.name.clone(),
            dtype: image.pixels.dtype(),
            sha256: digest(&image.pixels),
            shape: image.shape,
            nan: figures.nan,
            min: figures.min,
            max: figures.max,
            sum: figures.sum,
        }
    }
}

#[derive(Default)]
struct Figures {
    nan: u64,
    min: Option<Number>,
    max: Option<Number>,
    sum: Option<Number>,
}

fn reals(values: impl Iterator<Item = f64>) -> Figures {
    let (mut nan, mut min, mut max) = (0, f64::INFINITY, f64::NEG_INFINITY);
    // Neumaier's sum: what rounding loses is carried along, so that the order of the pixels hardly matters.
    let (mut sum, mut lost) = (0.0_f64, 0.0_f64);
    for value in values {
        if value.is_nan() {
            nan += 1;
            continue;
        }
        min = min.min(value);
        max = max.max(value);
        let next = sum + value;
        lost += if sum.abs() >= value.abs() { (sum - next) + value } else { (value - next) + sum };
        sum = next;
    }
    Figures {
        nan,
        min: Number::from_f64(min),
        max: Number::from_f64(max),
        sum: if min > max { None } else { Number::from_f64(sum + lost) },
    }
}

fn wholes(values: impl Iterator<Item = i128>) -> Figures {
    let limits = |(min, max, sum): (i128, i128, i128), value: i128| (min.min(value), max.max(value), sum + value);
    let (min, max, sum) = values.fold((i128::MAX, i128::MIN, 0), limits);
    if min > max {
        return Figures::default();
    }
    Figures { nan: 0, min: Number::from_i128(min), max: Number::from_i128(max), sum: Number::from_i128(sum) }
}

/// The SHA-256 of pixels, least significant byte first, every NaN in one form.
fn digest(pixels: &Pixels) -> Digest {
    match pixels {
        Pixels::F32(values) => hashed(values, |value| if value.is_nan() { f32::NAN } else { value }.to_le_bytes()),
        Pixels::F64(values) => hashed(values, |value| if value.is_nan() { f64::NAN } else { value }.to_le_bytes()),
        Pixels::U8(values) => hashed(values, u8::to_le_bytes),
        Pixels::I8(values) => hashed(values, i8::to_le_bytes),
        Pixels::U16(values) => hashed(values, u16::to_le_bytes),
        Pixels::I16(values) => hashed(values, i16::to_le_bytes),
        Pixels::U32(values) => hashed(values, u32::to_le_bytes),
        Pixels::I32(values) => hashed(values, i32::to_le_bytes),
        Pixels::U64(values) => hashed(values, u64::to_le_bytes),
        Pixels::I64(values) => hashed(values, i64::to_le_bytes),
    }
}

fn hashed<T: Copy, const N: usize>(values: &[T], bytes: impl Fn(T) -> [u8; N]) -> Digest {
    let mut hasher = Hasher::new();
    let mut piece = Vec::new();
    for part in values.chunks(8192) {
        piece.clear();
        part.iter().for_each(|&value| piece.extend_from_slice(&bytes(value)));
        hasher.update(&piece);
    }
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_leave_out_what_is_not_a_number() {
        let figures = reals([1e100, f64::NAN, 1.0, -1e100].into_iter());
        assert_eq!((figures.nan, figures.sum), (1, Number::from_f64(1.0)));
        assert_eq!((figures.min, figures.max), (Number::from_f64(-1e100), Number::from_f64(1e100)));
        let figures = reals([f64::NAN].into_iter());
        assert_eq!((figures.nan, figures.min, figures.max, figures.sum), (1, None, None, None));
    }

    #[test]
    fn whole_numbers_are_summed_exactly() {
        let figures = wholes([u64::MAX, u64::MAX].into_iter().map(i128::from));
        assert_eq!(figures.sum.map(|sum| sum.to_string()).as_deref(), Some("36893488147419103230"));
    }

    #[test]
    fn the_digest_is_of_little_endian_bytes() {
        assert_eq!(digest(&Pixels::U16(vec![1, 0x0203])), Digest::of(&[1, 0, 3, 2]));
        let blank = Pixels::F32(vec![f32::from_bits(u32::MAX)]);
        assert_eq!(digest(&blank), Digest::of(&[0, 0, 0xC0, 0x7F]));
    }
}
