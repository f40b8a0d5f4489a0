//! `holotype archive ingest` and `holotype archive watch`

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use holotype_fits::{Card, Header, Image, Pixels, Value, write};
use serde_json::{Value as Json, json};

use crate::lab::{Lab, signal};

/// A small frame of a target.
fn frame(target: &str, seed: u8) -> Vec<u8> {
    let mut header = Header::default();
    header.push(Card::new("OBJECT", Value::Text(target.to_owned()), "").unwrap());
    let image = Image { shape: vec![8, 8], pixels: Pixels::U8((0..64).map(|pixel| pixel ^ seed).collect()) };
    let mut bytes = Vec::new();
    write::image(&mut bytes, write::Position::Primary, &header, &image).unwrap();
    bytes
}

#[test]
fn files_are_handed_in_once_in_each_way() {
    Lab::each_way(|way| {
        std::fs::create_dir_all(way.lab.folder().join("night/deep")).unwrap();
        way.lab.file("night/a.fits", frame("M 31", 0));
        way.lab.file("night/deep/b.fits", frame("M 32", 1));
        way.lab.file("night/notes.txt", "clouds");
        let told = way.run(["archive", "ingest", "night", "--json"]);
        let lines: Vec<Json> = told.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines.len(), 2, "{}: {told:#?}", way.name);
        assert_eq!((&lines[0]["stored"]["basename"], &lines[0]["stored"]["new_frame"]), (&json!("a"), &json!(true)));
        assert!(lines[0]["stored"]["missing"].as_array().unwrap().contains(&json!("site_id")));
        let again = way.run(["archive", "ingest", "night/a.fits"]);
        assert!(again.text().contains("unchanged, frame 1; its header does not say"), "{}: {again:#?}", way.name);
        way.lab.file("night/a.fits", frame("M 31", 7));
        assert!(
            way.run(["archive", "ingest", "night/a.fits"]).text().contains("new version of frame 1"),
            "{}",
            way.name
        );
    });
}

#[test]
fn what_is_no_frame_is_told_and_the_others_are_stored() {
    let lab = Lab::new();
    std::fs::create_dir(lab.folder().join("night")).unwrap();
    lab.file("night/a.fits", "<html></html>");
    lab.file("night/b.fits", frame("M 31", 0));
    let outcome = lab.run(["archive", "ingest", "night"]);
    assert!(
        outcome.fails(2).contains("1 of 2 files were refused") && outcome.stderr.contains("a.fits"),
        "{outcome:#?}"
    );
    assert!(outcome.stdout.contains("b.fits: new frame"), "{outcome:#?}");
    lab.run(["archive", "ingest", "absent.fits"]).fails(3);
    std::fs::create_dir(lab.folder().join("empty")).unwrap();
    assert!(lab.run(["archive", "ingest", "empty"]).fails(2).contains("no FITS file"));
}

#[test]
fn a_drop_box_is_emptied_into_the_archive_and_left_as_it_is() {
    let lab = Lab::new();
    let _server = lab.serve();
    std::fs::create_dir(lab.folder().join("box")).unwrap();
    lab.file("box/cut.fits", &frame("M 31", 0)[..100]);
    lab.file("box/whole.fits", frame("M 31", 0));
    let mut command = lab.command();
    command.args(["archive", "watch", "box", "--interval", "1", "--json"]).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut next = || serde_json::from_str::<Json>(&lines.next().unwrap().unwrap()).unwrap();
    let first = next();
    assert_eq!((&first["stored"]["basename"], &first["stored"]["new_frame"]), (&json!("whole"), &json!(true)));
    lab.file("box/cut.fits", frame("M 32", 1));
    let second = next();
    assert_eq!((&second["stored"]["basename"], &second["stored"]["new_frame"]), (&json!("cut"), &json!(true)));
    lab.file("box/whole.fits", [frame("M 33", 2), vec![0; 2880]].concat());
    let third = next();
    assert_eq!((&third["stored"]["basename"], &third["stored"]["new_version"]), (&json!("whole"), &json!(true)));
    signal(&child, rustix::process::Signal::INT);
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert_eq!(std::fs::read_dir(lab.folder().join("box")).unwrap().count(), 2);
}
