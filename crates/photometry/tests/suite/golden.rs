//! Single answers against those recorded of the earlier backend.

use std::fs::File;

use holotype_fits::display::Plane;
use holotype_fits::wcs::Pixel;
use holotype_fits::{Hdu, Image, Pixels};
use holotype_photometry::aperture::{Detector, measure};
use holotype_photometry::background::{Annulus, Background, Rules};
use holotype_photometry::centroid::{Centroid, centroid, peak};
use holotype_photometry::overlap::{Point, fraction};
use holotype_photometry::period::{Observation, PeriodSearch};
use holotype_photometry::{Frame, centroiding, source_catalogue};
use serde_json::Value;

use crate::samples::{alike, folder, golden, numbers};

#[test]
fn parts_of_pixels_are_the_recorded_ones() {
    let Some(cases) = golden("pixel_overlap_cases.json") else { return };
    for case in cases.as_array().unwrap() {
        let number = |key: &str| case[key].as_f64().unwrap();
        let (column, row) = (case["i"].as_i64().unwrap(), case["j"].as_i64().unwrap());
        let found = fraction(column, row, Point { x: number("x"), y: number("y") }, number("r"));
        assert_eq!(found, number("f"), "{case}");
    }
}

#[test]
fn centroids_and_counts_are_the_recorded_ones() {
    let Some(cases) = golden("centroid_aperture_cases.json") else { return };
    let mut source = File::open(folder().unwrap().join("golden/centroid_image.fits")).unwrap();
    let hdus = Hdu::walk(&mut source).unwrap();
    let Pixels::F32(values) = Image::read(&mut source, &hdus[0]).unwrap().pixels else { panic!("not of 32 bits") };
    let plane = Plane::new(128, 128, &values).unwrap();
    let cases = cases.as_array().unwrap();
    assert_eq!(cases.len(), 28);
    for case in cases {
        let number = |key: &str| case[key].as_f64().unwrap();
        let flag = |key: &str, default| case.get(key).map_or(default, |flag| flag.as_bool().unwrap());
        let (start, radius) = (Point { x: number("x_click"), y: number("y_click") }, number("radius"));
        let ring = Annulus { inner: number("r_back1"), outer: number("r_back2") };
        let rules =
            Rules { reject_stars: flag("remove_background_stars", true), plane: flag("use_plane_background", false) };
        let Centroid { centre, background } = if flag("find_centroid", true) {
            centroid(&plane, start, radius, ring, rules).unwrap()
        } else {
            Centroid { centre: start, background: Background::of(&plane, start, ring, rules).unwrap() }
        };
        let detector = Detector { gain: 1.5, read_noise: 4.0, dark: 0.0 };
        let counts = measure(&plane, centre, radius, &background, detector);
        let recorded = &case["aperture_gain1.5_rn4"];
        let mut pairs = vec![
            (centre.x, number("x")),
            (centre.y, number("y")),
            (background.mean, number("background")),
            (background.pixels as f64, number("background_pixels")),
            (peak(&plane, centre, radius).unwrap() - background.mean, number("peak")),
            (counts.net, recorded["net_source_counts"].as_f64().unwrap()),
            (counts.error, recorded["source_uncertainty"].as_f64().unwrap()),
            (counts.area, recorded["effective_source_pixels"].as_f64().unwrap()),
            (counts.peak, recorded["peak_pixel_value"].as_f64().unwrap()),
        ];
        if let Some(slopes) = case["plane"].as_array() {
            pairs.extend(background.plane.unwrap().into_iter().zip(slopes.iter().map(|it| it.as_f64().unwrap())));
        }
        for (place, (found, expected)) in pairs.into_iter().enumerate() {
            assert!(alike(found, expected, 1e-10), "{place}: {found} is not {expected} in {case}");
        }
    }
}

#[test]
fn a_star_that_is_pointed_at_is_the_recorded_one() {
    let Some(case) = golden("centroiding_fix00.json") else { return };
    let frame = Frame::file("fix00", folder().unwrap().join("aperture/fix00.fits"));
    let mut input = case["input"].clone();
    // The recorded radii were taken for pixels of the frame, of which a pixel of the display is half of one.
    for radius in ["radius", "r_back1", "r_back2"] {
        input[radius] = (2.0 * input[radius].as_f64().unwrap()).into();
    }
    let answer = centroiding::run(&frame, &serde_json::from_value(input).unwrap()).unwrap();
    let found = serde_json::to_value(&answer).unwrap();
    let expected = &case["output"];
    for key in ["x", "y", "background", "peak"] {
        let (found, expected) = (found[key].as_f64().unwrap(), expected[key].as_f64().unwrap());
        assert!(alike(found, expected, 1e-12), "{key}: {found} is not {expected}");
    }
    assert_eq!((&found["success"], &found["message"]), (&expected["success"], &expected["message"]));
    // The recorded position is that of the point with x and y exchanged, and half a pixel off; ours is where the star is.
    let wcs = frame.open().unwrap().wcs().unwrap();
    let exchanged = wcs.sky(Pixel { x: answer.y / 2.0, y: answer.x / 2.0 });
    assert!(alike(exchanged.right_ascension, expected["ra"].as_f64().unwrap(), 1e-12));
    assert!(alike(exchanged.declination, expected["dec"].as_f64().unwrap(), 1e-12));
    let sky = wcs.sky(Pixel { x: answer.x / 2.0 + 0.5, y: answer.y / 2.0 + 0.5 });
    assert_eq!((answer.ra, answer.dec), (Some(sky.right_ascension), Some(sky.declination)));
}

#[test]
fn the_sources_of_a_frame_are_the_recorded_ones() {
    let Some(folder) = folder() else { return };
    let recorded = folder.join("upstream/analysis/test_source_catalog.json");
    let recorded: Value = serde_json::from_reader(File::open(recorded).unwrap()).unwrap();
    let recorded = recorded["test_source_catalog"].as_array().unwrap();
    let frame = Frame::file("fits_1", folder.join("upstream/fits_1.fits.fz"));
    let found = serde_json::to_value(source_catalogue::run(&frame, 100.0, 100.0).unwrap()).unwrap();
    assert_eq!((found.as_array().unwrap().len(), recorded.len()), (312, 312));
    for (found, expected) in found.as_array().unwrap().iter().zip(recorded) {
        for (key, value) in expected.as_object().unwrap() {
            assert_eq!(&found[key], value, "{key}");
        }
        assert!(found["mag"].is_f64() && found["magerr"].is_f64() && found["flux_fallback"] == false);
    }
}

#[test]
fn a_period_is_the_recorded_one() {
    let Some(recorded) = golden("lomb_scargle.json") else { return };
    let [times, values, errors] = ["t", "mag", "err"].map(|key| numbers(&recorded[key]));
    let observations: Vec<Observation> = times
        .iter()
        .zip(values.iter().zip(&errors))
        .map(|(&time, (&value, &error))| Observation { time, value, error })
        .collect();
    let search = PeriodSearch::of(&observations).unwrap();
    assert!(alike(search.period, recorded["period"].as_f64().unwrap(), 1e-12), "{}", search.period);
    let highest = recorded["candidates"][0]["power"].as_f64().unwrap();
    let found = search.candidates[0].power;
    assert!(alike(found, highest, 2e-6), "{found} is not {highest}");
    // Where it is small, the probability goes with sqrt(P) (1 - P)^((N - 4) / 2): at the recorded power it is the recorded one.
    let at = |power: f64| power.sqrt() * (1.0 - power).powf((times.len() as f64 - 4.0) / 2.0);
    let fap = search.fap * at(highest) / at(found);
    assert!(alike(fap, recorded["fap"].as_f64().unwrap(), 1e-6), "{fap}");
    assert_eq!(search.frequency.len() as u64, recorded["n_freq"].as_u64().unwrap());
    let pairs = |found: &[f64], key: &str| found.iter().copied().zip(numbers(&recorded[key])).collect::<Vec<_>>();
    assert!(pairs(&search.frequency, "frequency").iter().all(|&(found, expected)| alike(found, expected, 1e-12)));
    // The recorded powers come from sums over interpolated points, and are that much off the exact ones.
    for key in ["power", "window_power"] {
        let found = if key == "power" { &search.power } else { &search.window_power };
        let off = pairs(found, key).iter().map(|(found, expected)| (found - expected).abs()).fold(0.0, f64::max);
        assert!(off < 3.5e-3, "{key} is off by {off}");
    }
    for (found, expected) in search.candidates.iter().zip(recorded["candidates"].as_array().unwrap()) {
        let number = |key: &str| expected[key].as_f64().unwrap();
        assert!(alike(found.period, number("period"), 1e-12));
        assert!(alike(found.power, number("power"), 2e-6), "{found:?} is not {expected}");
        assert!(alike(found.false_alarm_probability, number("false_alarm_probability"), 1e-3), "{found:?}");
        assert_eq!(serde_json::to_value(found.kind).unwrap(), expected["kind"]);
    }
}
