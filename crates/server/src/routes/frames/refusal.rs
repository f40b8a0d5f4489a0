//! What a request of the archive is told when it cannot be done: mostly a detail, and for faults in fields any JSON.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use holotype_app::archives::ArchiveError;
use holotype_app::catalog::CatalogError;
use holotype_core::Category;
use serde_json::{Map, Value, json};

use crate::problem::Failure;

/// A request that cannot be done.
#[derive(Debug, PartialEq)]
pub(super) enum Refusal {
    /// Told with a detail.
    Failure(Box<Failure>),
    /// Told with this body, as a bad request.
    Fields(Value),
}

impl Refusal {
    /// One field is wrong.
    pub(super) fn field(name: &str, problem: impl Into<String>) -> Self {
        Self::Fields(json!({ name: [problem.into()] }))
    }

    /// Something is not there, or not for this visitor.
    pub(super) fn absent(detail: &str) -> Self {
        Failure::new(Category::NotFound, detail).into()
    }

    /// The visitor must sign in.
    pub(super) fn sign_in() -> Self {
        Failure::unauthenticated("Authentication credentials were not provided.").into()
    }

    /// The visitor may not.
    pub(super) fn forbidden() -> Self {
        Failure::new(Category::Denied, "You do not have permission to perform this action.").into()
    }
}

impl From<Failure> for Refusal {
    fn from(failure: Failure) -> Self {
        Self::Failure(Box::new(failure))
    }
}

impl From<ArchiveError> for Refusal {
    fn from(error: ArchiveError) -> Self {
        Failure::from(error).into()
    }
}

impl From<CatalogError> for Refusal {
    fn from(error: CatalogError) -> Self {
        Failure::from(error).into()
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        match self {
            Self::Failure(failure) => failure.into_response(),
            Self::Fields(body) => (StatusCode::BAD_REQUEST, Json(body)).into_response(),
        }
    }
}

/// Faults in fields, collected: a client is told of all at once.
#[derive(Debug, Default)]
pub(super) struct Faults(Map<String, Value>);

impl Faults {
    /// Notes a fault.
    pub(super) fn add(&mut self, field: &str, problem: &str) {
        self.0.insert(field.to_owned(), json!([problem]));
    }

    /// Whether there was none; else the refusal.
    pub(super) fn none(self) -> Result<(), Refusal> {
        if self.0.is_empty() { Ok(()) } else { Err(Refusal::Fields(self.0.into())) }
    }
}
