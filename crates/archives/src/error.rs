//! What can go wrong with frames and fetches, told by what can be done about it.

use holotype_blobs::BlobError;
use holotype_catalog::CatalogError;
use holotype_core::Category;
use holotype_fits::FitsError;
use holotype_jobs::JobError;

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
}

impl ArchiveError {
    /// What kind of failure it is.
    pub fn category(&self) -> Category {
        match self {
            Self::Catalog(error) => error.category(),
            Self::Blob(error) => error.category(),
            Self::Job(error) => error.category(),
            Self::Fits(error) => error.category(),
        }
    }
}
