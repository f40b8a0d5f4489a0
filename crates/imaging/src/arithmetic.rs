//! Images with each other, pixel by pixel, in 32-bit arithmetic.

use rayon::prelude::*;

use crate::combine::median;
use crate::{ImagingError, Raster};

/// `first` minus `second`, cropped to what both have from their first pixel on.
pub fn subtract(first: Raster, second: &Raster) -> Raster {
    pairwise(first, second, |a, b| a - b)
}

/// `first` plus `second`, cropped as by [`subtract`].
pub fn add(first: Raster, second: &Raster) -> Raster {
    pairwise(first, second, |a, b| a + b)
}

/// `first` divided by `second`, cropped as by [`subtract`]; NaN where the second is 0, for there is no value to be had from it.
pub fn divide(first: Raster, second: &Raster) -> Raster {
    pairwise(first, second, |a, b| if b == 0.0 { f32::NAN } else { a / b })
}

/// Each pixel divided by the median of all; `frame` is its name for messages.
///
/// # Errors
/// [`ImagingError::Median`] if that is 0 or no finite number, as it is if a pixel is NaN.
pub fn normalise(frame: &str, mut raster: Raster) -> Result<Raster, ImagingError> {
    let median = if raster.values.par_iter().any(|value| value.is_nan()) {
        f32::NAN
    } else {
        median(&mut raster.values.clone())
    };
    if median == 0.0 || !median.is_finite() {
        return Err(ImagingError::Median { frame: frame.to_owned(), median });
    }
    raster.values.par_iter_mut().with_min_len(1 << 16).for_each(|value| *value /= median);
    Ok(raster)
}

fn pairwise(first: Raster, second: &Raster, operation: impl Fn(f32, f32) -> f32 + Sync) -> Raster {
    let (width, height) = (first.width.min(second.width), first.height.min(second.height));
    let mut made = first.cropped(width, height);
    if width > 0 {
        let rows = made.values.par_chunks_exact_mut(width).zip(second.values.par_chunks_exact(second.width));
        rows.with_min_len(32).for_each(|(row, other)| {
            row.iter_mut().zip(other).for_each(|(a, b)| *a = operation(*a, *b));
        });
    }
    made
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raster(width: usize, values: &[f32]) -> Raster {
        Raster { width, height: values.len() / width, values: values.to_vec() }
    }

    #[test]
    fn images_are_cropped_to_what_both_have() {
        let (first, second) = (raster(3, &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]), raster(2, &[1.0, 0.0, 2.0, 4.0, 9.0, 9.0]));
        assert_eq!(subtract(first.clone(), &second), raster(2, &[0.0, 2.0, 2.0, 1.0]));
        assert_eq!(add(second.clone(), &first), raster(2, &[2.0, 2.0, 6.0, 9.0]));
        let divided = divide(first, &second);
        assert!(divided.values[1].is_nan());
        assert_eq!([divided.values[0], divided.values[2], divided.values[3]], [1.0, 2.0, 1.25]);
    }

    #[test]
    fn nothing_is_divided_by_a_median_that_is_nothing() {
        assert_eq!(normalise("a", raster(2, &[1.0, 2.0, 3.0, 6.0])).unwrap(), raster(2, &[0.4, 0.8, 1.2, 2.4]));
        for values in [&[0.0, 0.0, 1.0][..], &[1.0, f32::NAN, 2.0], &[f32::INFINITY; 3], &[-1.0, 1.0]] {
            let error = normalise("a", raster(1, values)).unwrap_err();
            assert!(matches!(&error, ImagingError::Median { frame, .. } if frame == "a"), "{error}");
        }
        assert!(normalise("a", Raster { width: 0, height: 0, values: Vec::new() }).is_err());
    }
}
