//! Datapoints beyond the MADSci contract: paging, counting, batches, files, schemas.

use holotype_core::{Digest, Instant, UserId};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;
use utoipa::ToSchema;

/// A datapoint as it was submitted and normalised: its exact JSON text.
pub type Document = Box<RawValue>;

/// Which datapoints to answer, and how much of each.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct QueryRequest {
    /// A filter in the query language of the guide; null or absent lets everything pass.
    pub filter: Value,
    /// Dotted paths to answer instead of the whole datapoint; `_id` is always answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fields: Option<Vec<String>>,
    /// `data_timestamp`, `sequence` or `label`, with a leading `-` for descending.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sort: Option<String>,
    /// Most items to answer: 1 to 1000.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// The `next` of the page before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// Whether to answer deleted datapoints, and those alone.
    pub deleted: bool,
}

/// Which datapoints to count.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CountRequest {
    /// A filter in the query language of the guide; null or absent lets everything pass.
    pub filter: Value,
}

/// How many datapoints a filter lets pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Count {
    /// The number of datapoints.
    pub count: u64,
}

/// What became of one line of a batch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BatchResult {
    /// The line in the request, from 1.
    pub line: u64,
    /// The datapoint's id, when it is stored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Whether this request stored it: false when the same datapoint was there before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<bool>,
    /// Why it is not stored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<BatchError>,
}

/// Why one line of a batch is not stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BatchError {
    /// The stable name of the kind of failure, as in a problem.
    pub category: String,
    /// What is wrong, why, and what to do next.
    pub detail: String,
    /// The single faults of an invalid line.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<crate::problem::Fault>,
}

/// A file that belongs to a datapoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DatapointFile {
    /// Its place among the datapoint's files, from 0.
    pub position: u32,
    /// The name it was sent under.
    pub name: String,
    /// The name of its bytes.
    #[schema(schema_with = crate::schema::digest)]
    pub digest: Digest,
    /// Bytes.
    pub size: u64,
    /// The media type it is answered with.
    pub media_type: String,
    /// When it was captured.
    #[schema(schema_with = crate::schema::instant)]
    pub modified_at: Instant,
}

/// What datapoints of one label must look like.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DatapointSchema {
    /// The label it holds for.
    pub label: String,
    /// A JSON Schema for `value`.
    pub schema: Value,
    /// The unit of the value, when it has one.
    pub unit: Option<String>,
    /// When it was last set.
    #[schema(schema_with = crate::schema::instant)]
    pub updated_at: Instant,
    /// Who set it.
    #[schema(schema_with = crate::schema::id)]
    pub agent: UserId,
}

/// A schema to set for a label.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PutDatapointSchema {
    /// A JSON Schema for `value`; `true` lets everything pass.
    pub schema: Value,
    /// The unit of the value, when it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
}
