//! Jobs that the process which asks for them does itself: a command's work on the caller's own disk.

use std::sync::Arc;

use holotype_core::ActivityId;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::state::Event;
use crate::table::{self, Locked};
use crate::worker::{Workshop, by_kind};
use crate::{Handler, JobError, Jobs, NewJob};

/// A job that runs in this process.
pub struct Performance {
    id: ActivityId,
    workshop: Workshop,
    claimed: Locked,
}

impl Jobs {
    /// Makes a job that no worker is offered: it is claimed in the transaction that makes it. [`Performance::run`] does it.
    ///
    /// It is listed, logged, watched and cancelled like any other. If this process dies, the reconciler finds it silent, and with
    /// one attempt it has failed then.
    ///
    /// # Errors
    /// [`JobError::InvalidJob`], or the catalog's.
    pub async fn begin(&self, job: &NewJob, handler: Arc<dyn Handler>) -> Result<Performance, JobError> {
        self.check(job)?;
        let workshop = Workshop {
            jobs: self.clone(),
            handlers: Arc::new(by_kind(vec![handler])?),
            slots: Arc::new(Semaphore::new(1)),
            attempts: TaskTracker::new(),
            shutdown: CancellationToken::new(),
        };
        let (jobs, job) = (self.clone(), job.clone());
        let claimed = self
            .catalog()
            .write(move |tx| {
                let (jobs, job) = (jobs.clone(), job.clone());
                Box::pin(async move {
                    let id = tx.new_activity_id()?;
                    table::insert(tx, id, &job, &jobs.options().code_version).await?;
                    let Some(queued) = table::lock(tx, id).await? else { return Err(JobError::NotFound { id }) };
                    match jobs.advance(tx, &queued, Event::Claimed).await? {
                        Some(position) => Ok(Locked { position, ..queued }),
                        None => Err(JobError::Lost { id, attempt: 1 }),
                    }
                })
            })
            .await?;
        Ok(Performance { id: claimed.id, workshop, claimed })
    }

    /// Takes a job from an attempt that is known to have died, without waiting for its silence to show.
    ///
    /// # Errors
    /// The catalog's.
    pub async fn give_up(&self, id: ActivityId) -> Result<(), JobError> {
        let jobs = self.clone();
        self.catalog()
            .write(move |tx| {
                let jobs = jobs.clone();
                Box::pin(async move {
                    if let Some(job) = table::lock(tx, id).await? {
                        jobs.advance(tx, &job, Event::LeaseLost).await?;
                    }
                    Ok(())
                })
            })
            .await
    }
}

impl Performance {
    /// The job.
    pub fn id(&self) -> ActivityId {
        self.id
    }

    /// Does the job to its end, which the catalog tells.
    pub async fn run(self) {
        self.workshop.hold(self.claimed).await;
    }
}
