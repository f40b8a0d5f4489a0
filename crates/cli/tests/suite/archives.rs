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

const CONFIG: &str = "\
archives:
  lco:
    name: LCO
    active: False
    url: 'http://127.0.0.1:9/'
    token_envvar: ''
    proposals: ['P1']
    reduction_level: {image: 91, spectrum: 0}
log_dir: logs
frame_list: logs/frame_list.txt
data_download_dir: incoming
data_reduction_dir: reduction
start_datetime: none
end_datetime: none
default_red_config: template.yaml
";

/// A configuration whose archive is not asked, and what it names.
fn configuration(lab: &Lab) {
    lab.file("night.yaml", CONFIG);
    lab.file("template.yaml", "target: {name: x}\n");
    for directory in ["incoming", "reduction"] {
        std::fs::create_dir_all(lab.folder().join(directory)).unwrap();
    }
}

#[test]
fn schedules_are_made_listed_and_ended_in_each_way() {
    Lab::each_way(|way| {
        configuration(way.lab);
        let add = ["archive", "schedule", "add", "nightly", "night.yaml", "--cron", "0 9 * * *"];
        let made = way.run([&add[..], &["--time-zone", "Europe/Berlin", "--data-summary", "--json"]].concat()).json();
        assert_eq!((&made["name"], &made["data_summary"]), (&json!("nightly"), &json!(true)), "{}", way.name);
        assert!(made["tree"].as_str().unwrap().ends_with("/reduction"), "{}: {made}", way.name);
        assert!(way.run(add).fails(4).contains("holotype archive schedule remove nightly"), "{}", way.name);
        let table = way.run(["archive", "schedule", "list"]);
        assert!(
            table.text().contains("Europe/Berlin") && table.text().contains("night.yaml"),
            "{}: {table:#?}",
            way.name
        );
        let remove = ["archive", "schedule", "remove", "nightly"];
        assert!(way.run(remove).text().contains("ends"), "{}", way.name);
        assert_eq!(way.run(["archive", "schedule", "list", "--json"]).json()["items"].as_array().unwrap().len(), 1);
        way.run([&remove[..], &["--yes"]].concat()).text();
        way.run([&remove[..], &["--yes"]].concat()).fails(3);
    });
}

#[test]
fn a_schedule_that_cannot_be_is_refused_with_what_is_wrong() {
    let lab = Lab::new();
    configuration(&lab);
    let add = |config: &str, cron: &str, zone: &str| {
        lab.run(["archive", "schedule", "add", "nightly", config, "--cron", cron, "--time-zone", zone])
    };
    assert!(add("night.yaml", "at night", "UTC").fails(2).contains("0 9 * * *"));
    assert!(add("night.yaml", "0 9 * * *", "Mars/Olympus").fails(2).contains("Mars/Olympus"));
    lab.file("wrong.yaml", CONFIG.replace("image: 91", "image: high"));
    assert!(add("wrong.yaml", "0 9 * * *", "UTC").fails(2).contains("line"));
    assert_eq!(lab.run(["archive", "schedule", "list", "--json"]).json()["items"], json!([]));
}

#[test]
fn fetches_are_listed_and_shown_in_each_way() {
    Lab::each_way(|way| {
        configuration(way.lab);
        // A fetch is a matter of this machine, beside a server if one runs.
        let done = way.lab.run(["archive", "fetch", "night.yaml", "--json"]).json();
        let id = done["fetch"].as_str().unwrap();
        let listed = way.run(["archive", "list", "--json"]).json();
        assert_eq!(
            (&listed["items"][0]["id"], &listed["items"][0]["complete"]),
            (&json!(id), &json!(true)),
            "{}",
            way.name
        );
        assert!(way.run(["archive", "list"]).text().contains("complete"), "{}", way.name);
        let shown = way.run(["archive", "show", id, "--json"]).json();
        assert_eq!(
            (&shown["job"]["state"], &shown["frames"]["items"]),
            (&json!("succeeded"), &json!([])),
            "{}",
            way.name
        );
        let text = way.run(["archive", "show", id, "--state", "failed"]);
        assert!(
            text.text().contains("Nothing is missing.") && text.text().contains("night.yaml"),
            "{}: {text:#?}",
            way.name
        );
        way.run(["archive", "show", "01JD3Z5N2V8Q0W4X6Y7Z8A9B0C"]).fails(3);
    });
}
