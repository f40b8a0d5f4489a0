//! The store: where bytes are kept.

use holotype_core::Digest;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What the store holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StoreStatus {
    /// Where it is, without secrets.
    pub location: String,
    /// Whether it can be reached.
    pub reachable: bool,
    /// Why not.
    pub error: Option<String>,
    /// Blobs held.
    pub blobs: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Blobs that wait on the local disk because the bucket was out of reach.
    pub spooled: u64,
    /// Blobs that no record names.
    pub unreferenced: u64,
}

/// What a sweep would remove.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SweepPlan {
    /// Blobs that no record names and whose grace period is over.
    pub unreferenced: u64,
    /// Their bytes.
    pub bytes: u64,
    /// The first of them, at most 1000.
    #[schema(value_type = Vec<String>)]
    pub digests: Vec<Digest>,
    /// Files that uploads left behind when their process ended.
    pub stale_staging: u64,
    /// Objects in the store that the catalog does not know.
    pub orphan_objects: u64,
}
