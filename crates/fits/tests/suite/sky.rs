//! Positions, outlines and dates against the recorded answers of an archive and the lists of an earlier program.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::BufReader;
use std::path::Path;

use holotype_fits::wcs::{SkyPosition, Wcs};
use holotype_fits::{Hdu, time};
use serde_json::Value;

use crate::samples::folder;

#[test]
fn footprints_are_the_areas_that_an_archive_answers() {
    let Some(folder) = folder("archives") else { return };
    let mut areas = BTreeMap::new();
    for entry in fs::read_dir(folder.join("api")).unwrap() {
        let answer: Value = serde_json::from_reader(File::open(entry.unwrap().path()).unwrap()).unwrap();
        collect_areas(&answer, &mut areas);
    }
    let mut compared = 0;
    for (name, expected) in areas {
        let path = folder.join("frames").join(&name);
        if !path.exists() {
            continue;
        }
        let found = footprint(&path);
        let expected = expected["coordinates"][0].as_array().unwrap().clone();
        assert_eq!(expected.len(), found.len(), "{name}");
        for (found, expected) in found.iter().zip(expected) {
            for axis in [0, 1] {
                let difference = (found[axis] - expected[axis].as_f64().unwrap()).abs();
                assert!(difference < 1e-12, "{name}: {difference:e} degrees off");
            }
        }
        compared += 1;
    }
    assert!(compared >= 10, "only {compared} areas were compared");
}

/// Every `area` in a JSON value by the name of its frame.
fn collect_areas(value: &Value, areas: &mut BTreeMap<String, Value>) {
    match value {
        Value::Object(object) => {
            if let (Some(Value::String(name)), Some(area @ Value::Object(_))) =
                (object.get("filename"), object.get("area"))
            {
                areas.insert(name.clone(), area.clone());
            }
            object.values().for_each(|value| collect_areas(value, areas));
        }
        Value::Array(values) => values.iter().for_each(|value| collect_areas(value, areas)),
        _ => {}
    }
}

/// The outline of the first image of a file.
fn footprint(path: &Path) -> [[f64; 2]; 5] {
    let hdus = Hdu::walk(&mut BufReader::new(File::open(path).unwrap())).unwrap();
    let image = hdus.iter().find(|hdu| hdu.is_image() && !hdu.shape.is_empty()).unwrap();
    let wcs = Wcs::from_header(&image.header).unwrap().unwrap();
    assert_eq!(image.shape.len(), 2, "{}", path.display());
    wcs.footprint(image.shape[1], image.shape[0]).unwrap()
}

#[test]
fn heliocentric_dates_are_those_of_the_lists_within_a_millionth_of_a_day() {
    let Some(folder) = folder("archives/upstream") else { return };
    let mut compared = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let Ok(list) = fs::read_to_string(entry.unwrap().path().join("main_data_list.txt")) else { continue };
        let mut lines = list.lines().map(|line| line.split(' ').collect::<Vec<_>>());
        let titles = lines.next().unwrap();
        for row in lines {
            let cell = |title: &str| row[titles.iter().position(|found| *found == title).unwrap()];
            let number = |title: &str| cell(title).parse::<f64>().unwrap();
            let target = SkyPosition { right_ascension: number("RA"), declination: number("Dec") };
            let start = time::instant("DATE-OBS", cell("dateobs")).unwrap();
            let middle = time::middle(start, number("exptime")).unwrap();
            let difference = time::heliocentric_julian_date(middle, target) - number("HJD");
            assert!(difference.abs() < 4e-7, "{}: {difference:e} days off", cell("file"));
            compared += 1;
        }
    }
    assert!(compared >= 50, "only {compared} dates were compared");
}

#[test]
fn a_frame_says_where_it_points_as_the_list_of_it_does() {
    let Some(folder) = folder("archives/frames") else { return };
    let path = folder.join("coj1m003-fl11-20240715-0131-e91.fits.fz");
    let hdus = Hdu::walk(&mut BufReader::new(File::open(path).unwrap())).unwrap();
    let header = &hdus.iter().find(|hdu| hdu.header.get("RA").is_some()).unwrap().header;
    let position = SkyPosition::from_header(header, "RA", "DEC").unwrap();
    assert_eq!((position.right_ascension, position.declination), (266.76408333333336, -34.18919444444444));
}
