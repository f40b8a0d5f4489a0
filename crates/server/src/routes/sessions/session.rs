//! `/api/datasessions/{session}/`

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use holotype_app::sessions::SessionChange;
use serde_json::Value;

use super::answer;
use super::asker::{Asker, Body, session_id};
use super::refusal::Refusal;
use crate::state::ServerState;

/// Look at a session with its operations.
#[utoipa::path(get, path = "/api/datasessions/{session}/", tag = "datalab",
    params(("session" = i64, Path, description = "The session's number")),
    responses((status = 200, description = "The session", body = Value), (status = 404, description = "There is none, or it is not the caller's", body = Value)),
)]
pub(crate) async fn show(
    State(state): State<ServerState>,
    Asker { caller, links }: Asker,
    Path(session): Path<String>,
) -> Result<Json<Value>, Refusal> {
    let session = state.app().sessions().session(&caller, session_id(&session)?).await?;
    Ok(Json(answer::session(&state, &links, &session)))
}

/// Name a session anew, and add the frames of `input_data` that it does not have yet. None is ever taken away.
#[utoipa::path(put, path = "/api/datasessions/{session}/", tag = "datalab", request_body = Value,
    params(("session" = i64, Path, description = "The session's number")),
    responses((status = 200, description = "The session", body = Value), (status = 404, description = "There is none, or it is not the caller's", body = Value)),
)]
pub(crate) async fn put(
    state: State<ServerState>,
    asker: Asker,
    session: Path<String>,
    body: Body,
) -> Result<Json<Value>, Refusal> {
    change(state, asker, session, body, true).await
}

/// The same; the name may be left out.
#[utoipa::path(patch, path = "/api/datasessions/{session}/", tag = "datalab", request_body = Value,
    params(("session" = i64, Path, description = "The session's number")),
    responses((status = 200, description = "The session", body = Value), (status = 404, description = "There is none, or it is not the caller's", body = Value)),
)]
pub(crate) async fn patch(
    state: State<ServerState>,
    asker: Asker,
    session: Path<String>,
    body: Body,
) -> Result<Json<Value>, Refusal> {
    change(state, asker, session, body, false).await
}

async fn change(
    State(state): State<ServerState>,
    Asker { caller, links }: Asker,
    Path(session): Path<String>,
    Body(body): Body,
    whole: bool,
) -> Result<Json<Value>, Refusal> {
    let id = session_id(&session)?;
    let change = match SessionChange::read(&body, whole) {
        Ok(change) => change,
        // What is not the caller's is not there, whatever is wrong with the body.
        Err(error) => {
            state.app().sessions().session(&caller, id).await?;
            return Err(error.into());
        }
    };
    let session = state.app().sessions().change(&caller, id, change).await?;
    Ok(Json(answer::session(&state, &links, &session)))
}

/// Delete a session with its operations. Work that nobody else waits for is stopped; results stay.
#[utoipa::path(delete, path = "/api/datasessions/{session}/", tag = "datalab",
    params(("session" = i64, Path, description = "The session's number")),
    responses((status = 204, description = "It is gone"), (status = 404, description = "There is none, or it is not the caller's", body = Value)),
)]
pub(crate) async fn delete(
    State(state): State<ServerState>,
    Asker { caller, .. }: Asker,
    Path(session): Path<String>,
) -> Result<StatusCode, Refusal> {
    state.app().sessions().delete(&caller, session_id(&session)?).await?;
    Ok(StatusCode::NO_CONTENT)
}
