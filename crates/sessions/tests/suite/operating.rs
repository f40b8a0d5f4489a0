//! The operations themselves: on small frames made here, and on the samples, whose results an earlier system wrote down.

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::frames::{all, frame, json_of, named, operate, pixels, samples};

fn written(folder: &tempfile::TempDir, frames: &[(&str, Vec<u8>)]) -> Vec<PathBuf> {
    let write = |(name, bytes): &(&str, Vec<u8>)| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    };
    frames.iter().map(write).collect()
}

#[test]
fn frames_are_combined_cropped_to_what_all_have() {
    let folder = tempfile::tempdir().unwrap();
    let paths = written(
        &folder,
        &[("a.fits", frame(3, 2, 10.0)), ("b.fits", frame(3, 2, 30.0)), ("c.fits", frame(4, 3, 20.0))],
    );
    let files = [("input_files", named(&paths))];
    let median = operate("Median", json!({}), &files);
    assert!(median.outcome.is_ok(), "{:?}", median.outcome);
    assert_eq!(pixels(&median.kept(".fits")), (vec![2, 3], vec![20.0, 21.0, 22.0, 24.0, 25.0, 26.0]));
    assert!(median.kept("-large.jpg").exists() && median.kept("-small.jpg").exists());
    let said = median.shelf.said.lock().unwrap().clone();
    assert!(said.windows(2).all(|pair| pair[0].1 <= pair[1].1) && said[0].0 == "Reading headers: 0%", "{said:?}");

    let stacked = operate("Stacking", json!({ "stacking_mode": "simple" }), &files);
    assert_eq!(pixels(&stacked.kept(".fits")).1, [60.0, 63.0, 66.0, 70.0, 73.0, 76.0]);
    let lost = operate("Stacking", json!({ "stacking_mode": "reproject" }), &files);
    assert!(lost.outcome.unwrap_err().to_string().contains("no celestial coordinates"));

    let subtraction = operate(
        "Subtraction",
        json!({}),
        &[("input_files", named(&paths[..2])), ("subtraction_file", named(&paths[2..]))],
    );
    assert_eq!(pixels(&subtraction.kept("-1.fits")).1, [-10.0, -10.0, -10.0, -11.0, -11.0, -11.0]);
    assert_eq!(pixels(&subtraction.kept("-2.fits")).1[0], 10.0);
    assert_eq!(subtraction.shelf.shown.lock().unwrap().len(), 2);

    let normalised = operate("Normalization", json!({}), &[("input_files", named(&paths[..1]))]);
    assert_eq!(pixels(&normalised.kept("-1.fits")).1[0], 10.0 / 12.5);
}

#[test]
fn what_cannot_be_worked_on_is_refused_with_the_frames_name() {
    let folder = tempfile::tempdir().unwrap();
    let paths = written(
        &folder,
        &[("a.fits", frame(3, 2, 1.0)), ("zero.fits", frame(1, 1, 0.0)), ("text.fits", b"no".to_vec())],
    );
    let refused = |name, parameters, paths: &[PathBuf]| {
        operate(name, parameters, &[("input_files", named(paths))]).outcome.unwrap_err().to_string()
    };
    assert!(refused("Normalization", json!({}), &paths[1..2]).contains("zero"));
    assert!(refused("Median", json!({}), &paths[1..]).contains("text"));
    let source = json!({ "source": { "ra": 10.0, "dec": 1.0 } });
    assert!(refused("Light Curve", source.clone(), &paths[..1]).contains("none of the 1 files"));
    let circles = json!({
        "source": { "ra": 10.0, "dec": 1.0 }, "aperture_radius": 4.0, "annulus_inner_radius": 7.0,
        "annulus_outer_radius": 11.0, "min_comparisons": 3, "max_comparisons": 6,
    });
    assert!(!refused("Aperture Photometry", circles, &paths[..1]).is_empty());
}

#[test]
fn the_recorded_results_are_matched_bit_for_bit() {
    let Some(folder) = samples() else { return };
    let files = named(&["fits_1.fits.fz", "fits_2.fits.fz"].map(|name| folder.join("upstream").join(name)));
    let median = operate("Median", json!({}), &[("input_files", files.clone())]);
    assert!(median.outcome.is_ok(), "{:?}", median.outcome);
    assert_eq!(pixels(&median.kept(".fits")), pixels(&folder.join("golden/op_median_exact_0.fits")));
    let normalised = operate("Normalization", json!({}), &[("input_files", files)]);
    assert_eq!(pixels(&normalised.kept("-1.fits")), pixels(&folder.join("golden/op_norm_exact_0.fits")));
}

#[test]
fn colours_are_laid_over_each_other() {
    let Some(folder) = samples() else { return };
    let limits = json_of(&folder.join("golden/color_composite.json"));
    let channel = |limits: &Value| {
        let path = folder.join("upstream/color_image").join(limits["fits_path"].as_str().unwrap());
        let part = |index: usize| 255.0 * limits["color"][index].as_f64().unwrap();
        let color = json!({ "r": part(0), "g": part(1), "b": part(2) });
        let name = limits["fits_path"].as_str().unwrap();
        (json!({ "basename": name, "color": color, "zmin": limits["zmin"], "zmax": limits["zmax"] }), path)
    };
    let mut channels: Vec<_> = limits.as_array().unwrap().iter().map(channel).collect();
    // The reference of the recorded alignment.
    channels.rotate_left(0);
    let done = operate("Color Image", json!({}), &[("color_channels", channels)]);
    assert!(done.outcome.is_ok(), "{:?}", done.outcome);
    let shown = done.shelf.shown.lock().unwrap()[0].clone();
    assert_eq!((&shown["type"], shown.get("fits_url")), (&json!("image"), None));
    assert!(std::fs::read(done.kept(".tif")).unwrap().starts_with(b"II*"));
    assert!(std::fs::read(done.kept("-large.jpg")).unwrap().starts_with(&[0xff, 0xd8]));
}

#[test]
fn a_series_is_measured_as_recorded_and_pictured() {
    let Some(folder) = samples() else { return };
    let recorded = json_of(&folder.join("golden/aperture_fixed.json"));
    let mut parameters = recorded["params"].clone();
    parameters["source"] = json!({ "ra": parameters["ra"], "dec": parameters["dec"] });
    let paths: Vec<PathBuf> = (0..8).map(|number| folder.join(format!("aperture/fix{number:02}.fits"))).collect();
    let done = operate("Aperture Photometry", parameters, &[("input_files", named(&paths))]);
    let measured = done.measured();
    let (rows, expected) = (measured["light_curve"].as_array().unwrap(), recorded["rows"].as_array().unwrap());
    assert_eq!(rows.len(), expected.len());
    for (row, expected) in rows.iter().zip(expected) {
        for member in ["target_calibrated_apparent_magnitude", "target_net_source_counts", "target_centroid_x"] {
            let (found, wanted) = (row[member].as_f64().unwrap(), expected[member].as_f64().unwrap());
            assert!((found - wanted).abs() <= 1e-6 * wanted.abs(), "{member}: {found} is not {wanted}");
        }
        assert!(row["julian_date"].is_f64());
    }
    assert_eq!(measured["source"]["ra"], recorded["params"]["ra"]);
    assert_eq!(measured["diagnostic_images"]["fix03"], json!({ "$file": format!("{}-4-diagnostic.jpg", done.key) }));
    assert!(done.kept("-8-diagnostic.jpg").exists());
}

#[test]
fn the_forms_are_those_that_the_front_end_knows() {
    let Some(folder) = samples() else { return };
    let mut expected = json_of(&folder.join("golden/available_operations_structure.json"));
    // The front end knows no list of positions, so the fixed target is described as it can be filled in.
    let fixed = expected["Aperture Photometry"]["inputs"].as_object_mut().unwrap();
    fixed.remove("target_positions");
    fixed.insert("source".to_owned(), json!({ "name": "Target", "type": "source", "name_lookup": true }));
    let described: serde_json::Map<String, Value> = all()
        .iter()
        .map(|operation| {
            let mut form = operation.description().to_json();
            assert!(form["description"].as_str().is_some_and(|text| text.len() > 10), "{form}");
            form.as_object_mut().unwrap().remove("description");
            for input in form["inputs"].as_object_mut().unwrap().values_mut() {
                let text = input.as_object_mut().unwrap().remove("description").unwrap();
                assert!(text.as_str().is_some_and(|text| text.ends_with('.')), "{text}");
            }
            (operation.description().name.to_owned(), form)
        })
        .collect();
    for (name, form) in expected.as_object().unwrap() {
        assert_eq!(&described[name], form, "{name}");
    }
    assert_eq!(described.len(), 11);
}
