//! How handlers take requests apart: JSON bodies, queries and paths, each with a failure that says what is wrong.

use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use bytes::{Bytes, BytesMut};
use futures::StreamExt;
use holotype_api::page::{DEFAULT_LIMIT, MAXIMUM_LIMIT};
use holotype_core::Category;
use holotype_core::json::{self, JsonError, Limits, Problem};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::idempotency::SMALL_BODY;
use crate::problem::{Failure, Fault};
use crate::python_json;
use crate::state::{JSON, ServerState};

/// Longest text that is walked again to tell of a fault in it.
const WALKED: usize = 1024 * 1024;

/// A small JSON body.
pub(crate) struct JsonBody<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequest<ServerState> for JsonBody<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, _: &ServerState) -> Result<Self, Failure> {
        read_json(request, SMALL_BODY).await.map(Self)
    }
}

/// A JSON body of at most `limit` bytes.
pub(crate) async fn read_json<T: DeserializeOwned>(request: Request, limit: usize) -> Result<T, Failure> {
    if !is_json(request.headers()) {
        let detail = "A body of the type application/json is needed.";
        return Err(Failure::with_status(StatusCode::UNSUPPORTED_MEDIA_TYPE, Category::Invalid, detail));
    }
    let body = read_bytes(request, limit).await?;
    let value = parse(&body, limit, &["body"])?;
    serde_json::from_value(value)
        .map_err(|error| Failure::invalid(vec![Fault::new("value_error", &["body"], error.to_string(), Value::Null)]))
}

/// A whole body of at most `limit` bytes.
pub(crate) async fn read_bytes(request: Request, limit: usize) -> Result<Bytes, Failure> {
    let mut whole = BytesMut::new();
    let mut frames = request.into_body().into_data_stream();
    while let Some(frame) = frames.next().await {
        let frame = frame.map_err(|error| broken_body(&error))?;
        if whole.len() + frame.len() > limit {
            return Err(Failure::too_large("The body", limit));
        }
        whole.extend_from_slice(&frame);
    }
    Ok(whole.freeze())
}

/// A body that ended early or stalled.
pub(crate) fn broken_body(error: &axum::Error) -> Failure {
    let detail = format!("The body could not be read to its end: {error}.");
    Failure::with_status(StatusCode::BAD_REQUEST, Category::Invalid, detail)
}

/// Whether a body says that it is JSON.
pub(crate) fn is_json(headers: &HeaderMap) -> bool {
    let media_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json"))
}

/// A JSON text; its faults are told as the contract's framework tells them, at `loc`.
pub(crate) fn parse(text: &[u8], limit: usize, loc: &[&str]) -> Result<Value, Failure> {
    let limits = Limits { bytes: limit, ..Limits::default() };
    json::parse(text, &limits).map_err(|error| match error.problem {
        Problem::TooLarge { limit, .. } => Failure::too_large("The JSON text", limit),
        _ => Failure::invalid(vec![json_fault(text, &error, loc, limits.depth)]),
    })
}

fn json_fault(text: &[u8], error: &JsonError, loc: &[&str], depth: usize) -> Fault {
    let walked = std::str::from_utf8(text).ok().filter(|text| text.len() <= WALKED);
    let (position, message) = match walked.and_then(|text| python_json::fault(text, depth)) {
        Some(found) if matches!(error.problem, Problem::Syntax { .. }) => (found.position, found.message.to_owned()),
        _ => (error.offset, error.problem.to_string()),
    };
    let mut fault = Fault::new("json_invalid", loc, "JSON decode error", json!({}));
    fault.loc.push(holotype_api::problem::Step::Index(position as u64));
    fault.context = Some(json!({ "error": message }));
    fault
}

/// The query of a URL.
pub(crate) struct Params<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Sync> FromRequestParts<S> for Params<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        match Query::try_from_uri(&parts.uri) {
            Ok(Query(params)) => Ok(Self(params)),
            Err(rejection) => {
                let message =
                    std::error::Error::source(&rejection).map_or_else(|| rejection.body_text(), ToString::to_string);
                Err(Failure::invalid(vec![Fault::new("value_error", &["query"], message, Value::Null)]))
            }
        }
    }
}

/// The variable segments of a path. What cannot be one of them names nothing, so it is not found.
pub(crate) struct Segments<T>(pub(crate) T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Segments<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let found = <Path<T> as FromRequestParts<S>>::from_request_parts(parts, state).await;
        found.map(|Path(segments)| Self(segments)).map_err(|_| Failure::new(Category::NotFound, "Not Found"))
    }
}

/// How many items a page is to have.
pub(crate) fn page_limit(asked: Option<u32>) -> Result<u32, Failure> {
    match asked.unwrap_or(DEFAULT_LIMIT) {
        limit @ 1..=MAXIMUM_LIMIT => Ok(limit),
        other => {
            let message = format!("a number from 1 to {MAXIMUM_LIMIT} is needed");
            Err(Failure::invalid(vec![Fault::new("value_error", &["query", "limit"], message, Value::from(other))]))
        }
    }
}

/// A JSON answer that is already text.
pub(crate) fn json_text(status: StatusCode, text: impl Into<axum::body::Body>) -> Response {
    (status, [(CONTENT_TYPE, JSON)], text.into()).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(text: &str) -> Value {
        let failure = parse(text.as_bytes(), 1000, &["body"]).unwrap_err();
        serde_json::to_value(failure.faults()).unwrap()
    }

    #[test]
    fn a_fault_is_told_with_its_position() {
        assert_eq!(failure("{\"a\": nul}")[0]["loc"], json!(["body", 6]));
        assert_eq!(failure("[NaN]")[0]["loc"][0], "body");
        assert_eq!(failure(&"[".repeat(200))[0]["message"], "JSON decode error");
    }

    #[test]
    fn a_limit_is_a_number_of_items_that_a_page_can_have() {
        assert_eq!(page_limit(None), Ok(100));
        assert_eq!(page_limit(Some(1000)), Ok(1000));
        assert!(page_limit(Some(0)).is_err() && page_limit(Some(1001)).is_err());
    }

    #[test]
    fn json_is_known_by_its_media_type() {
        let says = |text: &str| is_json(&HeaderMap::from_iter([(CONTENT_TYPE, text.parse().unwrap())]));
        assert!(
            says("application/json") && says("Application/JSON; charset=utf-8") && says("application/problem+json")
        );
        assert!(!says("text/plain") && !says("text/json+json") && !is_json(&HeaderMap::new()));
    }
}
