//! Single images, beside recorded results.

use std::path::Path;

use holotype_fits::wcs::Wcs;
use holotype_imaging::arithmetic::normalise;
use holotype_imaging::profile::{Point, SkyLine, line_profile};
use holotype_imaging::raw_data::{ceiling, raw_data};
use holotype_imaging::{Frame, unwatched};
use serde_json::Value;

use crate::frames::{bits, folder, image};

pub(crate) fn json(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|number| number.to_string().parse().unwrap()).collect()
}

#[test]
fn a_normalised_frame_is_the_recorded_one_bit_for_bit() {
    let Some(folder) = folder("sessions") else { return };
    assert_eq!(unwatched(1.0), std::ops::ControlFlow::Continue(()));
    let frame = Frame::at_path(&folder.join("upstream/fits_1.fits.fz")).unwrap();
    let found = normalise(frame.name(), frame.raster().unwrap()).unwrap();
    assert_eq!(bits(&found), bits(&image(&folder.join("golden/op_norm_exact_0.fits"))));
}

#[test]
fn raw_data_are_the_recorded_ones() {
    let Some(folder) = folder("sessions") else { return };
    let frame = Frame::at_path(&folder.join("upstream/fits_1.fits.fz")).unwrap();
    let (raster, ceiling) = (frame.raster().unwrap(), ceiling(&frame.header().unwrap(), frame.bits()));
    for side in [50, 100, 200] {
        let recorded = json(&folder.join(format!("golden/raw_data_fits_1_{side}.json")));
        let found = raw_data(&raster, side, ceiling).unwrap();
        let same = |found: &[f64], name: &str, tolerance: f64| {
            let expected = numbers(&recorded[name]);
            assert_eq!(found.len(), expected.len(), "{name}");
            for (found, expected) in found.iter().zip(expected) {
                assert!((found - expected).abs() <= tolerance * expected.abs(), "{name}: {found} is not {expected}");
            }
        };
        let data: Vec<f64> = found.data.iter().map(|value| f64::from(*value)).collect();
        same(&data, "data", 1e-6);
        same(&found.histogram, "histogram", 1e-15);
        same(&found.bins, "bins", 1e-15);
        let number = |name: &str| recorded[name].as_f64().unwrap();
        assert_eq!((found.low, found.high, found.side as f64), (number("zmin"), number("zmax"), number("height")));
    }
}

#[test]
fn line_profiles_are_the_recorded_ones() {
    let Some(folder) = folder("sessions") else { return };
    let near = |found: &[f64], expected: &[f64], tolerance: f64| {
        assert_eq!(found.len(), expected.len());
        assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() <= tolerance), "{found:?} is not {expected:?}");
    };
    let recorded = json(&folder.join("upstream/analysis/test_line_profile.json"));
    let raster = image(&folder.join("upstream/fits_1.fits.fz"));
    let point = |row: f64, column: f64| Point { row, column };
    let found = line_profile(&raster, point(25.0, 25.0), point(75.0, 75.0)).unwrap();
    near(&found, &numbers(&recorded["test_line_profile"]), 1e-3);

    let recorded = json(&folder.join("golden/line_profile_fix00.json"));
    let input = |name: &str| recorded["input"][name].as_f64().unwrap();
    let frame = Frame::at_path(&folder.join("aperture/fix00.fits")).unwrap();
    let (start, end) = (point(input("x1"), input("y1")), point(input("x2"), input("y2")));
    let output = &recorded["output"];
    near(&line_profile(&frame.raster().unwrap(), start, end).unwrap(), &numbers(&output["line_profile"]), 1e-3);
    // The recorded positions are those of the pixel before, one along both axes.
    let before = |point: Point| Point { row: point.row - 1.0, column: point.column - 1.0 };
    let wcs = Wcs::from_header(&frame.header().unwrap()).unwrap().unwrap();
    let sky = SkyLine::of(&wcs, before(start), before(end));
    near(&[sky.start.right_ascension, sky.start.declination], &numbers(&output["start_coords"]), 1e-9);
    near(&[sky.end.right_ascension, sky.end.declination], &numbers(&output["end_coords"]), 1e-9);
    near(
        &[sky.arcsec, sky.position_angle],
        &[output["arcsec"].as_f64().unwrap(), output["position_angle"].as_f64().unwrap()],
        1e-6,
    );
}
