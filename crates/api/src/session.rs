//! Sessions over frames, and what is done in them.

use holotype_core::{ActivityId, Digest, Instant, ProjectId, UserId};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

/// Frames that somebody works on together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Session {
    /// Its number.
    pub id: i64,
    /// What its owner calls it.
    pub name: String,
    /// The project it belongs to.
    #[schema(schema_with = crate::schema::id)]
    pub project: ProjectId,
    /// Whose it is: nobody else sees it.
    #[schema(schema_with = crate::schema::id)]
    pub owner: UserId,
    /// How many frames it has.
    pub frames: u64,
    /// How many operations were asked for in it.
    pub operations: u64,
    /// When it was made.
    #[schema(schema_with = crate::schema::instant)]
    pub created_at: Instant,
    /// When it was last changed.
    #[schema(schema_with = crate::schema::instant)]
    pub modified_at: Instant,
}

/// A session with its frames and operations.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SessionDetail {
    /// The session.
    pub session: Session,
    /// Its frames, as they were given.
    pub input_data: Vec<Value>,
    /// What was asked for, in order.
    pub operations: Vec<Operation>,
}

/// A session that is asked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSession {
    /// What to call it: 1 to 256 characters.
    pub name: String,
    /// Its frames: objects with a `basename`, and a `source` if it is not `archive`.
    #[serde(default)]
    pub input_data: Vec<Value>,
}

/// What is to become of a session.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SessionUpdate {
    /// What to call it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Frames to add; those that it has stay.
    #[serde(default)]
    pub input_data: Vec<Value>,
}

/// Something that was asked for in a session.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Operation {
    /// Its number.
    pub id: i64,
    /// The session it belongs to.
    pub session: i64,
    /// What is done, as `Median`.
    pub name: String,
    /// `PENDING`, `IN_PROGRESS`, `COMPLETED` or `FAILED`.
    pub status: String,
    /// How much is done: 0 to 1.
    pub progress: f64,
    /// What is being done, or why it failed.
    pub message: String,
    /// The key of its result: the same work has the same key, and is done once.
    #[schema(schema_with = crate::schema::digest)]
    pub key: Digest,
    /// The job that does it, or did.
    #[schema(schema_with = crate::schema::optional_id)]
    pub job: Option<ActivityId>,
    /// With what: files and parameters.
    pub input_data: Value,
    /// What was made; files are told by their signed addresses.
    pub output: Option<Value>,
    /// The names of the files, to be read at `/api/v1/outputs/{name}`.
    pub files: Vec<String>,
    /// When it was asked for.
    #[schema(schema_with = crate::schema::instant)]
    pub created_at: Instant,
}

/// An operation that is asked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewOperation {
    /// What is to be done, as `Median`.
    pub name: String,
    /// With what: an object, as the operation's form describes it.
    pub input_data: Value,
}
