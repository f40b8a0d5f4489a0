//! One ensemble for all frames: stars that every frame shows, together as bright everywhere as the catalogue says.
//!
//! The idea of an ensemble is Honeycutt's (1992, PASP 104, 435); that it is the plain sum of the stars' counts, AstroImageJ's
//! (Collins et al. 2017, AJ 153, 77).

use super::candidates::Candidate;
use super::measure::{FrameCounts, Measured};
use super::{Calibration, Comparison, Comparisons, TooFew, ZeroPoint};
use crate::statistics::{deviation, median};

/// A star that varies more than this against the others is a variable, in magnitudes.
pub(super) const MOST_VARIABLE: f64 = 1.0;

/// A star whose catalogue magnitude is farther off than this is another one, in magnitudes.
const MOST_OFF: f64 = 0.5;

/// A candidate's magnitudes in all frames.
struct Steady {
    candidate: usize,
    magnitudes: Vec<f64>,
    /// The median of them.
    median: f64,
    variability: f64,
}

/// Chooses the stars that are most like the target, and what they make of each frame.
pub(super) fn choose(
    candidates: &[Candidate],
    frames: &[FrameCounts],
    comparisons: Comparisons,
) -> Result<Calibration, TooFew> {
    let mut stars = steady(candidates.len(), frames);
    stars.retain(|star| star.variability <= MOST_VARIABLE);
    drop_those_off(&mut stars, candidates);
    let target = median(frames.iter().filter_map(|frame| frame.target).map(|target| target.magnitude()));
    let unlike = |star: &Steady| if target.is_nan() { 0.0 } else { (star.median - target).abs() };
    stars.sort_by(|a, b| {
        let isolation = |star: &Steady| candidates[star.candidate].isolation;
        unlike(a)
            .total_cmp(&unlike(b))
            .then(isolation(b).total_cmp(&isolation(a)))
            .then_with(|| candidates[a.candidate].id.cmp(&candidates[b.candidate].id))
    });
    if stars.len() < *comparisons.start() {
        return Err(TooFew { found: stars.len(), needed: *comparisons.start(), frames: frames.len() });
    }
    stars.truncate(*comparisons.end());
    let chosen: Vec<usize> = stars.iter().map(|star| star.candidate).collect();
    let brightness: f64 = chosen.iter().map(|&star| 10_f64.powf(-0.4 * candidates[star].magnitude)).sum();
    let zero_point = |frame: &FrameCounts| {
        let counts: f64 = measured(frame, &chosen).map(|star| star.counts.net).sum();
        ZeroPoint { magnitude: 2.5 * counts.log10() - 2.5 * brightness.log10(), error: None, stars: chosen.clone() }
    };
    Ok(Calibration {
        zero_points: frames.iter().map(|frame| Some(zero_point(frame))).collect(),
        stars: stars
            .iter()
            .map(|star| Comparison { candidate: star.candidate, variability: star.variability })
            .collect(),
    })
}

/// What a frame has of some stars.
pub(super) fn measured<'a>(frame: &'a FrameCounts, stars: &'a [usize]) -> impl Iterator<Item = Measured> + 'a {
    stars.iter().filter_map(|&star| frame.candidates[star])
}

/// The candidates that have counts in every frame, and how they vary against what all of them do.
fn steady(candidates: usize, frames: &[FrameCounts]) -> Vec<Steady> {
    let magnitudes = |candidate: usize| {
        let of = |frame: &FrameCounts| {
            frame.candidates[candidate].map(|star| star.magnitude()).filter(|magnitude| magnitude.is_finite())
        };
        frames.iter().map(of).collect::<Option<Vec<f64>>>()
    };
    let mut stars: Vec<Steady> = (0..candidates)
        .filter_map(|candidate| {
            let magnitudes = magnitudes(candidate)?;
            Some(Steady { candidate, median: median(magnitudes.iter().copied()), magnitudes, variability: 0.0 })
        })
        .collect();
    let together: Vec<f64> =
        (0..frames.len()).map(|frame| median(stars.iter().map(|star| star.magnitudes[frame]))).collect();
    for star in &mut stars {
        let against: Vec<f64> = star.magnitudes.iter().zip(&together).map(|(star, all)| star - all).collect();
        star.variability = deviation(&against, 0);
    }
    stars
}

/// Drops the stars that are not as bright as the catalogue says, unless that would be all of them.
fn drop_those_off(stars: &mut Vec<Steady>, candidates: &[Candidate]) {
    if stars.len() < 3 {
        return;
    }
    let off = |star: &Steady| candidates[star.candidate].magnitude - star.median;
    let usual = median(stars.iter().map(off));
    let is_near = |star: &Steady| (off(star) - usual).abs() <= MOST_OFF;
    if stars.iter().any(is_near) {
        stars.retain(is_near);
    }
}

/// How well the comparison stars repeat from frame to frame, in magnitudes: the median over the stars that three frames have
/// at least. NaN if there is none.
pub(super) fn floor(frames: &[FrameCounts], calibration: &Calibration) -> f64 {
    let own = |star: &Comparison| {
        let magnitudes: Vec<f64> = frames
            .iter()
            .zip(&calibration.zero_points)
            .filter_map(|(frame, zero_point)| {
                let zero_point = zero_point.as_ref().filter(|it| it.stars.contains(&star.candidate))?;
                Some(frame.candidates[star.candidate]?.magnitude() + zero_point.magnitude)
            })
            .filter(|magnitude| magnitude.is_finite())
            .collect();
        if magnitudes.len() >= 3 { deviation(&magnitudes, 0) } else { f64::NAN }
    };
    median(calibration.stars.iter().map(own))
}

/// The counts of all stars of an ensemble together, and their error.
pub(super) fn together(frame: &FrameCounts, stars: &[usize]) -> (f64, f64) {
    let (net, variance) = measured(frame, stars)
        .fold((0.0, 0.0), |(net, variance), star| (net + star.counts.net, variance + star.counts.error.powi(2)));
    (net, variance.sqrt())
}
