//! What was recorded between the real clients and the earlier server, answered by ours.
//!
//! The laboratory has the recorded one's name, id, storage root and time, so almost everything is compared as it is. What
//! cannot be the same is the entity tag (ours is the content's digest), the version in `/health`, and the name that the
//! older server gives to the database setting.

use std::path::Path;

use axum::body::Body;
use axum::http::Request;
use serde_json::Value;

use crate::support::{Answer, Lab};

const RECORD: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/samples/datapoints/wire.jsonl");

/// Headers that are not the route's own.
const FOREIGN: [&str; 3] = ["date", "server", "connection"];

/// Headers that we add to bytes, so that a browser does not run them.
const ADDED: [&str; 2] = ["content-security-policy", "x-content-type-options"];

#[tokio::test]
async fn exchanges_of_the_current_client_are_answered_as_recorded() {
    replay("0.8.1", "18041", "01M7WHEJCMGV6B9J0D4H1XDJTZ", "2026-11-20T13:13:43.5Z").await;
}

#[tokio::test]
async fn exchanges_of_the_older_client_are_answered_as_recorded() {
    replay("0.7.1", "18043", "01M7WHEJQPF9ZW4EHPGTRPDJCM", "2026-11-20T13:13:46.5Z").await;
}

async fn replay(client: &str, port: &str, manager: &str, time: &str) {
    if !Path::new(RECORD).exists() {
        eprintln!("skipped: the recorded exchanges are not here ({RECORD})");
        return;
    }
    let lab = Lab::with(
        &[
            ("DATA_SERVER_URL", &format!("http://127.0.0.1:{port}/")),
            ("DATA_MANAGER_ID", manager),
            ("DATA_MANAGER_NAME", "Data Manager"),
            ("DATA_ENABLE_REGISTRY_RESOLUTION", "false"),
            ("DATA_FILE_STORAGE_PATH", "/srv/datapoints"),
        ],
        |_| {},
    )
    .await;
    lab.clock.set(time.parse().unwrap());
    let lines: Vec<Value> =
        std::fs::read_to_string(RECORD).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let mut compared = 0;
    for (number, line) in lines.iter().enumerate() {
        if line["client"] == client && line.get("request").is_some() {
            let answer = lab.send(request(&line["request"])).await;
            compare(&format!("line {} ({})", number + 1, line["call"]), &line["request"], &line["response"], &answer);
            compared += 1;
        }
    }
    assert!(compared > 30, "{compared} exchanges of {client}");
}

fn request(recorded: &Value) -> Request<Body> {
    let mut request = Request::builder().method(text(&recorded["method"])).uri(text(&recorded["path"]));
    for (name, value) in recorded["headers"].as_object().unwrap() {
        request = request.header(name, text(value));
    }
    request.body(Body::from(body(&recorded["body"]))).unwrap()
}

/// The bytes of a body. Of a large one only head and tail were kept, so the middle is made up in the same length.
fn body(recorded: &Value) -> Vec<u8> {
    if let Some(text) = recorded["text"].as_str() {
        return text.as_bytes().to_vec();
    }
    let latin1 =
        |text: &Value| text.as_str().unwrap().chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect::<Vec<u8>>();
    if recorded.get("latin1").is_some() {
        return latin1(&recorded["latin1"]);
    }
    let (mut whole, tail) = (latin1(&recorded["head_latin1"]), latin1(&recorded["tail_latin1"]));
    whole.resize(usize::try_from(recorded["bytes"].as_u64().unwrap()).unwrap() - tail.len(), b'x');
    whole.extend(tail);
    whole
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

fn compare(what: &str, request: &Value, recorded: &Value, answer: &Answer) {
    let status: u16 = text(&recorded["status"])[..3].parse().unwrap();
    if status == 500 {
        return compare_fault(what, request, answer);
    }
    assert_eq!(answer.status.as_u16(), status, "{what}: {}", String::from_utf8_lossy(&answer.body));
    let ours = String::from_utf8_lossy(&answer.body).into_owned();
    let path = text(&request["path"]);
    let normalised = |body: String| match path.split('?').next() {
        Some("/health") => without_version(&body),
        Some("/settings") => body.replace("mongo_db_url", "document_db_url"),
        _ => body,
    };
    let theirs = body(&recorded["body"]);
    assert_eq!(normalised(ours), normalised(String::from_utf8_lossy(&theirs).into_owned()), "{what}");
    // Where the recorder took a path out of a body, the recorded length is that of the body before.
    let faithful = recorded["headers"]["content-length"].as_str() == Some(&theirs.len().to_string());
    let same_length = faithful && answer.body.len() == theirs.len();
    for (name, value) in recorded["headers"].as_object().unwrap() {
        let ours = answer.header(name);
        match name.as_str() {
            name if FOREIGN.contains(&name) => {}
            "etag" => assert!(ours.len() > 2 && ours.starts_with('"') && ours.ends_with('"'), "{what}: {ours}"),
            "content-length" if !same_length => {}
            // In process nobody writes the length; what hyper writes is that of the body.
            "content-length" if ours.is_empty() => assert_eq!(text(value), answer.body.len().to_string(), "{what}"),
            name => assert_eq!(ours, text(value), "{what}: {name}"),
        }
    }
    for name in answer.headers.keys() {
        let known = recorded["headers"].get(name.as_str()).is_some() || ADDED.contains(&name.as_str());
        assert!(known, "{what}: {name} was not recorded");
    }
}

fn without_version(body: &str) -> String {
    let mut health: Value = serde_json::from_str(body).unwrap();
    assert!(health["version"].is_string());
    health["version"] = Value::Null;
    health.to_string()
}

/// The earlier server's faults, which are not repeated.
fn compare_fault(what: &str, request: &Value, answer: &Answer) {
    let path = text(&request["path"]);
    let status = answer.status.as_u16();
    match (text(&request["method"]), path) {
        ("POST", "/datapoint") => {
            assert_eq!(status, 200, "{what}: the same datapoint again is the same datapoint");
            assert!(answer.json()["_id"].is_string(), "{what}");
        }
        ("POST", "/datapoints/query") => {
            assert_eq!(status, 422, "{what}");
            assert!(
                answer.json()["detail"][0]["msg"].as_str().unwrap().contains("$foo") || answer.text().contains("$foo"),
                "{what}"
            );
        }
        ("GET", path) if path.ends_with("/value") => {
            assert_eq!(status, 404, "{what}");
            assert!(answer.json()["message"].is_string(), "{what}");
        }
        other => panic!("{what}: a fault nobody expected: {other:?}"),
    }
}
