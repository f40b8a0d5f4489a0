//! Bytes and the facts about them, joined: pins, references, sweep, spool.
//!
//! The store keeps bytes and the catalog keeps facts; neither knows the other. This room keeps the one promise that needs
//! both: *what a record names is there*. Bytes come first and the fact follows, so a crash leaves bytes without a name, never
//! a name without bytes; and bytes are removed only by a [sweep](Blobs::sweep), in the opposite order.
//!
//! ```text
//!  put     stage ── pin ── publish ──────── record + reference, in one transaction of the caller
//!                    │      └─ bucket out of reach: keep in the spool, say so, upload later
//!                    └─ being deleted: wait, then as if it had never been there
//!
//!  sweep   claim (no reference, no pin, unused for the grace period) ── delete bytes ── forget the row
//! ```
//!
//! A pin and a claim are compare-and-set on the same row, so one of them sees the other. A sweep that was held up between its
//! claim and the deletion gives the blob up: by then another may have finished it, and a put brought the bytes back.

mod error;
mod get;
mod options;
mod put;
mod spool;
mod status;
mod sweep;
mod verify;

use std::sync::Arc;

use holotype_catalog::Catalog;
use holotype_store::{Location, Store};

pub use error::BlobError;
pub use get::Reading;
pub use options::{BlobOptions, Progress};
pub use put::{BlobReference, Held, Upload};
pub use spool::Flushed;
pub use status::BlobStatus;
pub use sweep::{SweepPlan, SweepReport};
pub use verify::{Finding, VerifyReport};

use spool::Reach;

/// Blobs of one store and one catalog. Clones share them.
#[derive(Debug, Clone)]
pub struct Blobs {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    store: Store,
    catalog: Catalog,
    /// Where bytes wait while a bucket is out of reach. A store on this machine has none: what its disk does not take, no other would.
    spool: Option<Store>,
    reach: Reach,
    options: BlobOptions,
    /// One sweep of this process at a time: a second would only find what the first has claimed.
    sweeping: tokio::sync::Mutex<()>,
    /// Puts that spool share it; a flush has it alone while it decides on a spooled copy.
    spooling: tokio::sync::RwLock<()>,
}

impl Blobs {
    /// Joins a store and a catalog. Makes the spool's directory if the store is a bucket.
    ///
    /// # Errors
    /// If the spool's directory cannot be used.
    pub fn open(store: Store, catalog: Catalog, options: BlobOptions) -> Result<Self, BlobError> {
        let directory = || Location::Directory(options.spool.clone());
        let spool = store.is_remote().then(|| Store::open(directory(), options.spool.clone())).transpose()?;
        let (sweeping, spooling) = (tokio::sync::Mutex::new(()), tokio::sync::RwLock::new(()));
        let inner = Inner { store, catalog, spool, reach: Reach::default(), options, sweeping, spooling };
        Ok(Self { inner: Arc::new(inner) })
    }

    fn store(&self) -> &Store {
        &self.inner.store
    }

    fn catalog(&self) -> &Catalog {
        &self.inner.catalog
    }

    fn spool(&self) -> Option<&Store> {
        self.inner.spool.as_ref()
    }
}
