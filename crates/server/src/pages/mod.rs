//! The pages: plain, self-contained, without anything from elsewhere.
//!
//! They are clients of the API like any other and carry no data themselves, so they are public. A policy in their headers
//! forbids them to load or send anything beyond this server, and others to frame them.

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::header::{
    ACCEPT, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, LOCATION, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::json;

use crate::routes::frames::Links;
use crate::state::ServerState;
use crate::static_files;

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; \
                      form-action 'none'; base-uri 'none'; frame-ancestors 'none'";

/// Every page, and what the pages load.
pub(crate) fn routes() -> Router<ServerState> {
    Router::new()
        .route("/", get(index))
        .route("/ui", get(|| async { to("/ui/") }))
        .route("/ui/", get(|| async { page(include_str!("ui.html"), "text/html; charset=utf-8") }))
        .route("/ui/style.css", get(|| async { page(include_str!("style.css"), "text/css; charset=utf-8") }))
        .route("/ui/ui.js", get(|| async { page(include_str!("ui.js"), "text/javascript; charset=utf-8") }))
        .route(
            "/ui/reference.js",
            get(|| async { page(include_str!("reference.js"), "text/javascript; charset=utf-8") }),
        )
        .route("/docs", get(reference))
        .route("/redoc", get(reference))
}

async fn reference() -> Response {
    page(include_str!("reference.html"), "text/html; charset=utf-8")
}

/// A page for people, an index for programs. A front end that is served at the root is the page.
async fn index(State(state): State<ServerState>, request: Request) -> Response {
    let (parts, _body) = request.into_parts();
    let (headers, links) = (&parts.headers, Links::new(&state, &parts));
    let accept = headers.get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if accept.contains("text/html") {
        let mounts = &state.options().config.mounts;
        let front_end =
            if static_files::at_the_root(mounts) { static_files::serve(mounts, &parts).await } else { None };
        return front_end.unwrap_or_else(|| to("/ui/"));
    }
    Json(json!({
        "name": state.app().manager().name,
        "service": "holotype",
        "version": env!("CARGO_PKG_VERSION"),
        "links": {
            "ui": "/ui/",
            "reference": "/docs",
            "openapi": "/openapi.json",
            "health": "/health",
            "datapoints": "/datapoints",
            "api": "/api/v1/whoami",
        },
        // The archive's own index, for its clients.
        "frames": links.to("/frames/"),
        "versions": links.to("/versions/"),
        "thumbnails": links.to("/thumbnails/"),
    }))
    .into_response()
}

fn to(path: &'static str) -> Response {
    (StatusCode::TEMPORARY_REDIRECT, [(LOCATION, path)]).into_response()
}

fn page(text: &'static str, media_type: &'static str) -> Response {
    let headers = [
        (CONTENT_TYPE, media_type),
        (CONTENT_SECURITY_POLICY, POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "no-referrer"),
        // The page and its script belong together, and both change with the program.
        (CACHE_CONTROL, "no-cache"),
    ];
    (headers, text).into_response()
}

#[cfg(test)]
mod tests {
    #[test]
    fn no_page_loads_anything_from_elsewhere() {
        let files = [
            include_str!("ui.html"),
            include_str!("ui.js"),
            include_str!("style.css"),
            include_str!("reference.html"),
            include_str!("reference.js"),
        ];
        for file in files {
            for scheme in ["http:", "https:", "src=\"//", "url(", "@import"] {
                assert!(!file.contains(scheme), "{scheme} in a page");
            }
            for sink in ["innerHTML", "outerHTML", "document.write", "insertAdjacentHTML", "eval("] {
                assert!(!file.contains(sink), "{sink} in a page");
            }
        }
    }
}
