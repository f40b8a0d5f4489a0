//! What was recorded of an OCS science archive, asked of ours after the same frames were handed in.
//!
//! Keys and types are the same, and the values of each frame but for ids, addresses and dates of creation. One of the recorded
//! archive's 29 frames is not among the samples, so counts are less by one where it belongs; and where the archive estimated,
//! ours are exact.

use std::collections::HashMap;
use std::path::Path;

use axum::body::Body;
use holotype_app::catalog::Catalog;
use holotype_core::Role;
use serde_json::{Map, Value, json};

use crate::support::{Answer, Lab, ask};

const SAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/samples/archives");

/// The recorded frame whose file is not among the samples.
const ABSENT: &str = "lsc1m005-fa15-20240714-0100-e00";

/// Exact numbers of frames, where the recorded ones count the absent frame or are estimates.
const COUNTS: [(&str, u64); 18] = [
    ("frames_RLEVEL_0", 2),
    ("frames_anonymous", 25),
    ("frames_basename_icontains", 7),
    ("frames_covers_point", 17),
    ("frames_exclude_OBSTYPE", 26),
    ("frames_exclude_calibrations", 26),
    ("frames_force_count", 28),
    ("frames_limit_over_max", 28),
    ("frames_no_filter_estimated", 28),
    ("frames_ordering", 28),
    ("frames_page1_limit5", 28),
    ("frames_page2_limit5", 28),
    ("frames_request_id", 10),
    ("frames_target_name_exact", 11),
    ("frames_unknown_param_ignored", 28),
    ("frames_wide_window_estimated", 28),
    ("thumbnails", 56),
    ("frames_cursor_page1", 0),
];

struct Archive {
    lab: Lab,
    astro1: String,
    astro2: String,
    ids: HashMap<String, i64>,
}

/// The frames, and who may see them as it was when the exchanges were recorded.
async fn archive() -> Archive {
    let lab = Lab::new().await;
    lab.clock.set("2026-11-20T13:16:30Z".parse().unwrap());
    let admin = lab.user("operator").await;
    let owner = Catalog::local_owner();
    let catalog = lab.app.catalog();
    catalog.create_user(&owner, "astro1", Some("pw-astro1".to_owned().into()), false).await.unwrap();
    let (_, astro1) = catalog.create_token(&owner, "astro1", "test", None).await.unwrap();
    let astro1 = holotype_api::Secret::from(astro1).expose().to_owned();
    let astro2 = lab.user("astro2").await;
    for (proposal, members) in
        [("LCO2024A-001", vec!["astro1"]), ("LCO2024A-002", vec!["astro1", "astro2"]), ("LCO2024A-003", vec!["astro1"])]
    {
        let project = catalog.create_project(&owner, proposal).await.unwrap().id;
        for member in members {
            catalog.set_role(&owner, project, member, Role::Viewer).await.unwrap();
        }
    }
    let mut ids = HashMap::new();
    let mut files: Vec<_> =
        std::fs::read_dir(format!("{SAMPLES}/frames")).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert_eq!(files.len(), 28);
    for file in files {
        let name = file.file_name().unwrap().to_str().unwrap().to_owned();
        let request =
            ask("POST", &format!("/api/v1/frames?name={name}")).header("authorization", format!("Bearer {admin}"));
        let answer =
            lab.send(request.body(Body::from(std::fs::read(&file).unwrap())).unwrap()).await.expect(201).json();
        assert_eq!(answer["missing"], json!([]), "{name}");
        let basename = answer["basename"].as_str().unwrap().to_owned();
        if basename.contains("-016") {
            // Kept back by hand in the recorded archive.
            let body = json!({"basename": basename, "public_date": "2099-01-01T00:00:00Z", "headers": null, "version_set": []});
            let request = ask("POST", "/frames/")
                .header("authorization", format!("Token {admin}"))
                .header("content-type", "application/json");
            lab.send(request.body(Body::from(body.to_string())).unwrap()).await.expect(201);
        }
        ids.insert(basename, answer["frame"].as_i64().unwrap());
    }
    Archive { lab, astro1, astro2, ids }
}

fn recorded() -> Vec<(String, Value)> {
    let mut files: Vec<_> =
        std::fs::read_dir(format!("{SAMPLES}/api")).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let read = |path: &Path| serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    files.iter().map(|path| (path.file_stem().unwrap().to_str().unwrap().to_owned(), read(path))).collect()
}

/// Every frame in an answer, wherever it is.
fn frames(value: &Value) -> Vec<&Map<String, Value>> {
    match value {
        Value::Object(members) if members.contains_key("basename") => vec![members],
        Value::Object(members) => members.values().flat_map(frames).collect(),
        Value::Array(items) => items.iter().flat_map(frames).collect(),
        _ => Vec::new(),
    }
}

#[tokio::test]
async fn recorded_exchanges_are_answered_with_the_same_keys_types_and_values() {
    if !Path::new(SAMPLES).exists() {
        eprintln!("skipped: the recorded exchanges are not here ({SAMPLES})");
        return;
    }
    let archive = archive().await;
    let recorded = recorded();
    // Which number of theirs is which of ours; numbers that no answer names stand for any frame.
    let mut numbers: HashMap<i64, i64> = HashMap::new();
    for frame in recorded.iter().flat_map(|(_, exchange)| frames(&exchange["body"])) {
        if let Some(ours) = archive.ids.get(frame["basename"].as_str().unwrap()) {
            numbers.insert(frame["id"].as_i64().unwrap(), *ours);
        }
    }
    assert!(recorded.len() >= 52 && numbers.len() >= 14, "{} exchanges, {} frames", recorded.len(), numbers.len());
    let mut compared = 0;
    for (name, exchange) in &recorded {
        let answer = send(&archive, &numbers, name, &exchange["request"]).await;
        assert_eq!(
            u64::from(answer.status.as_u16()),
            exchange["status"].as_u64().unwrap(),
            "{name}: {}",
            String::from_utf8_lossy(&answer.body)
        );
        compared += compare(name, exchange, &answer);
    }
    assert!(compared > 30, "{compared} frames were compared");
}

async fn send(archive: &Archive, numbers: &HashMap<i64, i64>, name: &str, request: &Value) -> Answer {
    let method = request["method"].as_str().unwrap();
    let mut path = request["url"].as_str().unwrap().split_once("19413").unwrap().1.to_owned();
    for (theirs, ours) in numbers {
        path = match path.strip_prefix(&format!("/frames/{theirs}/")) {
            Some(rest) => {
                path = format!("/frames/{ours}/{rest}");
                break;
            }
            None => path,
        };
    }
    let mut asked = ask(method, &path);
    if request["authorization"].is_string() {
        let token = match name {
            "frames_bad_token" => "wrong",
            name if name.contains("other_user") => &archive.astro2,
            _ => &archive.astro1,
        };
        asked = asked.header("authorization", format!("Token {token}"));
    }
    let mut body = request["body"].clone();
    if let Some(list) = body.get_mut("frame_ids").and_then(Value::as_array_mut) {
        for id in list {
            *id = json!(numbers.get(&id.as_i64().unwrap()).copied().unwrap_or(999));
        }
    }
    if name == "zip_form_token" {
        let form = format!("frame_ids={}&auth_token={}", body["frame_ids"][0], archive.astro1);
        let asked = asked.header("content-type", "application/x-www-form-urlencoded");
        return archive.lab.send(asked.body(Body::from(form)).unwrap()).await;
    }
    let body = if body.is_null() { Body::empty() } else { Body::from(body.to_string()) };
    archive.lab.send(asked.header("content-type", "application/json").body(body).unwrap()).await
}

/// Compares an answer; how many frames of it were compared by value.
fn compare(name: &str, exchange: &Value, answer: &Answer) -> usize {
    let theirs = &exchange["body"];
    if name.starts_with("zip_") && answer.status == 200 {
        compare_zip(name, theirs.as_str().unwrap(), answer);
        return 0;
    }
    for header in ["content-type", "www-authenticate"] {
        let recorded =
            exchange["headers"].as_object().unwrap().iter().find(|(name, _)| name.eq_ignore_ascii_case(header));
        if let Some((_, recorded)) = recorded {
            assert_eq!(answer.header(header), recorded.as_str().unwrap(), "{name}: {header}");
        }
    }
    let ours = answer.json();
    if let Some(recorded) = theirs.get("count") {
        let expected =
            COUNTS.iter().find(|(known, _)| *known == name).map_or(recorded.as_u64().unwrap(), |(_, count)| *count);
        assert_eq!((ours["count"].as_u64(), &ours["count_estimated"]), (Some(expected), &json!(false)), "{name}");
    }
    // What this one tells of are two tokens, and what ours has more is for other front ends.
    let keys = |value: &Value| value.as_object().map(|members| members.keys().cloned().collect::<Vec<_>>());
    match (keys(theirs), keys(&ours)) {
        (Some(theirs), Some(ours)) if matches!(name, "root" | "profile") => {
            assert!(theirs.iter().all(|key| ours.contains(key)), "{name}: {ours:?}");
        }
        (Some(mut theirs), Some(mut ours)) => {
            theirs.sort();
            ours.sort();
            assert_eq!(theirs, ours, "{name}");
        }
        (None, None) => assert_eq!(kind(theirs), kind(&ours), "{name}"),
        other => panic!("{name}: {other:?}"),
    }
    match name {
        "root" => {
            for (key, address) in theirs.as_object().unwrap() {
                assert_eq!(ours[key], address.as_str().unwrap().replace("19413", "8004"), "{name}");
            }
        }
        "api_token_auth_ok" => assert!(ours["token"].is_string()),
        "profile" => {
            assert_eq!((&ours["username"], &ours["is_staff"]), (&theirs["username"], &theirs["is_staff"]));
            let own = ours["profile"]["proposals"].as_array().unwrap();
            assert!(theirs["profile"]["proposals"].as_array().unwrap().iter().all(|proposal| own.contains(proposal)));
        }
        "frame_headers" => assert_eq!(without_sums(&theirs["data"]), without_sums(&ours["data"]), "{name}"),
        name if name.starts_with("aggregate_") && answer.status == 200 => {
            for key in ["sites", "telescopes", "filters", "instruments", "obstypes", "proposals"] {
                let sorted = |value: &Value| {
                    let mut texts: Vec<_> =
                        value[key].as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect();
                    texts.sort();
                    texts
                };
                assert_eq!(sorted(theirs), sorted(&ours), "{name}: {key}");
            }
        }
        _ if frames(theirs).is_empty() && theirs.get("results").is_none() => assert_eq!(theirs, &ours, "{name}"),
        _ => compare_links(name, theirs, &ours),
    }
    compare_frames(name, theirs, &ours)
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "truth",
        Value::Number(_) => "number",
        Value::String(_) => "text",
        Value::Array(_) => "list",
        Value::Object(_) => "object",
    }
}

/// Where the next page is. An estimated list of theirs ends too early, and a cursor is everybody's own.
fn compare_links(name: &str, theirs: &Value, ours: &Value) {
    if theirs["count_estimated"] == true || name.contains("cursor") || theirs.get("next").is_none() {
        return;
    }
    for key in ["next", "previous"] {
        let expected = theirs[key].as_str().map(|address| address.replace("19413", "8004"));
        assert_eq!(ours[key].as_str(), expected.as_deref(), "{name}: {key}");
    }
}

fn compare_frames(name: &str, theirs: &Value, ours: &Value) -> usize {
    let found = frames(ours);
    let mut compared = 0;
    for recorded in frames(theirs) {
        let basename = recorded["basename"].as_str().unwrap();
        if basename == ABSENT {
            continue;
        }
        // A page may begin elsewhere than theirs, whose frames of one instant are in no order.
        let Some(ours) = found.iter().find(|frame| frame["basename"] == basename) else {
            assert!(found.len() > 1, "{name}: {basename} is missing");
            continue;
        };
        compare_frame(&format!("{name}: {basename}"), recorded, ours);
        compared += 1;
    }
    assert!(
        compared > 0 || frames(theirs).iter().all(|frame| frame["basename"] == ABSENT),
        "{name}: no frame is the same"
    );
    compared
}

fn compare_frame(what: &str, theirs: &Map<String, Value>, ours: &Map<String, Value>) {
    let keys = |frame: &Map<String, Value>| {
        let mut keys: Vec<_> = frame.keys().cloned().collect();
        keys.sort();
        keys
    };
    assert_eq!(keys(theirs), keys(ours), "{what}");
    for (key, value) in theirs {
        let own = &ours[key];
        assert_eq!(kind(value), kind(own), "{what}: {key}");
        match key.as_str() {
            "id" | "url" | "related_frames" | "thumbnails" => {}
            "version_set" => {
                let (theirs, ours) = (value[0].as_object().unwrap(), own[0].as_object().unwrap());
                assert_eq!(keys(theirs), keys(ours), "{what}: {key}");
                assert_eq!((&theirs["md5"], &theirs["extension"]), (&ours["md5"], &ours["extension"]), "{what}");
                assert!(
                    ours["key"].as_str().unwrap().len() <= 32 && kind(&theirs["created"]) == kind(&ours["created"])
                );
            }
            "area" => {
                let corners = |area: &Value| area["coordinates"][0].as_array().unwrap().clone();
                assert_eq!(corners(value).len(), corners(own).len(), "{what}");
                for (theirs, ours) in corners(value).iter().zip(corners(own)) {
                    for axis in 0..2 {
                        let difference = theirs[axis].as_f64().unwrap() - ours[axis].as_f64().unwrap();
                        assert!(difference.abs() < 1e-9, "{what}: {theirs} {ours}");
                    }
                }
            }
            _ => assert_eq!(value, own, "{what}: {key}"),
        }
    }
}

/// Headers without what each writer sums anew, in any order.
fn without_sums(headers: &Value) -> Vec<(String, String)> {
    let members =
        headers.as_object().unwrap().iter().map(|(key, value)| (key.clone(), value.to_string().replace("e-0", "e-")));
    let mut members: Vec<_> = members.filter(|(key, _)| !matches!(key.as_str(), "CHECKSUM" | "DATASUM")).collect();
    members.sort();
    members
}

/// The members have the recorded names; theirs is a list of where another server is to fetch them.
fn compare_zip(name: &str, manifest: &str, answer: &Answer) {
    assert!(answer.body.starts_with(b"PK\x03\x04"), "{name}");
    let mut count = 0;
    for member in manifest.lines().filter_map(|line| line.rsplit(' ').next()) {
        let held = answer.body.windows(member.len()).filter(|window| *window == member.as_bytes()).count();
        assert_eq!(held, 2, "{name}: {member} stands before its bytes, and in the directory at the end");
        count += 1;
    }
    assert!(count > 0 && answer.header("content-disposition").ends_with(&format!("-{count}.zip")), "{name}");
}
