//! The routes of an OCS science archive, over the frames that are held here.
//!
//! Anybody may ask: what is answered depends on who asks. Paths, parameters, answers and errors are those of that archive, but
//! for faults of it: counts are exact, and a frame that somebody may not see is not answered by any route.

mod account;
mod aggregate;
mod answer;
mod bundle;
mod download;
mod filters;
mod links;
mod list;
mod names;
mod pages;
mod provisioning;
mod record;
mod refusal;
mod thumbnails;
mod versions;
mod visitor;

use axum::Router;
use axum::http::HeaderValue;
use axum::http::header::VARY;
use axum::middleware::map_response;
use axum::response::Response;
use axum::routing::get;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::state::ServerState;

pub(crate) use links::{Links, is_signed_download};
pub(crate) use pages::Parameters;

/// What the archive's paths begin with.
const PREFIXES: [&str; 4] = ["/frames/", "/names/", "/thumbnails/", "/versions/"];

/// The archive's paths that nothing follows.
const PATHS: [&str; 5] = ["/api-token-auth/", "/authprofile/addupdateuser/", "/revoke_token/", "/profile/", "/health/"];

/// Whether a path is the archive's, so that what goes wrong is told in its shape.
pub(crate) fn owns(path: &str) -> bool {
    PREFIXES.iter().any(|prefix| path.starts_with(prefix)) || PATHS.contains(&path)
}

pub(crate) fn routes() -> OpenApiRouter<ServerState> {
    OpenApiRouter::new()
        .routes(routes!(list::list, record::create))
        .routes(routes!(aggregate::aggregate))
        .routes(routes!(bundle::zip))
        .routes(routes!(record::frame))
        .routes(routes!(record::headers))
        .routes(routes!(record::related))
        .routes(routes!(download::version))
        .routes(routes!(thumbnails::list))
        .routes(routes!(thumbnails::service))
        .routes(routes!(thumbnails::picture))
        .routes(routes!(names::name))
        .routes(routes!(versions::list))
        .routes(routes!(account::sign_in))
        .routes(routes!(account::revoke))
        .routes(routes!(account::profile))
        .routes(routes!(account::health))
        .routes(routes!(provisioning::add_or_update))
        .route_layer(map_response(varied))
}

/// What is answered depends on who asks, so no cache may give it to another.
async fn varied(mut response: Response) -> Response {
    response.headers_mut().append(VARY, HeaderValue::from_static("Accept, Authorization"));
    response
}

/// Paths without the slash that the archive's have, redirected there.
pub(crate) fn without_slashes() -> Router<ServerState> {
    let paths = [
        "/frames",
        "/frames/{id}",
        "/frames/{id}/headers",
        "/frames/{id}/related",
        "/frames/aggregate",
        "/thumbnails",
        "/versions",
        "/profile",
    ];
    paths.into_iter().fold(Router::new(), |router, path| router.route(path, get(links::with_slash)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_archives_paths_are_known_from_others() {
        for path in ["/frames/", "/frames/1/headers/", "/thumbnails/", "/versions/", "/profile/", "/health/"] {
            assert!(owns(path), "{path}");
        }
        for path in ["/", "/health", "/framesets/", "/api/v1/frames", "/profile/x", "/datapoint/frames/"] {
            assert!(!owns(path), "{path}");
        }
    }
}
