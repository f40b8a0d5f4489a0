//! Values and files from instruments, with owners and metadata, and queries over them.
//!
//! A datapoint is a JSON document under the contract of the MADSci Data Manager: a value, a file, or a reference to an object in
//! a bucket. The text that is stored is the text that is answered, digit for digit. Its files are blobs of the store.
//!
//! ```text
//!   Submission::parse ──▶ Datapoints::submit ──▶ record + files + references, one transaction
//!   Selection::parse  ──▶ query, count, page, tail, export:  SQL narrows ──▶ the matcher decides
//!   delete ──▶ restore, or purge by the sweep            import: a mongodump and its files
//! ```
//!
//! Every method that is called for somebody takes the caller and a project, and checks the role first. To a caller without a
//! role in it, a project does not exist.

mod batch;
mod content;
mod delete;
mod error;
pub mod export;
mod fault;
mod gather;
mod get;
pub mod import;
mod list;
mod model;
pub mod name;
mod narrow;
mod object_storage;
mod page;
mod parse;
mod projection;
mod scan;
mod schema;
mod select;
mod store;
mod submit;
mod table;
mod tail;
mod timestamp;
mod unfold;
mod unit;

use std::path::PathBuf;
use std::sync::Arc;

use holotype_blobs::Blobs;
use holotype_catalog::{Catalog, RecordKind};
use holotype_core::{Caller, ProjectId, Role, json};
use jiff::tz::TimeZone;

pub use batch::BatchLine;
pub use content::{Content, Opened};
pub use error::DatapointError;
pub use fault::{FieldError, Step};
pub use get::{File, Value};
pub use list::{Record, Records};
pub use model::{Content as SubmittedContent, OWNER_FIELDS, ObjectRecord, Ownership, Submission};
pub use object_storage::ObjectStorage;
pub use page::{MOST_ITEMS, Page, PageOrder, PageRequest};
pub use schema::LabelSchema;
pub use select::Selection;
pub use submit::{NewFile, Stored};
pub use tail::Arrival;
pub use timestamp::{Timestamp, TimestampProblem};

use object_storage::Bucket;

/// The kind of a datapoint in blob references and lineage.
pub const KIND: &str = "datapoint";

/// What an operator decides about datapoints.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The directory that the paths of files are said to lie under. It is a name: nothing is written there or read from there.
    pub storage_root: PathBuf,
    /// The id of this server, which owns what says nothing of its owners.
    pub manager_id: String,
    /// Where timestamps without an offset are from, and where a day of the dated layout begins.
    pub time_zone: TimeZone,
    /// The laboratory's object storage, if files are to go there as well.
    pub object_storage: Option<ObjectStorage>,
    /// How much one request may ask.
    pub limits: Limits,
}

/// How much one request may ask.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// The size and depth of one datapoint's JSON.
    pub json: json::Limits,
    /// The steps that the filter of one query may take over all datapoints.
    pub query_steps: u64,
}

impl Default for Limits {
    fn default() -> Self {
        // About ten seconds of one processor.
        Self { json: json::Limits::default(), query_steps: 500_000_000 }
    }
}

/// The datapoints of a catalog and a store. Clones share them.
#[derive(Debug, Clone)]
pub struct Datapoints {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    catalog: Catalog,
    blobs: Blobs,
    settings: Settings,
    /// The ownership of what says nothing of its owners.
    ownership: Ownership,
    bucket: Option<Arc<Bucket>>,
    schema_cache: schema::Cache,
    arrivals: tail::Arrivals,
    gathering: gather::Gathering,
}

impl Datapoints {
    /// Joins a catalog and its blobs, and tells the lineage of the catalog what a datapoint is.
    ///
    /// # Errors
    /// [`DatapointError::ObjectStorageSettings`] if an object storage is configured that cannot be used. It is not spoken to yet.
    pub fn new(catalog: Catalog, blobs: Blobs, settings: Settings) -> Result<Self, DatapointError> {
        catalog.register_record_kind(RecordKind {
            kind: KIND,
            table: "datapoints",
            id_column: "id",
            integer_ids: false,
            project_column: "project",
            agent_column: "agent",
            created_column: "created_at",
        });
        let bucket = settings.object_storage.as_ref().map(Bucket::open).transpose()?.map(Arc::new);
        let ownership = Ownership::Known(vec![("manager_id", settings.manager_id.clone())]);
        let (schema_cache, arrivals) = (schema::Cache::default(), tail::Arrivals::new());
        let gathering = gather::Gathering::default();
        let inner = Inner { catalog, blobs, settings, ownership, bucket, schema_cache, arrivals, gathering };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// What was decided about datapoints.
    pub fn settings(&self) -> &Settings {
        &self.inner.settings
    }

    /// Whether the object storage answers, where one is configured.
    pub async fn object_storage_answers(&self) -> Option<bool> {
        match &self.inner.bucket {
            Some(bucket) => Some(bucket.answers().await),
            None => None,
        }
    }

    async fn require(&self, caller: &Caller, project: ProjectId, role: Role) -> Result<(), DatapointError> {
        Ok(self.inner.catalog.require(caller, project, role).await?)
    }
}
