//! What can go wrong with the catalog, told by what can be done about it.

use std::borrow::Cow;
use std::path::PathBuf;
use std::sync::Arc;

use holotype_core::{Category, Digest, Role};

/// A failure of the catalog. It is `Clone` because one failed commit is told to every caller whose work was in it.
#[derive(Debug, Clone, thiserror::Error)]
pub enum CatalogError {
    /// Text that names no catalog. The text itself may hold a password and is not repeated.
    #[error(
        "the catalog's URL is not usable: {problem}; give sqlite:///path/catalog.db or postgres://user@host/database"
    )]
    InvalidUrl {
        /// What is wrong with it.
        problem: String,
    },
    /// The database cannot be reached, or was lost in the middle; what was under way may or may not be stored.
    #[error("the catalog cannot be reached: {source}")]
    Unreachable {
        /// What the driver says.
        source: Arc<sqlx::Error>,
    },
    /// The database holds another version of the tables than this program works with; 0 is an empty database.
    #[error("{}", schema_mismatch(database, *found, *expected))]
    SchemaMismatch {
        /// Which catalog, without secrets.
        database: String,
        /// The version found.
        found: i64,
        /// The version this program works with.
        expected: i64,
    },
    /// Others hold what is needed, and waiting for them took too long.
    #[error("the catalog is busy: {source}; try again")]
    Busy {
        /// What the driver says.
        source: Arc<sqlx::Error>,
    },
    /// PostgreSQL ended the transaction in favour of another, several times over. Nothing was stored.
    #[error("the catalog is contended: {source}; try again")]
    Contended {
        /// What the driver says.
        source: Arc<sqlx::Error>,
    },
    /// More password checks wait than may.
    #[error("too many passwords are being checked; try again in a few seconds")]
    TooManyLogins,
    /// The disk of the database is full. Nothing was stored.
    #[error("the catalog's disk is full: {source}; free some space, then repeat")]
    Full {
        /// What the driver says.
        source: Arc<sqlx::Error>,
    },
    /// The database, its directory or the account may only read. Nothing was stored.
    #[error("the catalog is read-only: {source}; give this program the right to write it")]
    ReadOnly {
        /// What the driver says.
        source: Arc<sqlx::Error>,
    },
    /// The database's own structure is broken.
    #[error("the catalog is damaged: {source}; `holotype db restore` brings back a backup")]
    Damaged {
        /// What the driver says.
        source: Arc<sqlx::Error>,
    },
    /// A row contradicts another: a key that is taken, a reference to nothing.
    #[error("the catalog refuses a row that contradicts another: {source}")]
    Constraint {
        /// What the driver says.
        source: Arc<sqlx::Error>,
    },
    /// Anything else the database refused: a fault of ours.
    #[error("the catalog refuses a statement: {source}")]
    Statement {
        /// What the driver says.
        source: Arc<sqlx::Error>,
    },
    /// A statement of the transaction failed and the work went on regardless. Nothing was stored.
    #[error("an earlier statement of this transaction failed, so nothing was stored: {first}")]
    AlreadyFailed {
        /// The first failure.
        first: Arc<CatalogError>,
    },
    /// A column is absent or holds something else than it should.
    #[error("column '{column}' cannot be read: {problem}")]
    Column {
        /// The column's name.
        column: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The work given to a transaction panicked. Nothing was stored.
    #[error("a transaction was abandoned by a panic; nothing was stored")]
    Panicked,
    /// The catalog was closed, or its writer ended with the program.
    #[error("the catalog is closed")]
    Closed,
    /// A transaction was asked for inside another one, which would wait for itself.
    #[error("a write was begun inside another write; use the transaction that is open")]
    Nested,
    /// The system gives no random bytes.
    #[error("the system gives no random bytes: {source}")]
    Random {
        /// What the system says.
        source: getrandom::Error,
    },
    /// The named thing does not exist, or the caller may not know that it does.
    #[error("there is no {kind} '{name}'")]
    NotFound {
        /// What was asked for: `project`, `user`, `token`, `blob`.
        kind: &'static str,
        /// What it was asked for by.
        name: String,
    },
    /// The caller's role on the project does not suffice.
    #[error(
        "you are {has} of this project, and {needs} is needed; an owner can change it: `holotype project member set`"
    )]
    RoleTooLow {
        /// What the caller is.
        has: Role,
        /// What it takes.
        needs: Role,
    },
    /// Only administrators may.
    #[error("only an administrator may {action}")]
    AdminOnly {
        /// What was refused, as a verb.
        action: &'static str,
    },
    /// The request contradicts what is stored.
    #[error("{problem}")]
    Conflict {
        /// What contradicts what, and what to do.
        problem: Cow<'static, str>,
    },
    /// The request itself is wrong.
    #[error("{problem}")]
    Invalid {
        /// What is wrong, and what is right.
        problem: Cow<'static, str>,
    },
    /// A record was to name a blob that is not there, or is being deleted.
    #[error("blob {digest} is not held any more; upload it again")]
    BlobGone {
        /// The blob.
        digest: Digest,
    },
    /// A file beside the database failed: a backup's, mostly.
    #[error("{}: {source}", path.display())]
    File {
        /// The file or directory.
        path: PathBuf,
        /// What the system says.
        source: Arc<std::io::Error>,
    },
    /// A backup is not what its manifest says.
    #[error("the backup {} is not usable: {problem}", folder.display())]
    BadBackup {
        /// The backup's folder.
        folder: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// A migration failed and was undone.
    #[error("the migration failed, and the catalog is as it was, at version {version}: {source}")]
    Migration {
        /// The version the catalog is still at.
        version: i64,
        /// What the database says.
        source: Arc<sqlx::migrate::MigrateError>,
    },
}

fn schema_mismatch(database: &str, found: i64, expected: i64) -> String {
    match found {
        0 => format!("{database} holds no catalog yet; `holotype init` makes one"),
        _ if found < expected => format!(
            "{database} is at version {found} and this program needs {expected}; `holotype db migrate` brings it there"
        ),
        _ => format!(
            "{database} is at version {found} and this program knows {expected} at most; install the newer program"
        ),
    }
}

impl CatalogError {
    /// What kind of failure this is.
    pub fn category(&self) -> Category {
        match self {
            Self::NotFound { .. } => Category::NotFound,
            Self::SchemaMismatch { .. } | Self::Conflict { .. } | Self::BlobGone { .. } | Self::Constraint { .. } => {
                Category::Conflict
            }
            Self::InvalidUrl { .. } | Self::Invalid { .. } | Self::BadBackup { .. } => Category::Invalid,
            Self::RoleTooLow { .. } | Self::AdminOnly { .. } => Category::Denied,
            Self::Busy { .. } | Self::Contended { .. } | Self::TooManyLogins => Category::Busy,
            Self::Unreachable { .. }
            | Self::Full { .. }
            | Self::ReadOnly { .. }
            | Self::Closed
            | Self::Random { .. }
            | Self::File { .. } => Category::Unavailable,
            Self::AlreadyFailed { first } => first.category(),
            Self::Damaged { .. }
            | Self::Statement { .. }
            | Self::Column { .. }
            | Self::Panicked
            | Self::Nested
            | Self::Migration { .. } => Category::Internal,
        }
    }

    pub(crate) fn file(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { path, source: Arc::new(source) }
    }

    pub(crate) fn not_found(kind: &'static str, name: impl ToString) -> Self {
        Self::NotFound { kind, name: name.to_string().chars().take(80).collect() }
    }

    pub(crate) fn conflict(problem: impl Into<Cow<'static, str>>) -> Self {
        Self::Conflict { problem: problem.into() }
    }

    pub(crate) fn invalid(problem: impl Into<Cow<'static, str>>) -> Self {
        Self::Invalid { problem: problem.into() }
    }
}

impl From<sqlx::Error> for CatalogError {
    fn from(error: sqlx::Error) -> Self {
        let cause = Cause::of(&error);
        let source = Arc::new(error);
        match cause {
            Cause::Unreachable => Self::Unreachable { source },
            Cause::Busy => Self::Busy { source },
            Cause::Contended => Self::Contended { source },
            Cause::Full => Self::Full { source },
            Cause::ReadOnly => Self::ReadOnly { source },
            Cause::Damaged => Self::Damaged { source },
            Cause::Constraint => Self::Constraint { source },
            Cause::Closed => Self::Closed,
            Cause::Other => Self::Statement { source },
        }
    }
}

impl From<getrandom::Error> for CatalogError {
    fn from(source: getrandom::Error) -> Self {
        Self::Random { source }
    }
}

/// Why the database refused, whichever it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cause {
    Unreachable,
    Busy,
    Contended,
    Full,
    ReadOnly,
    Damaged,
    Constraint,
    Closed,
    Other,
}

impl Cause {
    fn of(error: &sqlx::Error) -> Self {
        match error {
            sqlx::Error::Database(refusal) => refusal.code().map_or(Self::Other, |code| match code.parse::<u32>() {
                // A result code of SQLite has at most four digits, a SQLSTATE always five characters.
                Ok(number) if code.len() < 5 => Self::of_sqlite(number),
                _ => Self::of_postgres(&code),
            }),
            sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::WorkerCrashed => Self::Unreachable,
            sqlx::Error::PoolTimedOut => Self::Busy,
            sqlx::Error::PoolClosed => Self::Closed,
            _ => Self::Other,
        }
    }

    /// By SQLite's result code; the extended code's low byte is the primary one.
    fn of_sqlite(code: u32) -> Self {
        match code & 0xff {
            5 | 6 => Self::Busy,
            8 => Self::ReadOnly,
            10 | 14 => Self::Unreachable,
            11 | 26 => Self::Damaged,
            13 => Self::Full,
            19 => Self::Constraint,
            _ => Self::Other,
        }
    }

    /// By PostgreSQL's SQLSTATE.
    fn of_postgres(state: &str) -> Self {
        match state {
            "40001" | "40P01" => Self::Contended,
            "55P03" | "53300" | "57014" => Self::Busy,
            "53100" => Self::Full,
            "25006" | "42501" => Self::ReadOnly,
            "57P01" | "57P02" | "57P03" | "3D000" => Self::Unreachable,
            _ if state.starts_with("23") => Self::Constraint,
            _ if state.starts_with("08") || state.starts_with("28") => Self::Unreachable,
            _ if state.starts_with("XX") => Self::Damaged,
            _ => Self::Other,
        }
    }
}
