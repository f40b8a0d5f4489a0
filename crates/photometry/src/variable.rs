//! A star's light curve with a search for its period.

use serde::Serialize;

use crate::light_curve::{LightCurve, MOST_FRAMES, look_up};
use crate::period::{LEAST_POINTS, Observation, PeriodSearch};
use crate::request::{self, Target};
use crate::{Frame, PhotometryError, PhotometryError as Error, Progress};

/// A light curve and the period in it, by the names that clients know.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Variable {
    /// The light curve.
    #[serde(flatten)]
    pub light_curve: LightCurve,
    /// The period of the highest peak, in days.
    pub period: f64,
    /// How likely noise alone has a peak as high.
    pub fap: f64,
    /// The frequencies, in 1/day.
    pub frequency: Vec<f64>,
    /// The power at each frequency.
    pub power: Vec<f64>,
}

/// Looks the star up in every frame and searches its period.
///
/// # Errors
/// As [`crate::light_curve::run`], and [`PhotometryError::NoResult`] if fewer than eight frames show the star or its magnitudes do
/// not vary.
pub fn run(frames: &[Frame], target: &Target, progress: Progress) -> Result<Variable, PhotometryError> {
    request::count("Variable Star", frames, LEAST_POINTS, MOST_FRAMES)?;
    let light_curve = look_up("Variable Star", frames, target, progress, 0.8)?;
    let found = light_curve.light_curve.len();
    if found < LEAST_POINTS {
        let problem = format!("a period needs the star in {LEAST_POINTS} files, and {found} show it: add more files");
        return Err(Error::no_result(problem));
    }
    let observation =
        |row: &crate::light_curve::Row| Observation { time: row.julian_date, value: row.mag, error: row.magerr };
    let observations: Vec<Observation> = light_curve.light_curve.iter().map(observation).collect();
    let search = PeriodSearch::of(&observations).ok_or_else(|| {
        Error::no_result("no period can be searched: the magnitudes or the dates are all the same, or have no errors")
    })?;
    progress.at(1.0, "Period search: 100%")?;
    let PeriodSearch { period, fap, frequency, power, .. } = search;
    Ok(Variable { light_curve, period, fap, frequency, power })
}
