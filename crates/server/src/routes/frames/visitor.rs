//! Who asks the archive: anybody, or a user.

use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::request::Parts;
use holotype_app::archives::frames::Viewer;
use holotype_core::Caller;

use super::links::Links;
use super::refusal::Refusal;
use crate::auth;
use crate::problem::Failure;
use crate::state::ServerState;

/// Who asks, and where they reach us.
pub(super) struct Visitor {
    /// Who is signed in.
    pub(super) caller: Option<Caller>,
    /// How links that they can follow are made.
    pub(super) links: Links,
}

impl Visitor {
    /// For whom frames are looked up.
    pub(super) fn viewer(&self) -> Viewer {
        Viewer::of(self.caller.as_ref())
    }

    /// Lets administrators pass.
    pub(super) fn expect_admin(&self) -> Result<&Caller, Refusal> {
        match &self.caller {
            None => Err(Refusal::sign_in()),
            Some(caller) if caller.admin => Ok(caller),
            Some(_) => Err(Refusal::forbidden()),
        }
    }
}

/// A failure to sign in, in the archive's words.
pub(super) fn not_signed_in(failure: Failure) -> Refusal {
    match failure.status() {
        StatusCode::UNAUTHORIZED => Failure::unauthenticated("Invalid token.").into(),
        _ => failure.into(),
    }
}

impl FromRequestParts<ServerState> for Visitor {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &ServerState) -> Result<Self, Refusal> {
        let caller = auth::identify(state, &parts.headers, &parts.extensions).await.map_err(not_signed_in)?;
        Ok(Self { caller, links: Links::new(state, parts) })
    }
}
