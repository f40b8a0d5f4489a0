//! `/api/available_operations/`

use axum::Json;
use axum::extract::State;
use serde_json::{Map, Value};

use super::asker::Asker;
use crate::state::ServerState;

/// Describe the forms of all operations, by their names.
#[utoipa::path(get, path = "/api/available_operations/", tag = "datalab",
    responses((status = 200, description = "The forms", body = Value)),
)]
pub(crate) async fn available(State(state): State<ServerState>, _asker: Asker) -> Json<Value> {
    let forms = state.app().sessions().descriptions().map(|form| (form.name.to_owned(), form.to_json()));
    Json(forms.collect::<Map<_, _>>().into())
}
