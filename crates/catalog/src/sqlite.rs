//! How connections to SQLite are made: durable, patient, and checked to be so.

use std::path::Path;
use std::time::Duration;

use sqlx::sqlite::{
    SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{ConnectOptions as _, Row as _};

use crate::CatalogError;

/// How long a connection waits for another process' write.
const PATIENCE: Duration = Duration::from_secs(30);

/// Snapshots that are read at the same time; more than the cores of a small machine only wait for each other.
const READERS: u32 = 4;

/// Connections that a library may write with on its own, beside the writer.
const SHARED: u32 = 4;

/// What every connection has in common.
pub(crate) fn options(file: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(file)
        .create_if_missing(false)
        .foreign_keys(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(PATIENCE)
        // After a burst the log beside the database is cut back to this many bytes.
        .pragma("journal_size_limit", "67108864")
        .statement_cache_capacity(256)
}

/// The connection of the writer.
///
/// It holds the pages that a burst of rows changes (an index of a thousand labels has a thousand leaves), keeps in memory what
/// a statement may have to undo, and copies the log into the database seldom: a page that many commits changed is copied once.
pub(crate) async fn connect(file: &Path) -> Result<SqliteConnection, CatalogError> {
    let options = options(file)
        .pragma("cache_size", "-16384")
        .pragma("temp_store", "memory")
        .pragma("wal_autocheckpoint", "16000");
    let mut connection = options.connect().await?;
    assert_durable(&mut connection).await?;
    Ok(connection)
}

/// Connections that can only read.
pub(crate) fn readers(file: &Path) -> SqlitePool {
    pool(READERS).connect_lazy_with(options(file).pragma("query_only", "on"))
}

/// Connections for a library that brings its own transactions.
pub(crate) fn shared(file: &Path) -> SqlitePool {
    pool(SHARED).connect_lazy_with(options(file))
}

fn pool(size: u32) -> SqlitePoolOptions {
    SqlitePoolOptions::new()
        .max_connections(size)
        .acquire_timeout(PATIENCE)
        // A file does not go away as a server does.
        .test_before_acquire(false)
        .max_lifetime(None)
        .idle_timeout(None)
        .after_connect(|connection, _| Box::pin(assert_durable(connection)))
}

/// Refuses a connection on which an acknowledged commit could be lost: settings are easily undone from elsewhere.
async fn assert_durable(connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    let settings = "SELECT journal_mode, synchronous, foreign_keys
        FROM pragma_journal_mode, pragma_synchronous, pragma_foreign_keys";
    let row = sqlx::query(settings).fetch_one(connection).await?;
    let (journal, synchronous, foreign_keys): (String, i64, i64) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
    if (journal.as_str(), synchronous, foreign_keys) == ("wal", 2, 1) {
        return Ok(());
    }
    let found = format!("journal_mode={journal} synchronous={synchronous} foreign_keys={foreign_keys}");
    Err(sqlx::Error::Configuration(format!("wal, 2 and 1 are needed, and the database has {found}").into()))
}
