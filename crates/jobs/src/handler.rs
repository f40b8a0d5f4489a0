//! What does the work of a job, and what it is given to do so.

use std::future::Future;
use std::sync::Arc;

use async_trait::async_trait;
use holotype_catalog::{Entity, Tx};
use holotype_core::{ActivityId, Category, ProjectId, UserId};
use serde_json::Value;

use crate::lease::Lease;
use crate::{JobError, Level};

/// Does the work of every job of one kind.
///
/// A job may be begun more than once: a worker can die, and its lease can be lost while it still runs. So a handler's steps must bear being
/// repeated, and what it writes to the catalog goes through [`Job::fence`], in the same transaction.
#[async_trait]
pub trait Handler: Send + Sync + 'static {
    /// The kind of jobs it does, for example `store.verify`.
    fn kind(&self) -> &'static str;

    /// Does one job; the value is kept as its result. The future has a thread of its own and may block it, but while it blocks it cannot
    /// be dropped: look at [`Job::cancelled`] now and then.
    async fn run(&self, job: &Job) -> Result<Value, Failure>;
}

/// Why a handler did not finish.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// Something that may be better later: the job is tried again while it has attempts left.
    #[error("{reason}")]
    Retry {
        /// What happened, for people; no secrets.
        reason: String,
    },
    /// Something that will be the same next time.
    #[error("{reason}")]
    Permanent {
        /// What happened, for people; no secrets.
        reason: String,
    },
    /// It was told to stop, and did.
    #[error("stopped before the end")]
    Cancelled,
}

impl Failure {
    /// The failure that an error of `category` means for a job: what may pass by itself is tried again.
    pub fn of(category: Category, reason: impl ToString) -> Self {
        let reason = reason.to_string();
        if category.is_transient() { Failure::Retry { reason } } else { Failure::Permanent { reason } }
    }
}

impl From<JobError> for Failure {
    fn from(error: JobError) -> Self {
        match error {
            JobError::Lost { .. } => Failure::Cancelled,
            other => Failure::of(other.category(), other),
        }
    }
}

/// One attempt at a job, as its handler sees it.
#[derive(Debug, Clone)]
pub struct Job {
    /// The job, which is also the activity of this id in the lineage.
    pub id: ActivityId,
    /// The project it belongs to.
    pub project: ProjectId,
    /// Who asked for it.
    pub agent: UserId,
    /// Which attempt this is; the first is 1.
    pub attempt: u32,
    /// What it was given.
    pub params: Value,
    pub(crate) lease: Arc<Lease>,
}

impl Job {
    /// Says how much is done (0 to 1) and what is being done. It never goes backwards within an attempt; it is written a moment later,
    /// together with what else was said, so it may be called as often as is handy.
    pub fn progress(&self, fraction: f64, message: impl AsRef<str>) {
        self.lease.recorder().progress(fraction, message.as_ref());
    }

    /// Adds a line to the job's log; it is written a moment later. Long lines and long logs are cut, and say so.
    pub fn log(&self, level: Level, text: impl AsRef<str>) {
        self.lease.log(level, text.as_ref());
    }

    /// Whether to stop: somebody cancelled the job, the worker is being shut down, or this attempt lost its lease.
    pub fn cancelled(&self) -> bool {
        self.lease.stop().is_cancelled()
    }

    /// Resolves when [`cancelled`](Self::cancelled) becomes true.
    pub fn cancellation(&self) -> impl Future<Output = ()> + Send + 'static {
        self.lease.stop().clone().cancelled_owned()
    }

    /// Makes `tx` count only if this attempt still holds the job when it commits.
    ///
    /// # Errors
    /// [`JobError::Lost`] if it does not.
    pub async fn fence(&self, tx: &mut Tx) -> Result<(), JobError> {
        self.lease.fence(tx).await
    }

    /// Records that the job read `entity`.
    ///
    /// # Errors
    /// [`JobError::Lost`] if this attempt no longer holds the job, or the catalog's.
    pub async fn input(&self, entity: Entity) -> Result<(), JobError> {
        self.lease.relate(entity, Relation::Input).await
    }

    /// Records that the job made `entity`.
    ///
    /// # Errors
    /// [`JobError::Lost`] if this attempt no longer holds the job, or the catalog's.
    pub async fn output(&self, entity: Entity) -> Result<(), JobError> {
        self.lease.relate(entity, Relation::Output).await
    }
}

/// How an activity relates to an entity.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Relation {
    /// It read it.
    Input,
    /// It made it.
    Output,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_pass_by_itself_is_worth_another_attempt() {
        let failure = Failure::of(Category::Unavailable, "the bucket cannot be reached");
        assert_eq!(failure, Failure::Retry { reason: "the bucket cannot be reached".to_owned() });
        let failure = Failure::of(Category::Invalid, "there is no such label");
        assert_eq!(failure, Failure::Permanent { reason: "there is no such label".to_owned() });
    }

    #[test]
    fn an_attempt_that_lost_its_lease_stops_without_a_word() {
        let id = "01ARZ3NDEKTSV4RRFFQ69G5FAV".parse().unwrap();
        assert_eq!(Failure::from(JobError::Lost { id, attempt: 1 }), Failure::Cancelled);
    }
}
