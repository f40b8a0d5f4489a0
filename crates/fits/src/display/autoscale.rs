//! Which values a picture should span.

use super::{Plane, Sample};

/// About how many pixels are looked at.
const SAMPLES: usize = 2_000;

/// The slope of the line is divided by this, so that the limits lie where few pixels do.
const CONTRAST: f64 = 0.1;

/// The values between which the pixels of an image tell something: for a display, black is the median and white is `high`.
/// All are finite, and `low` <= `median` <= `high`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Autoscale {
    /// The lower limit by the line through the samples.
    pub low: f64,
    /// The median of the samples.
    pub median: f64,
    /// The upper limit by the line through the samples.
    pub high: f64,
}

impl Autoscale {
    /// Looks at every n-th pixel, about 2,000 of them, and fits a line to their sorted values; what is not finite counts for
    /// nothing. Nothing if no pixel that was looked at is finite.
    pub fn of<T: Sample>(plane: &Plane<T>) -> Option<Self> {
        Self::of_samples(&samples(plane))
    }

    /// The same of [`samples`].
    pub fn of_samples(samples: &[f64]) -> Option<Self> {
        let (first, last) = (*samples.first()?, *samples.last()?);
        let (intercept, slope) = line(samples);
        // The line is followed from its first value, not from its middle one: this is the scale that archives show.
        let reach = slope / CONTRAST * samples.len() as f64 / 2.0;
        let median = median(samples);
        Some(Self {
            low: first.max(intercept - reach).min(median),
            median,
            high: last.min(intercept + reach).max(median),
        })
    }
}

/// Every n-th pixel that is finite, about 2,000 of them, sorted.
pub fn samples<T: Sample>(plane: &Plane<T>) -> Vec<f64> {
    let values = plane.values();
    let stride = (values.len() / SAMPLES).max(1);
    // The first pixel is passed over unless it is the only one.
    let first = stride.min(values.len() - 1);
    let looked_at = values[first..].iter().step_by(stride).map(|value| value.to_f64());
    let mut samples: Vec<f64> = looked_at.filter(|value| value.is_finite()).collect();
    samples.sort_unstable_by(f64::total_cmp);
    samples
}

/// The median of sorted values, of which there is one at least.
fn median(sorted: &[f64]) -> f64 {
    let middle = sorted.len() / 2;
    if sorted.len() % 2 == 1 { sorted[middle] } else { sorted[middle - 1] / 2.0 + sorted[middle] / 2.0 }
}

/// The value at the first index and the slope of the line of least squares through values at the indices 0, 1, 2, ...
fn line(values: &[f64]) -> (f64, f64) {
    let count = values.len() as f64;
    let middle = (count - 1.0) / 2.0;
    // Each is divided first, as the sum of numbers near the largest ones would overflow, and counted from the first one, so
    // that equal values have exactly that mean.
    let first = values.first().copied().unwrap_or_default();
    let mean = first + values.iter().map(|value| value / count - first / count).sum::<f64>();
    let (mut along, mut square) = (0.0, 0.0);
    for (index, value) in values.iter().enumerate() {
        let distance = index as f64 - middle;
        along += distance * (value - mean);
        square += distance * distance;
    }
    let slope = if square > 0.0 { along / square } else { 0.0 };
    (mean - slope * middle, slope)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scale(width: usize, values: &[f32]) -> Option<Autoscale> {
        Autoscale::of(&Plane::new(width, values.len() / width, values).unwrap())
    }

    #[test]
    fn the_limits_follow_the_line_through_the_sorted_samples() {
        // 100 pixels, of which the first is passed over: 1 to 98 and one bright star. By `numpy.polyfit` the line begins at
        // -1956.65595959596 and rises by 61.5460606060606.
        let mut values: Vec<f32> = (0..100).map(|i| i as f32).collect();
        values[99] = 100_000.0;
        let scale = scale(10, &values).unwrap();
        assert_eq!((scale.low, scale.median), (1.0, 50.0));
        assert!((scale.high - 28_508.644040404037).abs() < 1e-8, "{scale:?}");
    }

    #[test]
    fn pixels_that_are_no_numbers_count_for_nothing() {
        let mut values: Vec<f32> = (0..64).map(|i| i as f32).collect();
        let without = scale(8, &values).unwrap();
        values.extend([f32::NAN, f32::INFINITY, f32::NEG_INFINITY, f32::NAN, f32::NAN, f32::NAN, f32::NAN, f32::NAN]);
        assert_eq!(scale(8, &values).unwrap(), without);
        assert_eq!(scale(2, &[f32::NAN; 4]), None);
    }

    #[test]
    fn the_limits_are_in_order_and_finite_also_at_the_ends_of_the_numbers() {
        for values in [[f32::MAX, f32::MIN, 0.0, 1.0], [f32::MAX; 4], [-1e30, 1.0, 1.0, 1.0], [1e-45, 0.0, -1e-45, 0.0]]
        {
            let Autoscale { low, median, high } = scale(2, &values).unwrap();
            assert!(low.is_finite() && low <= median && median <= high && high.is_finite(), "{values:?}");
        }
        let widest = [f64::MAX, f64::MIN, f64::MAX, f64::MIN];
        let Autoscale { low, median, high } = Autoscale::of(&Plane::new(2, 2, &widest).unwrap()).unwrap();
        assert!(low.is_finite() && low <= median && median <= high && high.is_finite());
    }

    #[test]
    fn an_image_of_few_or_equal_pixels_has_a_scale() {
        assert_eq!(scale(1, &[7.0]), Some(Autoscale { low: 7.0, median: 7.0, high: 7.0 }));
        assert_eq!(scale(50, &[7.0; 5_000]), Some(Autoscale { low: 7.0, median: 7.0, high: 7.0 }));
    }
}
