//! Servers that are busy, gone, silent, or something else altogether.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};
use axum::{Json, Router};
use bytes::Bytes;
use futures::{StreamExt, stream};
use holotype_api::principal::NewProject;
use holotype_client::{Client, ClientError, Transport};
use holotype_core::{Category, Instant, ProjectId};
use serde_json::json;

use crate::server;

/// A router that counts its calls and fails the first `failures` of them.
fn busy(failures: u32, calls: Arc<AtomicU32>, answer: serde_json::Value) -> Router {
    let handler = async move || {
        if calls.fetch_add(1, Ordering::SeqCst) < failures {
            return (StatusCode::SERVICE_UNAVAILABLE, [("retry-after", "0")], "later").into_response();
        }
        Json(answer).into_response()
    };
    Router::new().fallback(any(handler))
}

#[tokio::test]
async fn a_question_is_asked_again_while_the_server_is_busy() {
    let calls = Arc::new(AtomicU32::new(0));
    let client = server::in_process(busy(3, calls.clone(), json!({"_id": "x"})));
    assert_eq!(client.datapoint("x").await.unwrap().get(), r#"{"_id":"x"}"#);
    assert_eq!(calls.load(Ordering::SeqCst), 4);
}

#[tokio::test]
async fn a_server_that_stays_busy_is_given_up() {
    let calls = Arc::new(AtomicU32::new(0));
    let client = server::in_process(busy(u32::MAX, calls.clone(), json!({})));
    let error = client.datapoint("x").await.unwrap_err();
    assert!(matches!(error, ClientError::Foreign { status: 503, .. }), "{error}");
    assert_eq!(calls.load(Ordering::SeqCst), 4);
}

#[tokio::test]
async fn what_is_not_safe_to_repeat_is_sent_once() {
    let calls = Arc::new(AtomicU32::new(0));
    let client = server::in_process(busy(1, calls.clone(), json!({})));
    let lines = stream::iter([Ok::<_, std::io::Error>(Bytes::from_static(b"{}\n"))]);
    assert!(client.submit_batch(lines).await.is_err());
    assert!(client.cancel_job("00000000000000000000000001".parse().unwrap()).await.is_err(), "the answer is no job");
    assert_eq!(calls.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_creation_is_repeated_under_the_same_key() {
    let keys = Arc::new(Mutex::new(Vec::new()));
    let seen = keys.clone();
    let create = async move |request: Request| -> Response {
        let key = request.headers()["idempotency-key"].to_str().unwrap().to_owned();
        seen.lock().unwrap().push(key);
        if seen.lock().unwrap().len() % 2 == 1 {
            return (StatusCode::BAD_GATEWAY, [("retry-after", "0")]).into_response();
        }
        let id = ProjectId::DEFAULT;
        Json(json!({ "id": id, "name": "x", "created_at": Instant::from_micros(0), "role": "owner" })).into_response()
    };
    let client = server::in_process(Router::new().route("/api/v1/projects", post(create)));
    for _ in 0..2 {
        client.create_project(&NewProject { name: "x".to_owned() }).await.unwrap();
    }
    let keys = keys.lock().unwrap();
    assert_eq!(keys.len(), 4);
    assert_eq!((&keys[0], &keys[2]), (&keys[1], &keys[3]));
    assert_ne!(keys[0], keys[2]);
}

#[tokio::test]
async fn a_problem_is_told_in_the_servers_words() {
    let problem = json!({
        "type": "about:blank", "title": "Conflict", "status": 409, "detail": "user 'ada' is there already",
        "category": "conflict", "request_id": "01", "errors": [{"loc": ["body", "name"], "message": "taken"}],
    });
    let client = server::in_process(Router::new().fallback(any(async || (StatusCode::CONFLICT, Json(problem)))));
    let error = client.who_am_i().await.unwrap_err();
    assert_eq!(error.category(), Category::Conflict);
    assert_eq!(error.to_string(), "user 'ada' is there already");
    assert_eq!(error.problem().unwrap().errors[0].message, "taken");
}

#[tokio::test]
async fn an_answer_of_something_else_is_recognised() {
    let page = Router::new().fallback(any(async || (StatusCode::NOT_FOUND, "<html>no such page</html>")));
    let error = server::in_process(page).who_am_i().await.unwrap_err();
    assert_eq!(error.category(), Category::Internal);
    assert!(error.to_string().contains("404") && error.to_string().contains("<html>"), "{error}");

    let page = Router::new().fallback(get(async || "<html>welcome</html>"));
    let error = server::in_process(page).who_am_i().await.unwrap_err();
    assert!(error.to_string().contains("GET /api/v1/whoami"), "{error}");
}

#[tokio::test]
async fn a_server_that_is_not_there_is_unavailable() {
    server::install_provider();
    // Bound and let go again: nobody listens there.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let transport = Transport::network(format!("http://127.0.0.1:{port}/").parse().unwrap(), None).unwrap();
    let error = Client::new(transport, None).who_am_i().await.unwrap_err();
    assert!(matches!(error, ClientError::Connect { .. }), "{error}");
    assert_eq!(error.category(), Category::Unavailable);

    let error = Client::new(Transport::socket("/nowhere/holotype.sock".as_ref()).unwrap(), None).who_am_i().await;
    let error = error.unwrap_err();
    assert!(matches!(error, ClientError::Connect { .. }), "{error:?}");
    assert!(error.to_string().contains("/nowhere/holotype.sock"), "{error}");
}

#[tokio::test]
async fn a_server_that_never_answers_is_given_up() {
    let client = server::in_process(Router::new().fallback(any(std::future::pending::<&str>)));
    let error = client.with_patience(Duration::from_millis(20)).who_am_i().await.unwrap_err();
    assert!(matches!(error, ClientError::Stalled { .. }), "{error}");
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_no_answer() {
    let broken = async || {
        let pieces = stream::iter([Ok(Bytes::from_static(b"half of")), Err(std::io::Error::other("the disk failed"))]);
        // A pause after the first piece, so that it is on its way before the second fails.
        axum::body::Body::from_stream(pieces.then(async |piece| {
            tokio::task::yield_now().await;
            piece
        }))
    };
    let router = Router::new().route("/api/v1/datapoints/x/value", get(broken));
    for client in [server::in_process(router.clone()), server::over_tcp(router.clone(), None).await] {
        let whole = async {
            let mut download = client.datapoint_value("x").await?;
            while download.chunk().await?.is_some() {}
            Ok(())
        };
        let error: ClientError = whole.await.unwrap_err();
        assert!(matches!(error, ClientError::Broken { .. }), "{error}");
    }
}
