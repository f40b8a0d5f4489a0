//! What an installation does to stay sound: verify, sweep, flush the spool, back up, migrate and restore.
//!
//! Verification, sweeps, flushes and backups are jobs: [`request`] asks for one, and [`App::run_upkeep`] asks by itself when one is
//! due. Migration and restore change the catalog under everything else, so they are functions that run alone.

mod backup;
mod error;
mod handlers;
mod proof;
mod restore;
mod schedule;
mod schema;
mod trial;

use std::sync::Arc;

use holotype_catalog::CatalogError;
use holotype_core::{ActivityId, Caller, ProjectId, UserId};
use holotype_jobs::{Handler, JobError, NewJob, Options, Priority};
use serde_json::{Value, json};

pub use backup::{BackupInfo, BackupMade, BackupRequest, back_up, list_backups};
pub use error::BackupError;
pub use proof::{Proof, verify_backup};
pub use restore::{Old, RestoreRequest, Restored, restore};
pub(crate) use schedule::schedule;
pub use schema::{SchemaCheck, check, migrate};

use crate::{App, AppError};

/// A kind of upkeep that is done as a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Task {
    /// Compare every blob with its digest.
    Verify,
    /// Remove what nothing names.
    Sweep,
    /// Bring what waits on the local disk to the bucket.
    Flush,
    /// Back up the catalog, and the blobs too if wished.
    Backup {
        /// Whether to copy the bytes too.
        with_blobs: bool,
    },
}

impl Task {
    /// Every kind of job that upkeep knows.
    const KINDS: [&'static str; 4] = ["store.verify", "store.sweep", "store.flush", "db.backup"];

    /// The kind of its job.
    pub fn kind(self) -> &'static str {
        let [verify, sweep, flush, backup] = Self::KINDS;
        match self {
            Task::Verify => verify,
            Task::Sweep => sweep,
            Task::Flush => flush,
            Task::Backup { .. } => backup,
        }
    }

    /// A job of this task, for a user.
    fn job(self, agent: UserId, priority: Priority) -> NewJob {
        let job = NewJob::new(self.kind(), ProjectId::DEFAULT, agent, self.params());
        // A bucket may be out of reach for days: one job waits for it, and tries less and less often.
        let max_attempts = if self == Task::Flush { 1000 } else { job.max_attempts };
        NewJob { priority, max_attempts, ..job }
    }

    fn params(self) -> Value {
        match self {
            Task::Backup { with_blobs } => json!({ "with_blobs": with_blobs }),
            Task::Verify | Task::Sweep | Task::Flush => json!({}),
        }
    }
}

/// The options of all jobs: upkeep is for administrators.
pub(crate) fn job_options() -> Options {
    Options { administrative: Task::KINDS.to_vec(), ..Options::default() }
}

/// What does the upkeep.
pub(crate) fn handlers(app: &App) -> Vec<Arc<dyn Handler>> {
    handlers::all(app)
}

/// Asks for upkeep, as a job of the installation's own project.
///
/// # Errors
/// [`CatalogError::AdminOnly`] for anybody but an administrator.
pub async fn request(app: &App, caller: &Caller, task: Task) -> Result<ActivityId, AppError> {
    if !caller.admin {
        return Err(CatalogError::AdminOnly { action: "look after the store and the catalog" }.into());
    }
    enqueue(app, task.job(caller.user, Priority::High)).await
}

async fn enqueue(app: &App, job: NewJob) -> Result<ActivityId, AppError> {
    let (jobs, job) = (app.jobs().clone(), Arc::new(job));
    let id = app.catalog().write::<_, JobError, _>(move |tx| {
        let (jobs, job) = (jobs.clone(), Arc::clone(&job));
        Box::pin(async move { jobs.enqueue(tx, &job).await })
    });
    Ok(id.await?)
}
