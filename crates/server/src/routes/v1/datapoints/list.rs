//! Lists of datapoints: by simple parameters, by a filter, and how many there are.

use axum::Json;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use holotype_api::Page;
use holotype_api::datapoint::{Count, CountRequest, QueryRequest};
use holotype_app::datapoints::{Page as Found, PageRequest, Selection, Timestamp};
use holotype_core::{Caller, Instant, ProjectId};
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::IntoParams;

use crate::auth::Authenticated;
use crate::extract::{Params, json_text, page_limit, parse, read_json};
use crate::problem::{Failure, Fault};
use crate::project::{InProject, project_or_own};
use crate::state::ServerState;

/// Which datapoints to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Which {
    /// Only datapoints with this label.
    label: Option<String>,
    /// Only datapoints of this type: `json`, `file` or `object_storage`.
    #[serde(rename = "type")]
    #[param(rename = "type")]
    data_type: Option<String>,
    /// Only datapoints of this time or a later one.
    since: Option<String>,
    /// Only datapoints of an earlier time.
    until: Option<String>,
    /// Only datapoints that this filter lets pass: JSON, in the query language of the guide.
    filter: Option<String>,
    /// Dotted paths to answer instead of whole datapoints, separated by commas.
    fields: Option<String>,
    /// `data_timestamp`, `sequence` or `label`, with a leading `-` for descending; `-data_timestamp` if not given.
    sort: Option<String>,
    /// Most items in the page: 1 to 1000, 100 if not given.
    limit: Option<u32>,
    /// The `next` of the page before.
    after: Option<String>,
    /// Deleted datapoints, and those alone.
    #[serde(default)]
    deleted: bool,
    /// The project, by id or name; the caller's own if not given.
    project: Option<String>,
}

/// List datapoints, the newest first.
#[utoipa::path(get, path = "/datapoints", tag = "datapoints", params(Which), responses(
    (status = 200, description = "A page of datapoints, each as it was submitted and normalised", body = Page<Value>),
))]
pub(crate) async fn list(
    State(state): State<ServerState>,
    Authenticated(caller): Authenticated,
    Params(which): Params<Which>,
) -> Result<Response, Failure> {
    let project = project_or_own(&state, &caller, which.project.as_deref()).await?;
    let request = PageRequest {
        since: instant(&state, "since", which.since.as_deref())?,
        until: instant(&state, "until", which.until.as_deref())?,
        selection: which.selection(state.document_limit())?,
        order: which.sort.as_deref().map(str::parse).transpose()?.unwrap_or_default(),
        after: which.after,
        limit: Some(page_limit(which.limit)?),
        fields: which.fields.map(|fields| fields.split(',').map(str::to_owned).collect()),
        deleted: which.deleted,
    };
    page(&state, &caller, project, request).await
}

impl Which {
    fn selection(&self, limit: usize) -> Result<Selection, Failure> {
        let mut all = Vec::new();
        all.extend(self.label.as_ref().map(|label| json!({ "label": label })));
        all.extend(self.data_type.as_ref().map(|data_type| json!({ "data_type": data_type })));
        if let Some(filter) = &self.filter {
            all.push(parse(filter.as_bytes(), limit, &["query", "filter"])?);
        }
        let filter = match all.len() {
            0 => Value::Null,
            1 => all.remove(0),
            _ => json!({ "$and": all }),
        };
        Ok(Selection::parse(&filter)?)
    }
}

/// A time as clients write it: with an offset, or in the laboratory's own zone, or a date.
fn instant(state: &ServerState, parameter: &str, text: Option<&str>) -> Result<Option<Instant>, Failure> {
    let Some(text) = text else { return Ok(None) };
    let read = Timestamp::parse(&Value::from(text), &state.app().datapoints().settings().time_zone);
    read.ok().and_then(|timestamp| timestamp.instant).map(Some).ok_or_else(|| {
        let message = "a time is needed, for example 2026-01-31T12:00:00Z";
        Failure::invalid(vec![Fault::new("datetime_parsing", &["query", parameter], message, text.into())])
    })
}

/// Find datapoints by a filter.
#[utoipa::path(post, path = "/datapoints/query", tag = "datapoints", params(InProject), request_body = QueryRequest, responses(
    (status = 200, description = "A page of datapoints", body = Page<Value>),
))]
pub(crate) async fn query(
    State(state): State<ServerState>,
    Authenticated(caller): Authenticated,
    Params(place): Params<InProject>,
    request: Request,
) -> Result<Response, Failure> {
    let project = project_or_own(&state, &caller, place.project.as_deref()).await?;
    let query: QueryRequest = read_json(request, state.document_limit()).await?;
    let request = PageRequest {
        since: None,
        until: None,
        selection: Selection::parse(&query.filter)?,
        order: query.sort.as_deref().map(str::parse).transpose()?.unwrap_or_default(),
        after: query.after,
        limit: Some(page_limit(query.limit)?),
        fields: query.fields,
        deleted: query.deleted,
    };
    page(&state, &caller, project, request).await
}

/// Count the datapoints that a filter lets pass.
#[utoipa::path(post, path = "/datapoints/count", tag = "datapoints", params(InProject), request_body = CountRequest, responses(
    (status = 200, description = "How many there are", body = Count),
))]
pub(crate) async fn count(
    State(state): State<ServerState>,
    Authenticated(caller): Authenticated,
    Params(place): Params<InProject>,
    request: Request,
) -> Result<Json<Count>, Failure> {
    let project = project_or_own(&state, &caller, place.project.as_deref()).await?;
    let asked: CountRequest = read_json(request, state.document_limit()).await?;
    let count = state.app().datapoints().count(&caller, project, Selection::parse(&asked.filter)?).await?;
    Ok(Json(Count { count }))
}

async fn page(
    state: &ServerState,
    caller: &Caller,
    project: ProjectId,
    request: PageRequest,
) -> Result<Response, Failure> {
    let found = state.app().datapoints().page(caller, project, request).await?;
    Ok(json_text(StatusCode::OK, written(&found)))
}

/// A page as JSON. The documents are JSON already, and go in as they are.
fn written(page: &Found) -> String {
    let size: usize = page.items.iter().map(|item| item.len() + 1).sum();
    let mut text = String::with_capacity(size + 256);
    text.push_str("{\"items\":[");
    for (index, item) in page.items.iter().enumerate() {
        if index > 0 {
            text.push(',');
        }
        text.push_str(item);
    }
    text.push_str("],\"next\":");
    text.push_str(&json!(page.next).to_string());
    text.push('}');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_keeps_every_digit_of_its_documents() {
        let page = Found { items: vec!["{\"v\":1.10}".into(), "{\"v\":1e5}".into()], next: Some("x\"".to_owned()) };
        assert_eq!(written(&page), r#"{"items":[{"v":1.10},{"v":1e5}],"next":"x\""}"#);
        assert_eq!(written(&Found { items: Vec::new(), next: None }), r#"{"items":[],"next":null}"#);
    }
}
