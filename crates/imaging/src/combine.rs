//! Many frames to one image, pixel by pixel.
//!
//! Each thread decodes a strip of rows of all frames, combines it, and goes on with another strip: what is held is the result and
//! one strip for each thread, however many frames there are.

use rayon::prelude::*;

use crate::frame::common_size;
use crate::network::{LANES, Lanes, Network};
use crate::progress::Steps;
use crate::{Frame, ImagingError, Progress, Raster};

/// How the values of one pixel become one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Method {
    /// The middle one; of an even number the mean of the two in the middle, in 32-bit arithmetic.
    Median,
    /// The mean, summed in 64-bit arithmetic.
    Mean,
    /// The mean of what is left by clipping.
    ClippedMean(Clip),
    /// The sum, in 64-bit arithmetic.
    Sum,
}

/// What is left out as too far from the others: values that are more than `low` standard deviations below the median or more than
/// `high` above it, again and again until nothing more is left out or `passes` are done.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Clip {
    /// Below the median, in standard deviations.
    pub low: f64,
    /// Above the median, in standard deviations.
    pub high: f64,
    /// How often at most.
    pub passes: u32,
}

impl Default for Clip {
    /// 3 standard deviations to both sides, 5 times.
    fn default() -> Self {
        Self { low: 3.0, high: 3.0, passes: 5 }
    }
}

/// What becomes of NaN among the values of a pixel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Blank {
    /// The result is NaN.
    Spreads,
    /// The others are combined; without any other the result is NaN, and the sum is 0.
    LeftOut,
}

/// What is wanted of [`combine`].
#[derive(Clone, Copy)]
pub struct Combination<'a> {
    /// How values become one.
    pub method: Method,
    /// What becomes of NaN.
    pub blank: Blank,
    /// For each frame an image that is not 0 where a pixel is bad, if there is one: such a pixel counts as NaN. Empty for none.
    pub masks: &'a [Option<Frame>],
    /// About how many bytes the strips of all threads may have together.
    pub budget: usize,
}

/// What strips may have together unless another budget is given, in bytes.
pub const BUDGET: usize = 64 << 20;

impl Combination<'_> {
    /// By this method, without masks and within [`BUDGET`].
    pub fn new(method: Method, blank: Blank) -> Self {
        Self { method, blank, masks: &[], budget: BUDGET }
    }
}

/// The largest image that is made, in pixels.
const MAX_PIXELS: u64 = 1 << 28;

/// Combines frames, cropped to what all have from their first pixel on.
///
/// # Errors
/// [`ImagingError::TooFew`] without a frame, [`ImagingError::Frame`] if one cannot be read, [`ImagingError::Invalid`] for limits
/// or masks that make no sense, [`ImagingError::Cancelled`].
pub fn combine(frames: &[Frame], wanted: &Combination, progress: Progress) -> Result<Raster, ImagingError> {
    let masks = wanted.masks.iter().flatten();
    if frames.is_empty() {
        return Err(ImagingError::TooFew { work: "combining", least: 1, found: 0 });
    }
    let (width, height) = common_size(frames.iter().chain(masks));
    let size = width as u64 * height as u64;
    if size > MAX_PIXELS {
        return Err(ImagingError::TooLarge { what: "the result (in pixels)".to_owned(), size, limit: MAX_PIXELS });
    }
    let kernel = Kernel::new(frames.len(), wanted)?;
    let strip = strip_rows(frames, width, height, wanted.budget);
    let steps = Steps::new(progress, height.div_ceil(strip));
    let mut values = vec![0.0; width * height];
    values.par_chunks_mut(strip * width).enumerate().try_for_each_init(
        || (Vec::new(), kernel.room()),
        |(decoded, room), (index, made)| {
            let rows = index * strip..index * strip + made.len() / width;
            decoded.resize(frames.len() * made.len(), 0.0);
            for (place, (frame, part)) in frames.iter().zip(decoded.chunks_exact_mut(made.len())).enumerate() {
                frame.read(rows.clone(), width, part)?;
                if let Some(Some(mask)) = wanted.masks.get(place) {
                    blank_out(mask, rows.clone(), width, part)?;
                }
            }
            kernel.strip(decoded, made, room);
            steps.step()
        },
    )?;
    Ok(Raster { width, height, values })
}

/// How many rows a strip has: within the budget, not more than the caches and an even share among threads ask for, and whole tiles
/// if that is possible.
fn strip_rows(frames: &[Frame], width: usize, height: usize, budget: usize) -> usize {
    const USUAL: usize = 32;
    let threads = rayon::current_num_threads();
    let row = frames.len() * width.max(1) * size_of::<f32>();
    let possible = (budget / threads / row).clamp(1, height.max(1));
    let group = frames.iter().map(Frame::group).max().unwrap_or(1);
    let usual = USUAL.min(height.div_ceil(4 * threads)).max(1).next_multiple_of(group);
    if usual <= possible {
        usual
    } else if group <= possible {
        possible / group * group
    } else {
        possible
    }
}

/// Makes NaN of what `mask` says is bad.
fn blank_out(mask: &Frame, rows: std::ops::Range<usize>, width: usize, part: &mut [f32]) -> Result<(), ImagingError> {
    let mut flags = vec![0.0; part.len()];
    mask.read(rows, width, &mut flags)?;
    part.iter_mut().zip(flags).filter(|(_, flag)| *flag != 0.0).for_each(|(pixel, _)| *pixel = f32::NAN);
    Ok(())
}

/// The most frames that are sorted by a network. Beyond, its exchanges are more work than a search for the middle.
const MAX_NETWORK: usize = 256;

/// What combines the values of pixels.
struct Kernel {
    frames: usize,
    method: Method,
    blank: Blank,
    /// Brings what the method needs to its place, if it needs an order and there are not too many frames.
    network: Option<Network>,
}

/// What a thread needs room for.
struct Room {
    /// The values of [`LANES`] pixels, frame by frame.
    block: Vec<Lanes>,
    /// The values of one pixel.
    column: Vec<f32>,
}

impl Kernel {
    fn new(frames: usize, wanted: &Combination) -> Result<Self, ImagingError> {
        if !wanted.masks.is_empty() && wanted.masks.len() != frames {
            let problem = format!("there are {} for {frames} frames", wanted.masks.len());
            return Err(ImagingError::Invalid { what: "masks", problem });
        }
        if let Method::ClippedMean(Clip { low, high, .. }) = wanted.method
            && !(low > 0.0 && high > 0.0)
        {
            let problem = format!("{low} and {high} standard deviations are not both above 0");
            return Err(ImagingError::Invalid { what: "the limits of clipping", problem });
        }
        let count = u16::try_from(frames).ok().filter(|_| (2..=MAX_NETWORK).contains(&frames));
        let network = match wanted.method {
            Method::Median => count.map(|count| Network::selecting(count, (count - 1) / 2, 1 - count % 2)),
            Method::ClippedMean(_) => count.map(Network::sorting),
            Method::Mean | Method::Sum => None,
        };
        Ok(Self { frames, method: wanted.method, blank: wanted.blank, network })
    }

    fn room(&self) -> Room {
        Room { block: vec![[0.0; LANES]; self.frames], column: Vec::with_capacity(self.frames) }
    }

    /// Combines a strip, which stands frame by frame in `decoded`.
    fn strip(&self, decoded: &[f32], made: &mut [f32], room: &mut Room) {
        let length = made.len();
        for (index, part) in made.chunks_mut(LANES).enumerate() {
            let first = index * LANES;
            let mut blank = [0_u32; LANES];
            for (lanes, frame) in room.block.iter_mut().zip(decoded.chunks_exact(length)) {
                // What is not there in the last block is what was there before, and comes to nothing.
                lanes[..part.len()].copy_from_slice(&frame[first..first + part.len()]);
                blank.iter_mut().zip(&*lanes).for_each(|(blank, value)| *blank |= u32::from(value.is_nan()));
            }
            self.block(room, part, &blank);
        }
    }

    /// Combines the columns of a block; `blank` says which of them have NaN.
    fn block(&self, room: &mut Room, made: &mut [f32], blank: &[u32; LANES]) {
        let Room { block, column } = room;
        // Before the network puts them elsewhere.
        let mut apart = [0.0; LANES];
        let has_blank = blank[..made.len()].iter().any(|&blank| blank != 0);
        if has_blank {
            for (lane, value) in apart.iter_mut().enumerate().filter(|(lane, _)| blank[*lane] != 0) {
                *value = match self.blank {
                    Blank::Spreads => f32::NAN,
                    Blank::LeftOut => {
                        column.clear();
                        column.extend(block.iter().map(|lanes| lanes[lane]).filter(|value| !value.is_nan()));
                        self.column(column)
                    }
                };
            }
        }
        match (self.method, &self.network) {
            (Method::Median, Some(network)) => {
                network.apply(block);
                let middle = (self.frames - 1) / 2;
                if self.frames % 2 == 1 {
                    made.copy_from_slice(&block[middle][..made.len()]);
                } else {
                    let pairs = block[middle].iter().zip(&block[middle + 1]);
                    made.iter_mut().zip(pairs).for_each(|(made, (low, high))| *made = (low + high) / 2.0);
                }
            }
            (Method::Mean | Method::Sum, _) => {
                let mut sums = [0.0_f64; LANES];
                for lanes in &*block {
                    sums.iter_mut().zip(lanes).for_each(|(sum, value)| *sum += f64::from(*value));
                }
                let count = if self.method == Method::Sum { 1.0 } else { self.frames as f64 };
                made.iter_mut().zip(sums).for_each(|(made, sum)| *made = (sum / count) as f32);
            }
            (Method::ClippedMean(clip), Some(network)) => {
                network.apply(block);
                for (lane, made) in made.iter_mut().enumerate() {
                    column.clear();
                    column.extend(block.iter().map(|lanes| lanes[lane]));
                    *made = clipped_mean(column, clip);
                }
            }
            (Method::Median | Method::ClippedMean(_), None) => {
                for (lane, made) in made.iter_mut().enumerate() {
                    column.clear();
                    column.extend(block.iter().map(|lanes| lanes[lane]));
                    *made = self.column(column);
                }
            }
        }
        if has_blank {
            let all = made.iter_mut().zip(apart).zip(blank);
            all.filter(|(_, blank)| **blank != 0).for_each(|((made, apart), _)| *made = apart);
        }
    }

    /// Combines the values of one pixel, in any order; none of them is NaN.
    fn column(&self, values: &mut [f32]) -> f32 {
        match self.method {
            Method::Median => median(values),
            Method::Sum => values.iter().map(|value| f64::from(*value)).sum::<f64>() as f32,
            Method::Mean => (values.iter().map(|value| f64::from(*value)).sum::<f64>() / values.len() as f64) as f32,
            Method::ClippedMean(clip) => {
                values.sort_unstable_by(f32::total_cmp);
                clipped_mean(values, clip)
            }
        }
    }
}

/// The median of values none of which is NaN, which it puts in another order; NaN if there is none. Of an even number it is the
/// mean of the two in the middle, in 32-bit arithmetic.
pub(crate) fn median(values: &mut [f32]) -> f32 {
    if values.is_empty() {
        return f32::NAN;
    }
    let middle = values.len() / 2;
    let odd = values.len() % 2 == 1;
    let (below, &mut high, _) = values.select_nth_unstable_by(middle, f32::total_cmp);
    if odd {
        return high;
    }
    let low = below.iter().copied().max_by(f32::total_cmp).unwrap_or(high);
    (low + high) / 2.0
}

/// The mean of what clipping leaves of sorted values; NaN if there is none. What is left is always a part without gaps.
fn clipped_mean(sorted: &[f32], clip: Clip) -> f32 {
    let mut kept = sorted;
    for _ in 0..clip.passes {
        let Some(middle) = middle_of_sorted(kept) else { break };
        let mean = mean(kept);
        let variance = kept.iter().map(|value| (f64::from(*value) - mean).powi(2)).sum::<f64>() / kept.len() as f64;
        let deviation = variance.sqrt();
        let (low, high) = (middle - clip.low * deviation, middle + clip.high * deviation);
        let first = kept.partition_point(|value| f64::from(*value) < low);
        let end = kept.partition_point(|value| f64::from(*value) <= high);
        // Where the deviation is no number, nothing is left out.
        match kept.get(first..end) {
            Some(left) if !left.is_empty() && left.len() < kept.len() => kept = left,
            _ => break,
        }
    }
    mean(kept) as f32
}

fn mean(values: &[f32]) -> f64 {
    values.iter().map(|value| f64::from(*value)).sum::<f64>() / values.len() as f64
}

fn middle_of_sorted(sorted: &[f32]) -> Option<f64> {
    let (low, high) = (sorted.get(sorted.len().checked_sub(1)? / 2)?, sorted.get(sorted.len() / 2)?);
    Some((f64::from(*low) + f64::from(*high)) / 2.0)
}
