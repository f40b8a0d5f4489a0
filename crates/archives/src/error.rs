//! What can go wrong with frames and fetches, told by what can be done about it.

use std::io;
use std::path::{Path, PathBuf};

use holotype_blobs::BlobError;
use holotype_catalog::CatalogError;
use holotype_core::{ActivityId, Category};
use holotype_fits::FitsError;
use holotype_jobs::JobError;

use crate::source::SourceError;

/// A failure of a request about archives. Nothing is half-stored after any of them.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// The catalog's.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// The store's.
    #[error(transparent)]
    Blob(#[from] BlobError),
    /// The queue's.
    #[error(transparent)]
    Job(#[from] JobError),
    /// A file that is not what it claims to be.
    #[error(transparent)]
    Fits(#[from] FitsError),
    /// There is no such frame, or the caller may not see it.
    #[error("No Frame matches the given query.")]
    NoFrame,
    /// There is no such thumbnail, or the caller may not see its frame.
    #[error("No Thumbnail matches the given query.")]
    NoThumbnail,
    /// A file's name that a frame cannot have.
    #[error("'{name}' cannot be the name of a frame: it {problem}")]
    FrameName {
        /// The name, shortened.
        name: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// A file that claims to be gzipped and is not, or is cut.
    #[error("the file cannot be inflated: {problem}")]
    Gzip {
        /// Why not.
        problem: String,
    },
    /// A frame that is described is not among what is held.
    #[error("no bytes with the MD5 {md5} are held; upload the file first with `holotype archive ingest FILE`")]
    NotHeld {
        /// The MD5 in hexadecimal.
        md5: String,
    },
    /// A name stands for frames of several projects.
    #[error("{basename} is the name of frames in several projects; only one of them can be meant")]
    Ambiguous {
        /// The name.
        basename: String,
    },
    /// More of something expensive is asked for than is done at a time.
    #[error("too many {what} are being made; try again in a minute")]
    TooMany {
        /// What.
        what: &'static str,
    },
    /// A stored frame that is not what was stored.
    #[error("frame {frame} is damaged in the catalog: {problem}; `holotype db restore` brings back a backup")]
    DamagedFrame {
        /// The frame.
        frame: i64,
        /// What is wrong with it.
        problem: String,
    },
    /// A configuration, a file of rules or a template that cannot be used.
    #[error("{file} cannot be used: {problem}")]
    Config {
        /// The file.
        file: String,
        /// What is wrong, and in which line.
        problem: String,
    },
    /// A file or a directory on this machine.
    #[error("{} {problem}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What cannot be done with it, and why.
        problem: String,
    },
    /// A directory that another fetch works in.
    #[error("another fetch works in {}; wait for its end, or stop it with `holotype job cancel`", directory.display())]
    InUse {
        /// The directory.
        directory: PathBuf,
    },
    /// The archive's.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// Bytes that are not those that the archive lists.
    #[error("{name} arrived damaged: {problem}")]
    Damaged {
        /// The frame's file.
        name: String,
        /// How that was noticed.
        problem: String,
    },
    /// A place that something else has.
    #[error("{} is the place of {by}, which is kept", path.display())]
    Taken {
        /// The place.
        path: PathBuf,
        /// What is there.
        by: String,
    },
    /// A file that was changed since it was placed, and would be replaced.
    #[error(
        "{} was changed here, and is kept; the archive's new version is in the store, and --replace-amended puts it there",
        path.display()
    )]
    Amended {
        /// The file.
        path: PathBuf,
    },
    /// There is no such fetch, or the caller may not see it.
    #[error("there is no fetch {id}; `holotype archive list` shows those there are")]
    NoFetch {
        /// The fetch.
        id: ActivityId,
    },
    /// A request that no files on the caller's machine could have made.
    #[error("the request cannot be carried out: {part}: {problem}")]
    Request {
        /// The part of it.
        part: &'static str,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// A schedule that cannot be.
    #[error("the schedule cannot be: {problem}")]
    Schedule {
        /// What is wrong, and what would be right.
        problem: String,
    },
    /// The name of a schedule that there is already.
    #[error("there is a schedule '{name}' already; `holotype archive schedule remove {name} --yes` ends it")]
    ScheduleTaken {
        /// Its name.
        name: String,
    },
    /// There is no such schedule.
    #[error("there is no schedule '{name}'; `holotype archive schedule list` shows those there are")]
    NoSchedule {
        /// The name.
        name: String,
    },
    /// A schedule writes into directories of the server.
    #[error("only an administrator schedules fetches: they write into directories of the server's machine")]
    NotAdministrator,
    /// Tokens of archives cannot be kept without a key.
    #[error(
        "tokens of archives are kept encrypted, and there is no key for that: set {variable} to 64 hexadecimal digits, \
         for example those of `openssl rand -hex 32`, and start again"
    )]
    NoTokenKey {
        /// The environment variable that should hold it.
        variable: String,
    },
    /// A token that is kept was encrypted with another key.
    #[error("the token that is kept was encrypted with another key than that in {variable}; set the token again")]
    SealedToken {
        /// The environment variable that holds the key.
        variable: String,
    },
    /// What cannot be sent as a token.
    #[error("a token of an archive has 1 to 1024 visible ASCII characters")]
    Token,
    /// No other archive is configured.
    #[error("no other archive is configured: set sessions.archive in holotype.toml to its address")]
    NoRemote,
    /// The work was told to stop, and did.
    #[error("stopped before the end; run it again, and it goes on where it was")]
    Stopped,
    /// Work that ended without a result.
    #[error("{what} ended early: {problem}")]
    Aborted {
        /// The work.
        what: &'static str,
        /// Why.
        problem: String,
    },
}

impl ArchiveError {
    pub(crate) fn file(path: &Path, problem: &str) -> Self {
        Self::File { path: path.to_owned(), problem: format!("cannot be used: {problem}") }
    }

    pub(crate) fn io(path: &Path, what: &str, error: io::Error) -> Self {
        let help = if error.kind() == io::ErrorKind::StorageFull { "; make room, and run it again" } else { "" };
        Self::File { path: path.to_owned(), problem: format!("{what}: {error}{help}") }
    }

    /// What only a fault of ours brings about.
    pub(crate) fn internal(error: impl std::fmt::Display) -> Self {
        Self::Aborted { what: "the fetch", problem: error.to_string() }
    }

    /// What kind of failure it is.
    pub fn category(&self) -> Category {
        match self {
            Self::Catalog(error) => error.category(),
            Self::Blob(error) => error.category(),
            Self::Job(error) => error.category(),
            Self::Fits(error) => error.category(),
            Self::NoFrame | Self::NoThumbnail => Category::NotFound,
            Self::Source(error) => error.category(),
            Self::NoFetch { .. } | Self::NoSchedule { .. } => Category::NotFound,
            Self::NotAdministrator | Self::SealedToken { .. } => Category::Denied,
            Self::FrameName { .. }
            | Self::NoTokenKey { .. }
            | Self::NoRemote
            | Self::Token
            | Self::Gzip { .. }
            | Self::NotHeld { .. }
            | Self::Config { .. }
            | Self::Damaged { .. }
            | Self::Request { .. }
            | Self::Schedule { .. } => Category::Invalid,
            Self::Ambiguous { .. } | Self::Taken { .. } | Self::Amended { .. } | Self::ScheduleTaken { .. } => {
                Category::Conflict
            }
            Self::TooMany { .. } | Self::InUse { .. } => Category::Busy,
            Self::File { .. } | Self::Stopped => Category::Unavailable,
            Self::DamagedFrame { .. } | Self::Aborted { .. } => Category::Internal,
        }
    }
}
