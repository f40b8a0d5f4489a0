//! Medians and deviations of a few numbers.

/// The median of the numbers among the values; NaN if there is none.
pub(crate) fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.into_iter().filter(|value| !value.is_nan()).collect();
    if values.is_empty() {
        return f64::NAN;
    }
    let (count, middle) = (values.len(), values.len() / 2);
    let (below, &mut upper, _) = values.select_nth_unstable_by(middle, f64::total_cmp);
    if count % 2 == 1 {
        return upper;
    }
    let lower = below.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    lower / 2.0 + upper / 2.0
}

/// The mean; NaN for no values.
pub(crate) fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// The standard deviation, the squares being divided by their number less `lost` degrees of freedom; NaN if that is none.
pub(crate) fn deviation(values: &[f64], lost: usize) -> f64 {
    if values.len() <= lost {
        return f64::NAN;
    }
    let mean = mean(values);
    let squares = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>();
    (squares / (values.len() - lost) as f64).sqrt()
}

/// The value below which `percent` of the sorted values lie, between two of them in proportion; NaN for none.
pub(crate) fn percentile(values: &[f64], percent: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let place = percent / 100.0 * (sorted.len().max(1) - 1) as f64;
    let (below, share) = (place.floor() as usize, place.fract());
    match (sorted.get(below), sorted.get(below + 1)) {
        (Some(low), Some(high)) => low + (high - low) * share,
        (Some(low), None) => *low,
        (None, _) => f64::NAN,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_median_is_the_middle_or_the_mean_of_the_two_in_it() {
        assert_eq!(median([3.0, 1.0, f64::NAN, 2.0]), 2.0);
        assert_eq!(median([4.0, 1.0, 3.0, 2.0]), 2.5);
        assert_eq!(median([7.0]), 7.0);
        assert!(median([f64::NAN]).is_nan());
    }

    #[test]
    fn deviations_and_percentiles_are_those_of_the_textbook() {
        assert_eq!(deviation(&[2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0], 0), 2.0);
        assert_eq!(deviation(&[1.0, 3.0], 1), 2.0_f64.sqrt());
        assert!(deviation(&[1.0], 1).is_nan());
        assert_eq!([0.0, 50.0, 75.0, 100.0].map(|p| percentile(&[4.0, 1.0, 3.0, 2.0, 5.0], p)), [1.0, 3.0, 4.0, 5.0]);
        assert_eq!(percentile(&[1.0, 2.0], 25.0), 1.25);
        assert!(percentile(&[], 50.0).is_nan());
    }
}
