//! Answers that come line by line and event by event.

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::routing::{get, post};
use bytes::Bytes;
use futures::{StreamExt, stream};
use holotype_api::JobEvent;
use holotype_api::job::JobState;
use holotype_client::Client;
use holotype_core::{ActivityId, Category};

use crate::server;

/// An answer whose bytes come in pieces of `size`, wherever that cuts them.
fn cut(text: &'static str, size: usize) -> Body {
    let pieces: Vec<_> =
        text.as_bytes().chunks(size).map(|piece| Ok::<_, std::io::Error>(Bytes::from(piece))).collect();
    Body::from_stream(stream::iter(pieces))
}

fn serving(path: &'static str, text: &'static str, size: usize) -> Client {
    server::in_process(Router::new().route(path, get(async move || cut(text, size))))
}

#[tokio::test]
async fn events_of_a_job_are_read_wherever_the_bytes_are_cut() {
    let text = ": keep-alive\n\nevent: log\nid: 1\ndata: {\"sequence\":1,\"at\":\"1970-01-01T00:00:00Z\",\"level\":\"info\",\"text\":\"größer\"}\n\n\
                event: news\ndata: of a later version\n\n\
                event: progress\r\ndata: {\"fraction\":0.5,\r\ndata: \"message\":null}\r\n\r\n\
                event: state\ndata: {\"state\":\"succeeded\",\"attempt\":1,\"error\":null}\n\n";
    for size in [1, 7, 4096] {
        let client = serving("/api/v1/jobs/{id}/events", text, size);
        let id: ActivityId = "01JD3Z5N2V8Q0W4X6Y7Z8A9B0C".parse().unwrap();
        let mut events = client.job_events(id).await.unwrap();
        let Some(JobEvent::Log(line)) = events.next().await.unwrap() else { panic!("no log line") };
        assert_eq!(line.text, "größer");
        let Some(JobEvent::Progress(progress)) = events.next().await.unwrap() else { panic!("no progress") };
        assert_eq!(progress.fraction, 0.5);
        let Some(JobEvent::State(change)) = events.next().await.unwrap() else { panic!("no state") };
        assert_eq!(change.state, JobState::Succeeded);
        assert_eq!(events.next().await.unwrap(), None);
    }
}

#[tokio::test]
async fn datapoints_of_a_tail_are_read_as_they_were_written() {
    let text = "event: datapoint\ndata: {\"_id\":\"a\",\"value\":1.50}\n\nevent: datapoint\ndata: {\"_id\":\"b\"}\n\n";
    let client = serving("/api/v1/datapoints/tail", text, 5);
    let mut tail = client.tail_datapoints(&serde_json::json!({})).await.unwrap();
    assert_eq!(tail.next().await.unwrap().unwrap().get(), r#"{"_id":"a","value":1.50}"#);
    assert_eq!(tail.next().await.unwrap().unwrap().get(), r#"{"_id":"b"}"#);
    assert!(tail.next().await.unwrap().is_none());
}

#[tokio::test]
async fn a_stream_that_fails_says_why() {
    let text = "event: datapoint\ndata: {}\n\nevent: error\ndata: {\"category\":\"unavailable\",\"detail\":\"no catalog\"}\n\n";
    let mut tail = serving("/api/v1/datapoints/tail", text, 64).tail_datapoints(&serde_json::json!({})).await.unwrap();
    assert_eq!(tail.next().await.unwrap().unwrap().get(), "{}");
    let error = tail.next().await.unwrap_err();
    assert_eq!((error.category(), error.to_string().as_str()), (Category::Unavailable, "no catalog"));
}

#[tokio::test]
async fn a_batch_is_answered_while_it_is_sent() {
    // The second line is sent only once the first is answered: with a server that waits for the end, this never ends.
    let answer = async |request: Request| {
        let mut line = 0;
        Body::from_stream(request.into_body().into_data_stream().map(move |piece| {
            line += 1;
            piece.map(|_| Bytes::from(format!("{{\"line\":{line},\"id\":\"{line}\",\"created\":true}}\n")))
        }))
    };
    let router = Router::new().route("/api/v1/datapoints/batch", post(answer));
    for client in [server::in_process(router.clone()), server::over_tcp(router.clone(), None).await] {
        let (sender, receiver) = tokio::sync::mpsc::channel::<Bytes>(1);
        let lines = stream::unfold(receiver, async |mut receiver| {
            receiver.recv().await.map(|line| (Ok::<_, std::io::Error>(line), receiver))
        });
        sender.send(Bytes::from_static(b"{\"a\":1}\n")).await.unwrap();
        let mut results = client.submit_batch(lines).await.unwrap();
        assert_eq!(results.next().await.unwrap().unwrap().line, 1);
        sender.send(Bytes::from_static(b"{\"a\":2}\n")).await.unwrap();
        assert_eq!(results.next().await.unwrap().unwrap().id.as_deref(), Some("2"));
        drop(sender);
        assert_eq!(results.next().await.unwrap(), None);
    }
}

#[tokio::test]
async fn a_line_that_is_not_what_it_should_be_is_an_error() {
    let router = Router::new().route("/api/v1/datapoints/batch", post(async || "{\"line\":1}\nnonsense\n"));
    let lines = stream::iter([Ok::<_, std::io::Error>(Bytes::from_static(b"{}\n"))]);
    let mut results = server::in_process(router).submit_batch(lines).await.unwrap();
    assert_eq!(results.next().await.unwrap().unwrap().line, 1);
    let error = results.next().await.unwrap_err();
    assert!(error.to_string().contains("POST /api/v1/datapoints/batch"), "{error}");
}
