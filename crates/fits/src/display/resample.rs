//! Pictures made smaller.

/// How far Lanczos' kernel reaches, in pixels of the smaller picture.
const LOBES: f64 = 3.0;

/// The levels of a picture of `channels` levels for each pixel, as small as fits into a square of `side` pixels, with its columns
/// and rows; nothing if it fits already, or `levels` are not those of its pixels.
pub fn thumbnail(levels: &[u8], channels: usize, from: (u32, u32), side: u16) -> Option<(Vec<u8>, (u32, u32))> {
    let to = fitting(from.0, from.1, u32::from(side.max(1)));
    let sides = |(width, height): (u32, u32)| (width as usize, height as usize);
    let ((width, height), small) = (sides(from), sides(to));
    let whole = !levels.is_empty() && width.checked_mul(height)?.checked_mul(channels)? == levels.len();
    (to != from && whole).then(|| (lanczos(levels, channels, (width, height), small), to))
}

/// The sides of a picture that fits into a square, in the proportion that comes nearest to that of `width` and `height`.
pub(super) fn fitting(width: u32, height: u32, side: u32) -> (u32, u32) {
    if width.max(height) <= side {
        return (width, height);
    }
    // The shorter side by the two whole numbers around the exact one, of which the better proportion wins.
    let shorter = |long: u32, short: u32| {
        let exact = u64::from(side) * u64::from(short);
        let below = ((exact / u64::from(long)) as u32).max(1);
        let above = (exact.div_ceil(u64::from(long)) as u32).max(1);
        let error =
            |candidate: u32| (f64::from(long) / f64::from(short) - f64::from(side) / f64::from(candidate)).abs();
        if error(above) < error(below) { above } else { below }
    };
    if width >= height { (side, shorter(width, height)) } else { (shorter(height, width), side) }
}

/// Resamples rows of pixels of `channels` levels each by Lanczos' kernel over three lobes, widened by as much as the picture gets
/// smaller: each new pixel is the mean of what it covers, with weights of `sinc(x) sinc(x / 3)` (Duchon 1979, J. Appl. Meteor. 18,
/// 1016). Sides are columns and rows; there is at least one pixel, before and after.
pub(super) fn lanczos(levels: &[u8], channels: usize, from: (usize, usize), to: (usize, usize)) -> Vec<u8> {
    let (columns, rows) = (weights(from.0, to.0), weights(from.1, to.1));
    let line = from.0 * channels;
    let mut made = Vec::with_capacity(to.0 * to.1 * channels);
    // Down the columns first, a row at a time: each is made real once, and added to the few new rows that it belongs to.
    let mut open: std::collections::VecDeque<(usize, Vec<f32>)> = std::collections::VecDeque::new();
    let (mut spare, mut reals) = (Vec::new(), vec![0.0_f32; line]);
    let mut next = 0;
    for (index, row) in levels.chunks_exact(line).enumerate() {
        while let Some(taps) = rows.get(next)
            && taps.first <= index
        {
            let mut sums: Vec<f32> = spare.pop().unwrap_or_default();
            sums.clear();
            sums.resize(line, 0.0);
            open.push_back((next, sums));
            next += 1;
        }
        reals.iter_mut().zip(row).for_each(|(real, level)| *real = f32::from(*level));
        for (new, sums) in &mut open {
            let taps = &rows[*new];
            if let Some(weight) = taps.weights.get(index - taps.first) {
                sums.iter_mut().zip(&reals).for_each(|(sum, real)| *sum += weight * real);
            }
        }
        while let Some((new, _)) = open.front()
            && rows[*new].end() <= index + 1
            && let Some((_, sums)) = open.pop_front()
        {
            across(&sums, channels, &columns, &mut made);
            spare.push(sums);
        }
    }
    made
}

/// Resamples one row of reals behind `made`.
fn across(row: &[f32], channels: usize, columns: &[Taps], made: &mut Vec<u8>) {
    for taps in columns {
        for channel in 0..channels {
            let part = row[taps.first * channels..taps.end() * channels].iter().skip(channel).step_by(channels);
            let sum: f32 = taps.weights.iter().zip(part).map(|(weight, real)| weight * real).sum();
            // The cast takes what is outside of 0 to 255 to the nearer end: the kernel overshoots at edges.
            made.push((sum + 0.5) as u8);
        }
    }
}

/// What a new pixel is made of.
struct Taps {
    /// The first pixel that counts.
    first: usize,
    /// How much it counts and those behind it; together 1.
    weights: Vec<f32>,
}

impl Taps {
    fn end(&self) -> usize {
        self.first + self.weights.len()
    }
}

/// What the new pixels of a side of `to` pixels are made of, of `from` pixels, which are not fewer.
fn weights(from: usize, to: usize) -> Vec<Taps> {
    let scale = from as f64 / to as f64;
    let reach = LOBES * scale;
    let taps = |index: usize| {
        let centre = (index as f64 + 0.5) * scale;
        let first = ((centre - reach).floor().max(0.0) as usize).min(from - 1);
        let end = ((centre + reach).ceil() as usize).clamp(first + 1, from);
        let kernel: Vec<f64> = (first..end).map(|pixel| kernel((pixel as f64 + 0.5 - centre) / scale)).collect();
        let sum: f64 = kernel.iter().sum();
        Taps { first, weights: kernel.iter().map(|weight| (weight / sum) as f32).collect() }
    };
    (0..to).map(taps).collect()
}

fn kernel(x: f64) -> f64 {
    let sinc = |x: f64| if x == 0.0 { 1.0 } else { (std::f64::consts::PI * x).sin() / (std::f64::consts::PI * x) };
    if x.abs() < LOBES { sinc(x) * sinc(x / LOBES) } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use image::imageops::{FilterType, resize};
    use image::{ImageBuffer, Rgb};

    use super::*;

    #[test]
    fn a_small_picture_is_that_of_another_program_within_a_level() {
        let mut state = 5_u32;
        let mut noise = |index: usize| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            ((index / 7 % 200) as u32 + (state >> 24) / 8) as u8
        };
        for ((width, height), (small_width, small_height)) in [
            ((500, 300), (200, 120)),
            ((201, 40), (200, 40)),
            ((64, 900), (14, 200)),
            ((1000, 2), (200, 1)),
            ((7, 7), (1, 1)),
        ] {
            let levels: Vec<u8> = (0..width * height * 3).map(&mut noise).collect();
            let whole = ImageBuffer::<Rgb<u8>, _>::from_raw(width as u32, height as u32, levels.clone()).unwrap();
            let theirs = resize(&whole, small_width as u32, small_height as u32, FilterType::Lanczos3).into_raw();
            let ours = lanczos(&levels, 3, (width, height), (small_width, small_height));
            assert_eq!(ours.len(), theirs.len());
            let far = ours.iter().zip(&theirs).map(|(a, b)| a.abs_diff(*b)).max();
            assert!(far <= Some(1), "{width} x {height}: {far:?}");
        }
    }

    #[test]
    fn a_picture_of_one_level_stays_one() {
        for level in [0, 7, 255] {
            assert_eq!(lanczos(&vec![level; 300 * 211], 1, (300, 211), (20, 13)), vec![level; 20 * 13]);
        }
    }
}
