//! The hold that one attempt has on its job: it must be kept alive, and everything the attempt writes depends on it.

use std::sync::Arc;

use holotype_catalog::{Entity, Tx};
use holotype_core::ActivityId;
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::handler::Relation;
use crate::recorder::{Batch, Line, Recorder};
use crate::state::{Event, State};
use crate::{JobError, Jobs, Level, table};

/// One attempt's hold on its job.
#[derive(Debug)]
pub(crate) struct Lease {
    jobs: Jobs,
    id: ActivityId,
    attempt: u32,
    recorder: Recorder,
    stop: CancellationToken,
}

impl Lease {
    pub(crate) fn new(jobs: Jobs, id: ActivityId, attempt: u32, stop: CancellationToken) -> Self {
        let recorder = Recorder::new(jobs.options());
        Self { jobs, id, attempt, recorder, stop }
    }

    pub(crate) fn id(&self) -> ActivityId {
        self.id
    }

    pub(crate) fn recorder(&self) -> &Recorder {
        &self.recorder
    }

    /// Tells the handler to stop.
    pub(crate) fn stop(&self) -> &CancellationToken {
        &self.stop
    }

    pub(crate) fn log(&self, level: Level, text: &str) {
        self.recorder.log(self.jobs.catalog().clock().now(), level, text);
    }

    /// Locks the job's row to the end of the transaction, if this attempt still holds the job.
    pub(crate) async fn fence(&self, tx: &mut Tx) -> Result<(), JobError> {
        match table::beat(tx, self.id, self.attempt, None).await? {
            Some(_) => Ok(()),
            None => Err(JobError::Lost { id: self.id, attempt: self.attempt }),
        }
    }

    pub(crate) async fn relate(self: &Arc<Self>, entity: Entity, relation: Relation) -> Result<(), JobError> {
        let lease = Arc::clone(self);
        self.jobs
            .catalog()
            .write(move |tx| {
                let (lease, entity) = (Arc::clone(&lease), entity.clone());
                Box::pin(async move {
                    lease.fence(tx).await?;
                    match relation {
                        Relation::Input => tx.add_input(lease.id, entity).await?,
                        Relation::Output => tx.add_output(lease.id, entity).await?,
                    }
                    Ok(())
                })
            })
            .await
    }

    /// Keeps the lease alive and writes what the handler says, until `done` or until the lease is lost.
    ///
    /// Whoever cannot reach the catalog for as long as a lease lasts must take it that somebody else has the job by now.
    pub(crate) async fn keep(self: Arc<Self>, done: CancellationToken) {
        let options = self.jobs.options();
        let mut heard = Instant::now();
        let mut ticks = interval_at(heard + options.heartbeat, options.heartbeat);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = done.cancelled() => return,
                _ = ticks.tick() => {}
                () = self.recorder.something_said() => {
                    // What is said in quick succession is written together.
                    tokio::select! {
                        () = done.cancelled() => return,
                        () = sleep(options.flush) => {}
                    }
                }
            }
            let mut writing = std::pin::pin!(self.write_down());
            let written = tokio::select! {
                written = &mut writing => written,
                () = sleep_until(heard + options.lease()), if !self.stop.is_cancelled() => {
                    self.stop.cancel();
                    writing.await
                }
            };
            match written {
                Ok(Some(state)) => {
                    heard = Instant::now();
                    ticks.reset();
                    if state == State::Cancelling {
                        self.stop.cancel();
                    }
                }
                Ok(None) => {
                    tracing::warn!(job = %self.id, attempt = self.attempt, "the attempt lost its lease and is stopped");
                    self.stop.cancel();
                    return;
                }
                Err(error) => tracing::warn!(job = %self.id, %error, "the heartbeat of a job was not written"),
            }
        }
    }

    /// Writes a sign of life and what was said since the last one; the job's state, if the lease is still held.
    async fn write_down(self: &Arc<Self>) -> Result<Option<State>, JobError> {
        let batch = Arc::new(self.recorder.take());
        let (lease, shared) = (Arc::clone(self), Arc::clone(&batch));
        let written = self
            .jobs
            .catalog()
            .write(move |tx| {
                let (lease, batch) = (Arc::clone(&lease), Arc::clone(&shared));
                Box::pin(async move { lease.write_batch(tx, &batch).await })
            })
            .await;
        if written.is_err() {
            self.recorder.put_back(Arc::unwrap_or_clone(batch));
        }
        written
    }

    async fn write_batch(&self, tx: &mut Tx, batch: &Batch) -> Result<Option<State>, JobError> {
        let Some(state) = table::beat(tx, self.id, self.attempt, batch.progress.as_ref()).await? else {
            return Ok(None);
        };
        if *batch != Batch::default() {
            let lines: Vec<Line> = batch.lines.iter().cloned().collect();
            table::append_log(tx, self.id, &lines, self.jobs.options().log_lines).await?;
            self.jobs.announce(tx, self.id, state);
        }
        Ok(Some(state))
    }

    /// Writes down how the attempt ended, with the last of what was said; the job's state, unless the lease was lost before.
    pub(crate) async fn settle(self: &Arc<Self>, event: Event) -> Result<Option<State>, JobError> {
        let batch = Arc::new(self.recorder.take());
        let (lease, shared) = (Arc::clone(self), Arc::clone(&batch));
        let settled = self
            .jobs
            .catalog()
            .write(move |tx| {
                let (lease, batch, event) = (Arc::clone(&lease), Arc::clone(&shared), event.clone());
                Box::pin(async move {
                    if lease.write_batch(tx, &batch).await?.is_none() {
                        return Ok(None);
                    }
                    let Some(job) = table::lock(tx, lease.id).await? else { return Ok(None) };
                    let moved = lease.jobs.advance(tx, &job, event).await?;
                    Ok(moved.map(|position| position.state))
                })
            })
            .await;
        if settled.is_err() {
            self.recorder.put_back(Arc::unwrap_or_clone(batch));
        }
        settled
    }
}
