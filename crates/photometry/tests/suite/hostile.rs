//! Frames that lack something, hold nothing, or contradict each other: an error that says so, or a note, and never more.

use std::ops::ControlFlow;

use holotype_fits::Value;
use holotype_photometry::request::Target;
use holotype_photometry::series::{self, Parameters, Place, Radii, Series};
use holotype_photometry::{Frame, PhotometryError, Progress, centroiding, source_catalogue};

use crate::sky::{Exposure, Star, at, frame, grid};

fn stars() -> Vec<Star> {
    grid(at(100.0, -30.0), 5, 5, 24.0)
}

/// The star in the middle of the grid.
fn target() -> Target {
    let position = stars()[12].position;
    Target { name: None, ra: position.right_ascension, dec: position.declination }
}

fn exposure(index: usize) -> Exposure {
    let mut exposure = Exposure::new(format!("f{index}"), at(100.0, -30.0), format!("2026-01-0{}T00:00:00", index + 1));
    exposure.noise = 3.0;
    exposure
}

fn run(frames: &[Frame]) -> Result<Series, PhotometryError> {
    let radii = Radii::new(4.0, 5.5, 8.0).unwrap();
    let parameters = Parameters::new(Place::Fixed(target()), radii, 3..=8).unwrap();
    series::run(frames, &parameters, None, Progress::unwatched())
}

#[test]
fn frames_that_cannot_be_used_are_left_out_with_the_reason() {
    let good = |index: usize| exposure(index).take(&stars());
    let mut no_wcs = exposure(3);
    no_wcs.cards = vec![("CTYPE1", Value::Text("LINEAR".to_owned()))];
    let mut no_date = exposure(4);
    no_date.cards = vec![("DATE-OBS", Value::Text("yesterday".to_owned()))];
    let mut small = exposure(5);
    small.size = (12, 14);
    let mut wide = exposure(6);
    wide.size = (300, 240);
    let no_magnitudes = exposure(7);
    let mut table = no_magnitudes.table(&stars());
    table.retain(|(name, _)| *name != "mag");
    let filtered = |frame: Frame| frame.with_filter(Some("rp".to_owned()));
    let frames = [
        good(0),
        good(1),
        exposure(2).frame(exposure(2).pixels(&stars()), None),
        no_wcs.frame(exposure(3).pixels(&stars()), Some(&exposure(3).table(&stars()))),
        no_date.take(&stars()),
        small.take(&stars()),
        wide.take(&stars()),
        no_magnitudes.frame(no_magnitudes.pixels(&stars()), Some(&table)),
        filtered(frame("text", b"SIMPLE is what this is not".to_vec())),
        filtered(Frame::new("away", || Err(std::io::Error::other("the disk is gone")))),
    ];
    let series = run(&frames).unwrap();
    let used: Vec<&str> = series.light_curve.iter().map(|row| row.fits_path.as_str()).collect();
    assert_eq!(used, ["f0", "f1", "f6"]);
    let notes = series.pipeline_diagnostics.join("\n");
    for reason in
        ["f2: it has no CAT", "f3: ", "f4: ", "f5: ", "f7: its CAT table has no column mag", "text: ", "disk is gone"]
    {
        assert!(notes.contains(reason), "{reason} is not in {notes}");
    }
    // A frame of another size is as good as the others.
    let truth = stars()[12].magnitude;
    for row in &series.light_curve {
        let off = (row.target_calibrated_apparent_magnitude - truth).abs();
        assert!(off < 4.0 * row.target_calibrated_apparent_magnitude_uncertainty.max(0.003), "{row:?}");
    }
    let none = run(&frames[2..4]).unwrap_err();
    assert!(none.is_for_the_user() && none.to_string().contains("no file can be used"), "{none}");
}

#[test]
fn filters_that_differ_or_are_missing_are_refused() {
    let mut other = exposure(1);
    other.filter = "ip";
    let mixed = run(&[exposure(0).take(&stars()), other.take(&stars())]).unwrap_err();
    assert!(mixed.to_string().contains("same filter, but the input files use ip, rp"), "{mixed}");
    let unknown = run(&[exposure(0).take(&stars()).with_filter(None)]).unwrap_err();
    assert!(unknown.to_string().contains("does not report a filter"), "{unknown}");
    assert!(run(&[]).unwrap_err().is_for_the_user());
}

#[test]
fn pixels_that_are_no_numbers_or_all_the_same_leave_no_comparison_stars() {
    let even = |value: f32| -> Vec<Frame> {
        let frame = |index: usize| {
            let exposure = exposure(index);
            exposure.frame(vec![value; 256 * 256], Some(&exposure.table(&stars())))
        };
        (0..3).map(frame).collect()
    };
    for value in [f32::NAN, 0.0, -7.0, 1e30, f32::INFINITY] {
        let error = run(&even(value)).unwrap_err();
        let text = error.to_string();
        assert!(error.is_for_the_user() && text.contains("0 comparison stars can be used in all 3 frames"), "{text}");
        let answer = serde_json::json!({"width": 256, "height": 256, "x": 100, "y": 100});
        let request: centroiding::Request = serde_json::from_value(answer).unwrap();
        let answer = centroiding::run(&even(value)[0], &request).unwrap();
        assert!(!answer.success && answer.message.contains("failed"), "{answer:?}");
    }
}

#[test]
fn saturated_stars_compare_nothing_and_a_saturated_target_is_told() {
    let frames = |level: f64| -> Vec<Frame> {
        let frame = |index: usize| {
            let mut exposure = exposure(index);
            exposure.cards = vec![("SATURATE", Value::Real(level))];
            exposure.take(&stars())
        };
        (0..3).map(frame).collect()
    };
    // The peak of a star of this magnitude, sky included: brighter ones are full.
    let peak = |magnitude: f64| exposure(0).counts(magnitude) / (std::f64::consts::TAU * 2.25) + 200.0;
    let full = |star: &&Star| star.magnitude < 14.5;
    let bright = stars().iter().filter(full).count();
    assert!(bright > 2);
    let series = run(&frames(peak(14.5))).unwrap();
    let faintest = |star: &series::Star| star.reference_magnitude > 14.4;
    assert!(series.selected_comparison_stars.iter().all(faintest), "{:?}", series.selected_comparison_stars);
    let error = run(&frames(peak(17.0))).unwrap_err();
    assert!(error.to_string().contains("0 comparison stars"), "{error}");
    let told = run(&frames(peak(stars()[12].magnitude + 0.4)));
    if let Ok(series) = told {
        assert!(series.diagnostics[0].1.iter().any(|note| note.contains("saturated")), "{:?}", series.diagnostics);
    }
}

#[test]
fn a_target_beside_the_frames_has_rows_without_numbers() {
    let frames: Vec<Frame> = (0..3).map(|index| exposure(index).take(&stars())).collect();
    let radii = Radii::new(4.0, 5.5, 8.0).unwrap();
    let target = Target { name: None, ra: 100.1, dec: -30.1 };
    let parameters = Parameters::new(Place::Fixed(target), radii, 3..=8).unwrap();
    let series = series::run(&frames, &parameters, None, Progress::unwatched()).unwrap();
    let json = serde_json::to_value(&series).unwrap();
    assert!(json["light_curve"][0]["target_calibrated_apparent_magnitude"].is_null(), "{json}");
    assert!(json["diagnostics"]["f0"][0].as_str().unwrap().contains("no pixels"), "{json}");
    assert!(json.get("period").is_none());
}

#[test]
fn a_measurement_stops_when_it_is_told() {
    let frames: Vec<Frame> = (0..3).map(|index| exposure(index).take(&stars())).collect();
    let radii = Radii::new(4.0, 5.5, 8.0).unwrap();
    let parameters = Parameters::new(Place::Fixed(target()), radii, 3..=8).unwrap();
    for limit in [0.26, 0.31, 0.46, 0.7, 0.99] {
        let observer =
            |done: f64, _: &str| if done > limit { ControlFlow::Break(()) } else { ControlFlow::Continue(()) };
        let stopped = series::run(&frames, &parameters, None, Progress::new(&observer)).unwrap_err();
        assert!(matches!(stopped, PhotometryError::Cancelled), "{limit}: {stopped}");
    }
}

#[test]
fn questions_about_nothing_are_refused() {
    let frame = exposure(0).take(&stars());
    for (width, height) in [(0.0, 10.0), (10.0, f64::NAN), (f64::INFINITY, 10.0)] {
        assert!(source_catalogue::run(&frame, width, height).unwrap_err().is_for_the_user());
    }
    let ask = |key: &str, value: f64| {
        let mut request = serde_json::json!({"width": 256, "height": 256, "x": 100, "y": 100});
        request[key] = value.into();
        centroiding::run(&frame, &serde_json::from_value(request).unwrap())
    };
    for (key, value) in [("width", 0.0), ("radius", -1.0), ("r_back2", 9.0), ("radius", 1e6)] {
        assert!(ask(key, value).unwrap_err().is_for_the_user(), "{key} {value}");
    }
    assert!(!ask("x", -1e12).unwrap().success);
}
