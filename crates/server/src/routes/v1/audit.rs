//! The record of who changed what about the service.

use axum::Json;
use axum::extract::State;
use holotype_api::Page;
use holotype_api::principal::AuditEvent;
use serde_json::Value;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::auth::Authenticated;
use crate::extract::{Params, page_limit};
use crate::problem::{Failure, Fault};
use crate::project::PageOf;
use crate::state::ServerState;

pub(crate) fn routes() -> OpenApiRouter<ServerState> {
    OpenApiRouter::new().routes(routes!(list))
}

/// Read the record, newest first. For administrators.
#[utoipa::path(get, path = "/audit", tag = "audit", params(PageOf), responses(
    (status = 200, description = "A page of events", body = Page<AuditEvent>),
))]
async fn list(
    State(state): State<ServerState>,
    Authenticated(caller): Authenticated,
    Params(page): Params<PageOf>,
) -> Result<Json<Page<AuditEvent>>, Failure> {
    let limit = page_limit(page.limit)? as usize;
    let before = page.after.as_deref().map(str::parse::<i64>).transpose().map_err(|_| {
        let message = "it is the `next` of the page before, unchanged";
        Failure::invalid(vec![Fault::new("value_error", &["query", "after"], message, Value::Null)])
    })?;
    // One more than asked for tells whether there is another page.
    let mut events = state.app().catalog().audit_events(&caller, before, limit + 1).await?;
    let more = events.len() > limit;
    events.truncate(limit);
    let next = events.last().filter(|_| more).map(|event| event.sequence.to_string());
    let items = events.into_iter().map(|event| AuditEvent {
        sequence: event.sequence,
        at: event.at,
        user: event.user,
        user_name: event.user_name,
        token: event.token,
        action: event.action,
        target: event.target,
        detail: event.detail,
    });
    Ok(Json(Page { items: items.collect(), next }))
}
