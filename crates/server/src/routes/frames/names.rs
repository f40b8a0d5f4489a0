//! `/names/`: where the targets of the frames are, for front ends that look a name up before they ask for its stars.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use holotype_app::archives::frames::Target;
use serde_json::json;

use super::refusal::Refusal;
use super::visitor::Visitor;
use crate::state::ServerState;

/// The longest name that is looked up, in bytes.
const LONGEST: usize = 200;

/// Find where a target is, by its name: in small or capital letters, among the frames that the caller may see.
///
/// The position is what the headers of the latest frame say. Other parameters, such as `target_type`, are passed over:
/// only what stands still has one position.
#[utoipa::path(get, path = "/names/{name}", tag = "archive",
    params(("name" = String, Path, description = "The target's name")),
    responses(
        (status = 200, description = "Its position in degrees, as `ra` and `dec` and as `ra_d` and `dec_d`", body = Value),
        (status = 404, description = "No frame that the caller may see is of this target, and says where it is", body = Value),
    ),
)]
pub(crate) async fn name(
    State(state): State<ServerState>,
    visitor: Visitor,
    Path(name): Path<String>,
) -> Result<Response, Refusal> {
    let asked = name.trim();
    let found = match asked.len() <= LONGEST && !asked.contains('\0') {
        true => state.app().archives().target(visitor.viewer(), asked).await?,
        false => None,
    };
    let Some(Target { name, position }) = found else {
        let error = "No frame that is held and may be seen here is of a target of this name. Write the position into the \
                     fields, or hand in a frame of it.";
        return Ok((StatusCode::NOT_FOUND, Json(json!({ "error": error, "detail": error }))).into_response());
    };
    let (ra, dec) = (position.right_ascension, position.declination);
    Ok(Json(json!({ "name": name, "ra": ra, "dec": dec, "ra_d": ra, "dec_d": dec })).into_response())
}
