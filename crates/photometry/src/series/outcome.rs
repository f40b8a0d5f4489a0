//! What a series comes to: magnitudes of the target, the stars they rest on, and what there is to say of each frame.

use serde::{Serialize, Serializer};

use super::candidates::Candidate;
use super::measure::FrameCounts;
use super::shared::{floor, together};
use super::target::Aimed;
use super::{Calibration, Comparison, Parameters, Place, TargetPosition};
use crate::MAGNITUDES_PER_PART;
use crate::period::{LEAST_POINTS, Observation, PeriodSearch};
use crate::request::Target;
use crate::sphere::ARCSECOND;
use crate::statistics::median;
use holotype_core::Instant;
use holotype_fits::time;

/// What the table of the comparison stars of a frame begins with.
const HEADING: &str = "comparison star identifier | RA | Dec | calculated flux | FITS source catalog flux | \
                       calculated magnitude | FITS source catalog magnitude";

/// A target that is farther from the comparison stars than this is told, in magnitudes.
const OUTSIDE: f64 = 0.1;

/// The target in one frame, by the names that clients know. Numbers that cannot be told are NaN, and null in JSON.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[expect(missing_docs, reason = "the names say it at length, and are the contract's")]
pub struct Row {
    pub fits_path: String,
    pub date_obs: String,
    pub julian_date: f64,
    pub target_centroid_x: f64,
    pub target_centroid_y: f64,
    pub target_net_source_counts: f64,
    pub target_source_uncertainty: f64,
    pub comparison_ensemble_total_counts: f64,
    pub comparison_ensemble_uncertainty: f64,
    pub target_differential_flux: f64,
    pub target_differential_flux_uncertainty: f64,
    pub target_calibrated_apparent_magnitude: f64,
    pub target_calibrated_apparent_magnitude_uncertainty: f64,
    /// The calibrated magnitude again, by the name that the rows of other operations have: the front end's folded plot knows no other.
    pub mag: f64,
    pub magerr: f64,
}

/// A comparison star, by the names that clients know.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[expect(missing_docs, reason = "the names say it at length, and are the contract's")]
pub struct Star {
    pub candidate_id: String,
    pub ra_deg: f64,
    pub dec_deg: f64,
    pub reference_magnitude: f64,
    pub reference_magnitude_source: &'static str,
    pub source_catalog_by_frame: Option<String>,
    pub variability_score: f64,
    pub isolation_arcsec: f64,
    pub target_separation_px: f64,
    pub measured_instrumental_magnitude: f64,
}

/// A measured series, by the names that clients know.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Series {
    /// The radius of the circle, in arcseconds.
    pub aperture_radius: f64,
    /// The inner radius of the ring, in arcseconds.
    pub annulus_inner_radius: f64,
    /// The outer radius of the ring, in arcseconds.
    pub annulus_outer_radius: f64,
    /// The filter of all frames.
    pub filter: String,
    /// One row for each frame that could be used, by date.
    pub light_curve: Vec<Row>,
    /// The stars that the magnitudes rest on, best first.
    pub selected_comparison_stars: Vec<Star>,
    /// What there is to say of each frame.
    #[serde(serialize_with = "as_map")]
    pub diagnostics: Vec<(String, Vec<String>)>,
    /// What there is to say of the whole.
    pub pipeline_diagnostics: Vec<String>,
    /// Where the picture of each frame is, for the caller to fill in.
    #[serde(serialize_with = "as_map")]
    pub diagnostic_images: Vec<(String, String)>,
    /// The period, if enough frames have a magnitude.
    #[serde(flatten)]
    pub period: Option<PeriodSearch>,
    /// The place that was asked for, if it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<Target>,
    /// The places of the track that was asked for, if it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target_positions: Option<Vec<TargetPosition>>,
    /// How far from the track the target was looked for, in arcseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub track_search_radius: Option<f64>,
}

fn as_map<S: Serializer, T: Serialize>(pairs: &[(String, T)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(pairs.iter().map(|(key, value)| (key, value)))
}

pub(super) fn of(
    aimed: &[Aimed],
    candidates: &[Candidate],
    measured: &[FrameCounts],
    calibration: &Calibration,
    parameters: &Parameters,
    filter: String,
    mut notes: Vec<String>,
) -> Series {
    let floor = Some(floor(measured, calibration)).filter(|floor| floor.is_finite());
    if let Some(floor) = floor {
        let millimagnitudes = 1_000.0 * floor;
        notes.push(format!(
            "An error floor of {millimagnitudes:.1} mmag, which is how well the comparison stars repeat from frame to frame, \
             was added in quadrature to each error."
        ));
    }
    let light_curve: Vec<Row> = aimed
        .iter()
        .zip(measured)
        .enumerate()
        .map(|(index, (aimed, counts))| row(index, aimed, counts, calibration, floor.unwrap_or(0.0)))
        .collect();
    notes.extend(range_note(&light_curve, candidates, calibration));
    let period = searched(aimed, &light_curve, &mut notes);
    let (mut source, mut target_positions, mut track_search_radius) = (None, None, None);
    match parameters.place() {
        Place::Fixed(target) => source = Some(target.clone()),
        Place::Headers => {}
        Place::Moving { positions, search_radius } => {
            target_positions = Some(positions.clone());
            track_search_radius = Some(*search_radius);
        }
    }
    let radii = parameters.radii();
    Series {
        aperture_radius: radii.aperture(),
        annulus_inner_radius: radii.inner(),
        annulus_outer_radius: radii.outer(),
        filter,
        light_curve,
        selected_comparison_stars: calibration
            .stars
            .iter()
            .map(|comparison| star(comparison, candidates, measured))
            .collect(),
        diagnostics: aimed
            .iter()
            .zip(measured)
            .enumerate()
            .map(|(index, (aimed, counts))| {
                (aimed.frame.name.clone(), frame_notes(index, counts, candidates, calibration))
            })
            .collect(),
        pipeline_diagnostics: notes,
        diagnostic_images: Vec::new(),
        period,
        source,
        target_positions,
        track_search_radius,
    }
}

fn row(index: usize, aimed: &Aimed, counts: &FrameCounts, calibration: &Calibration, floor: f64) -> Row {
    const UNKNOWN: f64 = f64::NAN;
    let target = counts.target;
    let (net, error) = target.map_or((UNKNOWN, UNKNOWN), |it| (it.counts.net, it.counts.error));
    let zero_point = calibration.zero_points[index].as_ref();
    let (total, total_error) = zero_point.map_or((UNKNOWN, UNKNOWN), |it| together(counts, &it.stars));
    let relative = net / total;
    let relative_error = relative.abs() * ((error / net).powi(2) + (total_error / total).powi(2)).sqrt();
    let (magnitude, magnitude_error) = match (target, zero_point) {
        (Some(target), Some(zero_point)) if net > 0.0 => {
            let own = match zero_point.error {
                Some(ensemble) => (MAGNITUDES_PER_PART * error / net).hypot(ensemble),
                None => MAGNITUDES_PER_PART * relative_error / relative,
            };
            (target.magnitude() + zero_point.magnitude, own.hypot(floor))
        }
        _ => (UNKNOWN, UNKNOWN),
    };
    Row {
        fits_path: aimed.frame.name.clone(),
        date_obs: date(aimed.frame.date),
        julian_date: time::julian_date(aimed.frame.date),
        target_centroid_x: target.map_or(UNKNOWN, |target| target.centre.x),
        target_centroid_y: target.map_or(UNKNOWN, |target| target.centre.y),
        target_net_source_counts: net,
        target_source_uncertainty: error,
        comparison_ensemble_total_counts: total,
        comparison_ensemble_uncertainty: total_error,
        target_differential_flux: relative,
        target_differential_flux_uncertainty: relative_error,
        target_calibrated_apparent_magnitude: magnitude,
        target_calibrated_apparent_magnitude_uncertainty: magnitude_error,
        mag: magnitude,
        magerr: magnitude_error,
    }
}

/// As clients have it: with an offset, and a fraction only where there is one.
fn date(date: Instant) -> String {
    let text = date.to_string();
    let (day, rest) = text.trim_end_matches('Z').split_once('.').map_or((text.trim_end_matches('Z'), ""), |it| it);
    if rest.is_empty() { format!("{day}+00:00") } else { format!("{day}.{rest:0<6}+00:00") }
}

fn star(comparison: &Comparison, candidates: &[Candidate], measured: &[FrameCounts]) -> Star {
    let candidate = &candidates[comparison.candidate];
    let instrumental = measured.iter().filter_map(|frame| frame.candidates[comparison.candidate]);
    Star {
        candidate_id: candidate.id.clone(),
        ra_deg: candidate.position.right_ascension,
        dec_deg: candidate.position.declination,
        reference_magnitude: candidate.magnitude,
        reference_magnitude_source: "second_hdu",
        source_catalog_by_frame: None,
        variability_score: comparison.variability,
        isolation_arcsec: candidate.isolation / ARCSECOND,
        target_separation_px: candidate.separation,
        measured_instrumental_magnitude: median(instrumental.map(|star| star.magnitude())),
    }
}

/// The table of a frame's comparison stars, and what is wrong with its target.
fn frame_notes(index: usize, counts: &FrameCounts, candidates: &[Candidate], calibration: &Calibration) -> Vec<String> {
    let mut notes = Vec::new();
    match counts.target {
        None => notes.push("The target has no pixels in this frame.".to_owned()),
        Some(target) => {
            if !counts.is_centred {
                notes.push("The target has no centre here: it was measured where it should be.".to_owned());
            }
            if target.counts.net <= 0.0 {
                notes.push("The target has no counts above the background.".to_owned());
            }
            if target.is_saturated {
                notes.push("The target is saturated: its counts are too low.".to_owned());
            }
        }
    }
    let Some(zero_point) = &calibration.zero_points[index] else {
        notes.push("There are too few comparison stars in this frame to calibrate it.".to_owned());
        return notes;
    };
    let number = |value: f64, decimals: usize| {
        if value.is_finite() { format!("{value:.decimals$}") } else { "nan".to_owned() }
    };
    notes.push(HEADING.to_owned());
    notes.extend(zero_point.stars.iter().map(|&star| {
        let candidate = &candidates[star];
        let measured = counts.candidates[star];
        let fields = [
            candidate.id.clone(),
            number(candidate.position.right_ascension, 4),
            number(candidate.position.declination, 4),
            number(measured.map_or(f64::NAN, |it| it.counts.net), 0),
            number(candidate.fluxes[index].unwrap_or(f64::NAN), 0),
            number(measured.map_or(f64::NAN, |it| it.magnitude() + zero_point.magnitude), 3),
            number(candidate.magnitude, 3),
        ];
        format!("comparison-star validation row: {}", fields.join(" | "))
    }));
    notes
}

/// Says so if the target is brighter or fainter than all comparison stars.
fn range_note(rows: &[Row], candidates: &[Candidate], calibration: &Calibration) -> Option<String> {
    let target = median(rows.iter().map(|row| row.target_calibrated_apparent_magnitude));
    let magnitudes = calibration.stars.iter().map(|star| candidates[star.candidate].magnitude);
    let (least, greatest) =
        magnitudes.fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), value| (a.min(value), b.max(value)));
    let outside = target < least - OUTSIDE || target > greatest + OUTSIDE;
    outside.then(|| {
        format!(
            "The target (magnitude {target:.2}) lies outside of the range of the comparison stars ({least:.2} to {greatest:.2}): \
             its magnitudes may be off by more than their errors."
        )
    })
}

fn searched(aimed: &[Aimed], rows: &[Row], notes: &mut Vec<String>) -> Option<PeriodSearch> {
    let days = |date: Instant| date.as_micros() as f64 / 86_400e6;
    let observations: Vec<Observation> = aimed
        .iter()
        .zip(rows)
        .map(|(aimed, row)| Observation {
            time: days(aimed.frame.date),
            value: row.target_calibrated_apparent_magnitude,
            error: row.target_calibrated_apparent_magnitude_uncertainty,
        })
        .filter(|observation| observation.value.is_finite() && observation.error.is_finite())
        .collect();
    if observations.len() < LEAST_POINTS {
        return None;
    }
    let search = PeriodSearch::of(&observations);
    if search.is_none() {
        notes.push("No period was searched: the magnitudes or the dates are all the same.".to_owned());
    }
    search
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_have_an_offset_and_six_decimals_or_none() {
        assert_eq!(date("2026-05-04T00:05:00Z".parse().unwrap()), "2026-05-04T00:05:00+00:00");
        assert_eq!(date("2026-05-04T00:05:00.25Z".parse().unwrap()), "2026-05-04T00:05:00.250000+00:00");
    }
}
