//! Activities as durable jobs: enqueue in a transaction, progress, logs, cancel, retry.
//!
//! A *job* is an activity that waits for a worker or is held by one. Its row in the catalog is the truth; the queue (apalis, on the same
//! database) only says which attempt may begin. So the whole room rests on three things:
//!
//! - **One table of moves.** A job moves by one pure table of what may follow what, and every move is a
//!   compare-and-set on state and attempt, in one transaction with the log line, the task in the queue and whatever the caller writes.
//! - **The attempt is the fencing token.** A job that comes back into the queue has a new attempt number. A task that is delivered twice finds
//!   nothing to claim, and a worker that was thought dead finds that nothing it writes is taken ([`Job::fence`]).
//! - **Silence is repaired.** A running attempt gives signs of life; [`Jobs::reconcile`] takes the job from one that stopped, and puts waiting
//!   jobs into the queue that no task tells of.
//!
//! ```no_run
//! # use std::sync::Arc;
//! # use holotype_catalog::{Catalog, CatalogError, Tx};
//! # use holotype_core::{ProjectId, UserId};
//! # use holotype_jobs::{Failure, Handler, Job, JobError, Jobs, Level, NewJob, Options};
//! # use serde_json::{Value, json};
//! struct Count;
//!
//! #[async_trait::async_trait]
//! impl Handler for Count {
//!     fn kind(&self) -> &'static str {
//!         "example.count"
//!     }
//!     async fn run(&self, job: &Job) -> Result<Value, Failure> {
//!         for number in 0..10 {
//!             if job.cancelled() {
//!                 return Err(Failure::Cancelled);
//!             }
//!             job.progress(f64::from(number) / 10.0, format!("at {number}"));
//!         }
//!         job.log(Level::Info, "counted to ten");
//!         Ok(json!(10))
//!     }
//! }
//!
//! # async fn example(catalog: Catalog) -> Result<(), JobError> {
//! Jobs::setup(&catalog).await?;
//! let jobs = Jobs::new(catalog.clone(), Options::default());
//! let queue = jobs.clone();
//! catalog
//!     .write(move |tx: &mut Tx| {
//!         let queue = queue.clone();
//!         Box::pin(async move {
//!             // ... the record that needs the job, in the same transaction ...
//!             queue.enqueue(tx, &NewJob::new("example.count", ProjectId::DEFAULT, UserId::LOCAL, json!({}))).await
//!         })
//!     })
//!     .await?;
//! jobs.run_workers(vec![Arc::new(Count)], 4, tokio_util::sync::CancellationToken::new()).await
//! # }
//! ```

mod attempt;
mod bell;
mod control;
mod error;
mod handler;
mod lease;
mod model;
mod options;
mod perform;
mod queue;
mod reconcile;
mod recorder;
mod state;
mod table;
mod text;
mod transition;
mod watch;
mod worker;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use holotype_catalog::{Catalog, Tx};
use holotype_core::ActivityId;
use tokio::sync::{broadcast, watch as signal};

pub use error::JobError;
pub use handler::{Failure, Handler, Job};
pub use model::{JobEvent, JobFilter, JobPage, JobRecord, Level, LogLine, NewJob, Priority, UnknownLevel};
pub use options::{Backoff, Options};
pub use perform::Performance;
pub use reconcile::Reconciled;
pub use state::{State, UnknownState};

use lease::Lease;
use queue::Delivery;
use reconcile::Vigil;

/// How many changes a slow watcher may fall behind before it just looks again.
const CHANGES: usize = 256;

/// The jobs of a catalog. Clones share it.
#[derive(Debug, Clone)]
pub struct Jobs(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    catalog: Catalog,
    options: Options,
    /// Tells the workers of this process that the queue has something.
    wake: signal::Sender<u64>,
    /// Tells the watchers of this process which job changed.
    changes: broadcast::Sender<ActivityId>,
    /// The attempts that run in this process.
    running: Mutex<HashMap<ActivityId, Arc<Lease>>>,
    vigil: Vigil,
}

impl Jobs {
    /// Makes or updates the tables of the queue in the catalog's database. Call it when the catalog is made or migrated; again is harmless.
    ///
    /// # Errors
    /// [`JobError::Setup`]. On PostgreSQL the account must be allowed to create the schema `apalis` and the extension `hstore`.
    pub async fn setup(catalog: &Catalog) -> Result<(), JobError> {
        queue::setup(catalog).await
    }

    /// The jobs of `catalog`, whose queue has been [set up](Self::setup).
    pub fn new(catalog: Catalog, options: Options) -> Self {
        Self(Arc::new(Inner {
            catalog,
            options,
            wake: signal::Sender::new(0),
            changes: broadcast::Sender::new(CHANGES),
            running: Mutex::default(),
            vigil: Vigil::default(),
        }))
    }

    /// Adds a job in the caller's transaction: it exists if and only if that is committed, and a worker begins with it right afterwards.
    ///
    /// # Errors
    /// [`JobError::InvalidJob`], or the catalog's.
    pub async fn enqueue(&self, tx: &mut Tx, job: &NewJob) -> Result<ActivityId, JobError> {
        self.check(job)?;
        let id = tx.new_activity_id()?;
        table::insert(tx, id, job, &self.options().code_version).await?;
        let run_after = job.run_after.unwrap_or_else(|| tx.now());
        queue::push(tx, Delivery { activity: id, attempt: 1 }, job.priority, run_after).await?;
        self.announce(tx, id, State::Queued);
        Ok(id)
    }

    fn check(&self, job: &NewJob) -> Result<(), JobError> {
        let invalid = |problem: String| {
            let kind = text::cut(&job.kind, 80);
            Err(JobError::InvalidJob { kind, problem })
        };
        let plain = |character: char| character.is_ascii_alphanumeric() || ".-_".contains(character);
        if job.kind.is_empty() || job.kind.len() > 80 || !job.kind.chars().all(plain) {
            return invalid("a kind has 1 to 80 letters, digits, dots, dashes and underscores".to_owned());
        }
        if !(1..=1000).contains(&job.max_attempts) {
            return invalid(format!("it may be begun 1 to 1000 times, not {}", job.max_attempts));
        }
        let (bytes, most) = (job.params.to_string().len(), self.options().json_bytes);
        if bytes > most {
            return invalid(format!("its parameters have {bytes} bytes, and {most} are allowed"));
        }
        Ok(())
    }

    pub(crate) fn catalog(&self) -> &Catalog {
        &self.0.catalog
    }

    pub(crate) fn options(&self) -> &Options {
        &self.0.options
    }

    pub(crate) fn vigil(&self) -> &Vigil {
        &self.0.vigil
    }

    /// Changes whenever the queue has something new from this process.
    pub(crate) fn calls(&self) -> signal::Receiver<u64> {
        self.0.wake.subscribe()
    }

    /// The jobs that this process changes, from now on.
    pub(crate) fn changes(&self) -> broadcast::Receiver<ActivityId> {
        self.0.changes.subscribe()
    }

    /// Once the transaction is committed, tells the watchers of this process and, if there is something to do, its workers.
    pub(crate) fn announce(&self, tx: &mut Tx, id: ActivityId, state: State) {
        let inner = Arc::clone(&self.0);
        tx.after_commit(Box::new(move || {
            // Nobody may be listening.
            drop(inner.changes.send(id));
            if state == State::Queued {
                inner.wake.send_modify(|count| *count = count.wrapping_add(1));
            }
        }));
    }

    /// Lists an attempt as running in this process, for as long as the answer lives.
    pub(crate) fn list_running(&self, lease: &Arc<Lease>) -> Listed {
        self.running().insert(lease.id(), Arc::clone(lease));
        Listed { jobs: self.clone(), lease: Arc::clone(lease) }
    }

    /// Tells the handler of this job to stop, if it runs in this process; in another it learns of it with its next heartbeat.
    pub(crate) fn tell_to_stop(&self, id: ActivityId) {
        if let Some(lease) = self.running().get(&id) {
            lease.stop().cancel();
        }
    }

    fn running(&self) -> MutexGuard<'_, HashMap<ActivityId, Arc<Lease>>> {
        // Nothing panics while it is held.
        self.0.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The entry of a running attempt.
pub(crate) struct Listed {
    jobs: Jobs,
    lease: Arc<Lease>,
}

impl Drop for Listed {
    fn drop(&mut self) {
        let mut running = self.jobs.running();
        // A later attempt at the same job may have taken the place of one that lost its lease.
        if running.get(&self.lease.id()).is_some_and(|listed| Arc::ptr_eq(listed, &self.lease)) {
            running.remove(&self.lease.id());
        }
    }
}
