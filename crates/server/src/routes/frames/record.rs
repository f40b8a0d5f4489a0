//! One frame: its record, its headers, its relatives; and frames as an administrator describes them.

use axum::Json;
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use holotype_app::archives::ArchiveError;
use holotype_app::archives::frames::{Facts, FrameId, FrameRecord, check_name, split_name};
use serde_json::{Map, Value, json};

use super::answer;
use super::refusal::{Faults, Refusal};
use super::visitor::Visitor;
use crate::extract::read_json;
use crate::state::ServerState;

/// Most versions and relatives of one description.
const MOST: usize = 1_000;

/// The number of a frame in a path. What is none names no frame.
pub(super) fn frame_id(text: &str) -> Result<FrameId, Refusal> {
    text.parse().map(FrameId).map_err(|_| ArchiveError::NoFrame.into())
}

/// Look at one frame.
#[utoipa::path(get, path = "/frames/{id}/", tag = "archive",
    params(("id" = i64, Path, description = "The frame's number")),
    responses((status = 200, description = "The frame", body = Value), (status = 404, description = "There is none, or the caller may not see it", body = Value)),
)]
pub(crate) async fn frame(
    State(state): State<ServerState>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Result<Json<Value>, Refusal> {
    let frame = state.app().archives().frame(visitor.viewer(), frame_id(&id)?).await?;
    Ok(Json(answer::frame(&visitor.links, &frame)))
}

/// Read the header of a frame: keywords with their values, without commentary.
#[utoipa::path(get, path = "/frames/{id}/headers/", tag = "archive",
    params(("id" = i64, Path, description = "The frame's number")),
    responses((status = 200, description = "The keywords, in the member `data`", body = Value), (status = 404, description = "There is none, or the caller may not see it", body = Value)),
)]
pub(crate) async fn headers(
    State(state): State<ServerState>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Result<Json<Value>, Refusal> {
    let headers = state.app().archives().headers(visitor.viewer(), frame_id(&id)?).await?;
    Ok(Json(json!({ "data": headers })))
}

/// List the frames that a frame was made from or with, and those made from it.
#[utoipa::path(get, path = "/frames/{id}/related/", tag = "archive",
    params(("id" = i64, Path, description = "The frame's number")),
    responses((status = 200, description = "All of them that the caller may see", body = Vec<Value>), (status = 404, description = "There is none, or the caller may not see it", body = Value)),
)]
pub(crate) async fn related(
    State(state): State<ServerState>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Result<Json<Vec<Value>>, Refusal> {
    let related = state.app().archives().related(visitor.viewer(), frame_id(&id)?).await?;
    Ok(Json(related.iter().map(|frame| answer::plain_frame(&visitor.links, frame)).collect()))
}

/// Describe a frame whose bytes are held: create it, or change what is known of it. Administrators only.
#[utoipa::path(post, path = "/frames/", tag = "archive", request_body = Value,
    responses(
        (status = 201, description = "The frame", body = Value),
        (status = 400, description = "A field is wrong, or the bytes of a version are not held", body = Value),
        (status = 403, description = "The caller is no administrator", body = Value),
    ),
)]
pub(crate) async fn create(
    State(state): State<ServerState>,
    visitor: Visitor,
    request: Request,
) -> Result<(StatusCode, Json<Value>), Refusal> {
    let caller = visitor.expect_admin()?.clone();
    let body: Value = read_json(request, state.document_limit()).await?;
    let Value::Object(fields) = body else {
        return Err(Refusal::field("non_field_errors", "Invalid data. Expected a dictionary."));
    };
    match state.app().archives().record(&caller, described(&fields)?).await {
        Ok(frame) => Ok((StatusCode::CREATED, Json(answer::plain_frame(&visitor.links, &frame)))),
        Err(error @ ArchiveError::NotHeld { .. }) => Err(Refusal::field("version_set", error.to_string())),
        Err(error @ ArchiveError::Ambiguous { .. }) => Err(Refusal::field("basename", error.to_string())),
        Err(error) => Err(error.into()),
    }
}

fn described(fields: &Map<String, Value>) -> Result<FrameRecord, Refusal> {
    let mut faults = Faults::default();
    let mut facts = Facts::of_listing(fields);
    if facts.basename.is_empty() {
        faults.add("basename", "This field is required.");
    } else if let Err(error) = check_name(&facts.basename) {
        faults.add("basename", &error.to_string());
    }
    match fields.get("headers") {
        None | Some(Value::Null) => {}
        Some(Value::Object(headers)) => facts.headers.clone_from(headers),
        Some(_) => faults.add("headers", "Expected a dictionary."),
    }
    match fields.get("related_frame_filenames").map(names) {
        None => {}
        Some(Some(related)) => facts.related = related,
        Some(None) => faults.add("related_frame_filenames", "Expected a list of file names."),
    }
    let versions = fields.get("version_set").map_or(Some(Vec::new()), versions);
    if versions.is_none() {
        faults.add("version_set", "Expected a list of versions, each with md5 and extension.");
    }
    faults.none()?;
    Ok(FrameRecord { facts, versions: versions.unwrap_or_default() })
}

fn names(list: &Value) -> Option<Vec<String>> {
    let names = list.as_array().filter(|names| names.len() <= MOST)?;
    let name = |name: &Value| {
        let name = name.as_str()?;
        check_name(name).ok().map(|()| split_name(name).0.to_owned())
    };
    names.iter().map(name).collect()
}

fn versions(list: &Value) -> Option<Vec<([u8; 16], String)>> {
    let versions = list.as_array().filter(|versions| versions.len() <= MOST)?;
    let version = |version: &Value| {
        let extension = version.get("extension")?.as_str()?;
        let plain = |character: char| character.is_ascii_alphanumeric() || character == '.';
        let sound = extension.len() <= 20 && extension.starts_with('.') && extension.chars().all(plain);
        Some((md5(version.get("md5")?.as_str()?)?, sound.then(|| extension.to_owned())?))
    };
    versions.iter().map(version).collect()
}

/// The bytes of an MD5 in hexadecimal.
pub(super) fn md5(text: &str) -> Option<[u8; 16]> {
    let sound = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let number = u128::from_str_radix(text, 16).ok().filter(|_| sound)?;
    Some(number.to_be_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(value: &Value) -> Result<FrameRecord, Refusal> {
        described(value.as_object().unwrap())
    }

    #[test]
    fn a_description_is_read() {
        let record = read(&json!({
            "basename": "a", "version_set": [{"key": "k", "md5": "0123456789abcdef0123456789abcdef", "extension": ".fits"}],
            "headers": {"X": 1}, "related_frame_filenames": ["b.fits.fz"], "area": null,
        }));
        let record = record.unwrap();
        assert_eq!((record.versions[0].0[0], record.versions[0].1.as_str()), (1, ".fits"));
        assert_eq!((record.facts.related, record.facts.headers["X"].as_i64()), (vec!["b".to_owned()], Some(1)));
    }

    #[test]
    fn every_fault_of_a_description_is_told() {
        let wrong = json!({"headers": 1, "version_set": [{"md5": "x", "extension": ".fits"}], "related_frame_filenames": ["a/b"]});
        let Err(Refusal::Fields(faults)) = read(&wrong) else { panic!("it is taken") };
        assert_eq!(faults.as_object().unwrap().len(), 4, "{faults}");
        assert!(read(&json!({"basename": "../a"})).is_err());
        assert!(read(&json!({"basename": "a", "version_set": [{"md5": "0123456789abcdef0123456789abcdef", "extension": "/../x"}]})).is_err());
    }
}
