//! Series of frames against the recorded ones.

use std::sync::Mutex;

use holotype_photometry::catalogue::Quantity;
use holotype_photometry::request::Target;
use holotype_photometry::series::{self, Parameters, Place, Radii, TargetPosition};
use holotype_photometry::{Frame, Progress};
use serde_json::Value;

use crate::samples::{alike, folder, golden};

fn frames(kind: &str) -> Option<Vec<Frame>> {
    let folder = folder()?.join("aperture");
    // Out of their order, as a request may have them.
    let name = |index: usize| format!("{kind}0{}.fits", (index * 3 + 5) % 8);
    let frame = |index| Frame::file(name(index), folder.join(name(index))).with_filter(Some("rp".to_owned()));
    Some((0..8).map(frame).collect())
}

#[test]
fn a_series_of_a_fixed_target_is_the_recorded_one() {
    let (Some(frames), Some(recorded)) = (frames("fix"), golden("aperture_fixed.json")) else { return };
    let number = |key: &str| recorded["params"][key].as_f64().unwrap();
    let radii =
        Radii::new(number("aperture_radius"), number("annulus_inner_radius"), number("annulus_outer_radius")).unwrap();
    let target = Target { name: None, ra: number("ra"), dec: number("dec") };
    let parameters = Parameters::new(Place::Fixed(target), radii, 3..=6).unwrap();
    let pictures = Mutex::new(Vec::new());
    let sink = |name: &str, jpeg: Vec<u8>| {
        pictures.lock().unwrap().push((name.to_owned(), jpeg));
        Ok(())
    };
    let series = series::run(&frames, &parameters, Some(&sink), Progress::unwatched()).unwrap();
    let found = serde_json::to_value(&series).unwrap();
    let mut wrong = Vec::new();
    let mut compare = |place: &str, found: &Value, expected: &Value| {
        for (key, expected) in expected.as_object().unwrap() {
            let same = match (found[key].as_f64(), expected.as_f64()) {
                (Some(found), Some(expected)) => alike(found, expected, 1e-7),
                _ => found[key] == *expected,
            };
            if !same {
                wrong.push(format!("{place} {key}: {} is not {expected}", found[key]));
            }
        }
    };
    for (key, recorded_key) in [("light_curve", "rows"), ("selected_comparison_stars", "selected")] {
        let (found, expected) = (found[key].as_array().unwrap(), recorded[recorded_key].as_array().unwrap());
        assert_eq!(found.len(), expected.len(), "{key}");
        found.iter().zip(expected).enumerate().for_each(|(index, (found, expected))| {
            compare(&format!("{key}[{index}]"), found, expected);
        });
    }
    assert_eq!(wrong, Vec::<String>::new());
    assert_eq!(found["diagnostics"], recorded["diagnostics"]);
    let notes = found["pipeline_diagnostics"].as_array().unwrap();
    assert!(notes.len() == 1 && notes[0].as_str().unwrap().contains("16.9 mmag"), "{notes:?}");
    assert_eq!(found["light_curve"][0]["julian_date"], 2_461_164.5);
    assert_eq!((&found["filter"], found["period_candidates"][0]["kind"].as_str()), (&Value::from("rp"), Some("peak")));
    let mut pictures = pictures.into_inner().unwrap();
    pictures.sort();
    assert_eq!(pictures.len(), 8);
    let picture = image::load_from_memory_with_format(&pictures[0].1, image::ImageFormat::Jpeg).unwrap();
    let overlay = image::open(folder().unwrap().join("golden/aperture_overlay_fix00.jpg")).unwrap();
    assert_eq!(picture.width().max(picture.height()), 1_500);
    let overlay = (f64::from(overlay.width()), f64::from(overlay.height()));
    let ratio = f64::from(picture.width()) / f64::from(picture.height());
    assert!((ratio / (overlay.0 / overlay.1) - 1.0).abs() < 0.2, "{ratio} {overlay:?}");
    // Both colours of the circles are there.
    let count = |is: fn([u8; 3]) -> bool| picture.to_rgb8().pixels().filter(|pixel| is(pixel.0)).count();
    let orange = count(|[red, green, blue]| red > 220 && (110..190).contains(&green) && blue < 60);
    let azure = count(|[red, green, blue]| red < 60 && (140..210).contains(&green) && blue > 200);
    assert!(orange > 1_000 && azure > 5_000, "{orange} {azure}");
}

/// The target is at x = 76 + 4 k, y = 86 + 1.5 k in frame k, as the pixels were made, and as bright as its table says but for the
/// noise: a circle of 3 pixels is as wide as the crowded field allows.
#[test]
fn a_moving_target_is_followed_through_the_recorded_frames() {
    let Some(frames) = frames("mov") else { return };
    let at = |ra: f64, dec: f64, mjd: f64| TargetPosition { ra, dec, mjd: Some(mjd) };
    let positions = vec![at(150.002_667, 1.998_777, 61_164.000_35), at(149.998_725, 2.000_185, 61_164.024_65)];
    let place = Place::Moving { positions, search_radius: 10.0 };
    let parameters = Parameters::new(place, Radii::new(1.5, 5.0, 8.0).unwrap(), 3..=6).unwrap();
    let series = series::run(&frames, &parameters, None, Progress::unwatched()).unwrap();
    assert_eq!(series.light_curve.len(), 8);
    for (index, row) in series.light_curve.iter().enumerate() {
        let mut open = frames.iter().find(|frame| frame.name() == row.fits_path).unwrap().open().unwrap();
        let truth = open.catalogue().unwrap().column(Quantity::Magnitude).unwrap()[0];
        let (x, y) =
            (row.target_centroid_x - 76.0 - 4.0 * index as f64, row.target_centroid_y - 86.0 - 1.5 * index as f64);
        // In the first three it passes a star three pixels away.
        let limit = if index < 3 { (1.0, 10.0) } else { (0.15, 2.0) };
        assert!(x.hypot(y) < limit.0, "frame {index} is off by {x} {y}");
        let error = row.target_calibrated_apparent_magnitude_uncertainty;
        let off = (row.target_calibrated_apparent_magnitude - truth) / error;
        assert!(off.abs() < limit.1, "frame {index} is off by {off} times its error");
    }
    assert!(series.pipeline_diagnostics[0].contains("in 7 source tables"), "{:?}", series.pipeline_diagnostics);
}
