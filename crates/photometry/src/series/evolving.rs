//! An ensemble that changes from frame to frame, for a target that moves on: every frame is calibrated by the stars that it
//! shows, and stars that several frames share tie the frames together.
//!
//! m(c, f) + ZP(f) = M(c) is solved for the zero points of the frames and the magnitudes of the stars (Honeycutt 1992, PASP 104,
//! 435), by medians in turn instead of least squares, so that a star that is wrong in a frame does no harm.

use super::candidates::{Candidate, Groups};
use super::measure::FrameCounts;
use super::shared::MOST_VARIABLE;
use super::{Calibration, Comparison, Comparisons, ZeroPoint};
use crate::PhotometryError as Error;
use crate::statistics::{deviation, median};

/// How often the medians are taken at most.
const PASSES: usize = 50;

/// The magnitudes have come to rest when none moves by more than this.
const REST: f64 = 1e-6;

/// The magnitudes of the stars and the zero points of the frames; NaN where one cannot be told.
struct Solution {
    stars: Vec<f64>,
    frames: Vec<f64>,
}

/// The instrumental magnitude of each star in each frame; NaN where it has none.
type Magnitudes = Vec<Vec<f64>>;

/// Chooses the stars of each frame that are most like the target, and what they make of it.
pub(super) fn choose(
    candidates: &[Candidate],
    frames: &[FrameCounts],
    comparisons: Comparisons,
) -> Result<Calibration, Error> {
    let magnitude = |star: usize, frame: &FrameCounts| frame.candidates[star].map_or(f64::NAN, |star| star.magnitude());
    let mut magnitudes: Magnitudes =
        (0..candidates.len()).map(|star| frames.iter().map(|frame| magnitude(star, frame)).collect()).collect();
    let catalogue: Vec<f64> = candidates.iter().map(|candidate| candidate.magnitude).collect();
    let mut solution = solve(&magnitudes, &catalogue);
    let variable: Vec<usize> =
        (0..candidates.len()).filter(|&star| variability(&magnitudes[star], &solution, star) > MOST_VARIABLE).collect();
    if !variable.is_empty() {
        variable.iter().for_each(|&star| magnitudes[star].fill(f64::NAN));
        solution = solve(&magnitudes, &catalogue);
    }
    let zero_points: Vec<Option<ZeroPoint>> = frames
        .iter()
        .enumerate()
        .map(|(index, frame)| zero_point(index, frame, &magnitudes, &solution, &comparisons))
        .collect();
    if zero_points.iter().all(Option::is_none) {
        let needed = comparisons.start();
        return Err(Error::no_result(format!(
            "no frame shows the {needed} comparison stars that are needed beside the target: choose smaller radii or ask for fewer stars"
        )));
    }
    let uses = |star: usize| zero_points.iter().flatten().filter(|it| it.stars.contains(&star)).count();
    let mut stars: Vec<(usize, usize)> =
        (0..candidates.len()).map(|star| (uses(star), star)).filter(|(uses, _)| *uses > 0).collect();
    stars.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| candidates[a.1].id.cmp(&candidates[b.1].id)));
    let comparison = |(_, candidate): (usize, usize)| Comparison {
        candidate,
        variability: variability(&magnitudes[candidate], &solution, candidate),
    };
    Ok(Calibration { stars: stars.into_iter().map(comparison).collect(), zero_points })
}

/// How much a star varies about its magnitude.
fn variability(magnitudes: &[f64], solution: &Solution, star: usize) -> f64 {
    let residuals: Vec<f64> = magnitudes
        .iter()
        .zip(&solution.frames)
        .map(|(magnitude, zero_point)| magnitude + zero_point - solution.stars[star])
        .filter(|residual| residual.is_finite())
        .collect();
    deviation(&residuals, 0)
}

/// The stars of a frame that are most like the target, and what they say.
fn zero_point(
    index: usize,
    frame: &FrameCounts,
    magnitudes: &Magnitudes,
    solution: &Solution,
    comparisons: &Comparisons,
) -> Option<ZeroPoint> {
    let target = frame.target.map_or(f64::NAN, |target| target.magnitude());
    let says = |star: usize| solution.stars[star] - magnitudes[star][index];
    let mut stars: Vec<usize> = (0..magnitudes.len()).filter(|&star| says(star).is_finite()).collect();
    let unlike = |star: usize| if target.is_nan() { 0.0 } else { (magnitudes[star][index] - target).abs() };
    stars.sort_by(|&a, &b| unlike(a).total_cmp(&unlike(b)).then(a.cmp(&b)));
    stars.truncate(*comparisons.end());
    if stars.len() < *comparisons.start() {
        return None;
    }
    let said: Vec<f64> = stars.iter().map(|&star| says(star)).collect();
    let error = match stars[..] {
        // One star says nothing of how well it repeats; its own counts do.
        [star] => {
            frame.candidates[star].map(|star| crate::MAGNITUDES_PER_PART * star.counts.error / star.counts.net)?
        }
        _ => deviation(&said, 1) / (said.len() as f64).sqrt(),
    };
    Some(ZeroPoint { magnitude: median(said), error: Some(error), stars })
}

/// Medians in turn, from the catalogue's magnitudes on. Frames that no star ties to others are solved apart, each part on the
/// scale of its own stars in the catalogue.
fn solve(magnitudes: &Magnitudes, catalogue: &[f64]) -> Solution {
    let frames = magnitudes.first().map_or(0, Vec::len);
    let parts = parts(magnitudes, frames);
    let mut solution = Solution { stars: catalogue.to_vec(), frames: vec![f64::NAN; frames] };
    for _ in 0..PASSES {
        let before = solution.stars.clone();
        for frame in 0..frames {
            let says = |star: usize| solution.stars[star] - magnitudes[star][frame];
            solution.frames[frame] = median((0..magnitudes.len()).map(says));
        }
        for (star, own) in magnitudes.iter().enumerate() {
            solution.stars[star] = median(own.iter().zip(&solution.frames).map(|(m, zero_point)| m + zero_point));
        }
        for part in &parts {
            let shift = median(part.stars.iter().map(|&star| solution.stars[star] - catalogue[star]));
            if shift.is_finite() {
                part.stars.iter().for_each(|&star| solution.stars[star] -= shift);
                part.frames.iter().for_each(|&frame| solution.frames[frame] -= shift);
            }
        }
        let moved = before.iter().zip(&solution.stars).map(|(before, after)| (before - after).abs());
        if moved.fold(0.0, f64::max) < REST {
            break;
        }
    }
    solution
}

/// Stars and frames that hang together.
#[derive(Default)]
struct Part {
    stars: Vec<usize>,
    frames: Vec<usize>,
}

fn parts(magnitudes: &Magnitudes, frames: usize) -> Vec<Part> {
    let mut groups = Groups::new(frames + magnitudes.len());
    for (star, own) in magnitudes.iter().enumerate() {
        for (frame, _) in own.iter().enumerate().filter(|(_, magnitude)| magnitude.is_finite()) {
            groups.join(frame, frames + star);
        }
    }
    let mut parts: Vec<Part> = Vec::new();
    parts.resize_with(frames + magnitudes.len(), Part::default);
    (0..frames).for_each(|frame| parts[groups.first(frame)].frames.push(frame));
    (0..magnitudes.len()).for_each(|star| parts[groups.first(frames + star)].stars.push(star));
    parts.retain(|part| !part.frames.is_empty() && !part.stars.is_empty());
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_that_share_some_stars_come_to_one_scale() {
        // Six stars of known magnitudes; frame f shows the stars f to f + 3 under a zero point of its own.
        let truth = [14.0, 14.5, 15.0, 15.5, 16.0, 14.2];
        let zero_points = [22.0, 21.7, 22.4];
        let mut magnitudes: Magnitudes = truth
            .iter()
            .enumerate()
            .map(|(star, magnitude)| {
                let seen = |frame: usize| (frame..frame + 4).contains(&star);
                (0..3).map(|frame| if seen(frame) { magnitude - zero_points[frame] } else { f64::NAN }).collect()
            })
            .collect();
        // The catalogue is wrong about one star by half a magnitude, and one measurement is wrong.
        let mut catalogue = truth.to_vec();
        catalogue[1] += 0.5;
        magnitudes[2][0] += 0.3;
        let solution = solve(&magnitudes, &catalogue);
        for (found, expected) in solution.frames.iter().zip(zero_points) {
            assert!((found - expected).abs() < 1e-4, "{:?}", solution.frames);
        }
        for (found, expected) in solution.stars.iter().zip(truth) {
            assert!((found - expected).abs() < 0.16, "{:?}", solution.stars);
        }
        assert!((solution.stars[1] - truth[1]).abs() < 1e-4, "{:?}", solution.stars);
    }

    #[test]
    fn parts_that_nothing_ties_together_keep_their_own_scale() {
        let magnitudes = vec![vec![-8.0, f64::NAN], vec![f64::NAN, -7.0]];
        let solution = solve(&magnitudes, &[14.0, 15.0]);
        assert_eq!((solution.frames, solution.stars), (vec![22.0, 22.0], vec![14.0, 15.0]));
        assert_eq!(parts(&magnitudes, 2).len(), 2);
    }
}
