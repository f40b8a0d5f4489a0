//! The counts of the target and of every candidate in each frame: each frame is decoded once and let go.

use holotype_fits::display::{Plane, Sample};
use rayon::prelude::*;

use super::candidates::Candidate;
use super::check::Checked;
use super::target::Aimed;
use super::{Parameters, band};
use crate::aperture::{Counts, measure as counts};
use crate::background::{Background, Rules};
use crate::centroid::{Centroid, centroid};
use crate::frame::with_plane;
use crate::overlap::Point;
use crate::{Frame, PhotometryError as Error, Progress};

/// A target that seems to lie farther from its place than this, in pixels, is another star.
const FARTHEST: f64 = 6.0;

/// A star in a frame.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Measured {
    pub(super) centre: Point,
    pub(super) counts: Counts,
    /// Whether a pixel of it is as full as the camera can say.
    pub(super) is_saturated: bool,
}

impl Measured {
    /// -2.5 log10 of the counts; NaN if there are none.
    pub(super) fn magnitude(&self) -> f64 {
        if self.counts.net > 0.0 { -2.5 * self.counts.net.log10() } else { f64::NAN }
    }
}

/// What a frame shows.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct FrameCounts {
    pub(super) target: Option<Measured>,
    /// Whether the target was found at its centre; otherwise it was measured where it should be.
    pub(super) is_centred: bool,
    /// One for each candidate.
    pub(super) candidates: Vec<Option<Measured>>,
}

/// Measures everything. For a target that stands still, candidates without a centre in any frame are dropped.
pub(super) fn measure(
    frames: &[Frame],
    aimed: &[Aimed],
    candidates: &mut Vec<Candidate>,
    parameters: &Parameters,
    progress: Progress,
) -> Result<Vec<FrameCounts>, Error> {
    let step = progress.step("Measuring", band::MEASURE[0], band::MEASURE[1], aimed.len());
    let must_be_shown = parameters.place().moves();
    let mut measured: Vec<FrameCounts> = aimed
        .par_iter()
        .enumerate()
        .map(|(index, aimed)| {
            let raster = frames[aimed.frame.index].open()?.raster()?;
            let positions = candidates.iter().map(|candidate| {
                let is_wanted = !must_be_shown || candidate.fluxes[index].is_some();
                aimed.frame.point(candidate.position).filter(|_| is_wanted)
            });
            let places: Vec<Option<Point>> = positions.collect();
            let target = aimed.frame.point(aimed.target);
            let counts = with_plane!(&raster, plane => look(&plane, &aimed.frame, target, &places));
            let counts = counts.map_err(|source| Error::fits(&aimed.frame.name, source))?;
            step.advance().map(|()| counts)
        })
        .collect::<Result<_, Error>>()?;
    if !must_be_shown {
        let is_everywhere = |candidate: usize| measured.iter().all(|frame| frame.candidates[candidate].is_some());
        let kept: Vec<bool> = (0..candidates.len()).map(is_everywhere).collect();
        keep(candidates, &kept);
        measured.iter_mut().for_each(|frame| keep(&mut frame.candidates, &kept));
    }
    Ok(measured)
}

/// Removes what is not kept.
fn keep<T>(values: &mut Vec<T>, kept: &[bool]) {
    let mut kept = kept.iter();
    values.retain(|_| kept.next().copied().unwrap_or(false));
}

fn look<T: Sample>(plane: &Plane<T>, frame: &Checked, target: Option<Point>, places: &[Option<Point>]) -> FrameCounts {
    let measured = |Centroid { centre, background }: Centroid| {
        let counts = counts(plane, centre, frame.aperture, &background, frame.detector);
        let is_saturated = counts.peak >= frame.saturation;
        (counts.area > 0.0).then_some(Measured { centre, counts, is_saturated })
    };
    // The search begins half a pixel lower, where the results begin that this was compared with: how the last move falls short
    // of the rest decides on the third decimal of a place.
    let centred = |place: Point| {
        let start = Point { x: place.x - 0.5, y: place.y - 0.5 };
        centroid(plane, start, frame.aperture, frame.ring, Rules::default()).ok()
    };
    let star = |place: &Option<Point>| measured(centred((*place)?)?).filter(|star| !star.is_saturated);
    let found = target.and_then(|place| centred(place).filter(|it| it.centre.distance(place) <= FARTHEST));
    let is_centred = found.is_some();
    let here = || {
        let centre = target?;
        Some(Centroid { centre, background: Background::of(plane, centre, frame.ring, Rules::default())? })
    };
    FrameCounts {
        target: found.or_else(here).and_then(measured),
        is_centred,
        candidates: places.iter().map(star).collect(),
    }
}
