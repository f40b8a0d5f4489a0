//! The routes of a Datalab backend: sessions, operations, outputs and analyses, as its front end knows them.
//!
//! Each path is answered with and without the slash at its end, for the front end leaves it out where it deletes. Answers are whole, with
//! their length, because the front end takes an answer without one for empty.

mod analysis;
mod answer;
mod asker;
mod available;
mod list;
mod operations;
mod outputs;
mod refusal;
mod session;

use axum::Router;
use axum::routing::{get, post};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::state::ServerState;

pub(crate) use outputs::{is_signed_output, output_link};

/// What these paths begin with.
const PREFIXES: [&str; 4] = ["/api/datasessions", "/api/available_operations", "/api/analysis", "/api/outputs"];

/// Whether a path is one of these, so that what goes wrong is told in its shape.
pub(crate) fn owns(path: &str) -> bool {
    let of_ours = |prefix: &str| path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    PREFIXES.into_iter().any(of_ours)
}

pub(crate) fn routes() -> OpenApiRouter<ServerState> {
    OpenApiRouter::new()
        .routes(routes!(list::list, list::create))
        .routes(routes!(session::show, session::put, session::patch, session::delete))
        .routes(routes!(operations::list, operations::create))
        .routes(routes!(operations::bulk_delete))
        .routes(routes!(operations::show, operations::put, operations::patch, operations::delete))
        .routes(routes!(available::available))
        .routes(routes!(analysis::analyse))
        .routes(routes!(outputs::output))
        .routes(routes!(outputs::tif))
}

/// The same paths without the slash.
pub(crate) fn without_slashes() -> Router<ServerState> {
    Router::new()
        .route("/api/datasessions", get(list::list).post(list::create))
        .route(
            "/api/datasessions/{session}",
            get(session::show).put(session::put).patch(session::patch).delete(session::delete),
        )
        .route("/api/datasessions/{session}/operations", get(operations::list).post(operations::create))
        .route("/api/datasessions/{session}/operations/bulk_delete", post(operations::bulk_delete))
        .route(
            "/api/datasessions/{session}/operations/{operation}",
            get(operations::show).put(operations::put).patch(operations::patch).delete(operations::delete),
        )
        .route("/api/available_operations", get(available::available))
        .route("/api/analysis/{action}", post(analysis::analyse))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn these_paths_are_known_from_others() {
        for path in ["/api/datasessions", "/api/datasessions/1/operations/", "/api/analysis/wcs/", "/api/outputs/x"] {
            assert!(owns(path), "{path}");
        }
        for path in ["/api/v1/sessions", "/api/datasessionsx", "/api/", "/frames/"] {
            assert!(!owns(path), "{path}");
        }
    }
}
