//! The queue: apalis, in our own transaction. The only file that knows its types, its tables and its habits.
//!
//! A task is nothing but "attempt N of job X may begin". It decides nothing: the activity's row does. So a task that is delivered twice, late,
//! or to a worker that is dead by then does no harm, and one that is missing is pushed again by the reconciler.

use std::future::Future;
use std::time::Duration;

use apalis::prelude::WorkerBuilderExt;
use apalis_core::backend::ext::BackendExt;
use apalis_core::backend::ext::poll_strategy::Strategy;
use apalis_core::error::{BoxDynError, WorkerError};
use apalis_core::task::builder::TaskBuilder;
use apalis_core::worker::builder::WorkerBuilder;
use apalis_postgres::PostgresStorage;
use apalis_sqlite::SqliteStorage;
use holotype_catalog::{Catalog, CatalogError, Connection, Pools, Sql, Tx, values};
use holotype_core::{ActivityId, Instant};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::JobError;
use crate::bell::bell;
use crate::model::Priority;
use crate::options::Options;

const QUEUE: &str = "holotype";

/// What a task says: this attempt of this job may begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Delivery {
    pub activity: ActivityId,
    pub attempt: u32,
}

impl Delivery {
    /// The task's name in the queue; there is at most one task per attempt.
    fn key(self) -> String {
        format!("{}/{}", self.activity, self.attempt)
    }
}

/// Makes or updates the queue's own tables. Nothing happens where they are up to date.
pub(crate) async fn setup(catalog: &Catalog) -> Result<(), JobError> {
    let setup = |error: String| JobError::Setup { problem: error };
    match catalog.pools() {
        Pools::Sqlite(pool) => {
            // Its own `setup` would turn `synchronous` off on a connection of ours, and its migrations would claim the table of ours.
            let mut migrations = SqliteStorage::<()>::migrations();
            migrations.dangerous_set_table_name("_apalis_migrations");
            migrations.run(&pool).await.map_err(|error| setup(error.to_string()))
        }
        Pools::Postgres(pool) => PostgresStorage::<()>::setup(&pool).await.map_err(|error| setup(error.to_string())),
    }
}

/// Adds the task in the caller's transaction.
pub(crate) async fn push(
    tx: &mut Tx,
    delivery: Delivery,
    priority: Priority,
    run_after: Instant,
) -> Result<(), CatalogError> {
    let args = serde_json::json!({ "activity": delivery.activity, "attempt": delivery.attempt }).to_string();
    let mut task = TaskBuilder::new(args.into_bytes())
        // A task that failed before the job could be claimed is delivered again by the reconciler, with a pause; apalis would hammer.
        .max_attempts(1)
        .priority(usize::try_from(priority.number()).unwrap_or(0))
        .idempotency_key(delivery.key());
    if run_after > tx.now() {
        task = task.run_at_timestamp(whole_seconds(run_after));
    }
    let task = task.build();
    match tx.connection().await? {
        Connection::Sqlite(connection) => {
            apalis_sqlite::queries::push_tasks(connection, QUEUE, &[task]).await.map_err(|error| match error {
                apalis_sqlite::Error::Database(error) => error.into(),
                other => refused(&other),
            })
        }
        Connection::Postgres(connection) => {
            apalis_postgres::queries::push_tasks(connection, QUEUE, vec![task]).await.map_err(|error| match error {
                apalis_postgres::Error::Database(error) => error.into(),
                other => refused(&other),
            })
        }
    }
}

fn refused(error: &dyn std::error::Error) -> CatalogError {
    sqlx::Error::Protocol(error.to_string()).into()
}

/// The queue knows whole seconds only: up, since early would be wrong.
fn whole_seconds(instant: Instant) -> u64 {
    u64::try_from(instant.as_micros().saturating_add(999_999).div_euclid(1_000_000)).unwrap_or(0)
}

/// Takes the task out of the queue, whatever has become of it.
pub(crate) async fn withdraw(tx: &mut Tx, delivery: Delivery) -> Result<(), CatalogError> {
    const DELETE: Sql = Sql {
        sqlite: "DELETE FROM Jobs WHERE job_type = $1 AND idempotency_key = $2",
        postgres: "DELETE FROM apalis.jobs WHERE job_type = $1 AND idempotency_key = $2",
    };
    tx.exec_sql(DELETE, values![QUEUE, delivery.key()]).await?;
    Ok(())
}

/// Jobs that wait for a worker while no task says so.
pub(crate) async fn undelivered(tx: &mut Tx) -> Result<Vec<Delivery>, CatalogError> {
    const SELECT: Sql = Sql {
        sqlite: "SELECT a.id, a.attempt FROM activities a WHERE a.state = 'queued' AND NOT EXISTS (\
                 SELECT 1 FROM Jobs j WHERE j.job_type = $1 AND j.idempotency_key = a.id || '/' || a.attempt \
                 AND j.status IN ('Pending', 'Queued', 'Running')) LIMIT 1000",
        postgres: "SELECT a.id, a.attempt FROM activities a WHERE a.state = 'queued' AND NOT EXISTS (\
                   SELECT 1 FROM apalis.jobs j WHERE j.job_type = $1 AND j.idempotency_key = a.id || '/' || a.attempt \
                   AND j.status IN ('Pending', 'Queued', 'Running')) LIMIT 1000",
    };
    let rows = tx.rows_sql(SELECT, values![QUEUE]).await?;
    rows.iter()
        .map(|row| {
            let attempt: i64 = row.get("attempt")?;
            Ok(Delivery { activity: row.get("id")?, attempt: u32::try_from(attempt).unwrap_or(u32::MAX) })
        })
        .collect()
}

/// Removes tasks that are over, and workers that have been silent for a day.
pub(crate) async fn sweep(tx: &mut Tx) -> Result<u64, CatalogError> {
    const TASKS: Sql = Sql {
        sqlite: "DELETE FROM Jobs WHERE job_type = $1 AND status IN ('Done', 'Failed', 'Killed')",
        postgres: "DELETE FROM apalis.jobs WHERE job_type = $1 AND status IN ('Done', 'Failed', 'Killed')",
    };
    const WORKERS: Sql = Sql {
        sqlite: "DELETE FROM Workers WHERE worker_type = $1 AND last_seen < CAST(strftime('%s', 'now') AS INTEGER) - 86400 \
                 AND NOT EXISTS (SELECT 1 FROM Jobs WHERE lock_by = Workers.id)",
        postgres: "DELETE FROM apalis.workers w WHERE w.worker_type = $1 AND w.last_seen < now() - interval '1 day' \
                   AND NOT EXISTS (SELECT 1 FROM apalis.jobs WHERE lock_by = w.id)",
    };
    let tasks = tx.exec_sql(TASKS, values![QUEUE]).await?;
    tx.exec_sql(WORKERS, values![QUEUE]).await?;
    Ok(tasks)
}

/// Runs one worker until it fails, or until `shutdown` and the last delivery it made has been dealt with.
///
/// Its name must never have been used before: apalis refuses a name whose last sign of life is recent.
pub(crate) async fn work<F, D>(
    catalog: &Catalog,
    options: &Options,
    name: String,
    concurrency: usize,
    called: watch::Receiver<u64>,
    shutdown: CancellationToken,
    deliver: F,
) -> Result<(), WorkerError>
where
    F: Fn(Delivery) -> D + Clone + Send + Sync + 'static,
    D: Future<Output = Result<(), BoxDynError>> + Send + 'static,
{
    let strategy = Strategy::new().stream(bell(called, options.poll));
    let signal = async move {
        shutdown.cancelled().await;
        Ok::<(), WorkerError>(())
    };
    // One task at a time: while a bigger batch is buffered the worker gives no sign of life, and its healthy jobs are given to others.
    // No lock of its own per task: fetching one has marked it as this worker's, and the claim of the activity decides anyway.
    match catalog.pools() {
        Pools::Sqlite(pool) => {
            let config = apalis_sqlite::Config::default()
                .queue(QUEUE)
                .batch_size(1)
                .lock_tasks(false)
                .heartbeat_interval(heartbeat(options))
                .missed_heartbeats(missed(options));
            let backend = SqliteStorage::<Delivery>::new(&pool).with_config(config).poll_with_strategy(strategy);
            let worker = WorkerBuilder::new(name).backend(backend).concurrency(concurrency).build(deliver);
            worker.run_until(signal).await
        }
        Pools::Postgres(pool) => {
            let config = apalis_postgres::Config::default()
                .queue(QUEUE)
                .batch_size(1)
                .lock_tasks(false)
                .heartbeat_interval(heartbeat(options))
                .missed_heartbeats(missed(options));
            let backend = PostgresStorage::<Delivery>::new(&pool).with_config(config).poll_with_strategy(strategy);
            let worker = WorkerBuilder::new(name).backend(backend).concurrency(concurrency).build(deliver);
            worker.run_until(signal).await
        }
    }
}

/// The queue counts the silence of a worker in whole seconds: below one, every worker would look dead.
fn heartbeat(options: &Options) -> Duration {
    options.heartbeat.max(Duration::from_secs(1))
}

fn missed(options: &Options) -> usize {
    usize::try_from(options.missed_heartbeats).unwrap_or(usize::MAX).max(2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_never_begins_early_because_seconds_are_rounded_up() {
        let seconds = |micros| whole_seconds(Instant::from_micros(micros));
        assert_eq!([seconds(1_000_000), seconds(1_000_001), seconds(1_999_999), seconds(-5)], [1, 2, 2, 0]);
    }

    #[test]
    fn a_task_is_read_as_it_is_pushed() {
        let delivery = Delivery { activity: "01ARZ3NDEKTSV4RRFFQ69G5FAV".parse().unwrap(), attempt: 3 };
        let text = serde_json::json!({ "activity": delivery.activity, "attempt": delivery.attempt }).to_string();
        assert_eq!(serde_json::from_str::<Delivery>(&text).unwrap(), delivery);
        assert_eq!(delivery.key(), "01ARZ3NDEKTSV4RRFFQ69G5FAV/3");
    }
}
