//! Sessions and operations for the command line: the same as under `/api/datasessions/`, in our own shapes.

use std::cell::RefCell;

use axum::Json;
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use holotype_api::Page;
use holotype_api::session::{NewOperation, NewSession, Operation, Session, SessionDetail, SessionUpdate};
use holotype_app::sessions::{
    self, FileName, OperationId, OperationRecord, SessionChange, SessionError, SessionFilter, SessionId,
    SessionRequest, output,
};
use serde_json::{Map, Value, json};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::auth::Authenticated;
use crate::download;
use crate::extract::{Params, Segments, page_limit, read_json};
use crate::problem::Failure;
use crate::project::{InProject, PageOf, project_or_own};
use crate::routes::frames::Links;
use crate::routes::sessions::output_link;
use crate::state::ServerState;

pub(crate) fn routes() -> OpenApiRouter<ServerState> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(show, update, delete))
        .routes(routes!(ask))
        .routes(routes!(operations))
        .routes(routes!(operation, delete_operation))
        .routes(routes!(cancel))
        .routes(routes!(forms))
        .routes(routes!(file))
}

/// List the caller's sessions, the last changed first.
#[utoipa::path(get, path = "/sessions", tag = "sessions", params(PageOf), responses(
    (status = 200, description = "A page of sessions", body = Page<Session>),
))]
async fn list(
    State(state): State<ServerState>,
    Authenticated(caller): Authenticated,
    Params(page): Params<PageOf>,
) -> Result<Json<Page<Session>>, Failure> {
    let limit = u64::from(page_limit(page.limit)?);
    // Sessions come up when they are changed, so a place in the list is a number.
    let offset = page.after.as_deref().map(str::parse).transpose().map_err(|_| wrong_cursor())?.unwrap_or(0);
    let found = state.app().sessions().sessions(&caller, SessionFilter::default(), limit, offset).await?;
    let next = offset.saturating_add(limit);
    let next = (next < found.count).then(|| next.to_string());
    Ok(Json(Page { items: found.sessions.iter().map(told).collect(), next }))
}

fn wrong_cursor() -> Failure {
    Failure::new(holotype_core::Category::Invalid, "after: the `next` of an earlier page is needed")
}

/// Make a session.
#[utoipa::path(post, path = "/sessions", tag = "sessions", params(InProject), request_body = NewSession, responses(
    (status = 201, description = "The session", body = SessionDetail),
))]
async fn create(
    State(state): State<ServerState>,
    Authenticated(caller): Authenticated,
    Params(place): Params<InProject>,
    request: Request,
) -> Result<(StatusCode, Json<SessionDetail>), Failure> {
    let project = project_or_own(&state, &caller, place.project.as_deref()).await?;
    let (parts, request) = taken(request);
    let new: NewSession = read_json(request, state.document_limit()).await?;
    let request = SessionRequest::read(&json!({ "name": new.name, "input_data": new.input_data }))?;
    let session = state.app().sessions().create(&caller, project, request).await?;
    Ok((StatusCode::CREATED, Json(detail(&state, &parts, &session))))
}

/// Look at a session with its frames and operations.
#[utoipa::path(get, path = "/sessions/{id}", tag = "sessions", params(("id" = i64, Path, description = "The session's number")), responses(
    (status = 200, description = "The session", body = SessionDetail),
))]
async fn show(
    State(state): State<ServerState>,
    Authenticated(caller): Authenticated,
    Segments(id): Segments<i64>,
    request: Request,
) -> Result<Json<SessionDetail>, Failure> {
    let (parts, _) = taken(request);
    let session = state.app().sessions().session(&caller, SessionId(id)).await?;
    Ok(Json(detail(&state, &parts, &session)))
}

/// Name a session anew, or add frames to it.
#[utoipa::path(patch, path = "/sessions/{id}", tag = "sessions", params(("id" = i64, Path, description = "The session's number")),
    request_body = SessionUpdate,
    responses((status = 200, description = "The session", body = SessionDetail)),
)]
async fn update(
    State(state): State<ServerState>,
    Authenticated(caller): Authenticated,
    Segments(id): Segments<i64>,
    request: Request,
) -> Result<Json<SessionDetail>, Failure> {
    let (parts, request) = taken(request);
    state.app().sessions().session(&caller, SessionId(id)).await?;
    let SessionUpdate { name, input_data } = read_json(request, state.document_limit()).await?;
    let mut body = Map::new();
    body.extend(name.map(|name| ("name".to_owned(), name.into())));
    body.insert("input_data".to_owned(), input_data.into());
    let change = SessionChange::read(&body.into(), false)?;
    let session = state.app().sessions().change(&caller, SessionId(id), change).await?;
    Ok(Json(detail(&state, &parts, &session)))
}

/// Delete a session with its operations. Work that nobody else waits for is stopped; results stay.
#[utoipa::path(delete, path = "/sessions/{id}", tag = "sessions", params(("id" = i64, Path, description = "The session's number")), responses(
    (status = 204, description = "It is gone"),
))]
async fn delete(
    State(state): State<ServerState>,
    Authenticated(caller): Authenticated,
    Segments(id): Segments<i64>,
) -> Result<StatusCode, Failure> {
    state.app().sessions().delete(&caller, SessionId(id)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Ask for an operation. The same work is done once: if it is done or under way, its result is this one's too.
#[utoipa::path(post, path = "/sessions/{id}/operations", tag = "sessions", params(("id" = i64, Path, description = "The session's number")),
    request_body = NewOperation,
    responses((status = 201, description = "The operation", body = Operation)),
)]
async fn ask(
    State(state): State<ServerState>,
    Authenticated(caller): Authenticated,
    Segments(id): Segments<i64>,
    request: Request,
) -> Result<(StatusCode, Json<Operation>), Failure> {
    let (parts, request) = taken(request);
    let new: NewOperation = read_json(request, state.document_limit()).await?;
    let body = json!({ "name": new.name, "input_data": new.input_data });
    let asked = state.app().sessions().operate(&caller, SessionId(id), &body).await?;
    Ok((StatusCode::CREATED, Json(operated(&state, &parts, &asked))))
}

/// List the caller's operations of all sessions, the newest first.
#[utoipa::path(get, path = "/operations", tag = "sessions", params(PageOf), responses(
    (status = 200, description = "A page of operations", body = Page<Operation>),
))]
async fn operations(
    State(state): State<ServerState>,
    Authenticated(caller): Authenticated,
    Params(page): Params<PageOf>,
    request: Request,
) -> Result<Json<Page<Operation>>, Failure> {
    let (parts, _) = taken(request);
    let limit = u64::from(page_limit(page.limit)?);
    let before = page.after.as_deref().map(str::parse).transpose().map_err(|_| wrong_cursor())?.map(OperationId);
    let found = state.app().sessions().recent_operations(&caller, before, limit).await?;
    // A page that is not full is the last one.
    let next = found.last().filter(|_| found.len() as u64 >= limit).map(|last| last.id.to_string());
    Ok(Json(Page { items: found.iter().map(|one| operated(&state, &parts, one)).collect(), next }))
}

/// Look at an operation: how far it is, and what it has made.
#[utoipa::path(get, path = "/operations/{id}", tag = "sessions", params(("id" = i64, Path, description = "The operation's number")), responses(
    (status = 200, description = "The operation", body = Operation),
))]
async fn operation(
    State(state): State<ServerState>,
    Authenticated(caller): Authenticated,
    Segments(id): Segments<i64>,
    request: Request,
) -> Result<Json<Operation>, Failure> {
    let (parts, _) = taken(request);
    let found = state.app().sessions().operation_record(&caller, OperationId(id)).await?;
    Ok(Json(operated(&state, &parts, &found)))
}

/// Delete an operation. If nobody else waits for the same work, it is stopped; a result stays.
#[utoipa::path(delete, path = "/operations/{id}", tag = "sessions", params(("id" = i64, Path, description = "The operation's number")), responses(
    (status = 204, description = "It is gone"),
))]
async fn delete_operation(
    State(state): State<ServerState>,
    Authenticated(caller): Authenticated,
    Segments(id): Segments<i64>,
) -> Result<StatusCode, Failure> {
    let (sessions, id) = (state.app().sessions(), OperationId(id));
    let found = sessions.operation_record(&caller, id).await?;
    match sessions.delete_operations(&caller, found.session, vec![id]).await? {
        0 => Err(SessionError::NoOperation { id }.into()),
        _ => Ok(StatusCode::NO_CONTENT),
    }
}

/// Stop the work on an operation. It has failed then; to ask for the same again is to begin anew.
#[utoipa::path(post, path = "/operations/{id}/cancel", tag = "sessions", params(("id" = i64, Path, description = "The operation's number")), responses(
    (status = 200, description = "The operation", body = Operation),
    (status = 409, description = "It is over, or others wait for the same result", body = holotype_api::Problem),
))]
async fn cancel(
    State(state): State<ServerState>,
    Authenticated(caller): Authenticated,
    Segments(id): Segments<i64>,
    request: Request,
) -> Result<Json<Operation>, Failure> {
    let (parts, _) = taken(request);
    let (sessions, id) = (state.app().sessions(), OperationId(id));
    sessions.cancel(&caller, id).await?;
    Ok(Json(operated(&state, &parts, &sessions.operation_record(&caller, id).await?)))
}

/// Describe the forms of all operations, by their names.
#[utoipa::path(get, path = "/operation-forms", tag = "sessions", responses(
    (status = 200, description = "The forms", body = Value),
))]
async fn forms(State(state): State<ServerState>, _caller: Authenticated) -> Json<Value> {
    let forms = state.app().sessions().descriptions().map(|form| (form.name.to_owned(), form.to_json()));
    Json(forms.collect::<Map<_, _>>().into())
}

/// Read a file of a result that one of the caller's operations has. `Range`, `If-Range` and `If-None-Match` are honoured.
#[utoipa::path(get, path = "/outputs/{name}", tag = "sessions", params(("name" = String, Path, description = "What the file is called")), responses(
    (status = 200, description = "The whole file", body = Vec<u8>, content_type = "application/octet-stream"),
    (status = 206, description = "A part of the file", body = Vec<u8>, content_type = "application/octet-stream"),
    (status = 304, description = "The client holds it"),
))]
async fn file(
    State(state): State<ServerState>,
    Authenticated(caller): Authenticated,
    Path(name): Path<String>,
    request: Request,
) -> Result<Response, Failure> {
    let name = FileName::parse(&name).ok_or(SessionError::NoFile)?;
    let content = state.app().sessions().file(Some(&caller), &name).await?;
    download::answer(&content, request.headers()).await
}

/// The links of a request, and the request without what they are made from.
fn taken(request: Request) -> (axum::http::request::Parts, Request) {
    let (parts, body) = request.into_parts();
    (parts.clone(), Request::from_parts(parts, body))
}

fn detail(state: &ServerState, parts: &axum::http::request::Parts, session: &sessions::Session) -> SessionDetail {
    SessionDetail {
        session: told(session),
        input_data: session.input_data.as_array().cloned().unwrap_or_default(),
        operations: session.operations.iter().map(|one| operated(state, parts, one)).collect(),
    }
}

fn told(session: &sessions::Session) -> Session {
    Session {
        id: session.id.0,
        name: session.name.clone(),
        project: session.project,
        owner: session.owner,
        frames: session.input_data.as_array().map_or(0, Vec::len) as u64,
        operations: session.operations.len() as u64,
        created_at: session.created,
        modified_at: session.modified,
    }
}

fn operated(state: &ServerState, parts: &axum::http::request::Parts, found: &OperationRecord) -> Operation {
    let (links, files) = (Links::new(state, parts), RefCell::default());
    let link = |name: &FileName| {
        let files: &RefCell<Vec<String>> = &files;
        files.borrow_mut().push(name.to_string());
        output_link(state, &links, name)
    };
    let output = found.output.as_ref().map(|made| output::with_links(made, &link));
    Operation {
        id: found.id.0,
        session: found.session.0,
        name: found.name.clone(),
        status: found.status.name().to_owned(),
        progress: found.progress,
        message: found.message.clone(),
        key: found.key,
        job: found.job,
        input_data: found.input_data.clone(),
        output,
        files: files.into_inner(),
        created_at: found.created,
    }
}
