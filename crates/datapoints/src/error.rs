//! What can go wrong with datapoints, told by what can be done about it.

use std::path::PathBuf;
use std::sync::Arc;

use holotype_blobs::BlobError;
use holotype_catalog::CatalogError;
use holotype_core::Category;
use holotype_core::filter::FilterError;

use crate::fault::FieldError;

/// A failure of a request about datapoints. Nothing is half-stored after any of them.
#[derive(Debug, thiserror::Error)]
pub enum DatapointError {
    /// There is no such datapoint, or it was deleted.
    #[error("Datapoint with id {id} not found.")]
    NotFound {
        /// The id that was asked for.
        id: String,
    },
    /// The datapoint is there, and the bytes it speaks of are not.
    #[error("Datapoint {id} has no bytes here: {reason}.")]
    NoBytes {
        /// The datapoint.
        id: String,
        /// Why, and what would help.
        reason: &'static str,
    },
    /// The datapoint has no file at this place.
    #[error("Datapoint {id} has no file at position {position}.")]
    NoFile {
        /// The datapoint.
        id: String,
        /// The position that was asked for, from 0.
        position: u32,
    },
    /// The id is taken by a datapoint with another content.
    #[error("Datapoint {id} is already stored with another content; submit the changed one under an id of its own")]
    Clash {
        /// The id.
        id: String,
    },
    /// The id is taken by a datapoint that was deleted and is not yet swept.
    #[error("Datapoint {id} was deleted; `holotype datapoint restore {id}` brings it back")]
    Deleted {
        /// The id.
        id: String,
    },
    /// The deleted datapoint of this id was swept while another took its place.
    #[error("Datapoint {id} was being removed; submit it again")]
    Purged {
        /// The id.
        id: String,
    },
    /// The submission is wrong.
    #[error("the datapoint is not valid: {}", listed(errors))]
    Invalid {
        /// Everything that is wrong with it.
        errors: Vec<FieldError>,
    },
    /// The filter cannot be used.
    #[error(transparent)]
    Filter(#[from] FilterError),
    /// A parameter of a request is wrong.
    #[error("{parameter}: {problem}")]
    Parameter {
        /// The parameter.
        parameter: &'static str,
        /// What is wrong, and what is right.
        problem: String,
    },
    /// There is no schema for this label.
    #[error("there is no schema for the label '{label}'; `holotype datapoint schema list` shows those there are")]
    NoSchema {
        /// The label.
        label: String,
    },
    /// A JSON Schema that cannot be used.
    #[error("the schema cannot be used: {problem}")]
    Schema {
        /// What is wrong, and what is right.
        problem: String,
    },
    /// The settings of the object storage cannot be used.
    #[error("the object storage cannot be used: {problem}; check the OBJECT_STORAGE settings")]
    ObjectStorageSettings {
        /// What is wrong with them.
        problem: String,
    },
    /// The object storage answered with an error while its object was being read.
    #[error("the object storage cannot be read: {source}")]
    ObjectStorage {
        /// What it said.
        source: Arc<object_store::Error>,
    },
    /// A dump that cannot be imported.
    #[error("{}: {problem}", path.display())]
    Import {
        /// The file or directory of the dump.
        path: PathBuf,
        /// What is wrong with it, and what to do.
        problem: String,
    },
    /// An export that could not be written.
    #[error("the export cannot be written: {problem}")]
    Export {
        /// Why.
        problem: String,
    },
    /// A stored document that is not what was stored.
    #[error("datapoint {id} is damaged in the catalog: {problem}; `holotype db restore` brings back a backup")]
    Damaged {
        /// The datapoint.
        id: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A failure of all the datapoints that were to be stored together.
    #[error("{source}")]
    Together {
        /// The failure.
        source: Arc<DatapointError>,
    },
    /// Work that was interrupted: the program is ending.
    #[error("the work was interrupted")]
    Interrupted,
    /// The catalog failed.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// The store failed.
    #[error(transparent)]
    Blobs(#[from] BlobError),
}

impl DatapointError {
    /// What kind of failure this is.
    pub fn category(&self) -> Category {
        match self {
            Self::NotFound { .. } | Self::NoBytes { .. } | Self::NoFile { .. } | Self::NoSchema { .. } => {
                Category::NotFound
            }
            Self::Clash { .. } | Self::Deleted { .. } => Category::Conflict,
            Self::Invalid { .. }
            | Self::Filter(_)
            | Self::Parameter { .. }
            | Self::Schema { .. }
            | Self::ObjectStorageSettings { .. }
            | Self::Import { .. } => Category::Invalid,
            Self::Purged { .. } => Category::Busy,
            Self::Together { source } => source.category(),
            Self::ObjectStorage { .. } | Self::Interrupted => Category::Unavailable,
            Self::Export { .. } | Self::Damaged { .. } => Category::Internal,
            Self::Catalog(error) => error.category(),
            Self::Blobs(error) => error.category(),
        }
    }

    pub(crate) fn parameter(parameter: &'static str, problem: impl Into<String>) -> Self {
        Self::Parameter { parameter, problem: problem.into() }
    }

    pub(crate) fn not_found(id: &str) -> Self {
        // A path of a request may be long.
        Self::NotFound { id: id.chars().take(600).collect() }
    }
}

/// Task that was cancelled or panicked.
impl From<tokio::task::JoinError> for DatapointError {
    fn from(_: tokio::task::JoinError) -> Self {
        Self::Interrupted
    }
}

/// The faults of a submission on one line.
fn listed(errors: &[FieldError]) -> String {
    let one = |error: &FieldError| {
        let place: Vec<String> = error.loc.iter().skip(2).map(ToString::to_string).collect();
        if place.is_empty() { error.msg.to_string() } else { format!("{}: {}", place.join("."), error.msg) }
    };
    let shown: Vec<String> = errors.iter().take(3).map(one).collect();
    let more = errors.len().saturating_sub(3);
    if more == 0 { shown.join("; ") } else { format!("{}; and {more} more", shown.join("; ")) }
}
