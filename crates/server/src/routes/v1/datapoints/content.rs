//! What a datapoint holds: its value, its files, their bytes.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use holotype_api::Page;
use holotype_api::datapoint::DatapointFile;
use holotype_app::datapoints::{File, Value};

use crate::auth::Authenticated;
use crate::download;
use crate::extract::{Params, Segments, json_text};
use crate::problem::Failure;
use crate::project::{InProject, project_or_own};
use crate::state::ServerState;

/// Read a value: JSON for a value, bytes for a file. `Range`, `If-Range` and `If-None-Match` are honoured for bytes.
#[utoipa::path(get, path = "/datapoints/{id}/value", tag = "datapoints",
    params(("id" = String, Path, description = "The datapoint's id"), InProject),
    responses(
        (status = 200, description = "The value, or the whole file", body = Vec<u8>, content_type = "application/octet-stream"),
        (status = 206, description = "A part of the file", body = Vec<u8>, content_type = "application/octet-stream"),
        (status = 304, description = "The client holds it"),
    ),
)]
pub(crate) async fn value(
    State(state): State<ServerState>,
    Authenticated(caller): Authenticated,
    Segments(id): Segments<String>,
    Params(place): Params<InProject>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let project = project_or_own(&state, &caller, place.project.as_deref()).await?;
    match state.app().datapoints().value(&caller, project, &id).await? {
        Value::Json(text) => Ok(json_text(StatusCode::OK, String::from(Box::<str>::from(text)))),
        Value::Bytes(content) => download::answer(&content, &headers).await,
    }
}

/// List the files of a datapoint, in the order in which they were sent.
#[utoipa::path(get, path = "/datapoints/{id}/files", tag = "datapoints",
    params(("id" = String, Path, description = "The datapoint's id"), InProject),
    responses((status = 200, description = "All files; there is one page", body = Page<DatapointFile>)),
)]
pub(crate) async fn files(
    State(state): State<ServerState>,
    Authenticated(caller): Authenticated,
    Segments(id): Segments<String>,
    Params(place): Params<InProject>,
) -> Result<Json<Page<DatapointFile>>, Failure> {
    let project = project_or_own(&state, &caller, place.project.as_deref()).await?;
    let files = state.app().datapoints().files(&caller, project, &id).await?;
    Ok(Json(Page { items: files.into_iter().map(file_facts).collect(), next: None }))
}

/// Read one file. `Range`, `If-Range` and `If-None-Match` are honoured.
#[utoipa::path(get, path = "/datapoints/{id}/files/{position}", tag = "datapoints",
    params(
        ("id" = String, Path, description = "The datapoint's id"),
        ("position" = u32, Path, description = "The file's place among the datapoint's files, from 0"),
        InProject,
    ),
    responses(
        (status = 200, description = "The whole file", body = Vec<u8>, content_type = "application/octet-stream"),
        (status = 206, description = "A part of the file", body = Vec<u8>, content_type = "application/octet-stream"),
        (status = 304, description = "The client holds it"),
    ),
)]
pub(crate) async fn file(
    State(state): State<ServerState>,
    Authenticated(caller): Authenticated,
    Segments((id, position)): Segments<(String, u32)>,
    Params(place): Params<InProject>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let project = project_or_own(&state, &caller, place.project.as_deref()).await?;
    let content = state.app().datapoints().file(&caller, project, &id, position).await?;
    download::answer(&content, &headers).await
}

fn file_facts(file: File) -> DatapointFile {
    DatapointFile {
        position: file.position,
        name: file.name,
        digest: file.digest,
        size: file.size,
        media_type: file.media_type,
        modified_at: file.modified_at,
    }
}
