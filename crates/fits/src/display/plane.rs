//! A two-dimensional image of any type of pixel.

use crate::FitsError;

/// A type of pixel.
pub trait Sample: Copy {
    /// The nearest number that an `f64` can hold.
    fn to_f64(self) -> f64;
}

macro_rules! samples {
    ($($kind:ty),*) => {$(
        impl Sample for $kind {
            fn to_f64(self) -> f64 {
                self as f64
            }
        }
    )*};
}

samples!(u8, i8, u16, i16, u32, i32, u64, i64, f32, f64);

/// The pixels of a two-dimensional image, row by row, the lowest row first as FITS has it. There is at least one.
#[derive(Debug, Clone, Copy)]
pub struct Plane<'a, T> {
    width: usize,
    values: &'a [T],
}

impl<'a, T: Sample> Plane<'a, T> {
    /// The image of `width` (`NAXIS1`) times `height` (`NAXIS2`) pixels.
    ///
    /// # Errors
    /// [`FitsError::Unwritable`] if that is not the number of values, or is zero.
    pub fn new(width: usize, height: usize, values: &'a [T]) -> Result<Self, FitsError> {
        if values.is_empty() || width.checked_mul(height) != Some(values.len()) {
            return Err(FitsError::Unwritable {
                what: format!("a picture of {width} x {height} pixels"),
                problem: format!("there are {} values for it", values.len()),
            });
        }
        Ok(Self { width, values })
    }

    /// Pixels in a row.
    pub fn width(&self) -> usize {
        self.width
    }

    /// The number of rows.
    pub fn height(&self) -> usize {
        self.values.len() / self.width
    }

    /// The pixels, row by row.
    pub fn values(&self) -> &'a [T] {
        self.values
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plane_has_as_many_values_as_its_sides_say() {
        assert_eq!(Plane::new(3, 2, &[0u8; 6]).unwrap().height(), 2);
        for (width, height, values) in [(3, 2, 5), (0, 0, 0), (usize::MAX, 2, 6), (0, 5, 0)] {
            assert!(matches!(Plane::new(width, height, &[0u8; 6][..values]), Err(FitsError::Unwritable { .. })));
        }
    }
}
