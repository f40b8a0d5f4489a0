//! Fetches: frames that came from online archives, what became of each, and when which are fetched by themselves.

use holotype_core::{ActivityId, Instant, ProjectId, UserId};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::job::{Job, JobState};

/// A fetch. Its id is that of the job that does it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Fetch {
    /// Its id, and its job's.
    #[schema(schema_with = crate::schema::id)]
    pub id: ActivityId,
    /// The project that its frames belong to.
    #[schema(schema_with = crate::schema::id)]
    pub project: ProjectId,
    /// Who asked for it.
    #[schema(schema_with = crate::schema::id)]
    pub agent: UserId,
    /// What its configuration is called.
    pub name: String,
    /// The root of the sorted directories.
    pub tree: String,
    /// The observations that it asks for.
    pub window: FetchWindow,
    /// Where its job stands.
    pub state: JobState,
    /// When it was asked for.
    #[schema(schema_with = crate::schema::instant)]
    pub created_at: Instant,
    /// When its job came to an end.
    #[schema(schema_with = crate::schema::optional_instant)]
    pub finished_at: Option<Instant>,
    /// Whether every archive was asked to the end and nothing that is wanted is missing; null as long as there is no report.
    pub complete: Option<bool>,
    /// When it was undone, if it was.
    #[schema(schema_with = crate::schema::optional_instant)]
    pub undone_at: Option<Instant>,
}

/// A span of observations, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FetchWindow {
    /// The earliest.
    #[schema(schema_with = crate::schema::instant)]
    pub start: Instant,
    /// The latest.
    #[schema(schema_with = crate::schema::instant)]
    pub end: Instant,
}

/// A fetch with all that is known of it but its frames.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FetchDetail {
    /// The fetch.
    pub fetch: Fetch,
    /// Its job; `params` is what was asked for: names of environment variables, never what they hold.
    pub job: Job,
    /// How many of its frames stand where, now.
    pub tally: FetchTally,
    /// The account that it gave at its end.
    pub report: Option<FetchReport>,
}

/// How many frames of a fetch stand where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FetchTally {
    /// The states that frames are in.
    pub frames: Vec<FetchCount>,
    /// Bytes that came over the network.
    pub transferred: u64,
}

/// How many frames are in a state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FetchCount {
    /// The state.
    pub state: FrameState,
    /// How many.
    pub count: u64,
}

/// What became of every frame that the archives listed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FetchReport {
    /// How many frames were listed.
    pub listed: u64,
    /// How many that are wanted are not there.
    pub missing: u64,
    /// Whether every archive was asked to the end and nothing that is wanted is missing.
    pub complete: bool,
    /// Archives that could not be asked to the end, and why.
    pub unasked: Vec<ArchiveRemark>,
    /// Entries of a list that could not be taken for frames, and why.
    pub unusable: Vec<ArchiveRemark>,
    /// Frames that the tree has and the archive no longer lists.
    pub gone: Vec<ArchiveRemark>,
    /// All of it in sentences.
    pub lines: Vec<String>,
}

/// Something about an archive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ArchiveRemark {
    /// The archive's address.
    pub archive: String,
    /// The frame, or the reason.
    pub text: String,
}

/// Where a frame of a fetch stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum FrameState {
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
    /// It is to be fetched.
    Planned,
    /// Its bytes are in the store, and its file is not in its place yet.
    Held,
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

    /// Its name, as it is sent.
    pub fn name(self) -> &'static str {
        match self {
            Self::Placed => "placed",
            Self::Waiting => "waiting",
            Self::Aside => "aside",
            Self::Have => "have",
            Self::Unwanted => "unwanted",
            Self::Failed => "failed",
            Self::Planned => "planned",
            Self::Held => "held",
            Self::Undone => "undone",
        }
    }
}

/// How a frame that is fetched differs from what the tree had.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum FrameChange {
    /// The tree had none of this name.
    New,
    /// The archive has other bytes under the name now: it was reduced anew.
    Changed,
    /// The tree had it, or was about to, and something of it was left to do.
    Resumed,
}

/// A frame that an archive listed for a fetch, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
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
    pub change: Option<FrameChange>,
    /// Its checksum as the archive says it, for example `md5:` and 32 digits.
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
    #[schema(schema_with = crate::schema::instant)]
    pub changed_at: Instant,
}

/// A fetch by the clock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FetchSchedule {
    /// Its name, unique in the project.
    pub name: String,
    /// The project that its frames belong to.
    #[schema(schema_with = crate::schema::id)]
    pub project: ProjectId,
    /// Who made it, and who its fetches are done for.
    #[schema(schema_with = crate::schema::id)]
    pub agent: UserId,
    /// When: minute, hour, day of the month, month, day of the week; a sixth field before them is the second.
    pub cron: String,
    /// Whose clock is meant.
    pub time_zone: String,
    /// When it is due next.
    #[schema(schema_with = crate::schema::instant)]
    pub next_at: Instant,
    /// The last fetch that it asked for.
    #[schema(schema_with = crate::schema::optional_id)]
    pub last_fetch: Option<ActivityId>,
    /// What its configuration is called.
    pub config: String,
    /// The root of the sorted directories, on the server's machine.
    pub tree: String,
    /// Whether every dataset's directory is to have a `data_summary.txt`.
    pub data_summary: bool,
    /// Whether a frame that was reduced anew replaces a file that was changed since it was placed.
    pub replace_amended: bool,
}

/// A fetch to do by the clock.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewFetchSchedule {
    /// Its name, unique in the project: 1 to 100 characters.
    pub name: String,
    /// When, for example `0 9 * * *`: minute, hour, day of the month, month, day of the week; a sixth field before them is the second.
    pub cron: String,
    /// Whose clock is meant, for example `Europe/Berlin`.
    #[serde(default = "utc")]
    #[schema(default = "UTC")]
    pub time_zone: String,
    /// What to fetch: the files of the user, read and checked by the client. Its directories are those of the server's machine.
    #[schema(value_type = Object)]
    pub request: Value,
}

fn utc() -> String {
    "UTC".to_owned()
}
