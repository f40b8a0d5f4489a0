//! Many datapoints in one request: a JSON text per line in, what became of each line out.
//!
//! Results go out as they are known, while later lines still come in. A client that sends everything before it reads
//! anything is served too, up to [`UNREAD`] bytes of results; after that the server waits for it to read.

use std::convert::Infallible;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures::{Stream, StreamExt};
use holotype_api::datapoint::{BatchError, BatchResult};
use holotype_app::datapoints::BatchLine;
use holotype_core::Category;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_stream::wrappers::UnboundedReceiverStream;

use crate::auth::Authenticated;
use crate::extract::Params;
use crate::problem::Failure;
use crate::project::{InProject, project_or_own};
use crate::state::ServerState;

/// Results that are written together, if so many are there.
const TOGETHER: usize = 500;
/// Bytes of results that wait for a client that is still sending.
const UNREAD: usize = 16 * 1024 * 1024;

/// Store many datapoints: one JSON text per line, without files.
///
/// The answer has a line for each line that is not blank: `{"line":1,"id":"..","created":true}` or `{"line":2,"error":{..}}`.
/// Each line stands for itself: one that is refused does not hinder the others.
#[utoipa::path(post, path = "/datapoints/batch", tag = "datapoints", params(InProject),
    request_body(content = String, content_type = "application/x-ndjson"),
    responses((status = 200, description = "What became of each line", body = BatchResult, content_type = "application/x-ndjson")),
)]
pub(crate) async fn submit(
    State(state): State<ServerState>,
    Authenticated(caller): Authenticated,
    Params(place): Params<InProject>,
    request: Request,
) -> Result<Response, Failure> {
    if !is_ndjson(request.headers()) {
        let detail = "A body of the type application/x-ndjson is needed: one JSON text per line.";
        return Err(Failure::with_status(StatusCode::UNSUPPORTED_MEDIA_TYPE, Category::Invalid, detail));
    }
    let project = project_or_own(&state, &caller, place.project.as_deref()).await?;
    let body = request.into_body().into_data_stream();
    let lines = state.app().datapoints().submit_lines(&caller, project, body).await?;
    let (sender, receiver) = unbounded_channel();
    let results = Results { sender, room: Arc::new(Semaphore::new(UNREAD)) };
    // In a task of its own: else reading would wait for writing, and both for a client that writes before it reads.
    drop(tokio::spawn(results.tell_all(lines)));
    let told = UnboundedReceiverStream::new(receiver).map(|(chunk, _room): Waiting| Ok::<_, Infallible>(chunk));
    let headers = [(CONTENT_TYPE, HeaderValue::from_static("application/x-ndjson"))];
    Ok((headers, Body::from_stream(told)).into_response())
}

fn is_ndjson(headers: &HeaderMap) -> bool {
    let media_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    matches!(essence.as_str(), "application/x-ndjson" | "application/ndjson" | "application/jsonl")
}

/// Results that wait to be read, with the room they take.
type Waiting = (Bytes, OwnedSemaphorePermit);

struct Results {
    sender: UnboundedSender<Waiting>,
    room: Arc<Semaphore>,
}

impl Results {
    /// Tells every result. Ends with the lines, or when nobody listens any more: then the rest is not stored.
    async fn tell_all(self, lines: impl Stream<Item = BatchLine>) {
        let mut together = std::pin::pin!(lines.ready_chunks(TOGETHER));
        while let Some(lines) = together.next().await {
            let Some(text) = written(lines) else { return };
            let size = u32::try_from(text.len().min(UNREAD)).unwrap_or(u32::MAX);
            // The semaphore is never closed.
            let Ok(room) = Arc::clone(&self.room).acquire_many_owned(size).await else { return };
            if self.sender.send((text, room)).is_err() {
                return;
            }
        }
    }
}

/// Results as lines of JSON.
fn written(lines: Vec<BatchLine>) -> Option<Bytes> {
    let mut text = Vec::with_capacity(lines.len() * 64);
    for line in lines {
        if let Err(error) = serde_json::to_writer(&mut text, &result(line)) {
            tracing::error!(%error, "a batch result cannot be written");
            return None;
        }
        text.push(b'\n');
    }
    Some(text.into())
}

fn result(BatchLine { line, result }: BatchLine) -> BatchResult {
    match result {
        Ok(stored) => BatchResult { line, id: Some(stored.id), created: Some(stored.created), error: None },
        Err(error) => BatchResult { line, id: None, created: None, error: Some(told(&error.into())) },
    }
}

fn told(failure: &Failure) -> BatchError {
    if failure.category() == Category::Internal {
        tracing::error!(?failure, "a line of a batch failed");
    }
    let (category, detail) = (failure.category().name().to_owned(), failure.detail().to_owned());
    BatchError { category, detail, errors: failure.faults() }
}

#[cfg(test)]
mod tests {
    use holotype_app::datapoints::{DatapointError, Stored};

    use super::*;

    fn stored(line: u64) -> BatchLine {
        let stored = Stored { id: "x".repeat(1000), document: "{}".into(), created: true };
        BatchLine { line, result: Ok(stored) }
    }

    #[tokio::test]
    async fn results_wait_for_a_reader_only_when_there_are_many() {
        let (sender, mut receiver) = unbounded_channel();
        let results = Results { sender, room: Arc::new(Semaphore::new(UNREAD)) };
        let lines = futures::stream::iter((1..=40_000).map(stored));
        let telling = tokio::spawn(results.tell_all(lines));
        let mut told = 0;
        while let Some((chunk, _room)) = receiver.recv().await {
            told += chunk.iter().filter(|byte| **byte == b'\n').count();
        }
        assert_eq!(told, 40_000);
        telling.await.unwrap();
    }

    #[test]
    fn a_result_says_what_is_stored_or_why_not() {
        let text =
            written(vec![stored(1), BatchLine { line: 3, result: Err(DatapointError::Clash { id: "d".to_owned() }) }]);
        let text = String::from_utf8(text.unwrap().to_vec()).unwrap();
        let lines: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!((&lines[0]["created"], lines[0].get("error")), (&true.into(), None));
        assert_eq!((&lines[1]["line"], &lines[1]["error"]["category"]), (&3.into(), &"conflict".into()));
    }
}
