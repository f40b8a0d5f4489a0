//! Frames of observations: fetched from online archives, sorted for reduction, and served as an archive.
//!
//! ```text
//!   source ──▶ fetch: plan ─▶ transfer ─▶ verify ─▶ unpack ─▶ sort into dataset directories ─▶ report
//!                                           │
//!   ingest ─────────────────────────────────┴──▶ frames: found by their metadata, served in the shapes of an OCS archive
//! ```
//!
//! A frame's bytes, as the archive stores them, are a blob; what is known of it is a record in the catalog.

mod error;
pub mod fetch;
pub mod frames;
pub mod http;
pub mod remote;
pub mod source;
pub mod tap;

use std::sync::Arc;

use holotype_blobs::Blobs;
use holotype_catalog::Catalog;
use holotype_jobs::Jobs;

pub use error::ArchiveError;

/// The frames and fetches of a catalog and a store. Clones share them.
#[derive(Debug, Clone)]
pub struct Archives {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    catalog: Catalog,
    blobs: Blobs,
    jobs: Jobs,
    frames: frames::Workshop,
}

impl Archives {
    /// Joins a catalog, its blobs and its jobs.
    pub fn new(catalog: Catalog, blobs: Blobs, jobs: Jobs) -> Self {
        let frames = frames::Workshop::new(&catalog);
        Self { inner: Arc::new(Inner { catalog, blobs, jobs, frames }) }
    }

    pub(crate) fn catalog(&self) -> &Catalog {
        &self.inner.catalog
    }

    pub(crate) fn blobs(&self) -> &Blobs {
        &self.inner.blobs
    }

    pub(crate) fn workshop(&self) -> &frames::Workshop {
        &self.inner.frames
    }

    pub(crate) fn jobs(&self) -> &Jobs {
        &self.inner.jobs
    }
}
