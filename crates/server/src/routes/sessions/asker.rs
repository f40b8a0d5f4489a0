//! Who asks, and what a request brings.

use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use holotype_app::sessions::{OperationId, SessionId};
use holotype_core::json::{self, Limits, Problem};
use holotype_core::{Caller, Category};
use serde_json::{Map, Value};

use super::refusal::Refusal;
use crate::auth;
use crate::extract::{is_json, read_bytes};
use crate::problem::Failure;
use crate::routes::frames::Links;
use crate::state::ServerState;

/// A user, and where they reach us.
pub(super) struct Asker {
    pub(super) caller: Caller,
    pub(super) links: Links,
}

impl FromRequestParts<ServerState> for Asker {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &ServerState) -> Result<Self, Refusal> {
        let found = auth::identify(state, &parts.headers, &parts.extensions).await.map_err(not_signed_in)?;
        let caller = found.ok_or_else(|| Failure::unauthenticated("Authentication credentials were not provided."))?;
        Ok(Self { caller, links: Links::new(state, parts) })
    }
}

/// A failure to sign in, in the contract's words.
fn not_signed_in(failure: Failure) -> Refusal {
    match failure.status() {
        StatusCode::UNAUTHORIZED => Failure::unauthenticated("Invalid token.").into(),
        _ => failure.into(),
    }
}

/// A JSON body; nothing at all is an empty object.
pub(super) struct Body(pub(super) Value);

impl FromRequest<ServerState> for Body {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &ServerState) -> Result<Self, Refusal> {
        let limit = state.document_limit();
        let said =
            request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
        let is_json = is_json(request.headers());
        let bytes = read_bytes(request, limit).await?;
        if bytes.is_empty() {
            return Ok(Self(Value::Object(Map::new())));
        }
        if !is_json {
            let shown: String = said.chars().take(80).collect();
            let detail = format!("Unsupported media type \"{shown}\" in request.");
            return Err(Failure::with_status(StatusCode::UNSUPPORTED_MEDIA_TYPE, Category::Invalid, detail).into());
        }
        json::parse(&bytes, &Limits { bytes: limit, ..Limits::default() }).map(Self).map_err(|error| {
            match error.problem {
                Problem::TooLarge { limit, .. } => Failure::too_large("The JSON text", limit).into(),
                _ => {
                    let detail = format!("JSON parse error - {error}");
                    Failure::with_status(StatusCode::BAD_REQUEST, Category::Invalid, detail).into()
                }
            }
        })
    }
}

/// The number of a session in a path. What is none names no session.
pub(super) fn session_id(text: &str) -> Result<SessionId, Refusal> {
    text.parse().map(SessionId).map_err(|_| Refusal::absent("DataSession"))
}

/// The number of an operation in a path. What is none names no operation.
pub(super) fn operation_id(text: &str) -> Result<OperationId, Refusal> {
    text.parse().map(OperationId).map_err(|_| Refusal::absent("DataOperation"))
}
