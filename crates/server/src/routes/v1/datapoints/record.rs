//! One datapoint: store it, look at it, delete it, bring it back.

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;

use crate::auth::Authenticated;
use crate::extract::{Params, Segments, json_text};
use crate::idempotency;
use crate::problem::Failure;
use crate::project::{InProject, project_or_own};
use crate::state::ServerState;
use crate::submission;

/// Store a datapoint: JSON, or a multipart form with a field `datapoint` and any number of parts `files`.
///
/// Durable when answered. The same datapoint under the same `_id`, or under the same `Idempotency-Key` when it names no
/// `_id`, is stored once.
#[utoipa::path(post, path = "/datapoints", tag = "datapoints",
    params(InProject, ("Idempotency-Key" = Option<String>, Header, description = "Makes repeating the request harmless")),
    request_body(content((serde_json::Value = "application/json"), (serde_json::Value = "multipart/form-data"))),
    responses(
        (status = 201, description = "The datapoint as it is stored", body = serde_json::Value),
        (status = 200, description = "The datapoint as it was stored before", body = serde_json::Value),
    ),
)]
pub(crate) async fn create(
    State(state): State<ServerState>,
    Authenticated(caller): Authenticated,
    Params(place): Params<InProject>,
    request: Request,
) -> Result<Response, Failure> {
    let project = project_or_own(&state, &caller, place.project.as_deref()).await?;
    let key = idempotency::key(request.headers())?;
    let mut received = submission::receive_any(&state, request).await?;
    if let Some(key) = key {
        // Keys are a client's own: two users who choose the same one mean two datapoints.
        received.submission = received.submission.with_idempotency_key(project, &format!("{} {key}", caller.user));
    }
    let stored = state.app().datapoints().submit(&caller, project, received.submission, received.files).await?;
    let status = if stored.created { StatusCode::CREATED } else { StatusCode::OK };
    Ok(json_text(status, stored.document.to_string()))
}

/// Look at one datapoint.
#[utoipa::path(get, path = "/datapoints/{id}", tag = "datapoints",
    params(("id" = String, Path, description = "The datapoint's id"), InProject),
    responses((status = 200, description = "The datapoint", body = serde_json::Value)),
)]
pub(crate) async fn get(
    State(state): State<ServerState>,
    Authenticated(caller): Authenticated,
    Segments(id): Segments<String>,
    Params(place): Params<InProject>,
) -> Result<Response, Failure> {
    let project = project_or_own(&state, &caller, place.project.as_deref()).await?;
    let document = state.app().datapoints().get(&caller, project, &id).await?;
    Ok(json_text(StatusCode::OK, document.to_string()))
}

/// Take a datapoint out of sight. It can be restored until a sweep removes it.
#[utoipa::path(delete, path = "/datapoints/{id}", tag = "datapoints",
    params(("id" = String, Path, description = "The datapoint's id"), InProject),
    responses((status = 204, description = "The datapoint is deleted")),
)]
pub(crate) async fn delete(
    State(state): State<ServerState>,
    Authenticated(caller): Authenticated,
    Segments(id): Segments<String>,
    Params(place): Params<InProject>,
) -> Result<StatusCode, Failure> {
    let project = project_or_own(&state, &caller, place.project.as_deref()).await?;
    state.app().datapoints().delete(&caller, project, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Bring a deleted datapoint back.
#[utoipa::path(post, path = "/datapoints/{id}/restore", tag = "datapoints",
    params(("id" = String, Path, description = "The datapoint's id"), InProject),
    responses((status = 200, description = "The datapoint", body = serde_json::Value)),
)]
pub(crate) async fn restore(
    State(state): State<ServerState>,
    Authenticated(caller): Authenticated,
    Segments(id): Segments<String>,
    Params(place): Params<InProject>,
) -> Result<Response, Failure> {
    let project = project_or_own(&state, &caller, place.project.as_deref()).await?;
    let datapoints = state.app().datapoints();
    datapoints.restore(&caller, project, &id).await?;
    let document = datapoints.get(&caller, project, &id).await?;
    Ok(json_text(StatusCode::OK, document.to_string()))
}
