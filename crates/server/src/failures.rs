//! Errors of the rooms below as failures of a request: by their category, with their own words.

use holotype_api::problem::Step;
use holotype_app::AppError;
use holotype_app::archives::ArchiveError;
use holotype_app::blobs::BlobError;
use holotype_app::catalog::CatalogError;
use holotype_app::datapoints::{DatapointError, FieldError, Step as FieldStep};
use holotype_app::jobs::JobError;
use holotype_app::sessions::SessionError;
use holotype_core::Category;
use serde_json::Value;

use crate::problem::{Failure, Fault};

impl From<CatalogError> for Failure {
    fn from(error: CatalogError) -> Self {
        Self::new(error.category(), error.to_string())
    }
}

impl From<JobError> for Failure {
    fn from(error: JobError) -> Self {
        Self::new(error.category(), error.to_string())
    }
}

impl From<AppError> for Failure {
    fn from(error: AppError) -> Self {
        Self::new(error.category(), error.to_string())
    }
}

impl From<BlobError> for Failure {
    fn from(error: BlobError) -> Self {
        Self::new(error.category(), error.to_string())
    }
}

impl From<ArchiveError> for Failure {
    fn from(error: ArchiveError) -> Self {
        Self::new(error.category(), error.to_string())
    }
}

impl From<SessionError> for Failure {
    fn from(error: SessionError) -> Self {
        match error {
            SessionError::Invalid(faults) => {
                let fault =
                    |(field, problem): (&str, &str)| Fault::new("value_error", &["body", field], problem, Value::Null);
                Self::invalid(faults.iter().map(fault).collect())
            }
            SessionError::Input { field, problem } if problem.category() == Category::NotFound => {
                Self::invalid(vec![Fault::new("value_error", &["body", &field], problem.to_string(), Value::Null)])
            }
            other => Self::new(other.category(), other.to_string()),
        }
    }
}

impl From<DatapointError> for Failure {
    fn from(error: DatapointError) -> Self {
        match error {
            DatapointError::Invalid { errors } => Self::invalid(errors.into_iter().map(Fault::from).collect()),
            DatapointError::Filter(error) => {
                let loc: Vec<&str> =
                    ["body"].into_iter().chain(Some(error.path.as_str()).filter(|path| !path.is_empty())).collect();
                Self::invalid(vec![Fault::new("value_error", &loc, error.problem.to_string(), Value::Null)])
            }
            DatapointError::Parameter { parameter, problem } => {
                Self::invalid(vec![Fault::new("value_error", &["query", parameter], problem, Value::Null)])
            }
            other => Self::new(other.category(), other.to_string()),
        }
    }
}

impl From<FieldError> for Fault {
    fn from(error: FieldError) -> Self {
        let step = |step| match step {
            FieldStep::Member(name) => Step::Name(name),
            FieldStep::Index(index) => Step::Index(index as u64),
        };
        Self {
            kind: error.kind.into_owned(),
            loc: error.loc.into_iter().map(step).collect(),
            message: error.msg.into_owned(),
            input: error.input,
            context: error.ctx,
        }
    }
}

/// A failure of the contract's routes: what is absent is told in the contract's own way.
pub(crate) fn contract(error: impl Into<Failure>) -> Failure {
    let failure = error.into();
    match failure.category() {
        Category::NotFound => failure.told_as_message(),
        _ => failure,
    }
}
