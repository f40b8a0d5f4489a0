//! Datapoints as they arrive, and all of them at once.

use std::error::Error as _;

use axum::body::Body;
use axum::extract::State;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderName};
use axum::response::sse::Event;
use axum::response::{IntoResponse, Response};
use futures::{StreamExt, TryStreamExt};
use holotype_app::datapoints::Selection;
use holotype_app::datapoints::export::Format;
use serde::Deserialize;
use serde_json::Value;
use utoipa::IntoParams;

use crate::auth::Authenticated;
use crate::events;
use crate::extract::{Params, parse};
use crate::problem::Failure;
use crate::project::project_or_own;
use crate::state::ServerState;

/// By which a browser says where its stream broke off.
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// Which datapoints to follow.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Follow {
    /// Only datapoints that this filter lets pass: JSON, in the query language of the guide.
    filter: Option<String>,
    /// Begin after the datapoint of this event id instead of now; `Last-Event-ID` does the same.
    after: Option<i64>,
    /// The project, by id or name; the caller's own if not given.
    project: Option<String>,
}

/// Follow the datapoints of a project as they arrive: events `datapoint`.
#[utoipa::path(get, path = "/datapoints/tail", tag = "datapoints", params(Follow), responses(
    (status = 200, description = "Server-sent events until the client goes", content_type = "text/event-stream", body = String),
))]
pub(crate) async fn tail(
    State(state): State<ServerState>,
    Authenticated(caller): Authenticated,
    Params(follow): Params<Follow>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let project = project_or_own(&state, &caller, follow.project.as_deref()).await?;
    let selection = selection(&state, follow.filter.as_deref())?;
    let broken_off = headers.get(LAST_EVENT_ID).and_then(|value| value.to_str().ok()?.parse().ok());
    let after = broken_off.or(follow.after);
    let arrivals = state.app().datapoints().tail(&caller, project, selection, after).await?;
    let events = arrivals.map(|arrival| {
        let arrival = arrival?;
        // A document is one line: JSON text keeps line breaks as escapes.
        Ok(Event::default().event("datapoint").id(arrival.sequence.to_string()).data(&*arrival.document))
    });
    Ok(events::answer(events, state.shutdown()))
}

/// What to export, and in what form.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Export {
    /// `ndjson`, `csv` or `parquet`; `ndjson` if not given.
    format: Option<String>,
    /// Only datapoints that this filter lets pass: JSON, in the query language of the guide.
    filter: Option<String>,
    /// The project, by id or name; the caller's own if not given.
    project: Option<String>,
}

/// Export datapoints in the order in which they were stored. An export that breaks off is not whole.
#[utoipa::path(get, path = "/datapoints/export", tag = "datapoints", params(Export), responses(
    (status = 200, description = "The datapoints in the form asked for", body = Vec<u8>, content_type = "application/octet-stream"),
))]
pub(crate) async fn export(
    State(state): State<ServerState>,
    Authenticated(caller): Authenticated,
    Params(export): Params<Export>,
) -> Result<Response, Failure> {
    let project = project_or_own(&state, &caller, export.project.as_deref()).await?;
    let selection = selection(&state, export.filter.as_deref())?;
    let format: Format = export.format.as_deref().unwrap_or("ndjson").parse()?;
    let portions = state.app().datapoints().export(&caller, project, selection, format).await?;
    let portions = portions.inspect_err(|error| {
        // The status is already sent: breaking the connection off is all that tells the client.
        tracing::error!(%error, cause = error.source().map(tracing::field::display), "an export broke off");
    });
    let name = format!("attachment; filename=\"datapoints.{}\"", format.name());
    let headers = [(CONTENT_TYPE, format.media_type().to_owned()), (CONTENT_DISPOSITION, name)];
    Ok((headers, Body::from_stream(portions)).into_response())
}

fn selection(state: &ServerState, filter: Option<&str>) -> Result<Selection, Failure> {
    let filter = match filter {
        Some(text) => parse(text.as_bytes(), state.document_limit(), &["query", "filter"])?,
        None => Value::Null,
    };
    Ok(Selection::parse(&filter)?)
}
