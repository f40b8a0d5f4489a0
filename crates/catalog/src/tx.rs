//! One transaction, on either engine.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use holotype_core::{ActivityId, Instant};
use sea_query::{PostgresQueryBuilder, SqliteQueryBuilder, Value, Values};
use sea_query_sqlx::{SqlxBinder, SqlxValues};
use sqlx::postgres::{PgConnection, Postgres};
use sqlx::sqlite::{Sqlite, SqliteConnection};
use sqlx::{AssertSqlSafe, SqlSafeStr, SqlStr, Transaction};

use crate::{CatalogError, Engine, Row, random};

/// What runs when the transaction has been committed, and only then.
pub type AfterCommit = Box<dyn FnOnce() + Send>;

/// An open transaction. [`Catalog::write`](crate::Catalog::write) and [`Catalog::read`](crate::Catalog::read) hand it
/// to their work.
///
/// After the first statement that fails, every other one is refused and the transaction cannot be committed, on both
/// engines: PostgreSQL would answer the commit with success and store nothing. Where a conflict is expected, `ON
/// CONFLICT` says so.
#[derive(Debug)]
pub struct Tx {
    connection: Held,
    /// What has to run before the first statement, and goes along with it.
    opening: Option<&'static str>,
    now: Instant,
    failed: Option<CatalogError>,
    wrote: bool,
    lent: bool,
    after_commit: Hooks,
}

#[derive(Debug)]
pub(crate) enum Held {
    /// The one connection that writes; the writer begins and ends its transactions.
    SqliteWriter(Box<SqliteConnection>),
    /// A snapshot to read from, or the tables' own change.
    Sqlite(Transaction<'static, Sqlite>),
    Postgres(Transaction<'static, Postgres>),
}

/// A connection in the middle of a transaction, for a library that brings its own statements.
#[derive(Debug)]
pub enum Connection<'t> {
    /// To SQLite.
    Sqlite(&'t mut SqliteConnection),
    /// To PostgreSQL.
    Postgres(&'t mut PgConnection),
}

/// What a statement did.
#[derive(Debug, Clone, Copy)]
pub struct Inserted {
    /// Rows that it stored or changed.
    pub rows: u64,
    /// On SQLite, the number of the last row that was ever inserted on this connection.
    pub last: Option<i64>,
}

/// A statement in SQL: one text with `$1`, `$2`, … for both engines, or one for each.
#[derive(Debug, Clone, Copy)]
pub struct Sql {
    /// The text for SQLite.
    pub sqlite: &'static str,
    /// The text for PostgreSQL.
    pub postgres: &'static str,
}

impl From<&'static str> for Sql {
    fn from(text: &'static str) -> Self {
        Self { sqlite: text, postgres: text }
    }
}

#[derive(Default)]
pub(crate) struct Hooks(Vec<AfterCommit>);

impl std::fmt::Debug for Hooks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} hooks", self.0.len())
    }
}

impl Tx {
    pub(crate) fn new(connection: Held, now: Instant) -> Self {
        let after_commit = Hooks::default();
        Self { connection, opening: None, now, failed: None, wrote: false, lent: false, after_commit }
    }

    /// The present, one for the whole transaction.
    pub fn now(&self) -> Instant {
        self.now
    }

    /// An id for a new activity, of the transaction's present.
    ///
    /// # Errors
    /// [`CatalogError::Random`].
    pub fn new_activity_id(&self) -> Result<ActivityId, CatalogError> {
        Ok(ActivityId::from_parts(self.now, random::bits()?))
    }

    /// Runs a statement and gives its rows.
    ///
    /// # Errors
    /// What the database refuses; then the transaction is lost.
    pub async fn rows(&mut self, statement: &(impl SqlxBinder + Sync)) -> Result<Vec<Row>, CatalogError> {
        let (text, values) = self.build(statement);
        self.fetch(text, values).await
    }

    /// Runs a statement and gives its first row, if there is one. It does not add a limit.
    ///
    /// # Errors
    /// As [`rows`](Self::rows).
    pub async fn row(&mut self, statement: &(impl SqlxBinder + Sync)) -> Result<Option<Row>, CatalogError> {
        Ok(self.rows(statement).await?.into_iter().next())
    }

    /// Runs a statement and gives the number of rows it changed.
    ///
    /// # Errors
    /// As [`rows`](Self::rows).
    pub async fn exec(&mut self, statement: &(impl SqlxBinder + Sync)) -> Result<u64, CatalogError> {
        let (text, values) = self.build(statement);
        Ok(self.execute(text, values).await?.rows)
    }

    /// Runs SQL whose text never varies and gives its rows. What is composed at run time goes through
    /// [`rows`](Self::rows).
    ///
    /// # Errors
    /// As [`rows`](Self::rows).
    pub async fn rows_sql(&mut self, sql: impl Into<Sql>, values: Vec<Value>) -> Result<Vec<Row>, CatalogError> {
        let text = self.text(sql.into());
        self.fetch(text, SqlxValues(Values(values))).await
    }

    /// Runs SQL whose text never varies and gives its first row, if there is one.
    ///
    /// # Errors
    /// As [`rows`](Self::rows).
    pub async fn row_sql(&mut self, sql: impl Into<Sql>, values: Vec<Value>) -> Result<Option<Row>, CatalogError> {
        Ok(self.rows_sql(sql, values).await?.into_iter().next())
    }

    /// Runs SQL whose text never varies and gives the number of rows it changed.
    ///
    /// # Errors
    /// As [`rows`](Self::rows).
    pub async fn exec_sql(&mut self, sql: impl Into<Sql>, values: Vec<Value>) -> Result<u64, CatalogError> {
        Ok(self.insert_sql(sql, values).await?.rows)
    }

    /// Runs an INSERT written in SQL, and says what it did.
    ///
    /// # Errors
    /// What the database refuses.
    pub async fn insert_sql(&mut self, sql: impl Into<Sql>, values: Vec<Value>) -> Result<Inserted, CatalogError> {
        let text = self.text(sql.into());
        self.execute(text, SqlxValues(Values(values))).await
    }

    /// Runs SQL that was composed of names of ours, and gives its rows.
    pub(crate) async fn rows_text(&mut self, text: String, values: Vec<Value>) -> Result<Vec<Row>, CatalogError> {
        self.fetch(AssertSqlSafe(text).into_sql_str(), SqlxValues(Values(values))).await
    }

    /// Runs SQL that was composed of names of ours, and gives the number of rows it changed.
    pub(crate) async fn exec_text(&mut self, text: String, values: Vec<Value>) -> Result<u64, CatalogError> {
        Ok(self.execute(AssertSqlSafe(text).into_sql_str(), SqlxValues(Values(values))).await?.rows)
    }

    /// Runs `hook` once the transaction has been committed; never if it is not. It must not block.
    pub fn after_commit(&mut self, hook: AfterCommit) {
        self.after_commit.0.push(hook);
    }

    /// The connection itself, for a library that writes in our transaction.
    ///
    /// # Errors
    /// As [`rows`](Self::rows).
    pub async fn connection(&mut self) -> Result<Connection<'_>, CatalogError> {
        self.open().await?;
        self.wrote = true;
        self.lent = true;
        Ok(self.held())
    }

    fn held(&mut self) -> Connection<'_> {
        match &mut self.connection {
            Held::SqliteWriter(connection) => Connection::Sqlite(connection),
            Held::Sqlite(transaction) => Connection::Sqlite(transaction),
            Held::Postgres(transaction) => Connection::Postgres(transaction),
        }
    }

    /// Which database this is.
    pub fn engine(&self) -> Engine {
        match self.connection {
            Held::SqliteWriter(_) | Held::Sqlite(_) => Engine::Sqlite,
            Held::Postgres(_) => Engine::Postgres,
        }
    }

    fn build(&self, statement: &impl SqlxBinder) -> (SqlStr, SqlxValues) {
        let (text, values) = match self.engine() {
            Engine::Sqlite => statement.build_sqlx(SqliteQueryBuilder),
            Engine::Postgres => statement.build_sqlx(PostgresQueryBuilder),
        };
        // The builder quotes every name and binds every value.
        (AssertSqlSafe(text).into_sql_str(), values)
    }

    fn text(&self, sql: Sql) -> SqlStr {
        match self.engine() {
            Engine::Sqlite => sql.sqlite.into_sql_str(),
            Engine::Postgres => sql.postgres.into_sql_str(),
        }
    }

    async fn fetch(&mut self, text: SqlStr, values: SqlxValues) -> Result<Vec<Row>, CatalogError> {
        self.expect_sound()?;
        // Whatever else answers rows has a RETURNING clause.
        self.wrote |= !text.as_str().starts_with("SELECT");
        let text = match self.opening.take() {
            Some(opening) => AssertSqlSafe(format!("{opening}; {}", text.as_str())).into_sql_str(),
            None => text,
        };
        let rows = match self.held() {
            Connection::Sqlite(connection) => sqlx::query_with(text, values).fetch_all(connection).await.map(into_rows),
            Connection::Postgres(connection) => {
                sqlx::query_with(text, values).fetch_all(connection).await.map(into_rows)
            }
        };
        rows.map_err(|error| self.fail(error))
    }

    async fn execute(&mut self, text: SqlStr, values: SqlxValues) -> Result<Inserted, CatalogError> {
        self.expect_sound()?;
        // Not in one text with the statement: the rows that it changed could not be told from those of the one before.
        self.open().await?;
        self.wrote = true;
        let changed = match self.held() {
            Connection::Sqlite(connection) => {
                let done = sqlx::query_with(text, values).execute(connection).await;
                done.map(|done| Inserted { rows: done.rows_affected(), last: Some(done.last_insert_rowid()) })
            }
            Connection::Postgres(connection) => {
                let done = sqlx::query_with(text, values).execute(connection).await;
                done.map(|done| Inserted { rows: done.rows_affected(), last: None })
            }
        };
        changed.map_err(|error| self.fail(error))
    }

    /// Runs what has to run before the first statement, if nothing has.
    async fn open(&mut self) -> Result<(), CatalogError> {
        match self.opening.take() {
            Some(opening) => self.control(opening).await.inspect_err(|error| self.failed = Some(error.clone())),
            None => Ok(()),
        }
    }

    fn expect_sound(&self) -> Result<(), CatalogError> {
        self.failed.as_ref().map_or(Ok(()), |first| Err(CatalogError::AlreadyFailed { first: Arc::new(first.clone()) }))
    }

    fn fail(&mut self, error: sqlx::Error) -> CatalogError {
        let error = CatalogError::from(error);
        self.failed = Some(error.clone());
        error
    }
}

/// What the engines do with a transaction that the work in it cannot.
impl Tx {
    /// Forgets the work before: the next piece begins, in the same group.
    pub(crate) fn restart(&mut self, now: Instant) {
        self.now = now;
        self.failed = None;
        self.wrote = false;
        self.lent = false;
        self.after_commit = Hooks::default();
    }

    /// Runs work. A panic in it, and a failed statement that it passed over, are failures.
    pub(crate) async fn attempt<T, E, F>(&mut self, work: &F) -> Result<T, E>
    where
        F: for<'t> Fn(&'t mut Tx) -> BoxFuture<'t, Result<T, E>>,
        E: From<CatalogError>,
    {
        // After a panic nothing of the transaction is kept, so it does not matter what state the work left things in.
        let outcome = AssertUnwindSafe(async { work(self).await }).catch_unwind().await;
        match outcome {
            Ok(Ok(value)) => self.expect_sound().map(|()| value).map_err(E::from),
            Ok(Err(error)) => Err(error),
            Err(_) => {
                self.failed = Some(CatalogError::Panicked);
                Err(CatalogError::Panicked.into())
            }
        }
    }

    /// Whether the work changed nothing and nothing failed in it, so that there is nothing to undo.
    pub(crate) fn is_untouched(&self) -> bool {
        !self.wrote && self.failed.is_none()
    }

    /// Whether running the same work again may succeed.
    pub(crate) fn is_contended(&self) -> bool {
        matches!(self.failed, Some(CatalogError::Contended { .. }))
    }

    /// The first statement that failed, or the panic.
    pub(crate) fn take_failure(&mut self) -> Option<CatalogError> {
        self.failed.take()
    }

    pub(crate) fn into_held(self) -> Held {
        self.connection
    }

    pub(crate) fn take_hooks(&mut self) -> Hooks {
        std::mem::take(&mut self.after_commit)
    }

    /// Has `opening` run with the first statement: each turn of the database's thread costs as much as a small statement.
    pub(crate) fn open_with(&mut self, opening: &'static str) {
        self.opening = Some(opening);
    }

    /// Takes back what was to run with the first statement; whether none has run, so that there is no transaction to end.
    pub(crate) fn withdraw_opening(&mut self) -> bool {
        self.opening.take().is_some()
    }

    /// Runs a statement that begins, ends or marks a transaction of the writer.
    pub(crate) async fn control(&mut self, statement: &'static str) -> Result<(), CatalogError> {
        match self.held() {
            Connection::Sqlite(connection) => sqlx::query(statement).execute(connection).await.map(drop),
            Connection::Postgres(connection) => sqlx::query(statement).execute(connection).await.map(drop),
        }
        .map_err(CatalogError::from)
    }

    /// Commits a transaction that is not the writer's, and gives the hooks that may now run.
    pub(crate) async fn commit(mut self) -> Result<Hooks, CatalogError> {
        if self.lent {
            // A statement that failed out of our sight makes this one fail; the commit would not.
            self.control("SELECT 1").await?;
        }
        self.expect_sound()?;
        match self.connection {
            Held::SqliteWriter(_) => return Err(CatalogError::Nested),
            Held::Sqlite(transaction) => transaction.commit().await?,
            Held::Postgres(transaction) => transaction.commit().await?,
        }
        Ok(self.after_commit)
    }
}

impl Hooks {
    pub(crate) fn append(&mut self, mut other: Self) {
        self.0.append(&mut other.0);
    }

    /// Runs them. What they tell of is committed, so a panic in one must not undo or hide anything.
    pub(crate) fn run(self) {
        for hook in self.0 {
            if std::panic::catch_unwind(AssertUnwindSafe(hook)).is_err() {
                tracing::error!("a hook that ran after a commit panicked");
            }
        }
    }
}

fn into_rows<R: Into<Row>>(rows: Vec<R>) -> Vec<Row> {
    rows.into_iter().map(Into::into).collect()
}
