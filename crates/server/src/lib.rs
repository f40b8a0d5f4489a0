//! The HTTP edge: routes, authentication, problems, OpenAPI, pages.
//!
//! A [`router`] is one value that answers every route of an application; [`Bound`] puts it on TCP, with TLS if there is a
//! certificate, and on a Unix socket; [`in_process`] hands it to a client in this process. Nothing here decides what a
//! request means: that is the rooms' business below. Here is decided who asks, in what shape, and how much.
//!
//! ```text
//! connection ── peer ── request id ── shape of failures ── host and origin ──┬─ pages, OpenAPI, /health          anybody
//!                                                                            ├─ /frames/..         anybody, each what is theirs
//!                                                                            ├─ /api/datasessions/..               who asks
//!                                                                            ├─ /datapoint..   rate limit ─┐
//!                                                                            ├─ /settings ─────────────────┼─ who asks
//!                                                                            └─ /api/v1/..   idempotency ──┘
//! ```

mod auth;
mod browser;
mod content;
mod download;
mod entrance;
mod events;
mod extract;
mod failures;
mod form;
mod idempotency;
mod listen;
mod multipart;
mod openapi;
mod options;
mod pages;
mod peer;
mod problem;
mod project;
mod python_json;
mod rate_limit;
mod request_id;
mod routes;
mod state;
mod static_files;
mod submission;
mod vitals;

use axum::extract::{Request, State};
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Router};
use holotype_app::App;
use tokio_util::sync::CancellationToken;
use tower_http::catch_panic::CatchPanicLayer;
use utoipa_axum::router::OpenApiRouter;

pub use listen::{Bound, ServeError};
pub use options::ServerOptions;
pub use peer::Peer;

use problem::Failure;
use state::ServerState;

/// A router that answers every route of an application.
///
/// A request without a [`Peer`] extension comes from a stranger, who needs a token.
pub fn router(app: App, options: ServerOptions) -> Router {
    router_until(app, options, CancellationToken::new())
}

/// The same router for this process itself, in which a caller without a token is the local owner.
pub fn in_process(app: App, options: ServerOptions) -> Router {
    router(app, options).layer(Extension(Peer::InProcess))
}

/// A router whose endless streams end when `shutdown` is cancelled.
pub(crate) fn router_until(app: App, options: ServerOptions, shutdown: CancellationToken) -> Router {
    let state = ServerState::new(app, options, shutdown);
    let routes = Router::from(described(&state))
        .merge(openapi::routes())
        .merge(pages::routes())
        .merge(routes::slashes::routes())
        .merge(routes::frames::without_slashes())
        .merge(routes::sessions::without_slashes())
        .merge(routes::methods::routes())
        .fallback(elsewhere)
        .with_state(state.clone());
    // Around the whole rather than each route: what the router itself answers goes through all of this too.
    Router::new()
        .fallback_service(routes)
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn_with_state(state, entrance::pass))
}

/// The routes that the OpenAPI document describes. All but the public ones need a caller.
pub(crate) fn described(state: &ServerState) -> OpenApiRouter<ServerState> {
    let private =
        |routes: OpenApiRouter<ServerState>| routes.route_layer(from_fn_with_state(state.clone(), auth::require));
    // Counted before anybody asks who it is, so that guessing tokens counts as well.
    let datapoints =
        private(routes::datapoints::routes()).route_layer(from_fn_with_state(state.clone(), rate_limit::limit));
    datapoints
        .merge(private(routes::settings::routes()))
        .merge(routes::health::routes())
        .merge(routes::frames::routes())
        .merge(routes::sessions::routes())
        .merge(private(routes::v1::routes(state)))
}

/// What no route answers: a directory that is served as it is, or nothing.
async fn elsewhere(State(state): State<ServerState>, request: Request) -> Response {
    let (parts, _body) = request.into_parts();
    match static_files::serve(&state.options().config.mounts, &parts).await {
        Some(response) => response,
        None => problem::not_found().await.into_response(),
    }
}

/// A handler that panicked is a fault of ours like any other.
fn panicked(panic: Box<dyn std::any::Any + Send>) -> Response {
    let said = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    Failure::internal(format!("a handler panicked: {}", said.unwrap_or("without a message"))).into_response()
}
