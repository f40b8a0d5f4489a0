//! What is asked of an archive, and what it says of a frame.

use std::collections::BTreeMap;

use holotype_core::Instant;
use serde_json::{Map, Value};

use super::{Checksum, Download};

/// What to list. What is absent restricts nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query {
    /// Frames observed at this instant or later.
    pub start: Option<Instant>,
    /// Frames observed at this instant or earlier.
    pub end: Option<Instant>,
    /// Frames of this proposal.
    pub proposal: Option<String>,
    /// Frames of the target with exactly this name.
    pub target: Option<String>,
    /// The archive's own parameters by name, for example `reduction_level` = `91`.
    pub parameters: BTreeMap<String, String>,
}

/// A frame, as an archive lists it.
#[derive(Debug, Clone)]
pub struct Listed {
    /// The archive's own name for the frame: the same when the frame is listed again.
    pub id: String,
    /// Its file name, already found to be one plain path component (see [`check_name`](super::check_name)).
    pub name: String,
    /// The exact length of the file in bytes, where the archive says it.
    pub size: Option<u64>,
    /// A checksum of the bytes as the archive stores them, where the archive says one.
    pub checksum: Option<Checksum>,
    /// Key, entity tag or date of modification: another one means other bytes.
    pub version: Option<String>,
    /// Where the bytes are, as listed; it may expire, and is absent where each download is asked for.
    pub download: Option<Download>,
    /// All that the archive said of it.
    pub fields: Map<String, Value>,
}

/// How an archive wants to be treated.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// The most downloads at a time.
    pub connections: usize,
    /// The most requests in a second; no bound if absent.
    pub requests_per_second: Option<f64>,
    /// Whether a part of a file can be asked for.
    pub ranges: bool,
}
