//! What can go wrong with sessions, told by what can be done about it.

use holotype_blobs::BlobError;
use holotype_catalog::CatalogError;
use holotype_core::Category;
use holotype_jobs::JobError;
use serde_json::{Map, Value, json};

use crate::{InputError, OperationId, SessionId};

/// What is wrong with a request, field by field.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Faults(Vec<(String, String)>);

impl Faults {
    /// One fault in one field.
    pub fn one(field: &str, problem: impl Into<String>) -> Self {
        Self(vec![(field.to_owned(), problem.into())])
    }

    /// Notes a fault in a field.
    pub fn add(&mut self, field: &str, problem: impl Into<String>) {
        self.0.push((field.to_owned(), problem.into()));
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// `value` if there is no fault.
    ///
    /// # Errors
    /// [`SessionError::Invalid`] with the faults there are.
    pub fn none_or<T>(self, value: T) -> Result<T, SessionError> {
        if self.is_empty() { Ok(value) } else { Err(SessionError::Invalid(self)) }
    }

    /// As the contract answers it: each field with a list of its problems.
    pub fn body(&self) -> Value {
        let mut fields: Map<String, Value> = Map::new();
        for (field, problem) in &self.0 {
            match fields.get_mut(field).and_then(Value::as_array_mut) {
                Some(problems) => problems.push(json!(problem)),
                None => drop(fields.insert(field.clone(), json!([problem]))),
            }
        }
        fields.into()
    }

    /// The fields and their problems, in the order in which they were found.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(field, problem)| (field.as_str(), problem.as_str()))
    }
}

impl std::fmt::Display for Faults {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let each: Vec<String> = self.iter().map(|(field, problem)| format!("{field}: {problem}")).collect();
        f.write_str(&each.join("; "))
    }
}

/// A failure of a request about sessions. Nothing is half-stored after any of them.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// The catalog's.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// The store's.
    #[error(transparent)]
    Blob(#[from] BlobError),
    /// The queue's.
    #[error(transparent)]
    Job(#[from] JobError),
    /// The request is wrong.
    #[error("{0}")]
    Invalid(Faults),
    /// An input cannot be had.
    #[error("{problem}")]
    Input {
        /// Which field names it.
        field: String,
        /// Why not.
        problem: InputError,
    },
    /// There is no such session, or it is not the caller's.
    #[error("there is no session {id}; `holotype session list` shows yours")]
    NoSession {
        /// What was asked for.
        id: SessionId,
    },
    /// There is no such operation, or it is not the caller's.
    #[error("there is no operation {id}; `holotype operation list` shows yours")]
    NoOperation {
        /// What was asked for.
        id: OperationId,
    },
    /// There is no such file.
    #[error("there is no such file")]
    NoFile,
    /// The operation is over, so it cannot be stopped.
    #[error("operation {id} is over: there is nothing to cancel")]
    Ended {
        /// Which.
        id: OperationId,
    },
    /// Others wait for the same work, so it goes on.
    #[error(
        "others wait for the same result as operation {id}; delete the operation instead, and the work goes on for them"
    )]
    Shared {
        /// Which.
        id: OperationId,
    },
    /// A file on this machine.
    #[error("{what} failed: {problem}")]
    File {
        /// What was done.
        what: &'static str,
        /// Why it failed.
        problem: String,
    },
    /// A stored row is not what was stored.
    #[error("{what} is damaged in the catalog: {problem}; `holotype db restore` brings back a backup")]
    Damaged {
        /// What.
        what: String,
        /// What is wrong with it.
        problem: String,
    },
}

impl SessionError {
    /// What kind of failure it is.
    pub fn category(&self) -> Category {
        match self {
            Self::Catalog(error) => error.category(),
            Self::Blob(error) => error.category(),
            Self::Job(error) => error.category(),
            Self::Input { problem, .. } => problem.category(),
            Self::Invalid(_) => Category::Invalid,
            Self::NoSession { .. } | Self::NoOperation { .. } | Self::NoFile => Category::NotFound,
            Self::Ended { .. } | Self::Shared { .. } => Category::Conflict,
            Self::File { .. } => Category::Unavailable,
            Self::Damaged { .. } => Category::Internal,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_of_a_field_are_told_together() {
        let mut faults = Faults::one("name", "This field is required.");
        faults.add("input_data", "a");
        faults.add("input_data", "b");
        let body = r#"{"name":["This field is required."],"input_data":["a","b"]}"#;
        assert_eq!(faults.body().to_string(), body);
        assert!(faults.none_or(()).is_err() && Faults::default().none_or(()).is_ok());
    }
}
