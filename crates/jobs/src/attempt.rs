//! One attempt at a job: claim it, have its handler work, write down how it ended.

use std::sync::Arc;

use serde_json::Value;
use tokio::runtime::Handle;
use tokio::task::{JoinError, spawn_blocking};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::lease::Lease;
use crate::queue::Delivery;
use crate::state::Event;
use crate::table::{self, Locked};
use crate::worker::Workshop;
use crate::{Failure, Handler, Job, JobError, Jobs};

/// Runs the attempt that was delivered, if it is still to be run.
///
/// # Errors
/// Only if it could not be claimed; the reconciler then has it delivered again.
pub(crate) async fn run(workshop: Workshop, delivery: Delivery) -> Result<(), JobError> {
    let _slot = workshop.slots.acquire().await;
    if workshop.shutdown.is_cancelled() {
        return workshop.jobs.redeliver(delivery).await;
    }
    let Some(claimed) = workshop.jobs.claim(delivery).await? else {
        tracing::debug!(job = %delivery.activity, attempt = delivery.attempt, "this attempt is not to be run any more");
        return Ok(());
    };
    workshop.hold(claimed).await;
    Ok(())
}

impl Jobs {
    /// Makes this attempt the one that holds the job.
    async fn claim(&self, delivery: Delivery) -> Result<Option<Locked>, JobError> {
        let jobs = self.clone();
        self.catalog()
            .write(move |tx| {
                let jobs = jobs.clone();
                Box::pin(async move {
                    let Some(job) = table::lock(tx, delivery.activity).await? else { return Ok(None) };
                    if job.position.attempt != delivery.attempt {
                        return Ok(None);
                    }
                    Ok(jobs.advance(tx, &job, Event::Claimed).await?.map(|_| job))
                })
            })
            .await
    }
}

/// How the handler's thread came to its end.
type Ended = Result<Option<Result<Value, Failure>>, JoinError>;

impl Workshop {
    /// Does what was claimed, keeps the lease alive meanwhile, and writes down how it ended.
    pub(crate) async fn hold(&self, claimed: Locked) {
        let (id, attempt) = (claimed.id, claimed.position.attempt);
        let stop = self.shutdown.child_token();
        let lease = Arc::new(Lease::new(self.jobs.clone(), id, attempt, stop));
        let _listed = self.jobs.list_running(&lease);
        let done = CancellationToken::new();
        let keeper = tokio::spawn(Arc::clone(&lease).keep(done.clone()));
        let event = self.work(claimed, Arc::clone(&lease)).await;
        done.cancel();
        if let Err(error) = keeper.await {
            tracing::error!(%error, job = %id, "the keeper of a lease panicked");
        }
        self.settle(&lease, event).await;
    }

    /// Has the handler work, and says what came of it.
    async fn work(&self, claimed: Locked, lease: Arc<Lease>) -> Event {
        let Some(handler) = self.handlers.get(claimed.kind.as_str()) else {
            let version = &self.jobs.options().code_version;
            return failed(format!("version {version} knows no jobs of kind '{}'", claimed.kind), false);
        };
        let params = match table::read_json(claimed.id, "params", &claimed.params) {
            Ok(params) => params,
            Err(error) => return failed(error.to_string(), false),
        };
        let job = Job {
            id: claimed.id,
            project: claimed.project,
            agent: claimed.agent,
            attempt: claimed.position.attempt,
            params,
            lease: Arc::clone(&lease),
        };
        match self.run_handler(Arc::clone(handler), job, lease.stop()).await {
            Some(ended) => self.event_of(ended, lease.stop().is_cancelled()),
            None => Event::Interrupted,
        }
    }

    /// Runs the handler on a thread of its own, so that one that computes or blocks stops nobody else's heartbeat.
    ///
    /// Once it is told to stop it has a while to do so; then it is dropped where it waits. A thread that never waits cannot be dropped: its
    /// slot stays taken, but a shutdown does not wait for it (`None`).
    async fn run_handler(&self, handler: Arc<dyn Handler>, job: Job, stop: &CancellationToken) -> Option<Ended> {
        let grace = self.jobs.options().grace;
        let drop_it = CancellationToken::new();
        let dropped = drop_it.clone();
        let runtime = Handle::current();
        let mut thread =
            spawn_blocking(move || runtime.block_on(async { dropped.run_until_cancelled(handler.run(&job)).await }));
        tokio::select! {
            ended = &mut thread => return Some(ended),
            () = stop.cancelled() => {}
        }
        if let Ok(ended) = timeout(grace, &mut thread).await {
            return Some(ended);
        }
        drop_it.cancel();
        tokio::select! {
            ended = &mut thread => Some(ended),
            () = async { self.shutdown.cancelled().await; sleep(grace).await } => None,
        }
    }

    fn event_of(&self, ended: Ended, told_to_stop: bool) -> Event {
        match ended {
            Ok(Some(Ok(value))) => {
                let (result, most) = (value.to_string(), self.jobs.options().json_bytes);
                if result.len() > most {
                    return failed(format!("its result has {} bytes, and {most} are allowed", result.len()), false);
                }
                Event::Succeeded { result }
            }
            Ok(Some(Err(Failure::Retry { reason }))) => failed(reason, true),
            Ok(Some(Err(Failure::Permanent { reason }))) => failed(reason, false),
            Ok(Some(Err(Failure::Cancelled)) | None) if told_to_stop => Event::Interrupted,
            Ok(Some(Err(Failure::Cancelled)) | None) => {
                failed("its handler stopped before the end, and nobody had told it to".to_owned(), false)
            }
            Err(error) => failed(format!("its handler panicked: {}", panic_message(error)), true),
        }
    }

    /// Writes down how the attempt ended, however long the catalog is out of reach. Where that is hopeless, or the process shuts down, the
    /// attempt just falls silent, and the reconciler of some process goes on from there.
    async fn settle(&self, lease: &Arc<Lease>, event: Event) {
        loop {
            match lease.settle(event.clone()).await {
                Ok(Some(state)) => return tracing::info!(job = %lease.id(), %state, "an attempt ended"),
                Ok(None) => return tracing::warn!(job = %lease.id(), "an attempt ended after it had lost its lease"),
                Err(error) if self.shutdown.is_cancelled() || !error.category().is_transient() => {
                    return tracing::error!(job = %lease.id(), %error, "how an attempt ended was not written down");
                }
                Err(error) => {
                    tracing::warn!(job = %lease.id(), %error, "how an attempt ended is not yet written down");
                    sleep(self.jobs.options().restart).await;
                }
            }
        }
    }
}

fn failed(reason: String, may_retry: bool) -> Event {
    Event::Failed { reason, may_retry }
}

fn panic_message(error: JoinError) -> String {
    match error.try_into_panic() {
        Ok(panic) => match panic.downcast::<String>() {
            Ok(text) => *text,
            Err(panic) => panic
                .downcast::<&'static str>()
                .map_or_else(|_| "without a message".to_owned(), |text| (*text).to_owned()),
        },
        Err(error) => error.to_string(),
    }
}
