//! What is known of a fetch and of each frame in it.

use std::fmt;
use std::str::FromStr;

use holotype_core::{ActivityId, Digest, Instant, ProjectId, UserId};
use serde::{Deserialize, Serialize};

use super::config::{FetchConfig, Window};
use super::report::Report;

/// A fetch, as it was asked for. Its progress and its end are those of the job of the same id.
#[derive(Debug, Clone, PartialEq)]
pub struct Fetch {
    /// The job that does it.
    pub id: ActivityId,
    /// The project that its frames belong to.
    pub project: ProjectId,
    /// Who asked for it.
    pub agent: UserId,
    /// What its configuration is called.
    pub name: String,
    /// The root of the sorted directories.
    pub tree: String,
    /// The configuration.
    pub config: FetchConfig,
    /// The observations that it asked for.
    pub window: Window,
    /// When it began.
    pub created_at: Instant,
    /// What became of every frame, once it has come to its end.
    pub report: Option<Report>,
    /// When it was undone, if it was.
    pub undone_at: Option<Instant>,
}

/// Where a frame of a fetch stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FrameState {
    /// It is to be fetched.
    Planned,
    /// Its bytes are in the store, and its file is not in its place yet.
    Held,
    /// Its file is in its dataset's directory.
    Placed,
    /// Its file is in the download directory, because its dataset is locked.
    Waiting,
    /// Its file stays in the download directory: no rule has a place for it.
    Aside,
    /// It was there before, and is the same.
    Have,
    /// No rule selects it.
    Unwanted,
    /// Something went wrong with it, and the next fetch tries again.
    Failed,
    /// It was placed, and taken back.
    Undone,
}

impl FrameState {
    /// All of them, in the order of a report.
    pub const ALL: [Self; 9] = [
        Self::Placed,
        Self::Waiting,
        Self::Aside,
        Self::Have,
        Self::Unwanted,
        Self::Failed,
        Self::Planned,
        Self::Held,
        Self::Undone,
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Held => "held",
            Self::Placed => "placed",
            Self::Waiting => "waiting",
            Self::Aside => "aside",
            Self::Have => "have",
            Self::Unwanted => "unwanted",
            Self::Failed => "failed",
            Self::Undone => "undone",
        }
    }
}

impl fmt::Display for FrameState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The text is no state of a frame.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "'{text}' is no state of a fetched frame: planned, held, placed, waiting, aside, have, unwanted, failed and undone are"
)]
pub struct UnknownFrameState {
    text: String,
}

impl FromStr for FrameState {
    type Err = UnknownFrameState;

    fn from_str(text: &str) -> Result<Self, UnknownFrameState> {
        let unknown = || UnknownFrameState { text: text.chars().take(80).collect() };
        Self::ALL.into_iter().find(|state| state.name() == text).ok_or_else(unknown)
    }
}

/// How a frame that is fetched differs from what the tree had.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// The tree had none of this name.
    New,
    /// The archive has other bytes under the name now: it was reduced anew.
    Changed,
    /// The tree had it, or was about to, and something of it was left to do.
    Resumed,
}

impl Change {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Changed => "changed",
            Self::Resumed => "resumed",
        }
    }

    pub(super) fn from_name(name: &str) -> Option<Self> {
        [Self::New, Self::Changed, Self::Resumed].into_iter().find(|change| change.name() == name)
    }
}

/// A frame of a fetch, and what became of it.
#[derive(Debug, Clone, PartialEq)]
pub struct FetchFrame {
    /// Its place in the order in which the archives listed it, from 0.
    pub position: i64,
    /// The archive's address.
    pub archive: String,
    /// The name of its file there.
    pub name: String,
    /// Where it stands.
    pub state: FrameState,
    /// How it differs from what the tree had.
    pub change: Option<Change>,
    /// Its checksum, as the archive says it.
    pub checksum: Option<String>,
    /// Its size in bytes, if the archive says it.
    pub size: Option<i64>,
    /// Why it stands there.
    pub reason: Option<String>,
    /// The file made of it.
    pub path: Option<String>,
    /// How many bytes of it came over the network in this fetch.
    pub transferred: i64,
    /// When it came to stand there.
    pub changed_at: Instant,
}

/// What a tree holds of a frame.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct HeldFrame {
    pub state: FrameState,
    pub checksum: Option<String>,
    pub version: Option<String>,
    pub size: Option<i64>,
    pub blob: Option<Digest>,
    pub path: Option<String>,
    pub stamp: Option<String>,
    pub fetch: ActivityId,
}

/// How many frames of a fetch stand where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// Frames by state.
    pub frames: Vec<(FrameState, u64)>,
    /// Bytes that came over the network.
    pub transferred: u64,
}

impl Tally {
    /// How many frames stand there.
    pub fn count(&self, state: FrameState) -> u64 {
        self.frames.iter().find(|(counted, _)| *counted == state).map_or(0, |(_, count)| *count)
    }

    /// How many frames the archives listed.
    pub fn listed(&self) -> u64 {
        self.frames.iter().map(|(_, count)| count).sum()
    }
}
