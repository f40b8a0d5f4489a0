//! The contract's trailing slashes: a path that is known without one is redirected there.

use axum::Router;
use axum::extract::Request;
use axum::http::header::{HOST, LOCATION};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::any;

use crate::peer::Remote;
use crate::problem::Failure;
use crate::state::ServerState;

/// The contract's paths, with a slash too many.
const PATHS: [&str; 9] = [
    "/datapoint/",
    "/datapoint/{id}/",
    "/datapoint/{id}/value/",
    "/datapoints/",
    "/datapoints/query/",
    "/docs/",
    "/openapi.json/",
    "/redoc/",
    "/settings/",
];

pub(crate) fn routes() -> Router<ServerState> {
    PATHS.into_iter().fold(Router::new(), |router, path| router.route(path, any(redirect)))
}

/// An absolute address, as the contract has it.
async fn redirect(request: Request) -> Result<Response, Failure> {
    let scheme = if Remote::from_extensions(request.extensions()).secure { "https" } else { "http" };
    let host = request.headers().get(HOST).and_then(|host| host.to_str().ok()).unwrap_or("localhost");
    let path = request.uri().path().trim_end_matches('/');
    let query = request.uri().query().map(|query| format!("?{query}")).unwrap_or_default();
    let location = HeaderValue::try_from(format!("{scheme}://{host}{path}{query}")).map_err(Failure::internal)?;
    Ok((StatusCode::TEMPORARY_REDIRECT, [(LOCATION, location)]).into_response())
}
