//! `/api/analysis/{action}/`

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use holotype_app::sessions::{Analysis, AnalysisError, InputError, OperationError, SessionError};
use holotype_core::Category;
use serde_json::json;

use super::asker::{Asker, Body};
use super::outputs::tif_link;
use super::refusal::Refusal;
use crate::extract::json_text;
use crate::problem::Failure;
use crate::state::ServerState;

/// Look into one frame: `centroiding`, `line-profile`, `source-catalog`, `get-tif`, `get-jpg`, `raw-data` or `wcs`. The body has the `basename` and
/// `source` of the frame, and what the action needs.
#[utoipa::path(post, path = "/api/analysis/{action}/", tag = "datalab", request_body = serde_json::Value,
    params(("action" = String, Path, description = "What to do")),
    responses((status = 200, description = "What was found", body = serde_json::Value), (status = 400, description = "It cannot be done: `{\"error\": ..}`", body = serde_json::Value)),
)]
pub(crate) async fn analyse(
    State(state): State<ServerState>,
    Asker { caller, links }: Asker,
    Path(action): Path<String>,
    Body(body): Body,
) -> Result<Response, Refusal> {
    match state.app().sessions().analyse(&caller, &action, &body).await {
        Ok(Analysis::Text(text)) => Ok(json_text(StatusCode::OK, text)),
        Ok(Analysis::Tif { digest, basename }) => {
            Ok(Json(json!({ "tif_url": tif_link(&state, &links, digest, &basename) })).into_response())
        }
        Err(error) => Err(refused(&action, error)),
    }
}

/// What the asker can mend is told under `error` with the action's name; the rest as elsewhere.
fn refused(action: &str, error: AnalysisError) -> Refusal {
    let told = |text: String| Refusal::Body(json!({ "error": format!("{action} Error: {text}") }));
    let mendable = |category| matches!(category, Category::Invalid | Category::NotFound);
    match error {
        AnalysisError::Unknown { .. } => Refusal::Body(json!({ "error": error.to_string() })),
        AnalysisError::Failed(error) if mendable(error.category()) => told(error.to_string()),
        AnalysisError::Failed(error) => failure(&error).into(),
        AnalysisError::Session(SessionError::Input {
            problem: problem @ (InputError::Absent { .. } | InputError::Refused { .. }),
            ..
        }) => told(problem.to_string()),
        AnalysisError::Session(error) => error.into(),
    }
}

fn failure(error: &OperationError) -> Failure {
    Failure::new(error.category(), error.to_string())
}
