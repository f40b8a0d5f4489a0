//! Targets that move, frames that follow them, and stars that come and go: what is measured is what was put there.

use holotype_fits::Value;
use holotype_fits::wcs::SkyPosition;
use holotype_photometry::series::{self, Parameters, Place, Radii, Series, TargetPosition};
use holotype_photometry::{Frame, Progress};

use crate::sky::{Exposure, Star, at, grid};

const FRAMES: usize = 10;

/// The target in frame `index`: eastwards 20 arcseconds a frame, and bending north. Between the rows of the stars.
fn target(index: usize) -> Star {
    let step = index as f64;
    let position = at(200.0 + (20.0 * step - 90.0) / 3600.0, 0.003 + (0.02 * step * step) / 3600.0);
    Star { position, magnitude: 15.2 + 0.3 * step.sin() }
}

fn date(index: usize) -> String {
    format!("2026-05-04T00:{:02}:00.000", index * 5)
}

/// The middle of the exposure.
fn mjd(index: usize) -> f64 {
    61_164.0 + (index as f64 * 300.0 + 30.0) / 86_400.0
}

/// Frames that follow the target, each with an air of its own; of the stars those that it shows.
fn frames(cards: impl Fn(usize) -> Vec<(&'static str, Value)>) -> (Vec<Frame>, Vec<Exposure>) {
    let stars = grid(at(200.0, 0.0), 22, 5, 24.0);
    let exposure = |index: usize| {
        let mut exposure = Exposure::new(format!("m{index}.fits"), target(index).position, date(index));
        exposure.zero_point = 25.0 - 0.1 * index as f64 + 0.3 * (index as f64 * 1.7).cos();
        exposure.cards = vec![("EXPTIME", Value::Real(60.0))];
        exposure.cards.extend(cards(index));
        exposure
    };
    let exposures: Vec<Exposure> = (0..FRAMES).map(exposure).collect();
    let frames = exposures.iter().enumerate().map(|(index, exposure)| {
        let mut shown = stars.clone();
        shown.push(target(index));
        exposure.take(&shown)
    });
    (frames.collect(), exposures)
}

fn measured(frames: &[Frame], place: Place) -> Series {
    let parameters = Parameters::new(place, Radii::new(4.0, 5.5, 8.0).unwrap(), 3..=8).unwrap();
    series::run(frames, &parameters, None, Progress::unwatched()).unwrap()
}

/// Magnitudes to 2 mmag: the circle of 5.3 standard deviations holds all light but one part in a million, the sampled overlap of
/// circle and pixels does the rest. Places to 0.05 pixels, which is what cutting off the low columns costs.
fn check(series: &Series, exposures: &[Exposure]) {
    assert_eq!(series.light_curve.len(), FRAMES);
    for (index, row) in series.light_curve.iter().enumerate() {
        let truth = target(index);
        let place = exposures[index].point(truth.position).unwrap();
        let off = (row.target_centroid_x - place.x).hypot(row.target_centroid_y - place.y);
        assert!(off < 0.05, "frame {index} is {off} pixels off");
        let off = row.target_calibrated_apparent_magnitude - truth.magnitude;
        assert!(off.abs() < 0.002, "frame {index} is {off} magnitudes off");
        let error = row.target_calibrated_apparent_magnitude_uncertainty;
        assert!(error > 0.0 && error < 0.15, "{error}");
    }
}

#[test]
fn a_target_is_followed_along_its_track_and_calibrated_by_the_stars_it_passes() {
    let (frames, exposures) = frames(|_| Vec::new());
    // Three places, each 2 arcseconds off.
    let given = |index: usize, east: f64, north: f64| TargetPosition {
        ra: target(index).position.right_ascension + east / 3600.0,
        dec: target(index).position.declination + north / 3600.0,
        mjd: Some(mjd(index)),
    };
    let positions = vec![given(9, 1.4, -1.4), given(0, -1.4, 1.4), given(5, 1.4, 1.4)];
    let series = measured(&frames, Place::Moving { positions, search_radius: 6.0 });
    check(&series, &exposures);
    let notes = &series.pipeline_diagnostics;
    assert!(
        notes.iter().any(|note| note.contains("made better by the target's place in 10 source tables")),
        "{notes:?}"
    );
    // No star is in all frames: they are tied together by those that some share.
    assert!(notes.iter().any(|note| note.contains("tied together")), "{notes:?}");
    assert!(series.selected_comparison_stars.len() > 8);
    let json = serde_json::to_value(&series).unwrap();
    assert_eq!((json["target_positions"].as_array().unwrap().len(), &json["track_search_radius"]), (3, &6.0.into()));
    assert!(json.get("source").is_none() && json["period"].is_f64());
}

#[test]
fn a_target_without_sources_near_its_track_is_measured_where_it_was_said_to_be() {
    let (frames, exposures) = frames(|_| Vec::new());
    let positions: Vec<TargetPosition> = [0, 4, 9]
        .map(|index| {
            let SkyPosition { right_ascension, declination } = target(index).position;
            TargetPosition { ra: right_ascension, dec: declination, mjd: Some(mjd(index)) }
        })
        .into();
    // Nothing is within a hundredth of an arcsecond but the target, and that is on the track.
    let series = measured(&frames[..2], Place::Moving { positions, search_radius: 0.01 });
    assert!(
        series.pipeline_diagnostics[0].contains("of the given positions alone"),
        "{:?}",
        series.pipeline_diagnostics
    );
    let place = exposures[1].point(target(1).position).unwrap();
    assert!((series.light_curve[1].target_centroid_x - place.x).abs() < 0.05);
}

/// Hours, minutes and seconds, or degrees, of an angle.
fn sexagesimal(value: f64) -> String {
    let size = value.abs();
    let (whole, minutes) = (size.trunc(), size.fract() * 60.0);
    let sign = if value < 0.0 { "-" } else { "" };
    format!("{sign}{whole:02.0}:{:02.0}:{:09.6}", minutes.trunc(), minutes.fract() * 60.0)
}

#[test]
fn headers_lead_to_a_target_that_the_telescope_followed() {
    let (frames, exposures) = frames(|index| {
        let SkyPosition { right_ascension, declination } = target(index).position;
        vec![
            ("CAT-RA", Value::Text(sexagesimal(right_ascension / 15.0))),
            ("CAT-DEC", Value::Text(sexagesimal(declination))),
        ]
    });
    check(&measured(&frames, Place::Headers), &exposures);
}

#[test]
fn headers_of_a_target_that_stands_still_are_told_or_refused() {
    let same = |kind: &'static str| {
        frames(move |_| {
            let SkyPosition { right_ascension, declination } = target(4).position;
            vec![
                ("CAT-RA", Value::Real(right_ascension)),
                ("CAT-DEC", Value::Real(declination)),
                ("SRCTYPE", Value::Text(kind.to_owned())),
            ]
        })
    };
    let series = measured(&same("MINORPLANET").0[3..6], Place::Headers);
    assert!(series.pipeline_diagnostics[0].contains("at the same place"), "{:?}", series.pipeline_diagnostics);
    let parameters = Parameters::new(Place::Headers, Radii::new(4.0, 5.5, 8.0).unwrap(), 3..=8).unwrap();
    let refused = series::run(&same("EXTRASOLAR").0, &parameters, None, Progress::unwatched()).unwrap_err();
    assert!(refused.is_for_the_user() && refused.to_string().contains("EXTRASOLAR"), "{refused}");
}
