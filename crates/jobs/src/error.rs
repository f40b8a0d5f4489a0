//! What can go wrong with jobs.

use holotype_catalog::CatalogError;
use holotype_core::{ActivityId, Category};

use crate::State;

/// A failure of the jobs room. What a job's own work ran into is [`Failure`](crate::Failure).
#[derive(Debug, thiserror::Error)]
pub enum JobError {
    /// The catalog refused, or cannot be reached.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// No such job, or none that the caller may see.
    #[error("there is no job {id}; `holotype job list` shows the jobs you may see")]
    NotFound {
        /// What was asked for.
        id: ActivityId,
    },
    /// The job has ended, so it cannot be cancelled.
    #[error("job {id} is over ({state}): there is nothing to cancel")]
    Ended {
        /// The job.
        id: ActivityId,
        /// How it ended.
        state: State,
    },
    /// Only what failed or was cancelled is tried again.
    #[error("job {id} is {state}: only a failed or cancelled job can be retried")]
    NotRetriable {
        /// The job.
        id: ActivityId,
        /// Where it stands.
        state: State,
    },
    /// The job that is asked for cannot be.
    #[error("a job of kind '{kind}' cannot be queued: {problem}")]
    InvalidJob {
        /// Its kind.
        kind: String,
        /// What is wrong with it.
        problem: String,
    },
    /// An attempt that lost its lease tried to write something.
    #[error("attempt {attempt} of job {id} no longer holds it, so what it did is not recorded")]
    Lost {
        /// The job.
        id: ActivityId,
        /// The attempt.
        attempt: u32,
    },
    /// Two handlers want the same jobs.
    #[error("two handlers are registered for jobs of kind '{kind}'")]
    DuplicateHandler {
        /// The kind.
        kind: &'static str,
    },
    /// A row holds what this version never writes.
    #[error(
        "job {id} is damaged in the catalog: its {column} cannot be read ({problem}); `holotype db check` looks for more"
    )]
    Damaged {
        /// The job.
        id: ActivityId,
        /// The column.
        column: &'static str,
        /// What is wrong with it.
        problem: String,
    },
    /// The tables of the queue could not be made.
    #[error("the tables of the job queue cannot be set up: {problem}")]
    Setup {
        /// The database's own words.
        problem: String,
    },
}

impl JobError {
    /// What kind of failure this is.
    pub fn category(&self) -> Category {
        match self {
            JobError::Catalog(error) => error.category(),
            JobError::NotFound { .. } => Category::NotFound,
            JobError::Ended { .. } | JobError::NotRetriable { .. } | JobError::Lost { .. } => Category::Conflict,
            JobError::InvalidJob { .. } => Category::Invalid,
            JobError::DuplicateHandler { .. } | JobError::Damaged { .. } => Category::Internal,
            JobError::Setup { .. } => Category::Unavailable,
        }
    }
}
