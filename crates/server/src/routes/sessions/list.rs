//! `/api/datasessions/`

use axum::Json;
use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use holotype_app::archives::frames;
use holotype_app::sessions::{Faults, SessionError, SessionFilter, SessionRequest};
use serde_json::Value;

use super::answer;
use super::asker::{Asker, Body};
use super::refusal::Refusal;
use crate::routes::frames::Parameters;
use crate::state::ServerState;

/// List the caller's sessions with their operations, the last changed first.
#[utoipa::path(get, path = "/api/datasessions/", tag = "datalab",
    params(
        ("created_after" = Option<String>, Query, description = "Made then or later"),
        ("created_before" = Option<String>, Query, description = "Made then or earlier"),
        ("modified_after" = Option<String>, Query, description = "Changed then or later"),
        ("modified_before" = Option<String>, Query, description = "Changed then or earlier"),
        ("name" = Option<String>, Query, description = "This text is in the name"),
        ("name_exact" = Option<String>, Query, description = "Of this name"),
        ("user" = Option<String>, Query, description = "This text is in the owner's name; also `user_exact`"),
        ("limit" = Option<u64>, Query, description = "Most sessions in the page: 100 if not given, at most 1000"),
        ("offset" = Option<u64>, Query, description = "Sessions before the page"),
    ),
    responses((status = 200, description = "A page of sessions", body = Value), (status = 400, description = "A parameter is wrong", body = Value)),
)]
pub(crate) async fn list(
    State(state): State<ServerState>,
    Asker { caller, links }: Asker,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Refusal> {
    let asked = Parameters::of(query.as_deref());
    let filter = filter(&asked)?;
    let page = state.app().sessions().sessions(&caller, filter, asked.limit(), asked.offset()).await?;
    let results = page.sessions.iter().map(|session| answer::session(&state, &links, session)).collect();
    Ok(Json(answer::page(&links, "/api/datasessions/", &asked, page.count, results)))
}

fn filter(asked: &Parameters) -> Result<SessionFilter, SessionError> {
    let mut faults = Faults::default();
    let mut instant = |name| {
        let text = asked.last(name)?;
        let instant = frames::instant(text);
        if instant.is_none() {
            faults.add(name, "Enter a valid date/time.");
        }
        instant
    };
    let text = |name| asked.last(name).map(str::to_owned);
    let filter = SessionFilter {
        created_after: instant("created_after"),
        created_before: instant("created_before"),
        modified_after: instant("modified_after"),
        modified_before: instant("modified_before"),
        name: text("name"),
        name_exact: text("name_exact"),
        owner: text("user").or_else(|| text("user_exact")),
    };
    faults.none_or(filter)
}

/// Make a session: `{name, input_data?}`.
#[utoipa::path(post, path = "/api/datasessions/", tag = "datalab", request_body = Value,
    responses((status = 201, description = "The session", body = Value), (status = 400, description = "A field is wrong", body = Value)),
)]
pub(crate) async fn create(
    State(state): State<ServerState>,
    Asker { caller, links }: Asker,
    Body(body): Body,
) -> Result<(StatusCode, Json<Value>), Refusal> {
    let request = SessionRequest::read(&body)?;
    let session = state.app().sessions().create(&caller, caller.project, request).await?;
    Ok((StatusCode::CREATED, Json(answer::session(&state, &links, &session))))
}
