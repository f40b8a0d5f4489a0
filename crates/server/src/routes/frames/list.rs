//! `GET /frames/`

use axum::Json;
use axum::extract::{RawQuery, State};
use base64::Engine as _;
use base64::engine::general_purpose::{URL_SAFE, URL_SAFE_NO_PAD};
use holotype_app::archives::frames::{FramePage, Order, PageRequest, Position, Shape, ThumbnailSize};
use serde_json::{Value, json};

use super::pages::Parameters;
use super::refusal::Refusal;
use super::visitor::Visitor;
use super::{answer, filters, pages, thumbnails};
use crate::state::ServerState;

/// Find frames: those that the caller may see, by what is known of them and by where they are on the sky.
///
/// Parameters that are not known are passed over. Counts are exact, whatever was asked for.
#[utoipa::path(get, path = "/frames/", tag = "archive",
    params(
        ("start" = Option<String>, Query, description = "Observed at this time or later; UTC without an offset"),
        ("end" = Option<String>, Query, description = "Observed at this time or earlier"),
        ("dayobs" = Option<String>, Query, description = "Of this night, `YYYY-MM-DD`; also `DAY_OBS`"),
        ("basename" = Option<String>, Query, description = "This text is in the name"),
        ("basename_exact" = Option<String>, Query, description = "Of this name"),
        ("target_name" = Option<String>, Query, description = "This text is in the target's name, with or without accents; also `OBJECT`"),
        ("target_name_exact" = Option<String>, Query, description = "Of this target"),
        ("empty_target_name" = Option<String>, Query, description = "Without a target"),
        ("public" = Option<bool>, Query, description = "`false`: of the caller's own projects and proposals alone"),
        ("exposure_time" = Option<f64>, Query, description = "Exposed for so many seconds or longer; also `EXPTIME`"),
        ("configuration_type" = Option<String>, Query, description = "Of this kind of exposure; also `OBSTYPE`"),
        ("include_configuration_type" = Option<Vec<String>>, Query, description = "Of one of these kinds"),
        ("exclude_configuration_type" = Option<Vec<String>>, Query, description = "Of none of these kinds; also `exclude_OBSTYPE`"),
        ("exclude_calibrations" = Option<bool>, Query, description = "`true`: no calibrations"),
        ("proposal_id" = Option<String>, Query, description = "Of this proposal; also `PROPID`"),
        ("instrument_id" = Option<String>, Query, description = "Of this instrument; also `INSTRUME`"),
        ("site_id" = Option<String>, Query, description = "At this site; also `SITEID`"),
        ("telescope_id" = Option<String>, Query, description = "With this telescope; also `TELID`"),
        ("primary_optical_element" = Option<String>, Query, description = "Through this filter; also `FILTER`"),
        ("observation_id" = Option<i64>, Query, description = "Of this observation; also `BLKUID`"),
        ("request_id" = Option<i64>, Query, description = "Of this request; also `REQNUM`"),
        ("reduction_level" = Option<i64>, Query, description = "So far reduced; also `RLEVEL`"),
        ("submitter" = Option<String>, Query, description = "Asked for by this user of the observatory"),
        ("covers" = Option<String>, Query, description = "Its area holds this position: `POINT(RA DEC)`, degrees"),
        ("intersects" = Option<String>, Query, description = "Its area meets this one: `POLYGON((RA DEC, ..))`, degrees"),
        ("ordering" = Option<String>, Query, description = "id, basename, observation_date, primary_optical_element, configuration_type, proposal_id, instrument_id, target_name, reduction_level or exposure_time; `-` before it for descending"),
        ("limit" = Option<u64>, Query, description = "Most frames in the page: 100 if not given, at most 1000"),
        ("offset" = Option<u64>, Query, description = "Frames before the page"),
        ("pagination_style" = Option<String>, Query, description = "`cursor`: pages by place instead of by number, without a count"),
        ("cursor" = Option<String>, Query, description = "The place, from `next` or `previous`"),
        ("force_count" = Option<String>, Query, description = "Taken and not needed: counts are exact"),
        ("include_related_frames" = Option<bool>, Query, description = "`false`: without the ids of related frames"),
        ("include_thumbnails" = Option<bool>, Query, description = "`true`: with thumbnails"),
    ),
    responses(
        (status = 200, description = "A page of frames", body = Value),
        (status = 400, description = "A parameter is wrong", body = Value),
    ),
)]
pub(crate) async fn list(
    State(state): State<ServerState>,
    visitor: Visitor,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Refusal> {
    let asked = Parameters::of(query.as_deref());
    let query = filters::query(&asked)?;
    let shape = Shape {
        related: asked.truth("include_related_frames") != Some(false),
        thumbnails: asked.truth("include_thumbnails") == Some(true),
    };
    let page = page_request(&asked, query.order)?;
    let named = asked.last("basename_exact").map(str::to_owned);
    let FramePage { frames, count, next, previous } =
        state.app().archives().frames(visitor.viewer(), query, page, shape).await?;
    let links = &visitor.links;
    let mut results: Vec<Value> = frames.iter().map(|frame| answer::frame(links, frame)).collect();
    if results.is_empty()
        && let Some(picture) = pictured(&state, &visitor, named.as_deref()).await?
    {
        results.push(picture);
        return Ok(Json(pages::numbered(links, "/frames/", &asked, 1, results)));
    }
    Ok(Json(match count {
        Some(count) => pages::numbered(links, "/frames/", &asked, count, results),
        None => {
            let at = |place: Option<Position>| {
                place.map(|place| links.page("/frames/", asked.with(&[("cursor", Some(written(&place)))])))
            };
            json!({"next": at(next), "previous": at(previous), "results": results})
        }
    }))
}

/// Archives that keep thumbnails as frames call them after the frame, with `-small` or `-large` behind. Who asks for such a name
/// is answered the frame with the thumbnail's address in the place of its own.
async fn pictured(state: &ServerState, visitor: &Visitor, name: Option<&str>) -> Result<Option<Value>, Refusal> {
    let ending = |size: ThumbnailSize| Some((name?.strip_suffix(size.name())?.strip_suffix('-')?, size));
    let Some((basename, size)) = ThumbnailSize::ALL.into_iter().find_map(ending) else { return Ok(None) };
    let Some(thumbnail) = thumbnails::of_frame(state, visitor, basename, size).await? else { return Ok(None) };
    let frame = state.app().archives().frame(visitor.viewer(), thumbnail.frame).await?;
    let mut answer = answer::frame(&visitor.links, &frame);
    let file_name = thumbnail.file_name();
    for (member, value) in [
        ("basename", json!(name)),
        ("filename", json!(file_name)),
        ("url", json!(visitor.links.thumbnail(&thumbnail))),
        ("version_set", json!([])),
    ] {
        answer[member] = value;
    }
    Ok(Some(answer))
}

fn page_request(asked: &Parameters, order: Order) -> Result<PageRequest, Refusal> {
    let limit = asked.limit();
    if asked.last("pagination_style") != Some("cursor") {
        return Ok(PageRequest::Numbered { limit, offset: asked.offset() });
    }
    let from = asked.last("cursor").map(|text| read(text).filter(|place| place.suits(order)));
    match from {
        Some(None) => Err(Refusal::absent("Invalid cursor")),
        from => Ok(PageRequest::Placed { limit, from: from.flatten() }),
    }
}

fn written(place: &Position) -> String {
    URL_SAFE.encode(place.to_text())
}

fn read(text: &str) -> Option<Position> {
    let bytes = URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).ok()?;
    Position::from_text(std::str::from_utf8(&bytes).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_that_is_none_is_refused() {
        for cursor in ["x", "e30=", "%FF", "WyJhIiwxLHRydWVd"] {
            let asked = Parameters::of(Some(&format!("pagination_style=cursor&cursor={cursor}")));
            assert!(page_request(&asked, Order::default()).is_err(), "{cursor}");
        }
    }
}
