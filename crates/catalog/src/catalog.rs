//! The open catalog: reading, writing, and what others need of it.

use std::sync::{Arc, PoisonError, RwLock, RwLockWriteGuard};

use futures::future::BoxFuture;
use holotype_core::Clock;
use sqlx::postgres::PgPool;
use sqlx::sqlite::SqlitePool;

use crate::lineage::RecordKind;
use crate::passwords::Passwords;
use crate::presence::Presence;
use crate::tokens::TokenCache;
use crate::tx::{Held, Tx};
use crate::url::{CatalogUrl, Place};
use crate::writer::Writer;
use crate::{CatalogError, migrate, nesting, postgres, sqlite};

/// Which database a catalog is kept in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// A file of this machine.
    Sqlite,
    /// A server.
    Postgres,
}

impl Engine {
    /// The name, as it is written in manifests and answers.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgresql",
        }
    }
}

/// An open catalog. Clones share it.
#[derive(Debug, Clone)]
pub struct Catalog(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    url: CatalogUrl,
    clock: Arc<dyn Clock>,
    database: Database,
    passwords: Passwords,
    tokens: TokenCache,
    presence: Presence,
    record_kinds: RwLock<Vec<RecordKind>>,
}

#[derive(Debug)]
enum Database {
    Sqlite { writer: Writer, readers: SqlitePool, shared: SqlitePool },
    Postgres { pool: PgPool },
}

/// Connections for a library that brings its own transactions (the queue of jobs).
#[derive(Debug, Clone)]
pub enum Pools {
    /// To SQLite; they wait for the writer's lock as another process would, so their writes must be few and short.
    Sqlite(SqlitePool),
    /// To PostgreSQL.
    Postgres(PgPool),
}

impl Catalog {
    /// Opens the catalog at `url`, which must be at [`EXPECTED_VERSION`](Self::EXPECTED_VERSION). Call it on a tokio
    /// runtime.
    ///
    /// # Errors
    /// [`CatalogError::SchemaMismatch`] for another version or an empty database; [`CatalogError::Unreachable`].
    pub async fn open(url: CatalogUrl, clock: Arc<dyn Clock>) -> Result<Self, CatalogError> {
        migrate::expect_version(&url, migrate::version(&url).await?)?;
        let database = match url.place() {
            Place::Sqlite(file) => Database::Sqlite {
                writer: Writer::start(sqlite::connect(file).await?, Arc::clone(&clock)),
                readers: sqlite::readers(file),
                shared: sqlite::shared(file),
            },
            Place::Postgres(options) => Database::Postgres { pool: postgres::pool(options) },
        };
        Ok(Self(Arc::new(Inner {
            url,
            clock,
            database,
            passwords: Passwords::new(),
            tokens: TokenCache::default(),
            presence: Presence::default(),
            record_kinds: RwLock::default(),
        })))
    }

    /// Runs `work` in a transaction and commits what it did if it answers `Ok`; when this answers, it is durable.
    ///
    /// `work` may run more than once, so it must have no effect but through the transaction, and it must wait for
    /// nothing else: on SQLite every other writer waits for it. It owns what it uses; large things are shared by `Arc`.
    ///
    /// # Errors
    /// What `work` answers, or why the commit failed. Nothing is stored then, unless the connection was lost during the
    /// commit.
    pub async fn write<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: for<'t> Fn(&'t mut Tx) -> BoxFuture<'t, Result<T, E>> + Send + Sync + 'static,
        T: Send + 'static,
        E: From<CatalogError> + Send + 'static,
    {
        nesting::expect_outside()?;
        match &self.0.database {
            Database::Sqlite { writer, .. } => writer.write(work).await,
            // In a box: what waits for a database is large, and a caller's future should not be.
            Database::Postgres { pool } => Box::pin(nesting::inside(postgres::write(pool, self.clock(), &work))).await,
        }
    }

    /// Runs `work` on a snapshot: all its statements see the same state. It cannot change anything.
    ///
    /// # Errors
    /// What `work` answers, or why there is no snapshot.
    pub async fn read<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: for<'t> Fn(&'t mut Tx) -> BoxFuture<'t, Result<T, E>> + Send + Sync + 'static,
        T: Send + 'static,
        E: From<CatalogError> + Send + 'static,
    {
        let reading = async {
            match &self.0.database {
                Database::Sqlite { readers, .. } => {
                    let snapshot = readers.begin().await.map_err(CatalogError::from)?;
                    Tx::new(Held::Sqlite(snapshot), self.clock().now()).attempt(&work).await
                }
                Database::Postgres { pool } => postgres::read(pool, self.clock(), &work).await,
            }
        };
        // As above.
        Box::pin(reading).await
    }

    /// Finishes what was handed over before, and closes every connection. Other clones fail with
    /// [`CatalogError::Closed`] afterwards.
    pub async fn close(&self) {
        match &self.0.database {
            Database::Sqlite { writer, readers, shared } => {
                writer.close().await;
                readers.close().await;
                shared.close().await;
            }
            Database::Postgres { pool } => pool.close().await,
        }
    }

    /// Connections for a library that brings its own transactions.
    pub fn pools(&self) -> Pools {
        match &self.0.database {
            Database::Sqlite { shared, .. } => Pools::Sqlite(shared.clone()),
            Database::Postgres { pool } => Pools::Postgres(pool.clone()),
        }
    }

    /// Which database this is.
    pub fn engine(&self) -> Engine {
        match self.0.database {
            Database::Sqlite { .. } => Engine::Sqlite,
            Database::Postgres { .. } => Engine::Postgres,
        }
    }

    /// Where it is.
    pub fn url(&self) -> &CatalogUrl {
        &self.0.url
    }

    /// The clock it was opened with.
    pub fn clock(&self) -> &dyn Clock {
        &*self.0.clock
    }

    pub(crate) fn passwords(&self) -> &Passwords {
        &self.0.passwords
    }

    pub(crate) fn token_cache(&self) -> &TokenCache {
        &self.0.tokens
    }

    pub(crate) fn presence(&self) -> &Presence {
        &self.0.presence
    }

    pub(crate) fn record_kinds(&self) -> Vec<RecordKind> {
        self.0.record_kinds.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn record_kinds_mut(&self) -> RwLockWriteGuard<'_, Vec<RecordKind>> {
        self.0.record_kinds.write().unwrap_or_else(PoisonError::into_inner)
    }
}
