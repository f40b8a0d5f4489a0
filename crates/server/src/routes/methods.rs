//! The contract's methods: a route knows exactly the one it has, so `HEAD` is not allowed where `GET` is.

use axum::Router;
use axum::http::HeaderValue;
use axum::http::header::ALLOW;
use axum::response::Response;
use axum::routing::head;

use crate::entrance::Asked;
use crate::problem::{Failure, method_not_allowed};
use crate::state::ServerState;

/// The contract's paths that answer `GET`.
const PATHS: [&str; 5] = ["/datapoint/{id}", "/datapoint/{id}/value", "/datapoints", "/health", "/settings"];

/// Refuses `HEAD`, which the framework would answer as `GET` without a body.
pub(crate) fn routes() -> Router<ServerState> {
    PATHS.into_iter().fold(Router::new(), |router, path| router.route(path, head(refuse)))
}

async fn refuse() -> Failure {
    method_not_allowed().with_header(ALLOW, HeaderValue::from_static("GET"))
}

/// Leaves `HEAD` out of what the contract's paths allow.
pub(crate) fn allow(asked: &Asked, mut response: Response) -> Response {
    let path = asked.path();
    // With a slash at its end, it is the archive's.
    let of_the_contract =
        path != "/health/" && ["/datapoint", "/health", "/settings"].iter().any(|start| path.starts_with(start));
    let allowed = response.headers().get(ALLOW).filter(|_| of_the_contract).and_then(|value| value.to_str().ok());
    let others: Option<Vec<_>> =
        allowed.map(|allowed| allowed.split(',').map(str::trim).filter(|method| *method != "HEAD").collect());
    if let Some(value) = others.and_then(|others| HeaderValue::try_from(others.join(", ")).ok()) {
        response.headers_mut().insert(ALLOW, value);
    }
    response
}
