//! Where something came from, and what became of it.

use holotype_core::{Instant, ProjectId, UserId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A walk through the lineage from one entity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Lineage {
    /// The entities and activities that were met, the one asked for first.
    pub nodes: Vec<LineageNode>,
    /// Who used and made what.
    pub edges: Vec<LineageEdge>,
    /// Whether there is more beyond the depth or the size that was asked for.
    pub truncated: bool,
}

/// A thing, or an execution of something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LineageNode {
    /// `blob`, `datapoint`, `job` and so on.
    pub kind: String,
    /// Its id, unique for the kind in the project.
    pub id: String,
    /// The project it belongs to. The same bytes in two projects are two nodes, so that neither shows the other.
    #[schema(schema_with = crate::schema::id)]
    pub project: ProjectId,
    /// Who made or did it, where that is known.
    #[schema(schema_with = crate::schema::optional_id)]
    pub agent: Option<UserId>,
    /// When, where that is known.
    #[schema(schema_with = crate::schema::optional_instant)]
    pub at: Option<Instant>,
    /// What was executed, when the node is a job.
    pub execution: Option<Execution>,
}

/// What a job executed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Execution {
    /// What it does, for example `store.verify`.
    pub kind: String,
    /// How far it got: the name of a job's state.
    pub state: String,
    /// The version of the code that ran it.
    pub code_version: String,
    /// When its latest attempt began.
    #[schema(schema_with = crate::schema::optional_instant)]
    pub started_at: Option<Instant>,
    /// When it came to its end.
    #[schema(schema_with = crate::schema::optional_instant)]
    pub finished_at: Option<Instant>,
}

/// How two nodes belong together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LineageEdge {
    /// Position among the nodes of what came first.
    pub from: u32,
    /// Position among the nodes of what came of it.
    pub to: u32,
    /// `used`, `generated` or `contains`.
    pub relation: String,
}
