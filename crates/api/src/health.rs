//! Whether the service can do its work.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The service's health in detail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Health {
    /// Whether everything that is needed works.
    pub healthy: bool,
    /// The program's version.
    pub version: String,
    /// Seconds since the server started.
    pub uptime_seconds: u64,
    /// What was looked at.
    pub checks: Vec<Check>,
}

/// One part of the service, and whether it works.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Check {
    /// `catalog`, `store`, `spool`, `workers` and so on.
    pub name: String,
    /// Whether it works.
    pub ok: bool,
    /// What there is to say about it.
    pub detail: String,
}

/// Health as the MADSci Data Manager tells it, at `/health`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ManagerHealth {
    /// Whether everything that is needed works.
    pub healthy: bool,
    /// A sentence about it.
    pub description: String,
    /// The program's version.
    pub version: Option<String>,
    /// Whether the catalog answers.
    pub db_connected: bool,
    /// Whether the store can be reached.
    pub storage_accessible: bool,
    /// Datapoints held in the caller's project, or null when the catalog does not answer.
    pub total_datapoints: Option<u64>,
}
