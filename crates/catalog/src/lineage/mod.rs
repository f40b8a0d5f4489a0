//! How things were made: what activities used and made, and which records hold which bytes.
//!
//! There are three relations. An activity *used* an entity; an activity *generated* an entity; a record *contains* a
//! blob. The first two are written by whoever runs the activity, the third is what blob references say anyway. A record
//! that somebody captured by hand has no activity: its own row says who and when, and [`RecordKind`] says where it says
//! so.

mod walk;

use holotype_core::{ActivityId, Caller, Digest, Instant, ProjectId, UserId};

use crate::{Catalog, CatalogError, Tx, values};

/// The kind of an [`Entity`] that is bytes.
pub const BLOB: &str = "blob";

/// The kind of an [`Entity`] that is an activity.
pub const JOB: &str = "job";

/// Something that was made or used: bytes, a record, or (as the start of a walk) an activity.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Entity {
    /// `blob`, `datapoint`, `job`, …
    pub kind: String,
    /// In whose context: the same bytes in two projects are two entities, so that neither shows the other.
    pub project: ProjectId,
    /// The record's id, or the blob's digest.
    pub id: String,
}

impl Entity {
    /// A record.
    pub fn record(kind: &str, project: ProjectId, id: impl Into<String>) -> Self {
        Self { kind: kind.to_owned(), project, id: id.into() }
    }

    /// Bytes, as a project holds them.
    pub fn blob(project: ProjectId, digest: Digest) -> Self {
        Self { kind: BLOB.to_owned(), project, id: digest.to_string() }
    }
}

/// Where the records of a kind are, and how they say who captured them and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordKind {
    /// The kind, as entities and blob references name it.
    pub kind: &'static str,
    /// Its table.
    pub table: &'static str,
    /// The column of the id.
    pub id_column: &'static str,
    /// Whether ids are whole numbers there; entities name them by their digits.
    pub integer_ids: bool,
    /// The column of the project.
    pub project_column: &'static str,
    /// The column of the user who made the record.
    pub agent_column: &'static str,
    /// The column of when it was made.
    pub created_column: &'static str,
}

/// Which way to walk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// To what it came from.
    Back,
    /// To what came of it.
    Forward,
    /// Both, each from the start.
    Both,
}

/// A part of the lineage.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Graph {
    /// What was met; the start is the first.
    pub nodes: Vec<Node>,
    /// How they belong together.
    pub edges: Vec<Edge>,
    /// Whether there is more, beyond the depth or the size of a walk.
    pub truncated: bool,
}

/// A thing or an execution of something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Node {
    /// Bytes or a record.
    Entity {
        /// Which.
        entity: Entity,
        /// Who captured it, where its record says so.
        agent: Option<UserId>,
        /// When, where its record says so.
        at: Option<Instant>,
    },
    /// An execution of something.
    Activity {
        /// Which.
        id: ActivityId,
        /// In which project.
        project: ProjectId,
        /// What was executed.
        kind: String,
        /// On whose behalf.
        agent: UserId,
        /// How far it got: the name of a job's state.
        state: String,
        /// With which version of the program.
        code_version: String,
        /// When it was asked for.
        created_at: Instant,
        /// When it began.
        started_at: Option<Instant>,
        /// When it ended.
        finished_at: Option<Instant>,
    },
}

/// How two nodes belong together, by their positions in [`Graph::nodes`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Edge {
    /// The input, the activity, or the record.
    pub from: usize,
    /// The activity, the output, or the blob.
    pub to: usize,
    /// Which of the three it is.
    pub relation: Relation,
}

/// How two nodes belong together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Relation {
    /// From an entity to an activity that used it.
    Used,
    /// From an activity to an entity that it made.
    Generated,
    /// From a record to a blob that it holds.
    Contains,
}

impl Relation {
    /// The name in answers.
    pub fn name(self) -> &'static str {
        match self {
            Self::Used => "used",
            Self::Generated => "generated",
            Self::Contains => "contains",
        }
    }
}

impl Tx {
    /// Writes down that an activity used something. To do it twice is to do it once.
    ///
    /// # Errors
    /// What the database refuses.
    pub async fn add_input(&mut self, activity: ActivityId, entity: Entity) -> Result<(), CatalogError> {
        let insert =
            "INSERT INTO activity_inputs (activity, kind, project, id) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING";
        self.exec_sql(insert, values![activity, entity.kind, entity.project, entity.id]).await.map(drop)
    }

    /// Writes down that an activity made something. To do it twice is to do it once.
    ///
    /// # Errors
    /// What the database refuses.
    pub async fn add_output(&mut self, activity: ActivityId, entity: Entity) -> Result<(), CatalogError> {
        let insert =
            "INSERT INTO activity_outputs (activity, kind, project, id) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING";
        self.exec_sql(insert, values![activity, entity.kind, entity.project, entity.id]).await.map(drop)
    }
}

impl Catalog {
    /// Tells the catalog of records that say themselves who made them. Each capability does so for its own, once.
    pub fn register_record_kind(&self, kind: RecordKind) {
        let mut kinds = self.record_kinds_mut();
        if !kinds.contains(&kind) {
            kinds.push(kind);
        }
    }

    /// Walks from an entity at most `depth` steps, and shows what lies in projects that the caller may view.
    ///
    /// # Errors
    /// [`CatalogError::NotFound`] if the catalog knows nothing of the start, or the caller may not know of it.
    pub async fn lineage(
        &self,
        caller: &Caller,
        start: Entity,
        direction: Direction,
        depth: usize,
    ) -> Result<Graph, CatalogError> {
        let (caller, kinds) = (caller.clone(), self.record_kinds());
        self.read(move |tx| {
            let (caller, start, kinds) = (caller.clone(), start.clone(), kinds.clone());
            Box::pin(async move { walk::walk(tx, &caller, &kinds, start, direction, depth).await })
        })
        .await
    }
}
