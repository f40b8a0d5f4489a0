//! Frames that are handed in.

use holotype_core::Digest;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What became of a file that was handed in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct IngestedFrame {
    /// The frame's number.
    pub frame: i64,
    /// The number of the version that has the bytes.
    pub version: i64,
    /// The frame's name: that of the file without its ending.
    pub basename: String,
    /// The ending of the file's name, with the dot.
    pub extension: String,
    /// Whether the frame was not known before.
    pub new_frame: bool,
    /// Whether the bytes are others than those of the newest version before.
    pub new_version: bool,
    /// The name of the bytes.
    #[schema(schema_with = crate::schema::digest)]
    pub digest: Digest,
    /// Their MD5, as archives tell it.
    pub md5: String,
    /// Their number.
    pub size: u64,
    /// What the file's headers do not say, by the names of the archive's fields.
    pub missing: Vec<String>,
}
