//! The pixels of an image for a display that stretches them itself: as many as it shows, and their distribution.

use holotype_fits::Header;
use holotype_fits::display::{Autoscale, Plane, samples};
use rayon::prelude::*;

use crate::{ImagingError, Raster};

/// What a display needs.
#[derive(Debug, Clone, PartialEq)]
pub struct RawData {
    /// The image resampled to a square, the highest row first.
    pub data: Vec<f32>,
    /// The side of the square.
    pub side: usize,
    /// For each bin the decimal logarithm of how many samples fall in it, or 0 where there is none.
    pub histogram: Vec<f64>,
    /// The middle of each bin, without its fraction.
    pub bins: Vec<f64>,
    /// What is shown black: the median of the samples, rounded.
    pub low: f64,
    /// What is shown white: the upper limit of the scale, rounded up.
    pub high: f64,
}

/// The largest square that is made.
pub const MAX_SIDE: usize = 8192;

/// Resamples an image to a square of `side` pixels, whatever its proportion, by the mean over areas, and counts its samples.
/// `ceiling` is the greatest value that pixels can have (see [`ceiling`]).
///
/// # Errors
/// [`ImagingError::Invalid`] for a side that is 0 or above [`MAX_SIDE`], [`ImagingError::Product`] for an image without pixels.
pub fn raw_data(raster: &Raster, side: usize, ceiling: f64) -> Result<RawData, ImagingError> {
    if side == 0 || side > MAX_SIDE {
        return Err(ImagingError::Invalid {
            what: "the side of a display",
            problem: format!("{side} is not 1 to {MAX_SIDE}"),
        });
    }
    let plane = Plane::new(raster.width, raster.height, &raster.values).map_err(ImagingError::Product)?;
    let (data, samples) = rayon::join(|| resized(raster, side), || samples(&plane));
    let Some(scale) = Autoscale::of_samples(&samples) else {
        return Ok(RawData { data, side, histogram: Vec::new(), bins: Vec::new(), low: 0.0, high: 1.0 });
    };
    let edges =
        edges(samples.first().copied().unwrap_or_default(), scale, ceiling).unwrap_or_else(|| even_edges(&samples));
    let histogram =
        counts(&samples, &edges).into_iter().map(|count| if count == 0 { 0.0 } else { f64::from(count).log10() });
    Ok(RawData {
        data,
        side,
        histogram: histogram.collect(),
        bins: edges.windows(2).map(|pair| (pair[0] / 2.0 + pair[1] / 2.0).trunc()).collect(),
        low: scale.median.round_ties_even(),
        high: scale.high.ceil(),
    })
}

/// The greatest value that pixels can have: `SATURATE`, or else that of their type, where `bits` is `BITPIX`.
pub fn ceiling(header: &Header, bits: i64) -> f64 {
    let unsigned = header.real("BZERO").is_some_and(|zero| zero > 0.0);
    let of_type = match bits {
        8 => f64::from(u8::MAX),
        16 if unsigned => f64::from(u16::MAX),
        16 => f64::from(i16::MAX),
        32 if unsigned => f64::from(u32::MAX),
        32 => f64::from(i32::MAX),
        64 if unsigned => u64::MAX as f64,
        64 => i64::MAX as f64,
        -64 => f64::MAX,
        _ => f64::from(f32::MAX),
    };
    header.real("SATURATE").filter(|value| value.is_finite()).unwrap_or(of_type)
}

/// The edges of bins: ten below what is shown, a hundred where the picture is, ten above. Nothing if they do not rise.
fn edges(least: f64, scale: Autoscale, ceiling: f64) -> Option<Vec<f64>> {
    let bottom = least.min(0.0).floor();
    let low = (0.8 * scale.low.floor()).trunc();
    let high = (1.2 * scale.high.ceil()).trunc();
    let mut edges = Vec::new();
    for (from, to, parts) in [(bottom, low, 10.0), (low, high, 100.0), (high, ceiling, 10.0)] {
        let step = ((to - from) / parts).trunc().max(1.0);
        let count = ((to - from) / step).ceil().clamp(0.0, 1000.0);
        edges.extend((0..count as u32).map(|index| from + f64::from(index) * step));
    }
    let rises = edges.windows(2).all(|pair| pair[0] < pair[1]);
    (rises && edges.len() > 1 && edges.iter().all(|edge| edge.is_finite())).then_some(edges)
}

/// 120 edges at equal distances.
fn even_edges(samples: &[f64]) -> Vec<f64> {
    const EDGES: u32 = 120;
    let (first, last) = (samples.first().copied().unwrap_or_default(), samples.last().copied().unwrap_or_default());
    let (first, last) = if first < last { (first, last) } else { (first - 0.5, last + 0.5) };
    let part = |index: u32| f64::from(index) / f64::from(EDGES - 1);
    (0..EDGES).map(|index| first * (1.0 - part(index)) + last * part(index)).collect()
}

/// How many of sorted samples fall between each edge and the next; the last bin has its upper edge too.
fn counts(samples: &[f64], edges: &[f64]) -> Vec<u32> {
    let below = |edge: f64| samples.partition_point(|sample| *sample < edge);
    let mut counts: Vec<u32> = edges.windows(2).map(|pair| (below(pair[1]) - below(pair[0])) as u32).collect();
    if let (Some(count), Some(last)) = (counts.last_mut(), edges.last()) {
        *count += samples.iter().filter(|sample| *sample == last).count() as u32;
    }
    counts
}

/// The image as a square of `side` pixels, the highest row first: by the mean over the area that a new pixel covers, where the
/// image is larger both ways, else by the weights that this kind of enlargement has, with which whole factors repeat pixels.
fn resized(raster: &Raster, side: usize) -> Vec<f32> {
    let smaller = raster.width >= side && raster.height >= side;
    let weights = |from: usize| -> Vec<Part> {
        (0..side)
            .map(|index| if smaller { Part::covered(index, from, side) } else { Part::between(index, from, side) })
            .collect()
    };
    let (columns, rows) = (weights(raster.width), weights(raster.height));
    let mut made = vec![0.0; side * side];
    made.par_chunks_exact_mut(side).zip(rows.par_iter().rev()).with_min_len(8).for_each_init(
        || vec![0.0_f32; raster.width],
        |sums, (made, part)| {
            sums.fill(0.0);
            let below = raster.values[part.first * raster.width..].chunks_exact(raster.width);
            for (weight, row) in part.weights.iter().zip(below) {
                sums.iter_mut().zip(row).for_each(|(sum, value)| *sum += weight * value);
            }
            for (made, part) in made.iter_mut().zip(&columns) {
                *made = part.weights.iter().zip(&sums[part.first..]).map(|(weight, value)| weight * value).sum();
            }
        },
    );
    made
}

/// What a new pixel is made of along one axis: pixels one behind the other, and how much each counts.
struct Part {
    first: usize,
    weights: Vec<f32>,
}

impl Part {
    /// The pixels that new pixel `index` of `to` covers, of `from`, which are not fewer, each by how much of it is covered.
    fn covered(index: usize, from: usize, to: usize) -> Self {
        let scale = from as f64 / to as f64;
        let (start, end) = (index as f64 * scale, ((index + 1) as f64 * scale).min(from as f64));
        let first = (start.floor() as usize).min(from - 1);
        let last = (end.ceil() as usize).clamp(first + 1, from);
        let share = |pixel: usize| (end.min((pixel + 1) as f64) - start.max(pixel as f64)) / (end - start);
        Self { first, weights: (first..last).map(|pixel| share(pixel).max(0.0) as f32).collect() }
    }

    /// One pixel, or two between which the new one lies.
    fn between(index: usize, from: usize, to: usize) -> Self {
        let first = (index * from / to).min(from - 1);
        let past = (index + 1) as f64 - (first + 1) as f64 * to as f64 / from as f64;
        let share = if past > 0.0 && first + 1 < from { past.fract() as f32 } else { 0.0 };
        Self { first, weights: if share > 0.0 { vec![1.0 - share, share] } else { vec![1.0] } }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ramp(width: usize, height: usize) -> Raster {
        Raster { width, height, values: (0..width * height).map(|index| index as f32).collect() }
    }

    #[test]
    fn a_smaller_square_has_the_means_of_areas_with_the_highest_row_first() {
        assert_eq!(resized(&ramp(4, 4), 2), [10.5, 12.5, 2.5, 4.5]);
        // A third of the middle pixel belongs to each of two: (0 + 1/2 of 1) / 1.5.
        let row: Vec<f32> = resized(&ramp(3, 3), 2)[2..].to_vec();
        assert!((row[0] - (1.0 / 3.0 + 1.0)).abs() < 1e-6, "{row:?}");
    }

    #[test]
    fn a_larger_square_repeats_pixels() {
        assert_eq!(resized(&ramp(2, 2), 4)[8..], [0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 1.0, 1.0]);
        assert_eq!(resized(&ramp(1, 1), 3), [0.0; 9]);
    }

    #[test]
    fn edges_rise_whatever_the_samples_and_every_sample_is_within() {
        for values in
            [vec![-50.0_f32; 10], vec![0.0; 5], vec![1e30, -1e30, 4.0], vec![f32::MAX; 4], vec![-7.0, -3.0, -1.0, -2.5]]
        {
            let raster = Raster { width: values.len(), height: 1, values };
            for ceiling in [255.0, f64::from(f32::MAX), f64::MAX, -1e9] {
                let raw = raw_data(&raster, 3, ceiling).unwrap();
                assert_eq!(raw.bins.len(), raw.histogram.len());
                assert!(raw.bins.iter().chain(&raw.histogram).all(|number| number.is_finite()), "{raw:?}");
            }
        }
        let blank = Raster { width: 2, height: 1, values: vec![f32::NAN; 2] };
        let raw = raw_data(&blank, 2, 255.0).unwrap();
        assert!(raw.data.iter().all(|value| value.is_nan()) && raw.histogram.is_empty());
        for side in [0, MAX_SIDE + 1] {
            assert!(matches!(raw_data(&blank, side, 1.0), Err(ImagingError::Invalid { .. })));
        }
    }
}
