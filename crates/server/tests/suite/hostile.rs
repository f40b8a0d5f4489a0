//! Bad input: a clear answer with the right status, nothing stored, nothing lost.

use std::fmt::Write as _;

use axum::body::Body;
use serde_json::{Value, json};

use crate::support::{Lab, ask};

#[tokio::test]
async fn datapoints_that_cannot_be_are_refused_with_the_place() {
    let lab = Lab::new().await;
    let deep = format!("{{\"data_type\":\"json\",\"value\":{}{}}}", "[".repeat(200), "]".repeat(200));
    let digits = format!("{{\"data_type\":\"json\",\"value\":{}}}", "9".repeat(5_000));
    let cases = [
        ("nonsense", "json_invalid"),
        ("{\"data_type\":\"json\",\"value\":NaN}", "json_invalid"),
        (deep.as_str(), "json_invalid"),
        (digits.as_str(), "json_invalid"),
        ("[]", ""),
        ("{}", ""),
        ("{\"data_type\":\"data_value\",\"value\":1}", ""),
        ("{\"data_type\":\"json\"}", "missing"),
        ("{\"data_type\":\"file\"}", "missing"),
        ("{\"data_type\":\"object_storage\",\"path\":\"x\"}", "missing"),
        ("{\"data_type\":\"json\",\"value\":1,\"label\":5}", "string_type"),
        ("{\"data_type\":\"json\",\"value\":1,\"ownership_info\":{\"user_id\":\"x\"}}", ""),
        ("{\"data_type\":\"json\",\"value\":1,\"data_timestamp\":\"yesterday\"}", ""),
    ];
    for (text, kind) in cases {
        let refused = lab.submit(text).await.expect(422).json();
        let first = &refused["detail"][0];
        let shown: String = text.chars().take(60).collect();
        assert_eq!(&first["loc"].as_array().unwrap()[..2], [json!("body"), json!("datapoint")], "{shown}: {refused}");
        assert!(first["msg"].is_string() && (kind.is_empty() || first["type"] == kind), "{shown}: {refused}");
    }
    assert_eq!(lab.get("/datapoints").await.expect(200).text(), "{}");
}

#[tokio::test]
async fn bytes_that_are_no_text_are_refused() {
    let lab = Lab::new().await;
    let request = ask("POST", "/datapoint").header("content-type", "application/x-www-form-urlencoded");
    lab.send(
        request.body(Body::from("datapoint=%7B%22data_type%22%3A%22json%22%2C%22value%22%3A%22%FF%22%7D")).unwrap(),
    )
    .await
    .expect(422);
    for path in ["/datapoints/query", "/api/v1/datapoints/query", "/api/v1/datapoints"] {
        let request = ask("POST", path).header("content-type", "application/json");
        lab.send(request.body(Body::from(&b"{\"filter\": \"\xff\"}"[..])).unwrap()).await.expect(422);
    }
    for path in ["/datapoint/%ff", "/api/v1/datapoints/%ff", "/api/v1/users/%ff", "/api/v1/jobs/%ff"] {
        lab.get(path).await.expect(404);
    }
}

#[tokio::test]
async fn integers_of_any_size_are_kept_exactly() {
    let lab = Lab::new().await;
    let value = "[123456789012345678901234567890,-0.0,1.0,1e400]";
    lab.submit(&format!("{{\"data_type\":\"json\",\"_id\":\"big\",\"value\":{value}}}")).await.expect(200);
    assert_eq!(
        lab.get("/datapoint/big/value").await.expect(200).text(),
        "[123456789012345678901234567890,-0.0,1.0,null]"
    );
}

#[tokio::test]
async fn names_and_ids_lead_nowhere() {
    let lab = Lab::new().await;
    let before = entries(lab.folder.path());
    for (number, name) in
        ["../../evil", "/etc/passwd", "..\\..\\evil", "a/../../b", "%2e%2e%2fevil", "", "."].into_iter().enumerate()
    {
        let datapoint = json!({"data_type": "file", "_id": format!("../../{number}/x"), "path": name});
        let stored = lab.submit_files(&datapoint.to_string(), &[(name, b"bytes")]).await.expect(200).json();
        let path = stored["path"].as_str().unwrap();
        assert!(!path.contains("/../") && !path.ends_with("/.."), "{path}");
        assert!(!std::path::Path::new(path).exists(), "{path}");
        let id = format!("..%2F..%2F{number}%2Fx");
        assert_eq!(lab.get(&format!("/datapoint/{id}/value")).await.expect(200).text(), "bytes");
    }
    let outside: Vec<_> = entries(lab.folder.path()).into_iter().filter(|entry| !before.contains(entry)).collect();
    assert!(outside.is_empty(), "{outside:?}");
}

/// What lies beside the home.
fn entries(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect()
}

#[tokio::test]
async fn filters_that_would_hurt_are_refused_or_stopped() {
    let lab = Lab::new().await;
    let datapoint = json!({"data_type": "json", "_id": "r", "label": format!("{}!", "a".repeat(200)), "value": 1});
    lab.submit(&datapoint.to_string()).await.expect(200);
    let mut nested = String::from("{\"a\":1}");
    for _ in 0..200 {
        nested = format!("{{\"$and\":[{nested}]}}");
    }
    let mut wide = String::from("{\"$or\":[");
    for number in 0..200_000 {
        write!(wide, "{{\"a\":{number}}},").unwrap();
    }
    wide.push_str("{}]}");
    let cases = [
        r#"{"$where":"sleep(100000)"}"#.to_owned(),
        r#"{"label":{"$regex":"^(a+)+$"}}"#.to_owned(),
        r#"{"label":{"$regex":"^(a|aa)+\\1$"}}"#.to_owned(),
        format!(r#"{{"label":{{"$regex":"{}"}}}}"#, "(".repeat(10_000)),
        nested,
        wide,
        r#"{"label":{"$regex":"(?<=a{1000}){1000}"}}"#.to_owned(),
    ];
    for (number, filter) in cases.into_iter().enumerate() {
        let request = ask("POST", "/datapoints/query").header("content-type", "application/json");
        let answer = lab.send(request.body(Body::from(filter)).unwrap()).await;
        // A pattern that looks bad may still be matched in few steps; what counts is that an answer comes.
        assert!([200, 422].contains(&answer.status.as_u16()), "case {number}: {} {}", answer.status, answer.text());
        if number == 0 || (3..=5).contains(&number) {
            answer.expect(422);
        }
    }
}

#[tokio::test]
async fn our_own_routes_tell_what_is_wrong_with_a_request() {
    let lab = Lab::new().await;
    #[track_caller]
    fn problem(answer: crate::support::Answer, status: u16) -> Value {
        assert_eq!(answer.header("content-type"), "application/problem+json", "{} {}", answer.status, answer.text());
        let problem = answer.expect(status).json();
        assert_eq!(problem["status"], status);
        problem
    }
    problem(lab.get("/api/v1/datapoints?lable=x").await, 422);
    problem(lab.get("/api/v1/datapoints?limit=0").await, 422);
    problem(lab.get("/api/v1/datapoints?sort=value").await, 422);
    problem(lab.get("/api/v1/datapoints?after=zz").await, 422);
    problem(lab.get("/api/v1/datapoints?since=yesterday").await, 422);
    problem(lab.get("/api/v1/datapoints?filter=%7B").await, 422);
    problem(lab.get("/api/v1/datapoints?project=none").await, 404);
    problem(lab.get("/api/v1/jobs?state=asleep").await, 422);
    problem(lab.get("/api/v1/jobs/none").await, 404);
    problem(lab.get("/api/v1/lineage/datapoint/none").await, 404);
    problem(lab.get("/api/v1/lineage/datapoint/none?depth=0").await, 422);
    problem(lab.get("/api/v1/nope").await, 404);
    let wrong = problem(lab.json("POST", "/api/v1/projects", &json!({"name": "x", "colour": "red"})).await, 422);
    assert!(wrong["detail"].as_str().unwrap().contains("colour"), "{wrong}");
    let not_json = ask("POST", "/api/v1/projects").body(Body::from("{}")).unwrap();
    problem(lab.send(not_json).await, 415);
    problem(lab.json("POST", "/api/v1/projects", &json!({"name": "x".repeat(100_000)})).await, 413);
    problem(lab.json("PATCH", "/api/v1/projects", &json!({})).await, 405);
    problem(lab.json("POST", "/api/v1/datapoints/batch", &json!({})).await, 415);
}
