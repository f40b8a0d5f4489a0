//! Sessions: frames that are worked on together, and the operations that stack, measure and show them.
//!
//! ```text
//!   POST operation ─▶ check ─▶ resolve inputs (the caller's rights) ─▶ key ─▶ result, begun once ─▶ job session.operate
//!                                                                               │                       │
//!   every operation with that key  ◀── status, progress, output ───────────────┴── files and lineage ──┘
//! ```
//!
//! A *result* is what an operation makes of certain bytes with certain parameters; its *key* is the digest of all of that, so the same work
//! is done once, however often and in however many sessions it is asked for. An operation of a session only points to its result. Bytes
//! count as found for the caller who asks: whoever cannot have the inputs never comes to the key.
//!
//! How far a result is, is not written down a second time: it is read from the job that makes it, until its output is whole. So nothing that
//! happens to a worker leaves an operation in progress for ever.

mod analysis;
mod begin;
mod change;
mod delete;
mod error;
mod files;
mod handler;
mod input;
mod key;
mod list;
mod local;
mod model;
mod operate;
mod operation;
pub mod operations;
pub mod output;
mod resolve;
mod scratch;
mod stars;
mod table;
mod wizard;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use holotype_blobs::Blobs;
use holotype_catalog::{Catalog, RecordKind};
use holotype_jobs::Jobs;
use tokio::sync::Semaphore;

pub use analysis::{Analysis, AnalysisError};
pub use change::{SessionChange, SessionRequest};
pub use error::{Faults, SessionError};
pub use files::{OpenedFile, ResultContent};
pub use handler::OperateHandler;
pub use input::{BroughtInput, FrameSource, InputError, InputItem, Origin, Place, Resolved};
pub use key::{Request, RequestedInput};
pub use list::{OperationPage, SessionFilter, SessionPage};
pub use local::LocalInput;
pub use model::{FileName, OperationId, OperationRecord, ResultFile, Session, SessionId, Status};
pub use operation::{Desk, InputFile, Operation, OperationError, Outcome, Product, Work};
pub use stars::{StarTable, Stars, Stopped};
pub use wizard::{Description, Input, Kind};

/// The kind of a session in lineage.
pub const SESSION: &str = "session";

/// The kind of an operation in lineage.
pub const OPERATION: &str = "operation";

/// The kind of a result in blob references and lineage.
pub const RESULT: &str = "result";

/// The kind of the jobs that operate.
pub const JOB_KIND: &str = "session.operate";

/// Looks into frames that are taken at a time: each holds an image, and works on all cores.
const LOOKS_AT_A_TIME: usize = 4;

/// What sessions need to know of where they run.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where executions have their scratch folders.
    pub scratch: PathBuf,
    /// How long an execution may take.
    pub time_limit: Duration,
}

/// The sessions of a catalog and a store. Clones share them.
#[derive(Clone)]
pub struct Sessions(Arc<Inner>);

struct Inner {
    catalog: Catalog,
    blobs: Blobs,
    jobs: Jobs,
    frames: Arc<dyn FrameSource>,
    operations: Vec<Arc<dyn Operation>>,
    settings: Settings,
    /// Looks into frames that are taken at a time.
    turns: Arc<Semaphore>,
}

impl Sessions {
    /// Joins a catalog, its blobs and its jobs with a source of frames and what can be done with them.
    pub fn new(
        catalog: Catalog,
        blobs: Blobs,
        jobs: Jobs,
        frames: Arc<dyn FrameSource>,
        operations: Vec<Arc<dyn Operation>>,
        settings: Settings,
    ) -> Self {
        let kind = |kind, table, id_column, integer_ids, agent_column, created_column| RecordKind {
            kind,
            table,
            id_column,
            integer_ids,
            project_column: "project",
            agent_column,
            created_column,
        };
        catalog.register_record_kind(kind(SESSION, "sessions", "id", true, "owner", "created"));
        catalog.register_record_kind(kind(OPERATION, "operations", "id", true, "agent", "created"));
        catalog.register_record_kind(kind(RESULT, "results", "key", false, "agent", "created_at"));
        let turns = Arc::new(Semaphore::new(LOOKS_AT_A_TIME));
        Self(Arc::new(Inner { catalog, blobs, jobs, frames, operations, settings, turns }))
    }

    /// What can be done, in the order in which it is offered.
    pub fn descriptions(&self) -> impl Iterator<Item = &Description> {
        self.0.operations.iter().map(|operation| operation.description())
    }

    pub(crate) fn operation(&self, name: &str) -> Option<&Arc<dyn Operation>> {
        self.0.operations.iter().find(|operation| operation.description().name == name)
    }

    pub(crate) fn catalog(&self) -> &Catalog {
        &self.0.catalog
    }

    pub(crate) fn blobs(&self) -> &Blobs {
        &self.0.blobs
    }

    pub(crate) fn jobs(&self) -> &Jobs {
        &self.0.jobs
    }

    pub(crate) fn frames(&self) -> &dyn FrameSource {
        &*self.0.frames
    }

    pub(crate) fn turns(&self) -> Arc<Semaphore> {
        Arc::clone(&self.0.turns)
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.0.settings
    }
}

impl std::fmt::Debug for Sessions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sessions").field("settings", &self.0.settings).finish_non_exhaustive()
    }
}
