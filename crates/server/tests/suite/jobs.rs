//! Jobs over HTTP, done by real workers.

use axum::body::Body;
use futures::StreamExt;
use holotype_api::JobEvent;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use crate::support::{Lab, ask};

/// Follows a job over its events until the stream ends.
async fn follow(lab: &Lab, id: &str) -> Vec<JobEvent> {
    let mut request = ask("GET", &format!("/api/v1/jobs/{id}/events")).body(Body::empty()).unwrap();
    request.extensions_mut().insert(holotype_server::Peer::InProcess);
    let response = lab.router.clone().oneshot(request).await.unwrap();
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let mut text = String::new();
    let mut body = response.into_body().into_data_stream();
    while let Some(piece) = body.next().await {
        text.push_str(std::str::from_utf8(&piece.unwrap()).unwrap());
    }
    let event = |block: &str| {
        let field = |name: &str| block.lines().find_map(|line| line.strip_prefix(name)).map(str::to_owned);
        JobEvent::parse(&field("event: ")?, &field("data: ")?).unwrap()
    };
    text.split("\n\n").filter_map(event).collect()
}

async fn begin(lab: &Lab, path: &str, body: Value) -> Value {
    let job = lab.json("POST", path, &body).await.expect(202).json();
    assert!(job["state"] == "queued" || job["state"] == "running", "{job}");
    job
}

#[tokio::test]
async fn upkeep_is_done_by_jobs_that_can_be_followed() {
    let lab = Lab::new().await;
    lab.submit_files(r#"{"data_type":"file","_id":"F","path":"x"}"#, &[("a.txt", b"bytes")]).await.expect(200);
    let shutdown = CancellationToken::new();
    let workers = tokio::spawn({
        let (app, shutdown) = (lab.app.clone(), shutdown.clone());
        async move { app.run_workers(shutdown).await }
    });
    for (path, body) in [
        ("/api/v1/store/verify", json!({})),
        ("/api/v1/store/sweep", json!({})),
        ("/api/v1/db/backup", json!({"with_blobs": true})),
    ] {
        let job = begin(&lab, path, body).await;
        let id = job["id"].as_str().unwrap();
        let events = follow(&lab, id).await;
        let Some(JobEvent::State(last)) = events.last() else { panic!("{path}: {events:?}") };
        assert_eq!(json!(last.state), "succeeded", "{path}: {events:?}");
        let done = lab.get(&format!("/api/v1/jobs/{id}")).await.expect(200).json();
        assert_eq!((&done["state"], &done["attempt"]), (&json!("succeeded"), &json!(1)));
        lab.get(&format!("/api/v1/jobs/{id}/log")).await.expect(200);
        lab.json("POST", &format!("/api/v1/jobs/{id}/cancel"), &json!({})).await.expect(409);
        lab.json("POST", &format!("/api/v1/jobs/{id}/retry"), &json!({})).await.expect(409);
    }
    let backups = lab.get("/api/v1/db/backups").await.expect(200).json();
    assert_eq!((backups["items"].as_array().unwrap().len(), &backups["items"][0]["with_blobs"]), (1, &json!(true)));
    assert_eq!(lab.get("/api/v1/jobs?state=succeeded&limit=2").await.json()["items"].as_array().unwrap().len(), 2);
    assert_eq!(lab.get("/api/v1/jobs?kind=store.verify").await.json()["items"].as_array().unwrap().len(), 1);
    shutdown.cancel();
    workers.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_job_that_waits_is_cancelled_and_tried_again() {
    let lab = Lab::new().await;
    let id = begin(&lab, "/api/v1/store/verify", json!({})).await["id"].as_str().unwrap().to_owned();
    let cancelled = lab.json("POST", &format!("/api/v1/jobs/{id}/cancel"), &json!({})).await.expect(200).json();
    assert_eq!(cancelled["state"], "cancelled");
    let retried = lab.json("POST", &format!("/api/v1/jobs/{id}/retry"), &json!({})).await.expect(200).json();
    assert_eq!((&retried["state"], &retried["attempt"]), (&json!("queued"), &json!(2)));
}

#[tokio::test]
async fn the_store_and_the_database_say_how_they_are() {
    let lab = Lab::new().await;
    lab.submit_files(r#"{"data_type":"file","_id":"F","path":"x"}"#, &[("a.txt", b"bytes")]).await.expect(200);
    let store = lab.get("/api/v1/store").await.expect(200).json();
    assert_eq!((&store["reachable"], &store["blobs"], &store["bytes"]), (&json!(true), &json!(1), &json!(5)));
    let database = lab.get("/api/v1/db").await.expect(200).json();
    assert_eq!((&database["engine"], &database["schema_version"]), (&json!("sqlite"), &database["expected_version"]));
    let plan = lab.get("/api/v1/store/sweep").await.expect(200).json();
    assert_eq!(plan["unreferenced"], 0);
    let health = lab.get("/api/v1/health").await.expect(200).json();
    assert_eq!(health["healthy"], true, "{health}");
    lab.user("ann").await;
    let plain = lab.user("bob").await;
    for path in
        ["/api/v1/store", "/api/v1/store/sweep", "/api/v1/db", "/api/v1/db/backups", "/api/v1/users", "/api/v1/audit"]
    {
        lab.get_as(&plain, path).await.expect(403);
    }
    lab.get_as(&plain, "/api/v1/health").await.expect(200);
}
