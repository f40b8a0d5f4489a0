//! Frames: what telescopes observed, kept with its metadata, found by it, and served.
//!
//! ```text
//!   bytes in the store ──▶ Facts (header, or what an archive listed) ──▶ put: frame + version + reference, one transaction
//!   FrameQuery ──▶ frames: SQL narrows, the sphere decides ──▶ page, exact count
//!   frame ──▶ headers, related, content by range, thumbnails, zip
//! ```
//!
//! A frame has an owner, its project. A [`Viewer`] sees a frame when its public date has passed, as a member of its project, or as
//! a member of the project that is named like its proposal; administrators see all. To everybody else it does not exist.

mod aggregate;
mod facts;
mod file;
mod get;
mod header;
mod ingest;
mod list;
mod model;
mod name;
mod put;
mod query;
mod record;
mod sky;
mod table;
mod target;
mod thumbnail;
mod viewer;
mod zip;

pub use aggregate::Aggregates;
pub use facts::Facts;
pub use get::{FrameContent, OpenedFrame};
pub use header::{day, instant};
pub use ingest::Ingested;
pub use list::{FramePage, PageRequest, Shape};
pub use model::{Frame, FrameId, Thumbnail, ThumbnailId, ThumbnailSize, Version, VersionId};
pub use name::{check_name, split_name};
pub use put::{Recorded, put};
pub use query::{Filter, FrameQuery, NumberField, Order, OrderField, Position, TextField};
pub use record::FrameRecord;
pub use sky::{Point, Region};
pub use target::Target;
pub use thumbnail::ThumbnailQuery;
pub use viewer::Viewer;
pub use zip::{FrameZip, MOST_ZIPPED, ZipOptions};

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use holotype_catalog::{Catalog, RecordKind};
use tokio::sync::Semaphore;

/// The kind of a frame in blob references and lineage.
pub const KIND: &str = "frame";

/// Images that are decoded at a time to make pictures of them: each may take a gibibyte.
const PICTURES_AT_A_TIME: usize = 1;

/// Versions without a picture that are remembered.
const MOST_PLAIN: usize = 10_000;

/// Zips that are written at a time: each holds a thread for as long as its reader takes.
const ZIPS_AT_A_TIME: usize = 16;

/// What work on frames shares.
#[derive(Debug)]
pub(crate) struct Workshop {
    pictures: Arc<Semaphore>,
    /// Versions that no picture can be made of: nobody makes us try again and again.
    plain: Mutex<HashSet<VersionId>>,
    zips: Arc<Semaphore>,
}

impl Workshop {
    /// Tells the lineage of the catalog what a frame is.
    pub(crate) fn new(catalog: &Catalog) -> Self {
        catalog.register_record_kind(RecordKind {
            kind: KIND,
            table: "frames",
            id_column: "id",
            integer_ids: true,
            project_column: "project",
            agent_column: "agent",
            created_column: "created_at",
        });
        let plain = Mutex::default();
        Self {
            pictures: Arc::new(Semaphore::new(PICTURES_AT_A_TIME)),
            plain,
            zips: Arc::new(Semaphore::new(ZIPS_AT_A_TIME)),
        }
    }

    /// Whether no picture can be made of a version, as was found before.
    fn is_plain(&self, version: VersionId) -> bool {
        self.plain.lock().unwrap_or_else(PoisonError::into_inner).contains(&version)
    }

    fn note_plain(&self, version: VersionId) {
        let mut plain = self.plain.lock().unwrap_or_else(PoisonError::into_inner);
        if plain.len() >= MOST_PLAIN {
            plain.clear();
        }
        plain.insert(version);
    }
}
