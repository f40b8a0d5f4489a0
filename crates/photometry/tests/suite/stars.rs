//! Light curves and periods from the frames' own tables.

use holotype_photometry::request::Target;
use holotype_photometry::{Frame, PhotometryError, Progress, light_curve, variable};

use crate::sky::{Exposure, Star, at};

const PERIOD: f64 = 0.7;

fn target() -> Target {
    Target { name: Some("V1".to_owned()), ra: 40.0, dec: 10.0 }
}

/// Frame `index`, in which the star is `off` arcseconds from its place. The date is on the frame's request.
fn frame(index: usize, off: f64) -> Frame {
    let days = index as f64 * 0.137 + 0.01 * (index as f64 * 2.1).sin();
    let (hour, minute) = ((days.fract() * 24.0) as u32, (days.fract() * 1_440.0) as u32 % 60);
    let date = format!("2026-03-{:02}T{hour:02}:{minute:02}:00Z", days as u32 + 1);
    let mut exposure = Exposure::new(format!("v{index}"), at(40.0, 10.0), date);
    exposure.size = (32, 32);
    let days = f64::from(days as u32) + f64::from(hour) / 24.0 + f64::from(minute) / 1_440.0;
    let magnitude = 14.0 + 0.4 * (std::f64::consts::TAU * days / PERIOD).sin();
    let star = Star { position: at(40.0, 10.0 + off / 3600.0), magnitude };
    let other = Star { position: at(40.003, 10.0), magnitude: 12.0 };
    exposure.take(&[star, other])
}

#[test]
fn a_light_curve_has_a_row_for_each_frame_with_the_star_and_names_the_others() {
    let table = |index: usize| {
        let exposure = Exposure::new(format!("v{index}"), at(40.0, 10.0), "2026-03-01T00:00:00Z");
        exposure.frame(vec![0.0; 256 * 256], None)
    };
    let frames = [frame(0, 0.5), frame(1, 6.0), frame(2, 3.9), table(3), frame(4, 0.0).with_observation_date(None)];
    let found = light_curve::run(&frames, &target(), Progress::unwatched()).unwrap();
    let json = serde_json::to_value(&found).unwrap();
    assert_eq!(json["excluded_images"], serde_json::json!(["v1", "v3", "v4"]));
    assert_eq!((json["light_curve"].as_array().unwrap().len(), &json["filter"]), (2, &"rp".into()));
    assert_eq!(json["light_curve"][0]["observation_date"], "2026-03-01T00:00:00Z");
    assert_eq!(json["light_curve"][0]["julian_date"], 2_461_100.5);
    assert_eq!((&json["source"], &json["flux_fallback"]), (&json["target_coords"], &false.into()));
    let none = light_curve::run(&frames[1..2], &target(), Progress::unwatched()).unwrap_err();
    assert!(matches!(none, PhotometryError::NoResult { .. }), "{none}");
}

#[test]
fn a_variable_star_has_its_period() {
    let frames: Vec<Frame> = (0..30).map(|index| frame(index, 0.2)).collect();
    let found = variable::run(&frames, &target(), Progress::unwatched()).unwrap();
    assert!((found.period - PERIOD).abs() < 0.02 && found.fap < 1e-9, "{} {}", found.period, found.fap);
    let json = serde_json::to_value(&found).unwrap();
    assert_eq!(json["frequency"].as_array().unwrap().len(), json["power"].as_array().unwrap().len());
    assert_eq!(json["light_curve"].as_array().unwrap().len(), 30);
    let few = variable::run(&frames[..7], &target(), Progress::unwatched()).unwrap_err();
    assert!(few.to_string().contains("8 to 999"), "{few}");
    let mut some: Vec<Frame> = (0..4).map(|index| frame(index, 0.0)).collect();
    some.extend((4..9).map(|index| frame(index, 20.0)));
    let few = variable::run(&some, &target(), Progress::unwatched()).unwrap_err();
    assert!(few.to_string().contains("4 show it"), "{few}");
}
