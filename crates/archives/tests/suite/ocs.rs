//! The archive of the Observatory Control System: recorded answers, and servers that page badly.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::response::Response;
use holotype_archives::source::{ArchiveSource, Ocs, Query, SourceError};
use holotype_core::{Category, Instant};
use serde_json::{Value, json};

use crate::local::{Came, Server, all, answer};

const DAY: i64 = 86_400_000_000;

fn instant(text: &str) -> Instant {
    text.parse().unwrap()
}

fn july() -> Query {
    let (start, end) = (instant("2024-07-14T00:00:00Z"), instant("2024-07-18T00:00:00Z"));
    Query { start: Some(start), end: Some(end), ..Query::default() }
}

fn json_answer(value: &Value) -> Response {
    answer(200, &[("content-type", "application/json")], value.to_string())
}

fn ocs(server: &Server) -> Ocs {
    Ocs::new(server.client(), server.url.clone(), Some("topsecret".into()))
}

/// The recorded exchanges by name; nothing, said once, where the samples are absent.
fn recorded() -> Option<BTreeMap<String, Value>> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/samples/archives/api");
    let Ok(files) = std::fs::read_dir(&folder) else {
        println!("skipped: {} is not there", folder.display());
        return None;
    };
    let read = |file: std::io::Result<std::fs::DirEntry>| {
        let path = file.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        (name, serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap())
    };
    Some(files.map(read).collect())
}

/// Every frame that the recorded lists show, by id, newest first.
fn recorded_frames(exchanges: &BTreeMap<String, Value>) -> Vec<Value> {
    let lists = exchanges.values().filter_map(|exchange| exchange["body"]["results"].as_array());
    let frames = lists.flatten().filter(|row| row["version_set"].is_array());
    let by_id: BTreeMap<u64, Value> = frames.map(|row| (row["id"].as_u64().unwrap(), row.clone())).collect();
    let mut frames: Vec<Value> = by_id.into_values().collect();
    frames.sort_by_key(|frame| std::cmp::Reverse(frame["observation_date"].as_str().unwrap().to_owned()));
    frames
}

/// Pages by cursor, as the archive does.
fn cursor_page(came: &Came, frames: &[Value]) -> Response {
    assert_eq!(came.parameter("pagination_style"), Some("cursor"));
    let limit: usize = came.parameter("limit").unwrap().parse().unwrap();
    let start: usize = came.parameter("cursor").map_or(0, |cursor| cursor.parse().unwrap());
    let end = frames.len().min(start + limit);
    // The archive thinks that it has another name and no encryption.
    let next = (end < frames.len()).then(|| format!("http://inside:8000/frames/?cursor={end}&limit={limit}"));
    json_answer(&json!({"next": next, "previous": null, "results": frames[start..end]}))
}

#[tokio::test]
async fn recorded_frames_are_listed_page_by_page_with_all_that_the_archive_says() {
    let Some(exchanges) = recorded() else { return };
    let frames = recorded_frames(&exchanges);
    assert!(frames.len() > 3, "{}", frames.len());
    let served = frames.clone();
    let server = Server::start(move |came| cursor_page(came, &served)).await;
    let (listed, errors) = all(&ocs(&server).with_page_size(2), &july()).await;
    assert!(errors.is_empty(), "{errors:?}");
    assert_eq!(listed.len(), frames.len());
    for (listed, frame) in listed.iter().zip(&frames) {
        let version = &frame["version_set"][0];
        assert_eq!(listed.id, frame["id"].to_string());
        assert_eq!(listed.name, frame["filename"].as_str().unwrap());
        assert_eq!(listed.checksum.unwrap().to_string(), format!("md5:{}", version["md5"].as_str().unwrap()));
        assert_eq!(listed.version.as_deref(), version["key"].as_str());
        let download = listed.download.as_ref().unwrap();
        assert_eq!(download.url.as_str(), version["url"].as_str().unwrap());
        assert!(download.headers.is_empty(), "a signed address is not told the token");
        assert!(download.expires.is_some());
        assert_eq!(Value::Object(listed.fields.clone()), *frame);
    }
    for came in server.came() {
        assert_eq!(came.header("authorization"), Some("Token topsecret"));
        assert_eq!(came.parameter("start"), Some("2024-07-14T00:00:00"));
        assert_eq!(came.parameter("end"), Some("2024-07-18T00:00:00"));
    }
}

#[tokio::test]
async fn recorded_refusals_are_told_as_what_they_are() {
    let Some(exchanges) = recorded() else { return };
    for (name, category, words) in [
        ("frames_bad_token", Category::Denied, "Invalid token."),
        ("frames_bad_start", Category::Invalid, "Enter a valid date/time."),
        ("frame_404", Category::NotFound, "No Frame matches the given query."),
    ] {
        let exchange = exchanges[name].clone();
        let status = u16::try_from(exchange["status"].as_u64().unwrap()).unwrap();
        let server = Server::start(move |_| answer(status, &[], exchange["body"].to_string())).await;
        let (frames, errors) = all(&ocs(&server), &july()).await;
        assert!(frames.is_empty());
        assert_eq!((errors.len(), errors[0].category()), (1, category), "{name}: {}", errors[0]);
        assert!(errors[0].to_string().contains(words), "{name}: {}", errors[0]);
        assert!(!format!("{:?}", errors[0]).contains("topsecret"));
    }
}

#[tokio::test]
async fn headers_related_frames_and_fresh_addresses_are_asked_for_by_id() {
    let Some(exchanges) = recorded() else { return };
    let detail = exchanges["frame_detail"]["body"].clone();
    let id = detail["id"].to_string();
    let (headers, related) = (exchanges["frame_headers"]["body"].clone(), exchanges["frame_related"]["body"].clone());
    let listed = json!({"next": null, "previous": null, "results": [detail]});
    let server = Server::start(move |came| match came.path.as_str() {
        "/frames/" => json_answer(&listed),
        path if path == format!("/frames/{id}/") => json_answer(&detail),
        path if path == format!("/frames/{id}/headers/") => json_answer(&headers),
        path if path == format!("/frames/{id}/related/") => json_answer(&related),
        _ => answer(404, &[], "{}"),
    })
    .await;
    let ocs = ocs(&server);
    let (mut frames, _) = all(&ocs, &july()).await;
    let mut frame = frames.remove(0);
    assert_eq!(ocs.headers(&frame).await.unwrap()["OBJECT"], "MOA-2024-BLG-051");
    let related = ocs.related(&frame).await.unwrap();
    assert!(related.iter().all(Result::is_ok) && !related.is_empty(), "{related:?}");
    let download = ocs.resolve(&frame).await.unwrap();
    assert_eq!(download.url.path(), frame.download.as_ref().unwrap().url.path());
    frame.version = Some("of another reduction".to_owned());
    assert!(matches!(ocs.resolve(&frame).await, Err(SourceError::Replaced { .. })));
    frame.id = "../../admin".to_owned();
    assert_eq!(ocs.headers(&frame).await.unwrap_err().category(), Category::NotFound);
    assert_eq!(server.came().last().unwrap().path, "/frames/..%2F..%2Fadmin/headers/");
}

/// A frame of a made-up archive; four share each instant, as the cameras of one instrument do.
fn made_up(id: usize) -> Value {
    let at = Instant::from_micros(instant("2024-01-01T00:00:00Z").as_micros() + (id as i64 / 4) * DAY / 32);
    let version = json!({"key": format!("k{id}"), "md5": format!("{id:032x}"), "extension": ".fits.fz", "url": format!("http://127.0.0.1:1/{id}")});
    json!({"id": id, "basename": format!("frame-{id}"), "DATE_OBS": at.to_string(), "version_set": [version]})
}

fn made_up_archive(number: usize) -> Arc<Vec<Value>> {
    Arc::new((0..number).map(made_up).collect())
}

/// How an old server pages wrongly.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Fault {
    /// Every count is an estimate, and `next` is missing from the start.
    Estimates,
    /// Each page begins with the last rows of the one before.
    Repeats,
    /// A frame comes in at the front while the second page is read.
    Insertion,
    /// Each answer has another order.
    Shuffle,
    /// A larger page than this is silently made smaller.
    Clamp,
}

/// A server that knows no cursors, over windows as the archive understands them.
fn offset_page(came: &Came, frames: &[Value], fault: Fault, number: usize) -> Response {
    let bound = |name: &str| came.parameter(name).map(|text| instant(&format!("{text}Z")).as_micros());
    let (start, end) = (bound("start").unwrap_or(i64::MIN), bound("end").unwrap_or(i64::MAX));
    let within = |frame: &&Value| (start..=end).contains(&instant(frame["DATE_OBS"].as_str().unwrap()).as_micros());
    let mut frames: Vec<&Value> = frames.iter().filter(within).collect();
    let limit: usize = came.parameter("limit").unwrap().parse().unwrap();
    let offset: usize = came.parameter("offset").map_or(0, |offset| offset.parse().unwrap());
    let longest = if came.parameter("proposal_id").is_some() { 63 } else { 7 };
    let exact = end.saturating_sub(start) <= longest * DAY && fault != Fault::Estimates && fault != Fault::Clamp;
    let limit = if fault == Fault::Clamp { limit.min(7) } else { limit };
    if fault == Fault::Insertion && number < 3 && !frames.is_empty() {
        frames.remove(0);
    }
    if fault == Fault::Shuffle && !frames.is_empty() {
        let turn = (number * 13) % frames.len();
        frames.rotate_left(turn);
    }
    let from = if fault == Fault::Repeats { offset.saturating_sub(3) } else { offset };
    let page: Vec<&&Value> = frames.iter().skip(from).take(limit).collect();
    let count = if exact { frames.len() } else { limit };
    json_answer(&json!({"count": count, "next": null, "previous": null, "results": page, "count_estimated": !exact}))
}

async fn old_archive(frames: Arc<Vec<Value>>, fault: Fault) -> Server {
    let number = AtomicUsize::new(0);
    let number = Arc::new(number);
    Server::start(move |came| offset_page(came, &frames, fault, number.fetch_add(1, Ordering::SeqCst))).await
}

fn ids(frames: &[holotype_archives::source::Listed]) -> BTreeSet<usize> {
    frames.iter().map(|frame| frame.id.parse().unwrap()).collect()
}

fn forty_days() -> Query {
    let start = instant("2024-01-01T00:00:00Z");
    Query { start: Some(start), end: Some(Instant::from_micros(start.as_micros() + 40 * DAY)), ..Query::default() }
}

#[tokio::test]
async fn five_thousand_frames_are_all_found_by_cursor() {
    let frames = made_up_archive(5000);
    let server = Server::start(move |came| cursor_page(came, &frames)).await;
    let (listed, errors) = all(&ocs(&server), &forty_days()).await;
    assert!(errors.is_empty(), "{errors:?}");
    assert_eq!(ids(&listed), (0..5000).collect());
    assert_eq!(server.came().len(), 5);
}

#[tokio::test]
async fn five_thousand_frames_are_all_found_once_where_counts_and_links_are_wrong() {
    for fault in [Fault::Estimates, Fault::Repeats, Fault::Insertion] {
        let server = old_archive(made_up_archive(5000), fault).await;
        let (listed, errors) = all(&ocs(&server).with_page_size(100), &forty_days()).await;
        assert!(errors.is_empty(), "{fault:?}: {errors:?}");
        assert_eq!(listed.len(), 5000, "{fault:?}: each once");
        assert_eq!(ids(&listed), (0..5000).collect(), "{fault:?}");
    }
    let server = old_archive(made_up_archive(300), Fault::Clamp).await;
    let (listed, errors) = all(&ocs(&server).with_page_size(100), &forty_days()).await;
    assert_eq!((ids(&listed), errors.len()), ((0..300).collect(), 0), "pages smaller than asked for end nothing");
}

#[tokio::test]
async fn a_list_that_never_holds_still_is_not_called_whole() {
    let server = old_archive(made_up_archive(1000), Fault::Shuffle).await;
    let (listed, errors) = all(&ocs(&server).with_page_size(100), &forty_days()).await;
    assert!(!listed.is_empty());
    assert_eq!(errors.len(), 1);
    assert!(matches!(errors[0], SourceError::Unsteady { .. }), "{}", errors[0]);
}

#[tokio::test]
async fn windows_are_short_enough_for_the_archive_to_count() {
    for (proposal, days) in [(None, 7), (Some("LCO2024A-001".to_owned()), 63)] {
        let server = old_archive(made_up_archive(10), Fault::Repeats).await;
        let mut query = forty_days();
        query.end = Some(Instant::from_micros(query.start.unwrap().as_micros() + 130 * DAY));
        query.proposal = proposal;
        let (listed, errors) = all(&ocs(&server), &query).await;
        assert_eq!((listed.len(), errors.len()), (10, 0));
        let mut reached = query.start.unwrap();
        // The first question is about the whole time, and shows that there are no cursors.
        for came in &server.came()[1..] {
            let bound = |name: &str| instant(&format!("{}Z", came.parameter(name).unwrap()));
            assert!(bound("end").as_micros() - bound("start").as_micros() <= days * DAY);
            assert!(bound("start") <= reached, "no instant lies between two windows");
            reached = reached.max(bound("end"));
        }
        assert_eq!(Some(reached), query.end);
    }
}

#[tokio::test]
async fn a_night_without_anything_costs_one_question() {
    let server = Server::start(|came| cursor_page(came, &[])).await;
    let (listed, errors) = all(&ocs(&server), &july()).await;
    assert_eq!((listed.len(), errors.len(), server.came().len()), (0, 0, 1));
}

#[tokio::test]
async fn pages_that_lead_in_a_circle_end_in_an_error() {
    let circle = |next: fn(usize) -> usize| {
        Server::start(move |came: &Came| {
            let cursor: usize = came.parameter("cursor").map_or(0, |cursor| cursor.parse().unwrap());
            let next = format!("/frames/?cursor={}", next(cursor));
            json_answer(&json!({"next": next, "previous": null, "results": [made_up(cursor % 4)]}))
        })
    };
    let (same, onward) = (circle(|_| 1).await, circle(|cursor| cursor + 1).await);
    for server in [same, onward] {
        let (listed, errors) = all(&ocs(&server), &july()).await;
        assert!(listed.len() <= 4);
        assert!(matches!(errors[..], [SourceError::Unsteady { .. }]), "{errors:?}");
    }
}

#[tokio::test]
async fn what_is_not_a_page_of_frames_is_said_to_be_something_else() {
    for (body, words) in [
        ("<!DOCTYPE html><html><title>Log in</title></html>", "web page"),
        (r#"{"next": null, "results": [{"id": 1, "#, "JSON"),
        ("[]", "results"),
        (r#"{"next": null, "results": 7}"#, "results"),
        (r#"{"next": 7, "results": []}"#, "next"),
        ("", "JSON"),
    ] {
        let server = Server::start(move |_| answer(200, &[], body)).await;
        let (_, errors) = all(&ocs(&server), &july()).await;
        assert!(matches!(errors[..], [SourceError::Answer { .. }]), "{body}: {errors:?}");
        assert!(errors[0].to_string().contains(words), "{}", errors[0]);
    }
}

#[tokio::test]
async fn one_hostile_frame_does_not_hide_the_others() {
    let mut rows = vec![made_up(1), made_up(2), made_up(3)];
    rows[1]["filename"] = json!("../../.bashrc");
    let server = Server::start(move |came| cursor_page(came, &rows)).await;
    let (listed, errors) = all(&ocs(&server), &july()).await;
    assert_eq!(ids(&listed), BTreeSet::from([1, 3]));
    assert!(errors[0].is_about_one_frame() && errors[0].to_string().contains(".bashrc"), "{}", errors[0]);
}

#[tokio::test]
async fn without_a_token_none_is_sent_and_files_on_the_same_host_need_the_one_that_there_is() {
    let rows = |server: &Server| {
        let mut row = made_up(1);
        row["version_set"][0]["url"] = json!(server.at("/files/1").as_str());
        row
    };
    let files = Server::start(|_| answer(200, &[], "")).await;
    let server = Server::start(move |came| cursor_page(came, &[rows(&files)])).await;
    let (frames, _) = all(&Ocs::new(server.client(), server.url.clone(), None), &july()).await;
    assert!(frames[0].download.as_ref().unwrap().headers.is_empty());
    assert_eq!(server.came()[0].header("authorization"), None);
    let (frames, _) = all(&ocs(&server), &july()).await;
    assert!(frames[0].download.as_ref().unwrap().headers.is_empty(), "another host is not told the token");

    let same = Server::start(|came| {
        let mut row = made_up(1);
        row["version_set"][0]["url"] = json!(format!("http://{}/files/1", came.header("host").unwrap()));
        cursor_page(came, &[row])
    })
    .await;
    let (frames, _) = all(&ocs(&same), &july()).await;
    assert_eq!(frames[0].download.as_ref().unwrap().headers.len(), 1);
}

#[tokio::test]
async fn a_parameter_that_would_be_ignored_is_refused_before_anything_is_asked() {
    let server = Server::start(|came| cursor_page(came, &[])).await;
    let parameters = BTreeMap::from([("reduction-level".to_owned(), "91".to_owned())]);
    let query = Query { parameters, ..july() };
    let (_, errors) = all(&ocs(&server), &query).await;
    assert!(matches!(errors[..], [SourceError::Parameter { .. }]), "{errors:?}");
    assert!(server.came().is_empty());
}
