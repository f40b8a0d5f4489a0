//! What a request is told when it cannot be done: a detail, the faults of fields, or an error.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use holotype_app::catalog::CatalogError;
use holotype_app::sessions::{InputError, SessionError};
use holotype_core::Category;
use serde_json::{Value, json};

use crate::problem::Failure;

/// A request that cannot be done.
#[derive(Debug)]
pub(super) enum Refusal {
    /// Told with a detail.
    Failure(Box<Failure>),
    /// Told with this body, as a bad request.
    Body(Value),
}

impl Refusal {
    /// One field is wrong.
    pub(super) fn field(name: &str, problem: impl Into<String>) -> Self {
        Self::Body(json!({ name: [problem.into()] }))
    }

    /// There is no such thing for the caller.
    pub(super) fn absent(what: &str) -> Self {
        Failure::new(Category::NotFound, format!("No {what} matches the given query.")).into()
    }
}

impl From<Failure> for Refusal {
    fn from(failure: Failure) -> Self {
        Self::Failure(Box::new(failure))
    }
}

impl From<CatalogError> for Refusal {
    fn from(error: CatalogError) -> Self {
        Failure::from(error).into()
    }
}

impl From<SessionError> for Refusal {
    fn from(error: SessionError) -> Self {
        match error {
            SessionError::Invalid(faults) => Self::Body(faults.body()),
            SessionError::Input {
                field,
                problem: problem @ (InputError::Absent { .. } | InputError::Refused { .. }),
            } => Self::field(&field, problem.to_string()),
            SessionError::NoSession { .. } => Self::absent("DataSession"),
            SessionError::NoOperation { .. } => Self::absent("DataOperation"),
            other => Failure::from(other).into(),
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        match self {
            Self::Failure(failure) => failure.into_response(),
            Self::Body(body) => (StatusCode::BAD_REQUEST, Json(body)).into_response(),
        }
    }
}
