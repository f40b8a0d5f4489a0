//! Which datapoints a request means.

use holotype_core::filter::{Aliases, Budget, Filter};
use serde_json::Value;

use crate::DatapointError;
use crate::narrow::Narrowing;
use crate::table::Candidate;

/// A filter over datapoints, read once. The default means every datapoint.
///
/// Beside the stored names, `experiment_id` stands for `ownership_info.experiment_id` and `created_at` for `data_timestamp` in
/// datapoints that have no such member: the guides of MADSci show both.
#[derive(Debug, Clone, Default)]
pub struct Selection(Option<Filter>);

impl Selection {
    /// Reads a filter in MongoDB's language; `null` and `{}` mean everything.
    ///
    /// # Errors
    /// [`DatapointError::Filter`] with the place and the reason.
    pub fn parse(filter: &Value) -> Result<Self, DatapointError> {
        if filter.is_null() || filter.as_object().is_some_and(serde_json::Map::is_empty) {
            return Ok(Self(None));
        }
        let aliases =
            Aliases::new([("experiment_id", "ownership_info.experiment_id"), ("created_at", "data_timestamp")]);
        Ok(Self(Some(Filter::parse_with(filter, &aliases)?)))
    }

    /// Whether no datapoint can fail it.
    pub(crate) fn is_everything(&self) -> bool {
        self.0.is_none()
    }

    /// What of it a database can be asked.
    pub(crate) fn narrowing(&self) -> Narrowing {
        self.0.as_ref().map(Narrowing::of).unwrap_or_default()
    }

    /// Whether it means a stored datapoint.
    pub(crate) fn matches(&self, candidate: &Candidate, budget: &mut Budget) -> Result<bool, DatapointError> {
        let Some(filter) = &self.0 else { return Ok(true) };
        let document = parsed(&candidate.id, &candidate.document)?;
        Ok(filter.matches(&document, budget)?)
    }
}

/// A stored document as a value.
pub(crate) fn parsed(id: &str, document: &str) -> Result<Value, DatapointError> {
    serde_json::from_str(document)
        .map_err(|error| DatapointError::Damaged { id: id.to_owned(), problem: error.to_string() })
}
