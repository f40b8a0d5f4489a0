//! Pixels as they are stored, and as they are meant.

use std::io::{self, Read};

use crate::FitsError;

/// The values of an image, after `BZERO` and `BSCALE`; named as numpy names them.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "each variant is the type that it names")]
pub enum Pixels {
    U8(Vec<u8>),
    I8(Vec<i8>),
    U16(Vec<u16>),
    I16(Vec<i16>),
    U32(Vec<u32>),
    I32(Vec<i32>),
    U64(Vec<u64>),
    I64(Vec<i64>),
    F32(Vec<f32>),
    F64(Vec<f64>),
}

impl Pixels {
    /// The name of the type, as numpy has it: `uint8`, `int16`, `float32` and so on.
    pub fn dtype(&self) -> &'static str {
        match self {
            Self::U8(_) => "uint8",
            Self::I8(_) => "int8",
            Self::U16(_) => "uint16",
            Self::I16(_) => "int16",
            Self::U32(_) => "uint32",
            Self::I32(_) => "int32",
            Self::U64(_) => "uint64",
            Self::I64(_) => "int64",
            Self::F32(_) => "float32",
            Self::F64(_) => "float64",
        }
    }

    /// How many pixels there are.
    pub fn len(&self) -> usize {
        match self {
            Self::U8(values) => values.len(),
            Self::I8(values) => values.len(),
            Self::U16(values) => values.len(),
            Self::I16(values) => values.len(),
            Self::U32(values) => values.len(),
            Self::I32(values) => values.len(),
            Self::U64(values) => values.len(),
            Self::I64(values) => values.len(),
            Self::F32(values) => values.len(),
            Self::F64(values) => values.len(),
        }
    }

    /// Whether there is no pixel.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// The values of an image as they stand in a file, before `BZERO` and `BSCALE`: one variant for each `BITPIX`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Stored {
    U8(Vec<u8>),
    I16(Vec<i16>),
    I32(Vec<i32>),
    I64(Vec<i64>),
    F32(Vec<f32>),
    F64(Vec<f64>),
}

/// A type that `BITPIX` names.
pub(crate) trait Pixel: Copy + Default {
    /// Its length in bytes.
    const BYTES: usize;
    /// Whether it is a whole number.
    const WHOLE: bool;
    /// From its bytes, most significant first; there are [`Pixel::BYTES`] of them.
    fn from_be(bytes: &[u8]) -> Self;
    /// Puts its bytes, most significant first, into `bytes`; there is room for [`Pixel::BYTES`].
    fn put_be(self, bytes: &mut [u8]);
    /// From what an integer codec gives: the low bits of `value`.
    fn from_i32(value: i32) -> Self;
    /// From a value that was scaled. NaN becomes the one whose bits are all set, as it is written for blank pixels.
    fn from_f64(value: f64) -> Self;
    /// As the variant of its type.
    fn stored(values: Vec<Self>) -> Stored;
}

macro_rules! pixel {
    ($type:ty, $variant:ident, $whole:expr, $from:expr) => {
        impl Pixel for $type {
            const BYTES: usize = size_of::<$type>();
            const WHOLE: bool = $whole;
            #[inline]
            fn from_be(bytes: &[u8]) -> Self {
                bytes.first_chunk().map_or_else(Self::default, |bytes| Self::from_be_bytes(*bytes))
            }
            #[inline]
            fn put_be(self, bytes: &mut [u8]) {
                bytes.copy_from_slice(&self.to_be_bytes());
            }
            fn from_i32(value: i32) -> Self {
                value as Self
            }
            fn from_f64(value: f64) -> Self {
                $from(value)
            }
            fn stored(values: Vec<Self>) -> Stored {
                Stored::$variant(values)
            }
        }
    };
}

pixel!(u8, U8, true, |value| value as u8);
pixel!(i16, I16, true, |value| value as i16);
pixel!(i32, I32, true, |value| value as i32);
pixel!(i64, I64, true, |value| value as i64);
pixel!(f32, F32, false, |value: f64| if value.is_nan() { f32::from_bits(u32::MAX) } else { value as f32 });
pixel!(f64, F64, false, |value: f64| if value.is_nan() { f64::from_bits(u64::MAX) } else { value });

/// How many bytes are converted at a time; a multiple of every pixel's length.
const CHUNK: usize = 64 * 1024;

impl Stored {
    /// Reads `count` pixels of `BITPIX` `bits`, most significant byte first. Grows with what is really there.
    pub(crate) fn read(source: &mut impl Read, bits: i64, count: usize) -> Result<Self, FitsError> {
        Ok(match bits {
            8 => Self::U8(read_be(source, count)?),
            16 => Self::I16(read_be(source, count)?),
            32 => Self::I32(read_be(source, count)?),
            64 => Self::I64(read_be(source, count)?),
            -32 => Self::F32(read_be(source, count)?),
            -64 => Self::F64(read_be(source, count)?),
            _ => return Err(FitsError::header("BITPIX", "8, 16, 32, 64, -32 or -64 is needed")),
        })
    }

    /// Gives the pixels as they stand in a file, most significant byte first, piece by piece.
    pub(crate) fn pieces(&self, sink: impl FnMut(&[u8]) -> Result<(), FitsError>) -> Result<(), FitsError> {
        match self {
            Self::U8(values) => write_be(values, sink),
            Self::I16(values) => write_be(values, sink),
            Self::I32(values) => write_be(values, sink),
            Self::I64(values) => write_be(values, sink),
            Self::F32(values) => write_be(values, sink),
            Self::F64(values) => write_be(values, sink),
        }
    }
}

fn read_be<T: Pixel>(source: &mut impl Read, count: usize) -> io::Result<Vec<T>> {
    let mut values = Vec::new();
    let mut chunk = vec![0; CHUNK];
    let mut left = count * T::BYTES;
    while left > 0 {
        let part = &mut chunk[..left.min(CHUNK)];
        source.read_exact(part)?;
        values.extend(part.chunks_exact(T::BYTES).map(T::from_be));
        left -= part.len();
    }
    Ok(values)
}

/// Gives pixels as they stand in a file, most significant byte first, piece by piece.
fn write_be<T: Pixel>(values: &[T], mut sink: impl FnMut(&[u8]) -> Result<(), FitsError>) -> Result<(), FitsError> {
    let mut chunk = Vec::new();
    values.chunks(CHUNK / T::BYTES).try_for_each(|part| sink(bytes_be(part, &mut chunk)))
}

/// The bytes of pixels, most significant first. They stand in `room`, which is to be given again: new memory for each piece would cost more.
pub(super) fn bytes_be<'r, T: Pixel>(values: &[T], room: &'r mut Vec<u8>) -> &'r [u8] {
    let length = values.len() * T::BYTES;
    if room.len() < length {
        room.resize(length, 0);
    }
    let bytes = &mut room[..length];
    values.iter().zip(bytes.chunks_exact_mut(T::BYTES)).for_each(|(value, bytes)| value.put_be(bytes));
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stored_pixels_come_back_from_their_bytes() {
        let count = 2 * CHUNK / 8 + 3;
        let stored = Stored::F64((0..count).map(|index| index as f64 * 0.5).collect());
        let mut bytes = Vec::new();
        stored
            .pieces(|piece| {
                bytes.extend_from_slice(piece);
                Ok(())
            })
            .unwrap();
        assert_eq!(bytes[8..16], 0.5_f64.to_be_bytes());
        assert_eq!(Stored::read(&mut bytes.as_slice(), -64, count).unwrap(), stored);
        assert!(matches!(Stored::read(&mut &bytes[..100], -64, count), Err(FitsError::Io(_))));
    }
}
