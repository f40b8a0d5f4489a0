//! The catalog's database: what it is, and its backups.

use holotype_core::Instant;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What the catalog is kept in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DatabaseStatus {
    /// `sqlite` or `postgresql`.
    pub engine: String,
    /// The version of the tables.
    pub schema_version: i64,
    /// The version this program works with.
    pub expected_version: i64,
}

/// A backup to make.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct NewBackup {
    /// Whether to copy the bytes too, not only the proof that they are there.
    pub with_blobs: bool,
}

/// A backup that was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Backup {
    /// The name of its folder under `backups/` of the home.
    pub name: String,
    /// When it was made.
    #[schema(schema_with = crate::schema::instant)]
    pub created_at: Instant,
    /// `sqlite` or `postgresql`.
    pub engine: String,
    /// The version of the tables in it.
    pub schema_version: i64,
    /// Bytes on disk.
    pub size: u64,
    /// Whether the bytes of the blobs are in it.
    pub with_blobs: bool,
}
