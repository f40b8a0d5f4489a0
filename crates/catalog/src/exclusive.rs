//! A transaction that changes the tables themselves, while nobody else writes.

use futures::future::BoxFuture;
use holotype_core::Clock;
use sqlx::postgres::PgPoolOptions;
use sqlx::sqlite::SqlitePoolOptions;

use crate::tx::{Held, Tx};
use crate::url::{CatalogUrl, Place};
use crate::{CatalogError, Pools, sqlite, values};

/// The advisory lock under which the tables of a PostgreSQL catalog are changed; the number means nothing.
const LOCK: i64 = 0x686f_6c6f_7479_7065;

/// Runs `work` alone in a transaction, in a database that need not hold a catalog yet, and commits if it succeeds.
///
/// On SQLite, references between rows are not enforced meanwhile: a table may have to be made again. Whoever calls
/// checks them.
pub(crate) async fn exclusively<T, F>(url: &CatalogUrl, clock: &dyn Clock, work: F) -> Result<T, CatalogError>
where
    F: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<T, CatalogError>>,
{
    let (pools, held) = match url.place() {
        Place::Sqlite(file) => {
            let options = sqlite::options(file).create_if_missing(true).foreign_keys(false);
            let pool = SqlitePoolOptions::new().max_connections(1).connect_with(options).await?;
            let transaction = pool.begin_with("BEGIN IMMEDIATE").await?;
            (Pools::Sqlite(pool), Held::Sqlite(transaction))
        }
        Place::Postgres(options) => {
            let pool = PgPoolOptions::new().max_connections(1).connect_with((**options).clone()).await?;
            let transaction = pool.begin().await?;
            (Pools::Postgres(pool), Held::Postgres(transaction))
        }
    };
    let outcome = alone(Tx::new(held, clock.now()), work).await;
    match pools {
        Pools::Sqlite(pool) => pool.close().await,
        Pools::Postgres(pool) => pool.close().await,
    }
    outcome
}

async fn alone<T, F>(mut tx: Tx, work: F) -> Result<T, CatalogError>
where
    F: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<T, CatalogError>>,
{
    if tx.engine() == crate::Engine::Postgres {
        tx.rows_sql("SELECT pg_advisory_xact_lock($1)", values![LOCK]).await?;
    }
    let value = work(&mut tx).await?;
    tx.commit().await?;
    Ok(value)
}
