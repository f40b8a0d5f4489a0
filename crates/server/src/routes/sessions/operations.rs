//! `/api/datasessions/{session}/operations/..`

use axum::Json;
use axum::extract::{Path, RawQuery, State};
use axum::http::StatusCode;
use holotype_app::sessions::{OperationId, OperationRecord, SessionId};
use holotype_core::Caller;
use serde_json::{Value, json};

use super::answer;
use super::asker::{Asker, Body, operation_id, session_id};
use super::refusal::Refusal;
use crate::routes::frames::Parameters;
use crate::state::ServerState;

/// Most operations that are deleted at once.
const MOST: usize = 10_000;

/// List the operations of a session, the first first.
#[utoipa::path(get, path = "/api/datasessions/{session}/operations/", tag = "datalab",
    params(
        ("session" = i64, Path, description = "The session's number"),
        ("limit" = Option<u64>, Query, description = "Most operations in the page: 100 if not given, at most 1000"),
        ("offset" = Option<u64>, Query, description = "Operations before the page"),
    ),
    responses((status = 200, description = "A page of operations", body = Value), (status = 404, description = "There is no such session, or it is not the caller's", body = Value)),
)]
pub(crate) async fn list(
    State(state): State<ServerState>,
    Asker { caller, links }: Asker,
    Path(session): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Refusal> {
    let (id, asked) = (session_id(&session)?, Parameters::of(query.as_deref()));
    let page = state.app().sessions().operations(&caller, id, asked.limit(), asked.offset()).await?;
    let results = page.operations.iter().map(|one| answer::operation(&state, &links, one)).collect();
    let path = format!("/api/datasessions/{id}/operations/");
    Ok(Json(answer::page(&links, &path, &asked, page.count, results)))
}

/// Ask for an operation: `{name, input_data}`, as `/api/available_operations/` describes it. It begins at once, unless the same work is done or
/// under way: then its result is this one's too.
#[utoipa::path(post, path = "/api/datasessions/{session}/operations/", tag = "datalab", request_body = Value,
    params(("session" = i64, Path, description = "The session's number")),
    responses(
        (status = 201, description = "The operation", body = Value),
        (status = 400, description = "A field is wrong, or names a file that the caller cannot have", body = Value),
        (status = 404, description = "There is no such session, or it is not the caller's", body = Value),
    ),
)]
pub(crate) async fn create(
    State(state): State<ServerState>,
    Asker { caller, links }: Asker,
    Path(session): Path<String>,
    Body(body): Body,
) -> Result<(StatusCode, Json<Value>), Refusal> {
    let operation = state.app().sessions().operate(&caller, session_id(&session)?, &body).await?;
    Ok((StatusCode::CREATED, Json(answer::operation(&state, &links, &operation))))
}

/// Look at an operation: how far it is, and what it has made.
#[utoipa::path(get, path = "/api/datasessions/{session}/operations/{operation}/", tag = "datalab",
    params(("session" = i64, Path, description = "The session's number"), ("operation" = i64, Path, description = "The operation's number")),
    responses((status = 200, description = "The operation", body = Value), (status = 404, description = "There is none, or it is not the caller's", body = Value)),
)]
pub(crate) async fn show(
    State(state): State<ServerState>,
    Asker { caller, links }: Asker,
    Path((session, operation)): Path<(String, String)>,
) -> Result<Json<Value>, Refusal> {
    let found = find(&state, &caller, session_id(&session)?, operation_id(&operation)?).await?;
    Ok(Json(answer::operation(&state, &links, &found)))
}

async fn find(
    state: &ServerState,
    caller: &Caller,
    session: SessionId,
    operation: OperationId,
) -> Result<OperationRecord, Refusal> {
    let found = state.app().sessions().operation_record(caller, operation).await?;
    if found.session == session { Ok(found) } else { Err(Refusal::absent("DataOperation")) }
}

/// Ask for something else under the same number: `{name, input_data}`.
#[utoipa::path(put, path = "/api/datasessions/{session}/operations/{operation}/", tag = "datalab", request_body = Value,
    params(("session" = i64, Path, description = "The session's number"), ("operation" = i64, Path, description = "The operation's number")),
    responses((status = 200, description = "The operation", body = Value), (status = 404, description = "There is none, or it is not the caller's", body = Value)),
)]
pub(crate) async fn put(
    state: State<ServerState>,
    asker: Asker,
    path: Path<(String, String)>,
    body: Body,
) -> Result<Json<Value>, Refusal> {
    change(state, asker, path, body, true).await
}

/// The same; what is left out stays.
#[utoipa::path(patch, path = "/api/datasessions/{session}/operations/{operation}/", tag = "datalab", request_body = Value,
    params(("session" = i64, Path, description = "The session's number"), ("operation" = i64, Path, description = "The operation's number")),
    responses((status = 200, description = "The operation", body = Value), (status = 404, description = "There is none, or it is not the caller's", body = Value)),
)]
pub(crate) async fn patch(
    state: State<ServerState>,
    asker: Asker,
    path: Path<(String, String)>,
    body: Body,
) -> Result<Json<Value>, Refusal> {
    change(state, asker, path, body, false).await
}

async fn change(
    State(state): State<ServerState>,
    Asker { caller, links }: Asker,
    Path((session, operation)): Path<(String, String)>,
    Body(body): Body,
    whole: bool,
) -> Result<Json<Value>, Refusal> {
    let (session, operation) = (session_id(&session)?, operation_id(&operation)?);
    let changed = state.app().sessions().change_operation(&caller, session, operation, &body, whole).await?;
    Ok(Json(answer::operation(&state, &links, &changed)))
}

/// Delete an operation. If nobody else waits for the same work, it is stopped; a result stays.
#[utoipa::path(delete, path = "/api/datasessions/{session}/operations/{operation}/", tag = "datalab",
    params(("session" = i64, Path, description = "The session's number"), ("operation" = i64, Path, description = "The operation's number")),
    responses((status = 204, description = "It is gone"), (status = 404, description = "There is none, or it is not the caller's", body = Value)),
)]
pub(crate) async fn delete(
    State(state): State<ServerState>,
    Asker { caller, .. }: Asker,
    Path((session, operation)): Path<(String, String)>,
) -> Result<StatusCode, Refusal> {
    let (session, operation) = (session_id(&session)?, operation_id(&operation)?);
    match state.app().sessions().delete_operations(&caller, session, vec![operation]).await? {
        0 => Err(Refusal::absent("DataOperation")),
        _ => Ok(StatusCode::NO_CONTENT),
    }
}

/// Delete operations of a session by their numbers: `{"ids": [1, 2]}`. Numbers of others count for nothing.
#[utoipa::path(post, path = "/api/datasessions/{session}/operations/bulk_delete/", tag = "datalab", request_body = Value,
    params(("session" = i64, Path, description = "The session's number")),
    responses((status = 200, description = "How many there were: `{\"deleted\": 2}`", body = Value), (status = 404, description = "There is no such session, or it is not the caller's", body = Value)),
)]
pub(crate) async fn bulk_delete(
    State(state): State<ServerState>,
    Asker { caller, .. }: Asker,
    Path(session): Path<String>,
    Body(body): Body,
) -> Result<Json<Value>, Refusal> {
    let session = session_id(&session)?;
    let ids = body.get("ids").map(|ids| {
        let ids = ids.as_array().filter(|ids| ids.len() <= MOST)?;
        ids.iter().map(|id| id.as_i64().map(OperationId)).collect::<Option<Vec<_>>>()
    });
    let problem = match ids {
        Some(Some(ids)) => {
            let deleted = state.app().sessions().delete_operations(&caller, session, ids).await?;
            return Ok(Json(json!({ "deleted": deleted })));
        }
        Some(None) => "Expected a list of whole numbers.",
        None => "This field is required.",
    };
    // What is not the caller's is not there, whatever is wrong with the body.
    state.app().sessions().session(&caller, session).await?;
    Err(Refusal::field("ids", problem))
}
