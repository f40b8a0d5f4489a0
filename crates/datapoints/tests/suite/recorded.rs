//! Recorded traffic of the real clients: what they submit is answered as they were answered.

use std::path::PathBuf;

use holotype_datapoints::{DatapointError, Value as Found};
use holotype_testkit::on_both_engines;
use serde_json::Value;

use crate::bench::{Bench, PROJECT, bytes_of, read};

/// The recorded exchanges; none where the samples are absent.
fn exchanges() -> Vec<Value> {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/samples/datapoints/wire.jsonl");
    let Ok(text) = std::fs::read_to_string(&file) else {
        eprintln!("SKIPPED: {} is absent; the other tests make their own small data", file.display());
        return Vec::new();
    };
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// A recorded submission: its `datapoint` field, and the name and bytes of its file.
type Submitted = (Value, Option<(String, Vec<u8>)>);

/// What a request submitted; nothing if it was recorded as a digest.
fn submitted(request: &Value) -> Option<Submitted> {
    let body = &request["body"];
    let kind = request["headers"]["Content-Type"].as_str()?;
    if kind == "application/x-www-form-urlencoded" {
        let fields = url::form_urlencoded::parse(body["text"].as_str()?.as_bytes());
        let (_, field) = fields.into_iter().find(|(name, _)| name == "datapoint")?;
        return Some((serde_json::from_str(&field).unwrap(), None));
    }
    let bytes: Vec<u8> = match body["latin1"].as_str() {
        Some(text) => text.chars().map(|character| u8::try_from(u32::from(character)).unwrap()).collect(),
        None => body["text"].as_str()?.as_bytes().to_vec(),
    };
    let boundary = format!("--{}", kind.split_once("boundary=")?.1);
    let mut parts = split(&bytes, boundary.as_bytes()).into_iter().skip(1).map(|part| {
        let split = split(part, b"\r\n\r\n");
        (String::from_utf8(split[0].to_vec()).unwrap(), split[1].strip_suffix(b"\r\n").unwrap().to_vec())
    });
    let (_, field) = parts.next()?;
    let (head, content) = parts.next()?;
    let name = head.split_once("filename=\"")?.1.split_once("\"")?.0.to_owned();
    Some((serde_json::from_slice(&field).unwrap(), Some((name, content))))
}

fn split<'b>(bytes: &'b [u8], separator: &[u8]) -> Vec<&'b [u8]> {
    let (mut parts, mut rest) = (Vec::new(), bytes);
    while let Some(position) = rest.windows(separator.len()).position(|window| window == separator) {
        parts.push(&rest[..position]);
        rest = &rest[position + separator.len()..];
    }
    parts.push(rest);
    parts
}

on_both_engines! {
    async fn what_real_clients_sent_is_answered_as_it_was(bench: Bench) {
        // The recording was made on this day of the server.
        bench.clock.set("2026-11-20T13:13:43Z".parse().unwrap());
        let mut seen = 0;
        for exchange in exchanges() {
            let (request, response) = (&exchange["request"], &exchange["response"]);
            let (method, path) = (request["method"].as_str().unwrap_or_default(), request["path"].as_str().unwrap_or_default());
            let answered = response["body"]["text"].as_str().unwrap_or_default();
            match (method, path.strip_prefix("/datapoint/")) {
                ("POST", None) if path == "/datapoint" => {
                    let Some((document, file)) = submitted(request) else { continue };
                    let mut files = Vec::new();
                    if let Some((name, bytes)) = file {
                        files.push(bench.file(&name, &bytes).await);
                    }
                    let stored = bench.submit_with(document, files).await.unwrap();
                    // The earlier server failed when a datapoint came twice.
                    let failed = response["status"].as_str().is_some_and(|status| status.starts_with("500"));
                    assert!(failed != stored.created && (failed || &*stored.document == answered), "{}\n{answered}", stored.document);
                }
                ("GET", Some(id)) if !id.ends_with("/value") => match bench.datapoints.get(&bench.owner, PROJECT, id).await {
                    Ok(document) => assert_eq!(&*document, answered),
                    Err(error) => assert_eq!(serde_json::json!({ "message": error.to_string() }).to_string(), answered),
                },
                ("GET", Some(id)) => value(&bench, id.trim_end_matches("/value"), response).await,
                ("POST", None) if path == "/datapoints/query" => {
                    let filter: Value = serde_json::from_str(request["body"]["text"].as_str().unwrap()).unwrap();
                    if answered.starts_with('{') {
                        let expected: Value = serde_json::from_str(answered).unwrap();
                        let expected: Vec<&String> = expected.as_object().unwrap().keys().collect();
                        // Datapoints of the other client's recording are here as well.
                        let found = bench.query(filter).await;
                        assert!(expected.iter().all(|id| found.contains(id)), "{expected:?} {found:?}");
                    }
                }
                _ => continue,
            }
            seen += 1;
        }
        assert!(seen == 0 || seen > 50, "{seen} of the recorded exchanges were tried");
    }
}

async fn value(bench: &Bench, id: &str, response: &Value) {
    let body = &response["body"];
    match bench.value(id).await {
        Ok(Found::Json(text)) => assert_eq!(text.get(), body["text"].as_str().unwrap()),
        Ok(found @ Found::Bytes(_)) => {
            let content = bytes_of(found);
            assert_eq!(content.media_type, response["headers"]["content-type"]);
            assert_eq!(content.size.to_string(), response["headers"]["content-length"]);
            let recorded = body["latin1"].as_str().or(body["text"].as_str()).unwrap();
            let recorded: Vec<u8> =
                recorded.chars().map(|character| u8::try_from(u32::from(character)).unwrap()).collect();
            assert_eq!(read(&content, None).await, recorded);
        }
        // The earlier server failed on these.
        Err(error) => {
            assert!(matches!(error, DatapointError::NotFound { .. } | DatapointError::NoBytes { .. }), "{error}");
            assert!(response["status"].as_str().unwrap().starts_with("500"));
        }
    }
}
