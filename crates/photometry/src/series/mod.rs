//! Aperture photometry of one target over a series of frames, against stars beside it whose magnitudes are known.
//!
//! ```text
//!   frames ──▶ check ──▶ candidates (stars that many frames show) ──▶ measure (each frame once)
//!                └─▶ target (fixed, by headers, or a track)              │
//!                                        ensemble: shared, or evolving ◀─┘ ──▶ magnitudes ──▶ period, pictures
//! ```

mod candidates;
mod check;
mod evolving;
mod measure;
mod outcome;
mod parameters;
mod picture;
mod shared;
mod target;
mod track;

use std::io;
use std::ops::RangeInclusive;

pub use outcome::{Row, Series, Star};
pub use parameters::{COMPARISONS, Parameters, Place, Radii, TargetPosition};
pub use picture::PictureSink;

use crate::light_curve::{FILTERS, MOST_FRAMES};
use crate::{Frame, PhotometryError, PhotometryError as Error, Progress, request};

/// Where the bands of progress end.
mod band {
    pub(super) const CHECK: [f64; 2] = [0.25, 0.30];
    pub(super) const CANDIDATES: [f64; 2] = [0.30, 0.45];
    pub(super) const MEASURE: [f64; 2] = [0.45, 0.60];
    pub(super) const SELECT: f64 = 0.75;
    pub(super) const RENDER: [f64; 2] = [0.75, 0.90];
}

/// Measures the target in every frame that can be used. `pictures`, if given, gets a JPEG of each of them; the caller says
/// in [`Series::diagnostic_images`] where it put them.
///
/// # Errors
/// [`PhotometryError::Request`] for frames of several filters or a target that the frames refuse;
/// [`PhotometryError::NoResult`] if no frame can be used or too few comparison stars are left; what `pictures` fails with; and
/// [`PhotometryError::Cancelled`].
pub fn run(
    frames: &[Frame],
    parameters: &Parameters,
    pictures: Option<PictureSink>,
    progress: Progress,
) -> Result<Series, PhotometryError> {
    let operation = parameters.place().operation();
    request::count(operation, frames, 1, MOST_FRAMES)?;
    let filter = request::single_filter(operation, frames, &FILTERS)?;
    let checked = check::check(frames, parameters, progress)?;
    let mut notes = checked.notes;
    let aimed = target::aim(checked.frames, parameters, &mut notes)?;
    let mut candidates = candidates::find(&aimed, parameters, progress)?;
    let measured = measure::measure(frames, &aimed, &mut candidates, parameters, progress)?;
    let calibration = ensemble(&candidates, &measured, parameters, &mut notes)?;
    progress.at(band::SELECT, "Choosing comparison stars: 100%")?;
    let series = outcome::of(&aimed, &candidates, &measured, &calibration, parameters, filter, notes);
    if let Some(pictures) = pictures {
        picture::render(frames, &aimed, &measured, &calibration, pictures, progress)?;
    }
    progress.at(1.0, "Saving: 100%")?;
    Ok(series)
}

/// How the frames are calibrated: by stars that every frame shows, or, for a target that moves on, by those that each one does.
fn ensemble(
    candidates: &[candidates::Candidate],
    measured: &[measure::FrameCounts],
    parameters: &Parameters,
    notes: &mut Vec<String>,
) -> Result<Calibration, Error> {
    let comparisons = parameters.comparisons();
    match shared::choose(candidates, measured, comparisons.clone()) {
        Err(too_few) if parameters.place().moves() => {
            notes.push(format!(
                "{too_few}: each frame is calibrated by the comparison stars that it shows, tied together by those that \
                 several frames share."
            ));
            evolving::choose(candidates, measured, comparisons)
        }
        Err(too_few) => Err(Error::no_result(format!(
            "{too_few}: choose another target or smaller radii, leave out frames that point elsewhere, or ask for fewer stars"
        ))),
        Ok(calibration) => Ok(calibration),
    }
}

/// What became of the comparison stars.
struct Calibration {
    /// The stars, best first.
    stars: Vec<Comparison>,
    /// For each frame what it adds to an instrumental magnitude; nothing if it cannot be calibrated.
    zero_points: Vec<Option<ZeroPoint>>,
}

/// A star that was chosen.
struct Comparison {
    /// Its place among the candidates.
    candidate: usize,
    /// How much it varies against the others, in magnitudes.
    variability: f64,
}

/// What calibrates a frame.
struct ZeroPoint {
    /// Added to -2.5 log10 of the counts.
    magnitude: f64,
    /// Its error, if it is not already in that of the counts of all stars together.
    error: Option<f64>,
    /// The stars it comes from, by their place among the candidates.
    stars: Vec<usize>,
}

/// Fewer comparison stars than are needed.
#[derive(Debug, thiserror::Error)]
#[error("{found} comparison stars can be used in all {frames} frames, and {needed} are needed")]
struct TooFew {
    found: usize,
    needed: usize,
    frames: usize,
}

type Comparisons = RangeInclusive<usize>;

/// A sink that failed, as it is told.
fn unwritten(frame: &str, source: io::Error) -> Error {
    Error::Unopened { frame: frame.to_owned(), source }
}
