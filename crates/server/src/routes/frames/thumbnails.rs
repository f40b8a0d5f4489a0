//! `/thumbnails/`: small pictures of frames.

use axum::Json;
use axum::extract::{Path, RawQuery, Request, State};
use axum::response::Response;
use holotype_app::archives::ArchiveError;
use holotype_app::archives::frames::{Thumbnail, ThumbnailId, ThumbnailQuery, ThumbnailSize};
use serde_json::{Value, json};

use super::links::Target;
use super::pages::{self, Parameters};
use super::refusal::{Faults, Refusal};
use super::visitor::Visitor;
use super::{answer, download};
use crate::state::ServerState;

/// Thumbnails of one name and size that are looked at: one for each version and project.
const MOST_OF_ONE_NAME: u64 = 1_000;

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

/// Tell where a thumbnail of the frame of this name is, as a service for thumbnails does: the small one if `width` or `height`
/// ask for no more than it has, else the large one. It is made if need be.
#[utoipa::path(get, path = "/thumbnails/{basename}/", tag = "archive",
    params(
        ("basename" = String, Path, description = "The frame's name"),
        ("width" = Option<u64>, Query, description = "Pixels to fit into"),
        ("height" = Option<u64>, Query, description = "Pixels to fit into"),
    ),
    responses(
        (status = 200, description = "The address, as `url`", body = Value),
        (status = 404, description = "There is no such frame, no picture of it can be made, or the caller may not see it", body = Value),
    ),
)]
pub(crate) async fn service(
    State(state): State<ServerState>,
    visitor: Visitor,
    Path(basename): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Refusal> {
    let asked = Parameters::of(query.as_deref());
    let side = |name: &str| asked.last(name).and_then(|text| text.parse::<u32>().ok());
    let is_small = side("width").max(side("height")).is_some_and(|side| side <= u32::from(ThumbnailSize::Small.side()));
    let size = if is_small { ThumbnailSize::Small } else { ThumbnailSize::Large };
    let found = of_frame(&state, &visitor, &basename, size).await?.ok_or(ArchiveError::NoThumbnail)?;
    Ok(Json(json!({ "url": visitor.links.thumbnail(&found), "size": size.name() })))
}

/// The latest thumbnail of a frame by its name.
pub(super) async fn of_frame(
    state: &ServerState,
    visitor: &Visitor,
    basename: &str,
    size: ThumbnailSize,
) -> Result<Option<Thumbnail>, Refusal> {
    if basename.contains('\0') {
        return Ok(None);
    }
    let basename = Some(basename.to_owned());
    let query = ThumbnailQuery { basename, size: Some(size), ..ThumbnailQuery::default() };
    let (_, mut found) = state.app().archives().thumbnails(visitor.viewer(), query, MOST_OF_ONE_NAME, 0).await?;
    Ok(found.pop())
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
