//! The bytes of a frame: for who was given a signed link, and for who may see the frame.

use axum::extract::{FromRequestParts, Path, Request, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, REFERRER_POLICY};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::Response;
use holotype_app::archives::ArchiveError;
use holotype_app::archives::frames::{FrameContent, VersionId, Viewer};

use super::links::{Target, is_let_in};
use super::record::frame_id;
use super::refusal::Refusal;
use super::visitor::Visitor;
use crate::download;
use crate::state::ServerState;

/// Read the bytes of a version. `Range`, `If-Range` and `If-None-Match` are honoured; the entity tag is the MD5.
///
/// Lists and frames tell the address, with a signature that opens it for 48 hours to anybody who has it.
#[utoipa::path(get, path = "/frames/{id}/versions/{version}/download/{filename}", tag = "archive",
    params(
        ("id" = i64, Path, description = "The frame's number"),
        ("version" = i64, Path, description = "The version's number"),
        ("filename" = String, Path, description = "What the file is called; it decides nothing"),
        ("expires" = Option<i64>, Query, description = "Until when the signature holds, in seconds since 1970"),
        ("signature" = Option<String>, Query, description = "The signature"),
    ),
    responses(
        (status = 200, description = "The whole file", body = Vec<u8>, content_type = "application/octet-stream"),
        (status = 206, description = "A part of the file", body = Vec<u8>, content_type = "application/octet-stream"),
        (status = 304, description = "The client holds it"),
        (status = 403, description = "The signature is wrong, or has expired", body = serde_json::Value),
        (status = 404, description = "There is none, or the caller may not see it", body = serde_json::Value),
    ),
)]
pub(crate) async fn version(
    State(state): State<ServerState>,
    Path((id, version, _filename)): Path<(String, String, String)>,
    request: Request,
) -> Result<Response, Refusal> {
    let frame = frame_id(&id)?;
    let version = VersionId(version.parse().map_err(|_| ArchiveError::NoFrame)?);
    let (viewer, headers) = let_in(&state, request, Target::Version(frame, version)).await?;
    let content = state.app().archives().content(viewer, frame, version).await?;
    answer(&content, &headers).await
}

/// For whom the target is looked up: for nobody in particular if a signature lets them in.
pub(super) async fn let_in(
    state: &ServerState,
    request: Request,
    target: Target,
) -> Result<(Option<Viewer>, HeaderMap), Refusal> {
    let (mut parts, _body) = request.into_parts();
    if is_let_in(state, parts.uri.query().unwrap_or_default(), target)? {
        return Ok((None, parts.headers));
    }
    let visitor = Visitor::from_request_parts(&mut parts, state).await?;
    Ok((Some(visitor.viewer()), parts.headers))
}

/// Answers with the bytes, to be kept as a file.
pub(super) async fn answer(content: &FrameContent, asked: &HeaderMap) -> Result<Response, Refusal> {
    let mut response = download::answer(content, asked).await?;
    let headers = response.headers_mut();
    // The name has no quotes and no control characters in all but odd cases, which the address tells too.
    let plain: String =
        content.file_name.chars().filter(|one| one.is_ascii_graphic() && !"\"\\".contains(*one)).collect();
    if let Ok(value) = HeaderValue::try_from(format!("attachment; filename=\"{plain}\"")) {
        headers.insert(CONTENT_DISPOSITION, value);
    }
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("private"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    Ok(response)
}
