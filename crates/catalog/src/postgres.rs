//! PostgreSQL: a pool, and a transaction of its own for each piece of work, run again when the server asks for it.

use std::time::Duration;

use futures::future::BoxFuture;
use holotype_core::Clock;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::{Connection as _, Executor as _};

use crate::tx::{Held, Tx};
use crate::{CatalogError, random};

/// Connections at the same time; a server allows 100 unless told otherwise, and workers on other hosts need some as
/// well.
const CONNECTIONS: u32 = 16;

/// How often work is run that the server ends in favour of other work.
const ATTEMPTS: u32 = 10;

/// How long a caller waits for a connection.
const PATIENCE: Duration = Duration::from_secs(30);

/// A connection that has rested longer is asked whether it still works.
const RESTED: Duration = Duration::from_secs(5);

pub(crate) fn pool(options: &PgConnectOptions) -> PgPool {
    PgPoolOptions::new()
        .max_connections(CONNECTIONS)
        .acquire_timeout(PATIENCE)
        .test_before_acquire(false)
        .before_acquire(|connection, rest| {
            Box::pin(async move { Ok(rest.idle_for < RESTED || connection.ping().await.is_ok()) })
        })
        .after_connect(|connection, _| {
            Box::pin(async move {
                // A role or database may have it turned off; then an acknowledged commit could be lost.
                let durable = "SELECT set_config('synchronous_commit', 'on', false)
                    WHERE current_setting('synchronous_commit') = 'off'";
                connection.execute(durable).await.map(drop)
            })
        })
        .connect_lazy_with(options.clone())
}

/// Runs work in a transaction of its own until it is committed or has failed for good.
pub(crate) async fn write<T, E, F>(pool: &PgPool, clock: &dyn Clock, work: &F) -> Result<T, E>
where
    F: for<'t> Fn(&'t mut Tx) -> BoxFuture<'t, Result<T, E>>,
    E: From<CatalogError>,
{
    let mut attempt = 1;
    loop {
        let transaction = pool.begin().await.map_err(CatalogError::from)?;
        let mut tx = Tx::new(Held::Postgres(transaction), clock.now());
        let (error, contended) = match tx.attempt(work).await {
            Ok(value) => match tx.commit().await {
                Ok(hooks) => {
                    hooks.run();
                    return Ok(value);
                }
                Err(error) => {
                    let contended = matches!(error, CatalogError::Contended { .. });
                    (error.into(), contended)
                }
            },
            Err(error) => (error, tx.is_contended()),
        };
        if !contended || attempt == ATTEMPTS {
            return Err(error);
        }
        tokio::time::sleep(pause(attempt)?).await;
        attempt += 1;
    }
}

/// A random pause of at most 2, 4, 8, … 256 ms: what collided once should not collide again.
fn pause(attempt: u32) -> Result<Duration, CatalogError> {
    let [random] = random::bytes()?;
    Ok(Duration::from_millis(1 << attempt.min(8)).mul_f64(f64::from(random) / 255.0))
}

/// Runs work on a snapshot.
pub(crate) async fn read<T, E, F>(pool: &PgPool, clock: &dyn Clock, work: &F) -> Result<T, E>
where
    F: for<'t> Fn(&'t mut Tx) -> BoxFuture<'t, Result<T, E>>,
    E: From<CatalogError>,
{
    let snapshot = pool.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await;
    let mut tx = Tx::new(Held::Postgres(snapshot.map_err(CatalogError::from)?), clock.now());
    tx.attempt(work).await
}
