//! Datapoints beyond the contract, over our own routes.

use axum::body::Body;
use futures::StreamExt;
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::support::{Answer, Lab, ask};

async fn fill(lab: &Lab, count: usize) {
    let lines: String = (0..count)
        .map(|number| {
            let time = format!("2026-01-01T00:00:{number:02}");
            json!({"_id": format!("d{number}"), "label": format!("l{}", number % 2), "data_type": "json", "value": {"n": number}, "data_timestamp": time})
                .to_string()
                + "\n"
        })
        .collect();
    batch(lab, &lines).await;
}

async fn batch(lab: &Lab, lines: &str) -> Vec<Value> {
    let request = ask("POST", "/api/v1/datapoints/batch").header("content-type", "application/x-ndjson");
    let answer = lab.send(request.body(Body::from(lines.to_owned())).unwrap()).await.expect(200);
    assert_eq!(answer.header("content-type"), "application/x-ndjson");
    answer.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn ids(page: &Value) -> Vec<&str> {
    page["items"].as_array().unwrap().iter().map(|item| item["_id"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn pages_follow_each_other_to_the_end() {
    let lab = Lab::new().await;
    fill(&lab, 7).await;
    let (mut all, mut after) = (Vec::new(), String::new());
    loop {
        let page = lab.get(&format!("/api/v1/datapoints?limit=3&sort=-sequence{after}")).await.expect(200).json();
        all.extend(ids(&page).into_iter().map(str::to_owned));
        match page["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => break,
        }
    }
    assert_eq!(all, ["d6", "d5", "d4", "d3", "d2", "d1", "d0"]);
    let some = lab
        .get("/api/v1/datapoints?label=l1&since=2026-01-01T00:00:02Z&until=2026-01-01T00:00:05Z")
        .await
        .expect(200)
        .json();
    assert_eq!(ids(&some), ["d3"]);
    let filter = lab
        .get("/api/v1/datapoints?label=l0&filter=%7B%22value.n%22%3A%7B%22%24gt%22%3A3%7D%7D&fields=value.n")
        .await
        .expect(200);
    assert_eq!(filter.json()["items"], json!([{"_id": "d6", "value": {"n": 6}}, {"_id": "d4", "value": {"n": 4}}]));
    let query = json!({"filter": {"value.n": {"$lt": 2}}, "sort": "sequence"});
    assert_eq!(ids(&lab.json("POST", "/api/v1/datapoints/query", &query).await.expect(200).json()), ["d0", "d1"]);
    let count = lab.json("POST", "/api/v1/datapoints/count", &json!({"filter": {"label": "l0"}})).await.expect(200);
    assert_eq!(count.json(), json!({"count": 4}));
    assert_eq!(lab.json("POST", "/api/v1/datapoints/count", &json!({})).await.expect(200).json(), json!({"count": 7}));
}

#[tokio::test]
async fn a_creation_under_a_key_is_done_once() {
    let lab = Lab::new().await;
    let create = async |key: &str, body: Value| {
        let request =
            ask("POST", "/api/v1/datapoints").header("content-type", "application/json").header("idempotency-key", key);
        lab.send(request.body(Body::from(body.to_string())).unwrap()).await
    };
    let value = json!({"data_type": "json", "value": 1});
    let first = create("k1", value.clone()).await.expect(201);
    let again = create("k1", value.clone()).await.expect(200);
    assert_eq!(first.text(), again.text());
    create("k1", json!({"data_type": "json", "value": 2})).await.expect(409);
    create("k2", value.clone()).await.expect(201);
    create("", value).await.expect(422);
    let project = async |key: &str, name: &str| {
        let request =
            ask("POST", "/api/v1/projects").header("content-type", "application/json").header("idempotency-key", key);
        lab.send(request.body(Body::from(json!({"name": name}).to_string())).unwrap()).await
    };
    let first = project("p", "north").await.expect(201);
    assert_eq!(project("p", "north").await.expect(201).text(), first.text());
    project("p", "south").await.expect(409);
    project("q", "north").await.expect(409);
}

#[tokio::test]
async fn what_is_deleted_can_be_brought_back() {
    let lab = Lab::new().await;
    fill(&lab, 2).await;
    let delete = async || lab.send(ask("DELETE", "/api/v1/datapoints/d0").body(Body::empty()).unwrap()).await;
    delete().await.expect(204);
    delete().await.expect(404);
    lab.get("/datapoint/d0").await.expect(404);
    assert_eq!(ids(&lab.get("/api/v1/datapoints?deleted=true").await.json()), ["d0"]);
    let restored = lab.json("POST", "/api/v1/datapoints/d0/restore", &json!({})).await.expect(200);
    assert_eq!(restored.json()["_id"], "d0");
    lab.get("/datapoint/d0").await.expect(200);
}

#[tokio::test]
async fn each_line_of_a_batch_stands_for_itself() {
    let lab = Lab::with(&[("HOLOTYPE_DOCUMENT_LIMIT", "1KiB")], |_| {}).await;
    let long = format!("{{\"data_type\":\"json\",\"value\":\"{}\"}}", "x".repeat(2000));
    let lines = format!(
        "{{\"_id\":\"a\",\"data_type\":\"json\",\"value\":1}}\n\nnonsense\n{long}\n{{\"_id\":\"a\",\"data_type\":\"json\",\"value\":1}}\n{{\"_id\":\"a\",\"data_type\":\"json\",\"value\":2}}\n{{\"_id\":\"b\",\"data_type\":\"json\",\"value\":3}}"
    );
    let results = batch(&lab, &lines).await;
    let told: Vec<_> = results
        .iter()
        .map(|result| (result["line"].as_u64().unwrap(), &result["created"], &result["error"]["category"]))
        .collect();
    let (null, invalid) = (json!(null), json!("invalid"));
    assert_eq!(
        told,
        [
            (1, &json!(true), &null),
            (3, &null, &invalid),
            (4, &null, &invalid),
            (5, &json!(false), &null),
            (6, &null, &json!("conflict")),
            (7, &json!(true), &null),
        ]
    );
    assert_eq!(results[0]["id"], "a");
    assert_eq!(lab.get("/datapoint/b/value").await.expect(200).text(), "3");
}

#[tokio::test]
async fn a_large_batch_passes_in_order() {
    let lab = Lab::new().await;
    let lines: String = (0..5_000)
        .map(|number| format!("{{\"_id\":\"m{number}\",\"data_type\":\"json\",\"value\":{number}}}\n"))
        .collect();
    let results = batch(&lab, &lines).await;
    assert_eq!(results.len(), 5_000);
    for (number, result) in results.iter().enumerate() {
        assert_eq!((&result["line"], &result["id"]), (&json!(number + 1), &json!(format!("m{number}"))));
    }
}

#[tokio::test]
async fn arrivals_are_followed_from_now_or_from_an_event() {
    let lab = Lab::new().await;
    fill(&lab, 1).await;
    let follow = async |query: &str, header: Option<&str>| {
        let mut request = ask("GET", &format!("/api/v1/datapoints/tail{query}"));
        if let Some(id) = header {
            request = request.header("last-event-id", id);
        }
        let mut request = request.body(Body::empty()).unwrap();
        request.extensions_mut().insert(holotype_server::Peer::InProcess);
        let response = lab.router.clone().oneshot(request).await.unwrap();
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        response.into_body().into_data_stream()
    };
    let mut from_now = follow("?filter=%7B%22label%22%3A%22new%22%7D", None).await;
    lab.submit(r#"{"data_type":"json","_id":"other","value":1}"#).await.expect(200);
    lab.submit(r#"{"data_type":"json","_id":"new","label":"new","value":2}"#).await.expect(200);
    let event = String::from_utf8(from_now.next().await.unwrap().unwrap().to_vec()).unwrap();
    assert!(event.starts_with("event: datapoint\nid: ") && event.contains("\"_id\":\"new\""), "{event}");
    let mut from_start = follow("?after=0", None).await;
    let first = String::from_utf8(from_start.next().await.unwrap().unwrap().to_vec()).unwrap();
    assert!(first.contains("\"_id\":\"d0\""), "{first}");
    let id = first.lines().find_map(|line| line.strip_prefix("id: ")).unwrap();
    let mut after_first = follow("?after=0", Some(id)).await;
    let second = String::from_utf8(after_first.next().await.unwrap().unwrap().to_vec()).unwrap();
    assert!(second.contains("\"_id\":\"other\""), "{second}");
}

#[tokio::test]
async fn exports_have_a_name_and_a_type() {
    let lab = Lab::new().await;
    fill(&lab, 3).await;
    let export = async |query: &str| -> Answer { lab.get(&format!("/api/v1/datapoints/export{query}")).await };
    let lines = export("").await.expect(200);
    assert_eq!((lines.header("content-type"), lines.text().lines().count()), ("application/x-ndjson", 3));
    assert_eq!(lines.header("content-disposition"), "attachment; filename=\"datapoints.ndjson\"");
    let table = export("?format=csv&filter=%7B%22_id%22%3A%22d1%22%7D").await.expect(200);
    assert_eq!((table.header("content-type"), table.text().lines().count()), ("text/csv; charset=utf-8", 2));
    assert!(export("?format=parquet").await.expect(200).body.starts_with(b"PAR1"));
    export("?format=xlsx").await.expect(422);
}

#[tokio::test]
async fn a_label_is_held_to_its_schema() {
    let lab = Lab::new().await;
    let set = json!({"schema": {"type": "number", "minimum": 0}, "unit": "degC"});
    let schema = lab.json("PUT", "/api/v1/datapoint-schemas/temperature", &set).await.expect(200).json();
    assert_eq!((&schema["label"], &schema["unit"]), (&json!("temperature"), &json!("degC")));
    let bad = lab.submit(r#"{"data_type":"json","label":"temperature","value":-1}"#).await.expect(422).json();
    assert_eq!(bad["detail"][0]["loc"], json!(["body", "datapoint", "value"]));
    lab.submit(r#"{"data_type":"json","label":"temperature","value":1.5}"#).await.expect(200);
    assert_eq!(lab.get("/api/v1/datapoint-schemas").await.expect(200).json()["items"][0]["label"], "temperature");
    lab.json("PUT", "/api/v1/datapoint-schemas/temperature", &json!({"schema": {"type": "colour"}})).await.expect(422);
    lab.send(ask("DELETE", "/api/v1/datapoint-schemas/temperature").body(Body::empty()).unwrap()).await.expect(204);
    lab.get("/api/v1/datapoint-schemas/temperature").await.expect(404);
}

#[tokio::test]
async fn the_lineage_of_a_datapoint_leads_to_its_bytes() {
    let lab = Lab::new().await;
    lab.submit_files(r#"{"data_type":"file","_id":"F","path":"x"}"#, &[("a.txt", b"bytes")]).await.expect(200);
    let graph = lab.get("/api/v1/lineage/datapoint/F").await.expect(200).json();
    assert_eq!((&graph["nodes"][0]["id"], &graph["nodes"][1]["kind"]), (&json!("F"), &json!("blob")));
    assert_eq!(graph["edges"], json!([{"from": 0, "to": 1, "relation": "contains"}]));
    let digest = graph["nodes"][1]["id"].as_str().unwrap();
    let back = lab.get(&format!("/api/v1/lineage/blob/{digest}?direction=back&depth=1")).await.expect(200).json();
    assert_eq!(back["nodes"][1]["id"], "F");
    let prov = lab.get("/api/v1/lineage/datapoint/F?format=prov").await.expect(200).json();
    assert_eq!(prov["hadMember"].as_object().unwrap().len(), 1);
}
