//! `/api/analysis/{action}/`

use axum::Json;
use axum::extract::{Path, State};
use serde_json::{Value, json};

use super::asker::{Asker, Body};
use super::refusal::Refusal;
use crate::state::ServerState;

/// Look into one frame: `centroiding`, `line-profile`, `source-catalog`, `get-tif`, `get-jpg`, `raw-data` or `wcs`. The body has the `basename` and
/// `source` of the frame, and what the action needs.
#[utoipa::path(post, path = "/api/analysis/{action}/", tag = "datalab", request_body = Value,
    params(("action" = String, Path, description = "What to do")),
    responses((status = 200, description = "What was found", body = Value), (status = 400, description = "It cannot be done: `{\"error\": ..}`", body = Value)),
)]
pub(crate) async fn analyse(
    State(_state): State<ServerState>,
    _asker: Asker,
    Path(action): Path<String>,
    Body(_body): Body,
) -> Result<Json<Value>, Refusal> {
    let shown: String = action.chars().take(80).collect();
    Err(Refusal::Body(json!({ "error": format!("Analysis action '{shown}' not found") })))
}
