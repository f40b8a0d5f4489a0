//! `/frames/zip/`: many frames in one file.

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE, SET_COOKIE};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{IntoResponse, Response};
use futures::TryStreamExt;
use holotype_app::archives::ArchiveError;
use holotype_app::archives::frames::{MOST_ZIPPED, Viewer, ZipOptions};
use serde_json::{Value, json};

use super::pages::Parameters;
use super::refusal::Refusal;
use super::visitor::Visitor;
use crate::extract::{is_json, parse, read_bytes};
use crate::problem::Failure;
use crate::state::ServerState;

/// Largest body: the most frames, each with a long number.
const LARGEST: usize = 1024 * 1024;

/// Most frames that are unpacked in one zip.
const MOST_UNPACKED: usize = 10;

/// What a zip is asked for with.
#[derive(Debug, PartialEq)]
struct Wanted {
    ids: Vec<i64>,
    options: ZipOptions,
    token: Option<String>,
}

/// Get many frames as one zip, written while it is sent.
///
/// The body is JSON or a form: `frame_ids`, `uncompress` (at most 10 frames), `catalog_only`; and in a form `auth_token`, for
/// pages that cannot send a header. Frames that the caller may not see are left out. There is no way to resume it.
#[utoipa::path(post, path = "/frames/zip/", tag = "archive",
    request_body(content((Value = "application/json"), (Value = "application/x-www-form-urlencoded"))),
    responses(
        (status = 200, description = "The zip", body = Vec<u8>, content_type = "application/zip"),
        (status = 400, description = "A field is wrong", body = Value),
        (status = 404, description = "The caller may see none of the frames", body = Value),
    ),
)]
pub(crate) async fn zip(
    State(state): State<ServerState>,
    visitor: Visitor,
    request: Request,
) -> Result<Response, Refusal> {
    let headers = request.headers().clone();
    let body = read_bytes(request, LARGEST).await?;
    let wanted = read(&headers, &body)?;
    let viewer = match wanted.token {
        None => visitor.viewer(),
        Some(token) => {
            let caller = state.app().catalog().authenticate_token(&token.into()).await?;
            Viewer::of(Some(&caller.ok_or_else(|| Failure::unauthenticated("Invalid token."))?))
        }
    };
    let zip = state.app().archives().zip(viewer, wanted.ids, wanted.options).await;
    let zip = zip.map_err(|error| match error {
        ArchiveError::NoFrame => Refusal::absent("Not found."),
        other => other.into(),
    })?;
    let disposition =
        HeaderValue::try_from(format!("attachment; filename={}.zip", zip.name)).map_err(Failure::internal)?;
    // The status is already sent when it breaks off: ending the connection is all that tells the client.
    let stream = zip.stream.inspect_err(|error| tracing::error!(%error, "a zip broke off"));
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static("application/zip")),
        (CONTENT_DISPOSITION, disposition),
        // By which a page that sent a form knows that the download has begun.
        (SET_COOKIE, HeaderValue::from_static("fileDownload=true; path=/")),
    ];
    Ok((headers, Body::from_stream(stream)).into_response())
}

fn read(headers: &HeaderMap, body: &[u8]) -> Result<Wanted, Refusal> {
    let wanted = if is_json(headers) { of_json(&parse(body, LARGEST, &["body"])?)? } else { of_form(body)? };
    if wanted.ids.len() > MOST_ZIPPED {
        return Err(Refusal::field(
            "frame_ids",
            format!("A maximum of {MOST_ZIPPED} frames can be downloaded at once."),
        ));
    }
    if wanted.options.uncompress && wanted.ids.len() > MOST_UNPACKED {
        let message = format!(
            "A maximum of {MOST_UNPACKED} frames can be downloaded with the uncompress flag. Please try again with fewer frame_ids."
        );
        return Err(Refusal::field("non_field_errors", message));
    }
    Ok(wanted)
}

fn of_json(body: &Value) -> Result<Wanted, Refusal> {
    let list = match body.get("frame_ids") {
        Some(Value::Array(list)) => list,
        Some(other) => {
            let message = format!("Expected a list of items but got type \"{}\".", python_type(other));
            return Err(Refusal::field("frame_ids", message));
        }
        None => return Err(required()),
    };
    let id = |(index, value): (usize, &Value)| {
        let number = value.as_i64().or_else(|| value.as_str()?.trim().parse().ok());
        number.ok_or_else(|| not_a_number(index))
    };
    let ids = list.iter().enumerate().map(id).collect::<Result<Vec<i64>, _>>()?;
    let flag = |name: &str| match body.get(name) {
        Some(Value::Bool(flag)) => *flag,
        Some(Value::String(text)) => is_true(text),
        _ => false,
    };
    let options = ZipOptions { uncompress: flag("uncompress"), catalog_only: flag("catalog_only") };
    let token = body.get("auth_token").and_then(Value::as_str).filter(|token| !token.is_empty()).map(str::to_owned);
    Ok(Wanted { ids: some(ids)?, options, token })
}

fn of_form(body: &[u8]) -> Result<Wanted, Refusal> {
    let asked = Parameters::of(std::str::from_utf8(body).ok());
    let texts = asked.all("frame_ids").chain(asked.all("frame_ids[]"));
    let ids = texts.enumerate().map(|(index, text)| text.trim().parse().map_err(|_| not_a_number(index)));
    let ids = ids.collect::<Result<Vec<i64>, _>>()?;
    if ids.is_empty() {
        return Err(required());
    }
    let flag = |name: &str| asked.last(name).is_some_and(is_true);
    let options = ZipOptions { uncompress: flag("uncompress"), catalog_only: flag("catalog_only") };
    Ok(Wanted { ids, options, token: asked.last("auth_token").map(str::to_owned) })
}

fn is_true(text: &str) -> bool {
    matches!(text.to_ascii_lowercase().as_str(), "true" | "1" | "on" | "yes" | "t" | "y")
}

fn some(ids: Vec<i64>) -> Result<Vec<i64>, Refusal> {
    if ids.is_empty() { Err(Refusal::field("frame_ids", "This list may not be empty.")) } else { Ok(ids) }
}

fn required() -> Refusal {
    Refusal::field("frame_ids", "This field is required.")
}

fn not_a_number(index: usize) -> Refusal {
    Refusal::Fields(json!({"frame_ids": {index.to_string(): ["A valid integer is required."]}}))
}

/// The name of a JSON type in the language of the archive.
fn python_type(value: &Value) -> &'static str {
    match value {
        Value::Null => "NoneType",
        Value::Bool(_) => "bool",
        Value::Number(number) if number.is_i64() => "int",
        Value::Number(_) => "float",
        Value::String(_) => "str",
        Value::Array(_) => "list",
        Value::Object(_) => "dict",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(body: &Value) -> Value {
        let headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static("application/json"))]);
        match read(&headers, body.to_string().as_bytes()) {
            Err(Refusal::Fields(fields)) => fields,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn faults_are_told_as_the_archive_tells_them() {
        let message = "Expected a list of items but got type \"str\".";
        assert_eq!(refused(&json!({"frame_ids": "x"})), json!({"frame_ids": [message]}));
        assert_eq!(refused(&json!({})), json!({"frame_ids": ["This field is required."]}));
        assert_eq!(
            refused(&json!({"frame_ids": [1, "x"]})),
            json!({"frame_ids": {"1": ["A valid integer is required."]}})
        );
        let eleven: Vec<i64> = (1..=11).collect();
        assert!(refused(&json!({"frame_ids": eleven, "uncompress": true}))["non_field_errors"].is_array());
    }

    #[test]
    fn a_form_may_carry_the_token() {
        let wanted = read(&HeaderMap::new(), b"frame_ids=61&frame_ids=59&auth_token=t&uncompress=true").unwrap();
        assert_eq!((wanted.ids, wanted.token.as_deref(), wanted.options.uncompress), (vec![61, 59], Some("t"), true));
    }
}
