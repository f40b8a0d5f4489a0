//! Workers: they take what the queue delivers, and are replaced when they end.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use apalis_core::error::BoxDynError;
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use ulid::Ulid;

use crate::queue::{self, Delivery};
use crate::{Handler, JobError, Jobs, attempt};

/// How long a worker may take to say goodbye to the queue once its last attempt has ended.
const FAREWELL: Duration = Duration::from_secs(2);

/// What every attempt in this process shares.
#[derive(Clone)]
pub(crate) struct Workshop {
    pub jobs: Jobs,
    pub handlers: Arc<HashMap<&'static str, Arc<dyn Handler>>>,
    /// One permit per attempt: an attempt outlives the worker that brought it, and must still count.
    pub slots: Arc<Semaphore>,
    pub attempts: TaskTracker,
    pub shutdown: CancellationToken,
}

impl Jobs {
    /// Works on jobs, `concurrency` at a time, and repairs what crashes left, until `shutdown` is cancelled. Then running handlers are told
    /// to stop, and what they did not finish goes back into the queue at no cost. Several processes may do this for one catalog.
    ///
    /// # Errors
    /// [`JobError::DuplicateHandler`]. Trouble with the catalog is logged and waited out.
    pub async fn run_workers(
        &self,
        handlers: Vec<Arc<dyn Handler>>,
        concurrency: usize,
        shutdown: CancellationToken,
    ) -> Result<(), JobError> {
        let concurrency = concurrency.clamp(1, 256);
        // Dropping this future is a shutdown as well; otherwise what it spawned would work on.
        let shutdown = shutdown.child_token();
        let _ends_with_this = shutdown.clone().drop_guard();
        let workshop = Workshop {
            jobs: self.clone(),
            handlers: Arc::new(by_kind(handlers)?),
            slots: Arc::new(Semaphore::new(concurrency)),
            attempts: TaskTracker::new(),
            shutdown: shutdown.clone(),
        };
        let reconciler = tokio::spawn({
            let (jobs, shutdown) = (self.clone(), shutdown.clone());
            async move { jobs.reconcile_until(shutdown).await }
        });
        while !shutdown.is_cancelled() {
            workshop.one_worker(concurrency).await;
        }
        workshop.attempts.close();
        workshop.attempts.wait().await;
        if let Err(error) = reconciler.await {
            tracing::error!(%error, "the reconciler of jobs panicked");
        }
        Ok(())
    }
}

impl Workshop {
    /// Runs one worker to its end, which comes with the shutdown, or with any error of the queue.
    async fn one_worker(&self, concurrency: usize) {
        let (jobs, shutdown) = (self.jobs.clone(), self.shutdown.clone());
        // A name that was never used: the queue refuses one that it heard of a moment ago.
        let name = format!("{}-{}", std::process::id(), Ulid::generate());
        let workshop = self.clone();
        let deliver = move |delivery: Delivery| workshop.clone().deliver(delivery);
        let mut worker = tokio::spawn(async move {
            queue::work(jobs.catalog(), jobs.options(), name, concurrency, jobs.calls(), shutdown, deliver).await
        });
        let ended = tokio::select! {
            ended = &mut worker => ended,
            () = self.shutdown.cancelled() => {
                self.attempts.close();
                self.attempts.wait().await;
                match timeout(FAREWELL, &mut worker).await {
                    Ok(ended) => ended,
                    Err(_) => return worker.abort(),
                }
            }
        };
        match ended {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "a worker ended and is replaced"),
            Err(error) => tracing::error!(%error, "a worker panicked and is replaced"),
        }
        tokio::select! {
            () = self.shutdown.cancelled() => {}
            () = sleep(self.jobs.options().restart) => {}
        }
    }

    /// Has an attempt made of what the queue delivered. The attempt has a task of its own, so neither its panic nor the end of the worker
    /// takes the other along.
    ///
    /// A shutdown does not have the worker wait for its attempts: while it waits it does nothing else, and may stand in the middle of a
    /// transaction of its own, with SQLite's write lock, that the attempts need to write down how they ended.
    async fn deliver(self, delivery: Delivery) -> Result<(), BoxDynError> {
        let (attempts, shutdown) = (self.attempts.clone(), self.shutdown.clone());
        let attempt = attempts.spawn(attempt::run(self, delivery));
        tokio::select! {
            ended = attempt => ended?.map_err(Into::into),
            () = shutdown.cancelled() => Ok(()),
        }
    }
}

pub(crate) fn by_kind(handlers: Vec<Arc<dyn Handler>>) -> Result<HashMap<&'static str, Arc<dyn Handler>>, JobError> {
    let mut by_kind = HashMap::new();
    for handler in handlers {
        let kind = handler.kind();
        if by_kind.insert(kind, handler).is_some() {
            return Err(JobError::DuplicateHandler { kind });
        }
    }
    Ok(by_kind)
}
