//! The magnitudes of one star, as the tables of the frames themselves have them.

use holotype_fits::time;
use rayon::prelude::*;
use serde::Serialize;

use crate::catalogue::Quantity;
use crate::request::{self, Target};
use crate::{Frame, PhotometryError, PhotometryError as Error, Progress};

/// The filters whose tables hold calibrated magnitudes.
pub const FILTERS: [&str; 4] = ["rp", "ip", "gp", "zs"];

/// The most frames that are looked at.
pub const MOST_FRAMES: usize = 999;

/// A source farther from the place than this is another star, in degrees.
const NEAR: f64 = 4.0 / 3600.0;

/// The star's magnitude in one frame.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Row {
    /// Calibrated magnitude.
    pub mag: f64,
    /// Its error.
    pub magerr: f64,
    /// When the frame was taken by its request, as a Julian date in UTC.
    pub julian_date: f64,
    /// The same as the request has it.
    pub observation_date: String,
}

/// The star's magnitudes, by the names that clients know.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LightCurve {
    /// The place that was asked for.
    pub target_coords: Target,
    /// One row for each frame that shows the star, in the order of the frames.
    pub light_curve: Vec<Row>,
    /// Never: magnitudes are calibrated or absent.
    pub flux_fallback: bool,
    /// The frames that could not be used.
    pub excluded_images: Vec<String>,
    /// The place that was asked for.
    pub source: Target,
    /// The filter of all frames.
    pub filter: String,
}

/// Looks the star up in every frame. Frames that cannot be read, have no table, no star within four arcseconds of the place or no
/// date are excluded by name.
///
/// # Errors
/// [`PhotometryError::Request`] for a wrong number of frames, filters that differ or are not among [`FILTERS`], and a place that
/// is none; [`PhotometryError::NoResult`] if no frame shows the star; [`PhotometryError::Cancelled`].
pub fn run(frames: &[Frame], target: &Target, progress: Progress) -> Result<LightCurve, PhotometryError> {
    request::count("Light Curve", frames, 1, MOST_FRAMES)?;
    look_up("Light Curve", frames, target, progress, 1.0)
}

/// As [`run`], telling progress up to `end`.
pub(crate) fn look_up(
    operation: &str,
    frames: &[Frame],
    target: &Target,
    progress: Progress,
    end: f64,
) -> Result<LightCurve, PhotometryError> {
    let position = target.position()?;
    let filter = request::single_filter(operation, frames, &FILTERS)?;
    let step = progress.step("Reading source tables", 0.0, end, frames.len());
    let rows: Vec<Option<Row>> = frames
        .par_iter()
        .map(|frame| {
            let row = row(frame, position);
            step.advance().map(|()| row)
        })
        .collect::<Result<_, Error>>()?;
    let excluded = frames.iter().zip(&rows).filter(|(_, row)| row.is_none()).map(|(frame, _)| frame.name().to_owned());
    let excluded_images: Vec<String> = excluded.collect();
    let light_curve: Vec<Row> = rows.into_iter().flatten().collect();
    if light_curve.is_empty() {
        let (count, Target { ra, dec, .. }) = (frames.len(), target);
        let problem = format!(
            "none of the {count} files has a calibrated source within 4 arcseconds of ra {ra:.5}, dec {dec:.5}: \
             choose a star that the source catalogue shows"
        );
        return Err(Error::no_result(problem));
    }
    Ok(LightCurve {
        target_coords: target.clone(),
        light_curve,
        flux_fallback: false,
        excluded_images,
        source: target.clone(),
        filter,
    })
}

/// The star's row of a frame; nothing, whatever the reason.
fn row(frame: &Frame, target: holotype_fits::wcs::SkyPosition) -> Option<Row> {
    let observation_date = frame.observation_date()?.to_owned();
    let julian_date = time::julian_date(time::instant("observation_date", &observation_date).ok()?);
    let mut open = frame.open().ok()?;
    let catalogue = open.catalogue().ok()?;
    let (mag, magerr) = (catalogue.column(Quantity::Magnitude)?, catalogue.column(Quantity::MagnitudeError)?);
    let wcs = open.wcs().ok();
    let (nearest, _) = catalogue.nearest(target, wcs.as_ref()).filter(|(_, distance)| *distance <= NEAR)?;
    let row = Row { mag: mag[nearest], magerr: magerr[nearest], julian_date, observation_date };
    (row.mag.is_finite() && row.magerr.is_finite()).then_some(row)
}
