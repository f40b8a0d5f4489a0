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
    /// There is no such frame, or the caller may not see it.
    #[error("No Frame matches the given query.")]
    NoFrame,
    /// There is no such thumbnail, or the caller may not see its frame.
    #[error("No Thumbnail matches the given query.")]
    NoThumbnail,
    /// A file's name that a frame cannot have.
    #[error("'{name}' cannot be the name of a frame: {problem}")]
    FrameName {
        /// The name, shortened.
        name: String,
        /// What is wrong with it.
        problem: &'static str,
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
    /// What kind of failure it is.
    pub fn category(&self) -> Category {
        match self {
            Self::Catalog(error) => error.category(),
            Self::Blob(error) => error.category(),
            Self::Job(error) => error.category(),
            Self::Fits(error) => error.category(),
            Self::NoFrame | Self::NoThumbnail => Category::NotFound,
            Self::FrameName { .. } | Self::NotHeld { .. } => Category::Invalid,
            Self::Ambiguous { .. } => Category::Conflict,
            Self::TooMany { .. } => Category::Busy,
            Self::DamagedFrame { .. } | Self::Aborted { .. } => Category::Internal,
        }
    }
}
