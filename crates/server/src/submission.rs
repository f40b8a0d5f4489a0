//! Receiving a datapoint: its JSON and its files, in whatever form and order they come.
//!
//! Files go into the store as they arrive, so memory stays flat. What was put there for a datapoint that turns out wrong is
//! named by nothing, and swept.

use axum::extract::Request;
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use bytes::Bytes;
use futures::StreamExt;
use holotype_app::datapoints::{NewFile, Submission};

use crate::extract::{broken_body, is_json, read_bytes};
use crate::form::Field;
use crate::multipart::{Part, Parts};
use crate::problem::{Failure, Fault};
use crate::state::ServerState;

/// The form's field that holds the datapoint.
const DATAPOINT: &str = "datapoint";
/// The form's field that holds files.
const FILES: &str = "files";
/// Most files of one datapoint.
const MOST_FILES: usize = 1_000;
/// Largest datapoint that is read on the runtime's own threads; larger ones would hold other requests up.
const READ_AT_ONCE: usize = 64 * 1024;

/// A datapoint that was received, with its files already in the store.
#[derive(Debug)]
pub(crate) struct Received {
    pub(crate) submission: Submission,
    pub(crate) files: Vec<NewFile>,
}

/// Receives the contract's two forms: urlencoded without files, multipart with or without them.
pub(crate) async fn receive_form(state: &ServerState, request: Request) -> Result<Received, Failure> {
    match essence(request.headers()).as_str() {
        "application/x-www-form-urlencoded" => receive_urlencoded(state, request).await,
        // In a box: most requests need no room for files.
        "multipart/form-data" => Box::pin(receive_multipart(state, request)).await,
        _ => Err(missing()),
    }
}

/// Receives a datapoint as a JSON body, or with files as a multipart form.
pub(crate) async fn receive_any(state: &ServerState, request: Request) -> Result<Received, Failure> {
    if is_json(request.headers()) {
        let text = read_bytes(request, state.document_limit()).await?;
        return Ok(Received { submission: read(state, text).await?, files: Vec::new() });
    }
    receive_form(state, request).await
}

/// Reads the JSON text of a datapoint.
async fn read(state: &ServerState, text: Bytes) -> Result<Submission, Failure> {
    let datapoints = state.app().datapoints().clone();
    let length = text.len();
    let read = move || {
        let settings = datapoints.settings();
        Submission::parse(&text, &settings.limits.json, &settings.time_zone)
    };
    let read = match length {
        ..=READ_AT_ONCE => read(),
        _ => tokio::task::spawn_blocking(read).await.map_err(Failure::internal)?,
    };
    read.map_err(|errors| Failure::invalid(errors.into_iter().map(Fault::from).collect()))
}

async fn receive_urlencoded(state: &ServerState, request: Request) -> Result<Received, Failure> {
    let limit = state.document_limit();
    let too_large = |_| Failure::too_large("The datapoint", limit);
    let mut field = Field::new(DATAPOINT, limit);
    let mut frames = request.into_body().into_data_stream();
    while let Some(frame) = frames.next().await {
        field.push(&frame.map_err(|error| broken_body(&error))?).map_err(too_large)?;
    }
    let text = field.finish().map_err(too_large)?.ok_or_else(missing)?;
    Ok(Received { submission: read(state, text.into()).await?, files: Vec::new() })
}

async fn receive_multipart(state: &ServerState, request: Request) -> Result<Received, Failure> {
    let mut parts = Parts::of(request, state.options().config.upload_limit).await?;
    let mut form = Form { state, submission: None, files: Vec::new() };
    while let Some(part) = parts.next().await? {
        form.take(part).await?;
    }
    let submission = form.submission.ok_or_else(missing)?;
    Ok(Received { submission, files: form.files })
}

/// What has been received of a multipart form.
struct Form<'s> {
    state: &'s ServerState,
    submission: Option<Submission>,
    files: Vec<NewFile>,
}

impl Form<'_> {
    async fn take(&mut self, part: Part<'_>) -> Result<(), Failure> {
        match part.name() {
            DATAPOINT => {
                let text = part.bytes("The datapoint", self.state.document_limit()).await?;
                self.submission = Some(read(self.state, text.into()).await?);
            }
            FILES if self.files.len() >= MOST_FILES => {
                let message = format!("A datapoint has at most {MOST_FILES} files");
                return Err(Failure::invalid(vec![Fault::new(
                    "too_long",
                    &["body", FILES],
                    message,
                    serde_json::Value::Null,
                )]));
            }
            FILES => self.files.push(self.keep(part).await?),
            _ => {}
        }
        Ok(())
    }

    /// Streams a file into the store.
    async fn keep(&self, mut part: Part<'_>) -> Result<NewFile, Failure> {
        let name = part.file_name().unwrap_or_default().to_owned();
        let mut upload = self.state.app().blobs().begin();
        while let Some(piece) = part.piece().await? {
            upload.write(&piece).await?;
        }
        Ok(NewFile { name, held: upload.finish().await? })
    }
}

fn essence(headers: &HeaderMap) -> String {
    let media_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

fn missing() -> Failure {
    Failure::invalid(vec![Fault::missing(&["body", DATAPOINT])])
}
