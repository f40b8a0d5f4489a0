//! The contract's routes in small data of our own.

use axum::body::Body;
use serde_json::json;

use crate::support::{Lab, ask, encoded, multipart};

const VALUE: &str = r#"{"label":"Temp ≈ 😀","data_type":"json","datapoint_id":"V1","data_timestamp":"2026-11-20T13:13:43.575470","value":{"b":1.10,"a":-0.0}}"#;

#[tokio::test]
async fn a_value_comes_back_as_it_was_sent() {
    let lab = Lab::new().await;
    let stored = lab.submit(VALUE).await.expect(200);
    assert_eq!(stored.header("content-type"), "application/json");
    assert_eq!(stored.header("vary"), "Origin");
    assert!(stored.text().ends_with(
        r#""data_type":"json","_id":"V1","data_timestamp":"2026-11-20T13:13:43.575470","value":{"b":1.10,"a":-0.0}}"#
    ));
    assert_eq!(lab.get("/datapoint/V1").await.expect(200).text(), stored.text());
    let value = lab.get("/datapoint/V1/value").await.expect(200);
    assert_eq!((value.text(), value.header("content-type")), (r#"{"b":1.10,"a":-0.0}"#, "application/json"));
    assert_eq!(lab.submit(VALUE).await.expect(200).text(), stored.text(), "the same again is the same");
    let other = VALUE.replace("1.10", "2");
    lab.submit(&other).await.expect(409);
}

#[tokio::test]
async fn files_come_in_any_order_and_number() {
    let lab = Lab::new().await;
    let record = r#"{"data_type":"file","datapoint_id":"F1","path":"/home/lab/a.csv"}"#;
    let backwards = format!(
        "--B\r\nContent-Disposition: form-data; name=\"files\"; filename=\"a.csv\"\r\n\r\na,b\n\r\n\
         --B\r\nContent-Disposition: form-data; name=\"note\"\r\n\r\nignored\r\n\
         --B\r\nContent-Disposition: form-data; name=\"datapoint\"\r\n\r\n{record}\r\n\
         --B\r\nContent-Disposition: form-data; name=\"files\"; filename=\"b.bin\"\r\n\r\n\r\n--B--\r\n"
    );
    let request = ask("POST", "/datapoint").header("content-type", "multipart/form-data; boundary=B");
    let stored = lab.send(request.body(Body::from(backwards)).unwrap()).await.expect(200).json();
    assert!(stored["path"].as_str().unwrap().ends_with("/2026/11/20/F1_a.csv"), "{stored}");
    let value = lab.get("/datapoint/F1/value").await.expect(200);
    assert_eq!((value.text(), value.header("content-type")), ("a,b\n", "text/csv; charset=utf-8"));
    let files = lab.get("/api/v1/datapoints/F1/files").await.expect(200).json();
    assert_eq!(files["items"][1]["name"], "b.bin");
    assert_eq!(files["items"][1]["size"], 0);
    assert_eq!(lab.get("/api/v1/datapoints/F1/files/1").await.expect(200).body.len(), 0);
    lab.get("/api/v1/datapoints/F1/files/2").await.expect(404);
}

#[tokio::test]
async fn a_value_with_a_file_keeps_both() {
    let lab = Lab::new().await;
    let stored =
        lab.submit_files(r#"{"data_type":"json","_id":"B","value":1}"#, &[("a.txt", b"bytes")]).await.expect(200);
    assert!(stored.json()["path"].as_str().unwrap().ends_with("B_a.txt"));
    assert_eq!(lab.get("/datapoint/B/value").await.expect(200).text(), "1");
    assert_eq!(lab.get("/api/v1/datapoints/B/files/0").await.expect(200).text(), "bytes");
}

#[tokio::test]
async fn a_missing_field_is_told_as_the_contract_does() {
    let lab = Lab::new().await;
    let missing = r#"{"detail":[{"type":"missing","loc":["body","datapoint"],"msg":"Field required","input":null}]}"#;
    assert_eq!(lab.json("POST", "/datapoint", &json!({"datapoint": "{}"})).await.expect(422).text(), missing);
    for (content_type, body) in [
        ("application/x-www-form-urlencoded", "other=1"),
        ("application/x-www-form-urlencoded", ""),
        ("multipart/form-data; boundary=B", "--B--\r\n"),
    ] {
        let request = ask("POST", "/datapoint").header("content-type", content_type).body(Body::from(body)).unwrap();
        assert_eq!(lab.send(request).await.expect(422).text(), missing, "{content_type} {body}");
    }
    let nothing = ask("POST", "/datapoint").body(Body::empty()).unwrap();
    assert_eq!(lab.send(nothing).await.expect(422).text(), missing);
}

#[tokio::test]
async fn lists_are_objects_in_their_order() {
    let lab = Lab::new().await;
    for (id, time) in [("a", "2026-01-02"), ("b", "2026-01-03"), ("c", "2026-01-01")] {
        let datapoint =
            json!({"_id": id, "data_type": "json", "value": 1, "data_timestamp": format!("{time}T00:00:00")});
        lab.submit(&datapoint.to_string()).await.expect(200);
    }
    let keys = |answer: crate::support::Answer| answer.json().as_object().unwrap().keys().cloned().collect::<String>();
    assert_eq!(keys(lab.get("/datapoints").await.expect(200)), "bac");
    assert_eq!(keys(lab.get("/datapoints?number=2").await), "ba");
    assert_eq!(keys(lab.get("/datapoints?2=2").await), "bac");
    assert_eq!(keys(lab.get("/datapoints?number=0").await), "bac");
    assert_eq!(keys(lab.get("/datapoints?number=-1").await), "b");
    assert_eq!(
        keys(lab.json("POST", "/datapoints/query", &json!({"_id": {"$in": ["c", "a"]}})).await.expect(200)),
        "ac"
    );
    assert_eq!(keys(lab.json("POST", "/datapoints/query", &json!(null)).await.expect(200)), "abc");
}

#[tokio::test]
async fn a_query_that_cannot_be_is_told_where() {
    let lab = Lab::new().await;
    let send = async |content_type: &str, body: &str| {
        let request = ask("POST", "/datapoints/query").header("content-type", content_type);
        lab.send(request.body(Body::from(body.to_owned())).unwrap()).await.expect(422).json()["detail"][0].clone()
    };
    let broken = send("application/json", "{a:1}").await;
    let expected = json!({"type": "json_invalid", "loc": ["body", 1], "msg": "JSON decode error", "input": {},
        "ctx": {"error": "Expecting property name enclosed in double quotes"}});
    assert_eq!(broken, expected);
    assert_eq!(send("application/json", "").await["loc"], json!(["body"]));
    assert_eq!(send("application/json", "[]").await["type"], "dict_type");
    assert_eq!(send("application/json", "5").await["input"], 5);
    assert_eq!(send("text/plain", "{}").await["type"], "dict_type");
    assert!(send("application/json", r#"{"label":{"$foo":1}}"#).await.to_string().contains("$foo"));
    assert!(send("application/json", r#"{"$where":"sleep(1000)"}"#).await.to_string().contains("$where"));
}

#[tokio::test]
async fn what_is_not_there_is_told_in_the_contracts_words() {
    let lab = Lab::new().await;
    for path in ["/nope", "/datapoint", "/datapoint/", "/definition", "/info", "//datapoints"] {
        let answer = lab.get(path).await;
        if answer.status == 404 {
            assert_eq!(answer.text(), r#"{"detail":"Not Found"}"#, "{path}");
        }
    }
    assert_eq!(lab.get("/nope").await.status, 404);
    assert_eq!(lab.get("/datapoint/X").await.expect(404).text(), r#"{"message":"Datapoint with id X not found."}"#);
    assert_eq!(
        lab.get("/datapoint/X/value").await.expect(404).text(),
        r#"{"message":"Datapoint with id X not found."}"#
    );
    lab.submit(r#"{"data_type":"file","_id":"N","path":"/etc/hostname"}"#).await.expect(200);
    assert!(
        lab.get("/datapoint/N/value").await.expect(404).json()["message"].is_string(),
        "a path of a client is never read"
    );
}

#[tokio::test]
async fn methods_and_slashes_follow_the_contract() {
    let lab = Lab::new().await;
    let method = async |method: &str, path: &str| lab.send(ask(method, path).body(Body::empty()).unwrap()).await;
    for (name, path, allow) in [
        ("HEAD", "/datapoints", "GET"),
        ("HEAD", "/health", "GET"),
        ("HEAD", "/settings", "GET"),
        ("DELETE", "/datapoint/X", "GET"),
        ("GET", "/datapoint", "POST"),
        ("HEAD", "/datapoint", "POST"),
        ("OPTIONS", "/datapoints/query", "POST"),
    ] {
        let answer = method(name, path).await.expect(405);
        assert_eq!(answer.header("allow"), allow, "{name} {path}");
        assert_eq!(answer.text(), r#"{"detail":"Method Not Allowed"}"#, "{name} {path}");
    }
    for (path, location) in [
        ("/datapoints/?number=1&x=%20", "http://127.0.0.1:8004/datapoints?number=1&x=%20"),
        ("/datapoint/a%2Fb/", "http://127.0.0.1:8004/datapoint/a%2Fb"),
        ("/datapoint/", "http://127.0.0.1:8004/datapoint"),
        ("/settings/", "http://127.0.0.1:8004/settings"),
    ] {
        assert_eq!(method("POST", path).await.expect(307).header("location"), location);
    }
}

#[tokio::test]
async fn bytes_are_answered_whole_in_part_or_not_at_all() {
    let lab = Lab::new().await;
    lab.submit_files(r#"{"data_type":"file","_id":"F","path":"x"}"#, &[("a.bin", b"0123456789")]).await.expect(200);
    let get = async |name: &str, value: &str| {
        lab.send(ask("GET", "/datapoint/F/value").header(name, value).body(Body::empty()).unwrap()).await
    };
    let whole = lab.get("/datapoint/F/value").await.expect(200);
    assert_eq!((whole.header("accept-ranges"), whole.header("content-length")), ("bytes", "10"));
    assert_eq!(whole.header("last-modified"), "Fri, 20 Nov 2026 13:13:43 GMT");
    assert_eq!(whole.header("content-security-policy"), "sandbox; default-src 'none'");
    let part = get("range", "bytes=2-4").await.expect(206);
    assert_eq!(
        (part.text(), part.header("content-range"), part.header("content-length")),
        ("234", "bytes 2-4/10", "3")
    );
    assert_eq!(get("range", "bytes=-3").await.expect(206).text(), "789");
    assert_eq!(get("range", "bytes=20-").await.expect(416).header("content-range"), "bytes */10");
    assert_eq!(get("range", "bytes=0-1,3-4").await.expect(200).text(), "0123456789");
    let held = get("if-none-match", whole.header("etag")).await.expect(304);
    assert_eq!((held.body.len(), held.header("etag")), (0, whole.header("etag")));
    lab.submit_files(r#"{"data_type":"file","_id":"E","path":"x"}"#, &[("empty", b"")]).await.expect(200);
    assert_eq!(lab.get("/datapoint/E/value").await.expect(200).header("content-length"), "0");
}

#[tokio::test]
async fn health_is_told_to_everybody_and_always() {
    let lab = Lab::new().await;
    lab.submit(VALUE).await.expect(200);
    let health = lab.get("/health").await.expect(200).json();
    let expected = json!({"healthy": true, "description": "Data Manager is running normally", "version": env!("CARGO_PKG_VERSION"),
        "db_connected": true, "storage_accessible": true, "total_datapoints": 1});
    assert_eq!(health, expected);
    assert_eq!(
        health.as_object().unwrap().keys().collect::<Vec<_>>(),
        expected.as_object().unwrap().keys().collect::<Vec<_>>()
    );
    lab.user("ann").await;
    let stranger = lab.get("/health").await.expect(200).json();
    assert_eq!(stranger["total_datapoints"], json!(null), "what is held is told to those who may know");
    lab.app.close().await;
    let ill = lab.get("/health").await.expect(200).json();
    assert_eq!((&ill["healthy"], &ill["db_connected"]), (&json!(false), &json!(false)));
    assert!(ill["description"].as_str().unwrap().starts_with("Database connection failed: "), "{ill}");
}

#[tokio::test]
async fn settings_are_told_in_part_and_with_their_schema() {
    let lab = Lab::with(&[("DATA_MANAGER_NAME", "Bench")], |_| {}).await;
    let settings = lab.get("/settings").await.expect(200).json();
    assert_eq!(settings["settings"]["manager_name"], "Bench");
    assert_eq!(settings["settings"]["document_db_url"], "***REDACTED***");
    let some = lab.get("/settings?include_defaults=false&include_schema=true").await.expect(200).json();
    assert!(some["settings"].get("rate_limit_requests").is_none() && some["settings"].get("document_db_url").is_some());
    assert_eq!(some["schema_title"], "DataManagerSettings");
    assert_eq!(lab.get("/settings?include_defaults=x").await.expect(422).json()["detail"][0]["type"], "bool_parsing");
}

#[tokio::test]
async fn a_request_id_is_not_echoed_on_the_contracts_routes() {
    let lab = Lab::new().await;
    let send =
        async |path: &str| lab.send(ask("GET", path).header("x-request-id", "mine").body(Body::empty()).unwrap()).await;
    assert_eq!(send("/datapoints").await.header("x-request-id"), "");
    let ours = send("/api/v1/datapoints/none").await.expect(404);
    assert_eq!((ours.header("x-request-id"), ours.json()["request_id"].as_str()), ("mine", Some("mine")));
    assert_eq!(ours.header("content-type"), "application/problem+json");
}

#[tokio::test]
async fn a_form_may_be_cut_anywhere_and_nothing_is_stored() {
    let lab = Lab::new().await;
    let whole = multipart(r#"{"data_type":"file","_id":"cut","path":"x"}"#, &[("a.bin", &[7; 1000])]);
    for end in [1, 20, 60, 150, 250, 700, whole.len() - 9, whole.len() - 4] {
        let request = ask("POST", "/datapoint").header("content-type", "multipart/form-data; boundary=B");
        lab.send(request.body(Body::from(whole[..end].to_vec())).unwrap()).await.expect(400);
        lab.get("/datapoint/cut").await.expect(404);
    }
    let request = ask("POST", "/datapoint").header("content-type", "multipart/form-data; boundary=B");
    lab.send(request.body(Body::from(whole)).unwrap()).await.expect(200);
}

#[tokio::test]
async fn a_large_urlencoded_value_is_taken_and_one_beyond_the_limit_is_not() {
    let lab = Lab::with(&[("HOLOTYPE_DOCUMENT_LIMIT", "2MiB")], |_| {}).await;
    let datapoint =
        |size: usize| format!("{{\"data_type\":\"json\",\"_id\":\"L{size}\",\"value\":\"{}\"}}", "é".repeat(size / 2));
    lab.submit(&datapoint(2_000_000)).await.expect(200);
    assert_eq!(lab.get("/datapoint/L2000000/value").await.expect(200).body.len(), 2_000_002);
    lab.submit(&datapoint(2_200_000)).await.expect(413);
    let body = multipart(&datapoint(2_200_000), &[]);
    let request = ask("POST", "/datapoint").header("content-type", "multipart/form-data; boundary=B");
    lab.send(request.body(Body::from(body)).unwrap()).await.expect(413);
    assert_eq!(encoded("é"), "datapoint=%C3%A9");
}
