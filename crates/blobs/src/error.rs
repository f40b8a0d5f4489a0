//! What can go wrong between bytes and the facts about them.

use std::path::PathBuf;

use holotype_catalog::CatalogError;
use holotype_core::{Category, Digest};
use holotype_store::StoreError;

/// A failure to keep, read or remove a blob.
#[derive(Debug, thiserror::Error)]
pub enum BlobError {
    /// The disk or the bucket failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The catalog failed.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// The same bytes are being removed, and whoever removes them does not come to an end.
    #[error(
        "the earlier copy of blob {digest} is still being removed; try again in some minutes, or run 'holotype store sweep' to finish it"
    )]
    BeingDeleted {
        /// The blob.
        digest: Digest,
    },
    /// A copy on this machine cannot be made.
    #[error("a copy of a blob cannot be made at {}: {problem}", path.display())]
    Copy {
        /// Where it was to be.
        path: PathBuf,
        /// Why not.
        problem: String,
    },
    /// The bytes wait on the disk of another host, which has not been able to bring them to the store.
    #[error(
        "blob {digest} waits on the host that captured it until the store can be reached from there; try again later"
    )]
    SpooledElsewhere {
        /// The blob.
        digest: Digest,
    },
}

impl BlobError {
    /// What kind of failure this is.
    pub fn category(&self) -> Category {
        match self {
            Self::Store(error) => error.category(),
            Self::Catalog(error) => error.category(),
            Self::BeingDeleted { .. } => Category::Busy,
            Self::Copy { .. } | Self::SpooledElsewhere { .. } => Category::Unavailable,
        }
    }
}
