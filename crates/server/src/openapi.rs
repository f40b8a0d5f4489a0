//! The OpenAPI document: written by the routes themselves, completed here with what is true of all of them.

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;
use bytes::Bytes;
use holotype_api::problem::{Fault, Problem};
use serde_json::{Map, Value, json};
use utoipa::PartialSchema;

use crate::extract::json_text;
use crate::routes;
use crate::state::ServerState;

/// Operations that anybody may call.
const PUBLIC: [&str; 1] = ["/health"];

/// The version of the contract's own description.
const VERSION: &str = "0.1.0";

/// The routes that answer the document.
pub(crate) fn routes() -> Router<ServerState> {
    Router::new().route("/openapi.json", get(answer)).route("/api/v1/openapi.json", get(answer))
}

async fn answer(State(state): State<ServerState>) -> Response {
    json_text(StatusCode::OK, state.document())
}

/// The document as JSON text.
pub(crate) fn document(state: &ServerState) -> Bytes {
    let written = json!(crate::described(state).into_openapi());
    let manager = state.app().manager();
    let info = json!({"title": manager.name, "description": manager.description, "version": VERSION});
    complete(written, info).to_string().into()
}

fn complete(mut document: Value, info: Value) -> Value {
    document["info"] = info;
    for (path, methods) in members(&mut document["paths"]) {
        for (method, operation) in members(methods) {
            operation["operationId"] = operation_id(method, path).into();
            if path.starts_with("/api/") && !routes::sessions::owns(path) {
                operation["responses"]["default"] = json!({
                    "description": "The request cannot be done",
                    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
                });
            }
            if routes::frames::owns(path) {
                // Anybody may ask, and who is signed in is answered more.
                operation["security"] = json!([{}, {"token": []}, {"password": []}]);
            } else if !PUBLIC.contains(&path.as_str()) {
                operation["security"] = json!([{"token": []}, {"password": []}]);
            }
        }
    }
    document["components"]["schemas"]["Problem"] = json!(Problem::schema());
    document["components"]["schemas"]["Fault"] = json!(Fault::schema());
    document["components"]["securitySchemes"] = json!({
        "token": {"type": "http", "scheme": "bearer", "description": "A token; `Token` is taken for `Bearer`"},
        "password": {"type": "http", "scheme": "basic", "description": "A user's name with a password, or any name with a token"},
    });
    document
}

/// A name for generated clients: `get /api/v1/jobs/{id}/log` is `get_jobs_id_log`, and the contracts' own keep their paths.
fn operation_id(method: &str, path: &str) -> String {
    let path = match (path.strip_prefix("/api/v1"), path.strip_prefix("/api")) {
        (Some(rest), _) => rest.to_owned(),
        (None, Some(rest)) => format!("/datalab{rest}"),
        (None, None) if routes::frames::owns(path) => format!("/archive{path}"),
        (None, None) => format!("/madsci{path}"),
    };
    let words = path.split('/').map(|word| word.trim_matches(['{', '}']).replace('-', "_"));
    words.filter(|word| !word.is_empty()).fold(method.to_owned(), |name, word| format!("{name}_{word}"))
}

fn members(value: &mut Value) -> impl Iterator<Item = (&String, &mut Value)> {
    value.as_object_mut().into_iter().flat_map(Map::iter_mut)
}
