//! The contract's own routes: what the unmodified clients of a MADSci Data Manager call.

use std::fmt::Write as _;

use axum::body::Body;
use axum::extract::{RawQuery, Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use bytes::Bytes;
use futures::{StreamExt, TryStreamExt};
use holotype_app::datapoints::{DatapointError, Records, Selection, Value as Held};
use serde_json::{Value, json};
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::auth::Authenticated;
use crate::download;
use crate::extract::{Segments, is_json, json_text, parse, read_bytes};
use crate::failures::contract;
use crate::problem::{Failure, Fault};
use crate::state::ServerState;
use crate::submission;

/// Datapoints that a list answers when a request does not say.
const DEFAULT_NUMBER: i64 = 100;

/// Bytes of a list that are collected before the answer begins: a shorter list has a `content-length`, and an error within
/// them a status.
const COLLECTED: usize = 1024 * 1024;

pub(crate) fn routes() -> OpenApiRouter<ServerState> {
    OpenApiRouter::new()
        .routes(routes!(submit))
        .routes(routes!(get))
        .routes(routes!(value))
        .routes(routes!(latest))
        .routes(routes!(query))
}

/// Store a datapoint. The same datapoint under the same id is stored once.
#[utoipa::path(post, path = "/datapoint", tag = "MADSci",
    request_body(content((Value = "application/x-www-form-urlencoded"), (Value = "multipart/form-data")),
        description = "A field `datapoint` with its JSON text; in a multipart form also any number of parts `files`"),
    responses(
        (status = 200, description = "The datapoint as it is stored", body = Value),
        (status = 400, description = "The form cannot be read to its end", body = Value),
        (status = 409, description = "The id is taken by another content", body = Value),
        (status = 422, description = "The datapoint is not valid", body = Value),
    ),
)]
async fn submit(
    State(state): State<ServerState>,
    Authenticated(caller): Authenticated,
    request: Request,
) -> Result<Response, Failure> {
    let received = submission::receive_form(&state, request).await?;
    let datapoints = state.app().datapoints();
    let stored =
        datapoints.submit(&caller, caller.project, received.submission, received.files).await.map_err(contract)?;
    Ok(json_text(StatusCode::OK, stored.document.to_string()))
}

/// Look at one datapoint.
#[utoipa::path(get, path = "/datapoint/{id}", tag = "MADSci", params(("id" = String, Path, description = "The datapoint's id")),
    responses(
        (status = 200, description = "The datapoint", body = Value),
        (status = 404, description = "There is none of this id", body = Value),
    ),
)]
async fn get(
    State(state): State<ServerState>,
    Authenticated(caller): Authenticated,
    Segments(id): Segments<String>,
) -> Result<Response, Failure> {
    let document = state.app().datapoints().get(&caller, caller.project, &id).await.map_err(contract)?;
    Ok(json_text(StatusCode::OK, document.to_string()))
}

/// Read a value: the bare JSON value, or the bytes of the first file.
#[utoipa::path(get, path = "/datapoint/{id}/value", tag = "MADSci",
    params(("id" = String, Path, description = "The datapoint's id")),
    responses(
        (status = 200, description = "The value, or the whole file", body = Vec<u8>, content_type = "application/octet-stream"),
        (status = 206, description = "A part of the file", body = Vec<u8>, content_type = "application/octet-stream"),
        (status = 404, description = "There is no such datapoint, or none of its bytes", body = Value),
    ),
)]
async fn value(
    State(state): State<ServerState>,
    Authenticated(caller): Authenticated,
    Segments(id): Segments<String>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    match state.app().datapoints().value(&caller, caller.project, &id).await.map_err(contract)? {
        Held::Json(text) => Ok(json_text(StatusCode::OK, String::from(Box::<str>::from(text)))),
        Held::Bytes(content) => download::answer(&content, &headers).await.map_err(contract),
    }
}

/// How many datapoints to list.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes the query, which is read by hand: keys it does not name are passed over")]
struct Number {
    /// How many: 100 if not given, 0 for all.
    number: Option<i64>,
}

/// List the newest datapoints: an object of datapoints by id, the newest `data_timestamp` first.
#[utoipa::path(get, path = "/datapoints", tag = "MADSci", params(Number), responses(
    (status = 200, description = "Datapoints by id", body = Value),
    (status = 422, description = "The number is none", body = Value),
))]
async fn latest(
    State(state): State<ServerState>,
    Authenticated(caller): Authenticated,
    RawQuery(query): RawQuery,
) -> Result<Response, Failure> {
    let number = number(query.as_deref().unwrap_or_default())?;
    by_id(state.app().datapoints().latest(&caller, caller.project, number).await?).await
}

/// Find datapoints by a filter in MongoDB's language: an object of datapoints by id, in the order in which they came.
#[utoipa::path(post, path = "/datapoints/query", tag = "MADSci", request_body = Value, responses(
    (status = 200, description = "Datapoints by id", body = Value),
    (status = 422, description = "The filter cannot be used", body = Value),
))]
async fn query(
    State(state): State<ServerState>,
    Authenticated(caller): Authenticated,
    request: Request,
) -> Result<Response, Failure> {
    // Nothing said about the type means JSON to the contract's framework.
    let says_json = is_json(request.headers()) || !request.headers().contains_key(CONTENT_TYPE);
    let body = read_bytes(request, state.document_limit()).await?;
    let filter = filter(&body, says_json, state.document_limit())?;
    let records = state.app().datapoints().query(&caller, caller.project, Selection::parse(&filter)?).await?;
    by_id(records).await
}

fn filter(body: &Bytes, says_json: bool, limit: usize) -> Result<Value, Failure> {
    let refuse = |input| {
        let message = "Input should be a valid dictionary";
        Err(Failure::invalid(vec![Fault::new("dict_type", &["body"], message, input)]))
    };
    if body.is_empty() {
        return Err(Failure::invalid(vec![Fault::missing(&["body"])]));
    }
    if !says_json {
        return refuse(Value::Null);
    }
    match parse(body, limit, &["body"])? {
        filter @ (Value::Object(_) | Value::Null) => Ok(filter),
        Value::Array(_) => refuse(json!([])),
        other => refuse(other),
    }
}

/// The `number` of a query; the last one counts, and other keys are passed over.
fn number(query: &str) -> Result<i64, Failure> {
    let given = url::form_urlencoded::parse(query.as_bytes()).filter(|(key, _)| key == "number").last();
    let Some((_, text)) = given else { return Ok(DEFAULT_NUMBER) };
    let digits = text.trim().strip_prefix(['+', '-']).unwrap_or(text.trim());
    match text.trim().parse() {
        Ok(number) => Ok(number),
        // More than there can ever be is all.
        Err(_) if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) => Ok(i64::MAX),
        Err(_) => {
            let message = "Input should be a valid integer, unable to parse string as an integer";
            Err(Failure::invalid(vec![Fault::new(
                "int_parsing",
                &["query", "number"],
                message,
                text.into_owned().into(),
            )]))
        }
    }
}

/// Answers an object of documents by id, in the order of the stream, however many they are.
async fn by_id(mut records: Records) -> Result<Response, Failure> {
    let mut text = String::from("{");
    while text.len() < COLLECTED {
        match records.try_next().await? {
            Some(record) => append(&mut text, &record.id, &record.document),
            None => {
                text.push('}');
                return Ok(json_text(StatusCode::OK, text));
            }
        }
    }
    let head = futures::stream::once(async move { Ok::<_, DatapointError>(Bytes::from(text)) });
    // The head has members, so each of the rest begins with a comma.
    let rest = records.map_ok(|record| Bytes::from(format!(",{}:{}", Value::from(record.id), record.document)));
    let end = futures::stream::once(async { Ok(Bytes::from_static(b"}")) });
    let whole = head.chain(rest).chain(end).inspect_err(|error| tracing::error!(%error, "a list broke off"));
    Ok(json_text(StatusCode::OK, Body::from_stream(whole)))
}

fn append(text: &mut String, id: &str, document: &str) {
    if text.len() > 1 {
        text.push(',');
    }
    // Writing to a String cannot fail.
    let _infallible = write!(text, "{}:{document}", Value::from(id));
}

#[cfg(test)]
mod tests {
    use holotype_app::datapoints::Record;

    use super::*;

    #[test]
    fn the_last_number_counts_and_other_keys_are_passed_over() {
        for (query, expected) in [
            ("", 100),
            ("2=2", 100),
            ("number=7", 7),
            ("number=1&number=+5", 5),
            ("number=-1", -1),
            ("number=0&x", 0),
            ("number=99999999999999999999", i64::MAX),
        ] {
            assert_eq!(number(query), Ok(expected), "{query}");
        }
        for query in ["number=abc", "number=", "number=1.5", "number=--1"] {
            assert!(number(query).is_err(), "{query}");
        }
    }

    #[test]
    fn only_an_object_or_null_is_a_filter() {
        let read = |text: &str| filter(&Bytes::copy_from_slice(text.as_bytes()), true, 1000);
        assert_eq!(read("null"), Ok(Value::Null));
        assert_eq!(read("{\"a\":1}"), Ok(json!({"a": 1})));
        for text in ["[]", "\"abc\"", "5", "", "{"] {
            assert!(read(text).is_err(), "{text}");
        }
        assert!(filter(&Bytes::from_static(b"{}"), false, 1000).is_err());
    }

    async fn answered(count: usize, size: usize) -> (bool, Value) {
        let document = format!("{{\"v\":\"{}\"}}", "x".repeat(size));
        let records =
            (0..count).map(move |number| Ok(Record { id: format!("\"{number}"), document: document.clone().into() }));
        let response = by_id(futures::stream::iter(records.collect::<Vec<_>>()).boxed()).await.unwrap();
        let exact = axum::body::HttpBody::size_hint(response.body()).exact().is_some();
        let bytes = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
        (exact, serde_json::from_slice(&bytes).unwrap())
    }

    #[tokio::test]
    async fn a_list_is_one_object_whether_it_is_collected_or_streamed() {
        for (count, size, collected) in
            [(0, 1, true), (1, 1, true), (10, 10, true), (5, 400_000, false), (1, 2_000_000, true)]
        {
            let (exact, object) = answered(count, size).await;
            assert_eq!(object.as_object().unwrap().len(), count);
            if count != 1 {
                assert_eq!(exact, collected, "{count} of {size}");
            }
        }
    }
}
