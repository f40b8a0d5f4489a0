//! Rows of a two-dimensional image, decoded as 32-bit reals as they are asked for.

use std::io::{Read, Seek, SeekFrom};
use std::ops::Range;

use super::pixels::{Pixels, Stored};
use super::scale::Scale;
use super::tiled::Tiles;
use super::{bits_of, checked};
use crate::FitsError;
use crate::hdu::{Hdu, Kind};

/// Where and how the rows of a two-dimensional image are stored. It holds nothing of the file, so that the rows of one image can
/// be read by several threads, each with a source of its own.
pub struct Rows {
    width: usize,
    height: usize,
    layout: Layout,
    scale: Scale,
    bits: i64,
}

enum Layout {
    /// The place of the first pixel in the file.
    Plain(u64),
    Tiled(Box<Tiles>),
}

impl Rows {
    /// Of the image of `hdu`.
    ///
    /// # Errors
    /// [`FitsError::WrongKind`] if it holds no image of two axes, and as [`Image::read`](super::Image::read) for what its
    /// header says.
    pub fn of(hdu: &Hdu) -> Result<Self, FitsError> {
        let (bits, _) = checked(hdu)?;
        let [height, width] = *hdu.shape.as_slice() else {
            let found = format!("an image of {} axes", hdu.shape.len());
            return Err(FitsError::WrongKind { hdu: hdu.index, found, wanted: "one of 2 axes".to_owned() });
        };
        let layout = if hdu.kind == Kind::CompressedImage {
            Layout::Tiled(Box::new(Tiles::of(hdu, bits)?))
        } else {
            super::one_group(hdu, bits)?;
            Layout::Plain(hdu.data_offset)
        };
        Ok(Self {
            width: width as usize,
            height: height as usize,
            layout,
            scale: Scale::of(&hdu.header),
            bits: bits_of(hdu)?,
        })
    }

    /// Pixels in a row (`NAXIS1`).
    pub fn width(&self) -> usize {
        self.width
    }

    /// The number of rows (`NAXIS2`).
    pub fn height(&self) -> usize {
        self.height
    }

    /// `BITPIX`, of a compressed image its own: the bits of a pixel as it is stored, negative for reals.
    pub fn bits(&self) -> i64 {
        self.bits
    }

    /// How many rows are decoded together: those of a row of tiles. Reading whole groups, counted from the first row, decodes
    /// nothing twice.
    pub fn group(&self) -> usize {
        match &self.layout {
            Layout::Plain(_) => 1,
            Layout::Tiled(tiles) => tiles.group(),
        }
    }

    /// Decodes `rows`, counted from 0, into `into`, which they fill: what is meant, after `BZERO` and `BSCALE`, with NaN for
    /// blank pixels, each as the nearest 32-bit real.
    ///
    /// # Errors
    /// [`FitsError::Unwritable`] if there are no such rows or `into` has another length, and as
    /// [`Image::read`](super::Image::read) for what is wrong with the data.
    pub fn read(&self, source: &mut (impl Read + Seek), rows: Range<usize>, into: &mut [f32]) -> Result<(), FitsError> {
        if rows.start > rows.end || rows.end > self.height || into.len() != rows.len() * self.width {
            return Err(FitsError::Unwritable {
                what: format!("rows {} to {} of an image of {}", rows.start, rows.end, self.height),
                problem: format!("there is room for {} pixels", into.len()),
            });
        }
        match &self.layout {
            Layout::Plain(start) => self.plain(*start, source, rows, into),
            Layout::Tiled(tiles) => match self.bits {
                8 => tiles.rows::<u8>(source, rows, |stored, part| self.scaled(stored, part), into),
                16 => tiles.rows::<i16>(source, rows, |stored, part| self.scaled(stored, part), into),
                32 => tiles.rows::<i32>(source, rows, |stored, part| self.scaled(stored, part), into),
                64 => tiles.rows::<i64>(source, rows, |stored, part| self.scaled(stored, part), into),
                -32 if self.scale.is_none() => tiles.rows_of_reals(source, rows, into),
                -32 => tiles.rows::<f32>(source, rows, |stored, part| self.scaled(stored, part), into),
                _ => tiles.rows::<f64>(source, rows, |stored, part| self.scaled(stored, part), into),
            },
        }
    }

    fn plain(
        &self,
        start: u64,
        source: &mut (impl Read + Seek),
        rows: Range<usize>,
        into: &mut [f32],
    ) -> Result<(), FitsError> {
        let row = self.width as u64 * (self.bits.unsigned_abs() / 8);
        source.seek(SeekFrom::Start(start + rows.start as u64 * row))?;
        let step = (CHUNK / self.width).max(1) * self.width;
        let mut bytes = Vec::new();
        for part in into.chunks_mut(step) {
            if self.bits == -32 && self.scale.is_none() {
                bytes.resize(4 * part.len(), 0);
                source.read_exact(&mut bytes)?;
                let values = bytes.as_chunks().0;
                part.iter_mut().zip(values).for_each(|(pixel, four)| *pixel = f32::from_be_bytes(*four));
            } else {
                self.scaled(Stored::read(source, self.bits, part.len())?, part);
            }
        }
        Ok(())
    }

    fn scaled(&self, stored: Stored, into: &mut [f32]) {
        fn put<T: Copy>(values: &[T], into: &mut [f32], real: impl Fn(T) -> f32) {
            into.iter_mut().zip(values).for_each(|(pixel, value)| *pixel = real(*value));
        }
        match self.scale.apply(stored) {
            Pixels::U8(values) => put(&values, into, f32::from),
            Pixels::I8(values) => put(&values, into, f32::from),
            Pixels::U16(values) => put(&values, into, f32::from),
            Pixels::I16(values) => put(&values, into, f32::from),
            Pixels::U32(values) => put(&values, into, |value| value as f32),
            Pixels::I32(values) => put(&values, into, |value| value as f32),
            Pixels::U64(values) => put(&values, into, |value| value as f32),
            Pixels::I64(values) => put(&values, into, |value| value as f32),
            Pixels::F32(values) => into.copy_from_slice(&values),
            Pixels::F64(values) => put(&values, into, |value| value as f32),
        }
    }
}

/// About how many pixels of a plain image are read at a time.
const CHUNK: usize = 16 * 1024;
