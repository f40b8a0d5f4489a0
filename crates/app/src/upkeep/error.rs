//! What can be wrong with backups.

use std::path::PathBuf;

use holotype_core::{Category, Digest};

/// A backup that cannot be made, or cannot be brought back.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// A file or directory of a backup.
    #[error("{path}: {source}", path = .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// There is not enough room for the copies of the blobs.
    #[error("a backup with its blobs needs {needed} bytes, and {free} are free on the disk of {path}", path = .path.display())]
    NoRoom {
        /// Where it should go.
        path: PathBuf,
        /// Bytes of the blobs.
        needed: u64,
        /// Bytes that are free.
        free: u64,
    },
    /// Records of the backup name bytes that are nowhere.
    #[error(
        "records of the backup {folder} name {count} blobs that are neither in it nor in the store, first {first}: connect the \
         store that has them, take a backup made with --with-blobs, or accept the loss with --without-blobs",
        folder = .folder.display()
    )]
    MissingBlobs {
        /// The backup.
        folder: PathBuf,
        /// How many are missing.
        count: u64,
        /// The first of them.
        first: Digest,
    },
    /// Somebody wished the work to end.
    #[error("the backup was stopped; nothing of it is left")]
    Stopped,
    /// The catalog could be neither restored nor put back; the old one is in a backup.
    #[error("the restore failed ({cause}), and the old catalog could not be put back ({then}): it is in the backup {kept}", kept = .kept.display())]
    NotPutBack {
        /// Why the restore failed.
        cause: String,
        /// Why the old catalog could not be put back.
        then: String,
        /// The backup that was made of it before.
        kept: PathBuf,
    },
}

impl BackupError {
    /// What kind of failure this is.
    pub fn category(&self) -> Category {
        match self {
            BackupError::File { .. } | BackupError::NoRoom { .. } => Category::Unavailable,
            BackupError::MissingBlobs { .. } | BackupError::Stopped => Category::Conflict,
            BackupError::NotPutBack { .. } => Category::Internal,
        }
    }

    /// What the system said about a file.
    pub(crate) fn file(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { path, source }
    }
}
