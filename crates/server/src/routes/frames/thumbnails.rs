//! `/thumbnails/`: small pictures of frames.

use axum::Json;
use axum::extract::{Path, RawQuery, Request, State};
use axum::response::Response;
use holotype_app::archives::ArchiveError;
use holotype_app::archives::frames::{ThumbnailId, ThumbnailQuery};
use serde_json::Value;

use super::links::Target;
use super::pages::{self, Parameters};
use super::refusal::{Faults, Refusal};
use super::visitor::Visitor;
use super::{answer, download};
use crate::state::ServerState;

/// List thumbnails of frames that the caller may see. Those of a frame that is asked for by its name are made if need be.
#[utoipa::path(get, path = "/thumbnails/", tag = "archive",
    params(
        ("frame_basename" = Option<String>, Query, description = "Of frames of this name"),
        ("proposal_id" = Option<String>, Query, description = "Of frames of this proposal"),
        ("observation_id" = Option<i64>, Query, description = "Of frames of this observation"),
        ("request_id" = Option<i64>, Query, description = "Of frames of this request"),
        ("size" = Option<String>, Query, description = "`small` fits into 200 pixels, `large` into 800"),
        ("limit" = Option<u64>, Query, description = "Most thumbnails in the page: 100 if not given, at most 1000"),
        ("offset" = Option<u64>, Query, description = "Thumbnails before the page"),
    ),
    responses((status = 200, description = "A page of thumbnails", body = Value), (status = 400, description = "A parameter is wrong", body = Value)),
)]
pub(crate) async fn list(
    State(state): State<ServerState>,
    visitor: Visitor,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Refusal> {
    let asked = Parameters::of(query.as_deref());
    let query = read(&asked)?;
    let (limit, offset) = (asked.limit(), asked.offset());
    let (count, found) = state.app().archives().thumbnails(visitor.viewer(), query, limit, offset).await?;
    let results = found.iter().map(|thumbnail| answer::thumbnail(&visitor.links, thumbnail)).collect();
    Ok(Json(pages::numbered(&visitor.links, "/thumbnails/", &asked, count, results)))
}

fn read(asked: &Parameters) -> Result<ThumbnailQuery, Refusal> {
    let mut faults = Faults::default();
    let mut number = |name: &str| {
        let text = asked.last(name)?;
        let number = text.parse().ok();
        if number.is_none() {
            faults.add(name, "Enter a number.");
        }
        number
    };
    let (observation_id, request_id) = (number("observation_id"), number("request_id"));
    let size = asked.last("size").map(|text| text.parse().map_err(|()| text));
    if let Some(Err(text)) = size {
        faults.add("size", &format!("Select a valid choice. {text} is not one of the available choices."));
    }
    let mut text = |name: &str| {
        let text = asked.last(name)?;
        if text.contains('\0') {
            faults.add(name, "Null characters are not allowed.");
        }
        Some(text.to_owned())
    };
    let (basename, proposal_id) = (text("frame_basename"), text("proposal_id"));
    faults.none()?;
    let size = size.and_then(Result::ok);
    Ok(ThumbnailQuery { id: None, basename, proposal_id, observation_id, request_id, size })
}

/// Read the bytes of a thumbnail, a JPEG.
#[utoipa::path(get, path = "/thumbnails/{id}/download/{filename}", tag = "archive",
    params(
        ("id" = i64, Path, description = "The thumbnail's number"),
        ("filename" = String, Path, description = "What the file is called; it decides nothing"),
        ("expires" = Option<i64>, Query, description = "Until when the signature holds, in seconds since 1970"),
        ("signature" = Option<String>, Query, description = "The signature"),
    ),
    responses(
        (status = 200, description = "The picture", body = Vec<u8>, content_type = "image/jpeg"),
        (status = 403, description = "The signature is wrong, or has expired", body = Value),
        (status = 404, description = "There is none, or the caller may not see its frame", body = Value),
    ),
)]
pub(crate) async fn picture(
    State(state): State<ServerState>,
    Path((id, _filename)): Path<(String, String)>,
    request: Request,
) -> Result<Response, Refusal> {
    let id = ThumbnailId(id.parse().map_err(|_| ArchiveError::NoThumbnail)?);
    let (viewer, headers) = download::let_in(&state, request, Target::Thumbnail(id)).await?;
    let content = state.app().archives().picture(viewer, id).await?;
    download::answer(&content, &headers).await
}
