//! What is asked for, and what is told about it.

use std::fmt;
use std::str::FromStr;

use holotype_core::{ActivityId, Instant, ProjectId, UserId};
use serde_json::Value;

use crate::State;

/// A job that is asked for.
#[derive(Debug, Clone)]
pub struct NewJob {
    /// What it does, for example `store.verify`: the name under which a [`Handler`](crate::Handler) is known.
    pub kind: String,
    /// The project it belongs to.
    pub project: ProjectId,
    /// Who asks for it.
    pub agent: UserId,
    /// What its handler is given. It is kept and shown: no secret belongs in it.
    pub params: Value,
    /// Jobs of a higher priority go first.
    pub priority: Priority,
    /// How often it may be begun, 1 to 1000. A worker that dies in the middle has begun it.
    pub max_attempts: u32,
    /// Not before this instant; the queue rounds it up to a whole second.
    pub run_after: Option<Instant>,
}

impl NewJob {
    /// A job of normal priority that may be begun three times, as soon as a worker is free.
    pub fn new(kind: impl Into<String>, project: ProjectId, agent: UserId, params: Value) -> Self {
        Self { kind: kind.into(), project, agent, params, priority: Priority::Normal, max_attempts: 3, run_after: None }
    }
}

/// Which of two waiting jobs goes first. A running job is not interrupted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Priority {
    /// Upkeep that may wait for everything else.
    Low,
    /// What is not said to be otherwise.
    #[default]
    Normal,
    /// Somebody sits and waits for it.
    High,
}

impl Priority {
    const ALL: [Priority; 3] = [Priority::Low, Priority::Normal, Priority::High];

    /// The number that is stored and ordered by; the gaps leave room.
    pub fn number(self) -> i32 {
        match self {
            Priority::Low => 0,
            Priority::Normal => 10,
            Priority::High => 20,
        }
    }

    /// The priority with this number.
    pub(crate) fn from_number(number: i64) -> Option<Self> {
        Priority::ALL.into_iter().find(|priority| i64::from(priority.number()) == number)
    }
}

/// All that is known of a job, apart from its log.
#[derive(Debug, Clone, PartialEq)]
pub struct JobRecord {
    /// Its id; it is also the activity of this name in the lineage.
    pub id: ActivityId,
    /// The project it belongs to.
    pub project: ProjectId,
    /// What it does.
    pub kind: String,
    /// Who asked for it.
    pub agent: UserId,
    /// Where it stands.
    pub state: State,
    /// The attempt that waits, runs or was the last; the first is 1.
    pub attempt: u32,
    /// The attempt after which it is not tried again by itself.
    pub max_attempts: u32,
    /// Which jobs go before it.
    pub priority: Priority,
    /// What its handler was given.
    pub params: Value,
    /// What came out of it.
    pub result: Option<Value>,
    /// Why it failed, or why it is tried again.
    pub error: Option<String>,
    /// How much of this attempt is done: 0 to 1.
    pub progress: f64,
    /// What it is doing.
    pub message: Option<String>,
    /// The version of the code that ran it last, or that asked for it.
    pub code_version: String,
    /// When it was asked for.
    pub created_at: Instant,
    /// When its latest attempt began.
    pub started_at: Option<Instant>,
    /// When it came to its end.
    pub finished_at: Option<Instant>,
    /// Before when its latest attempt may not begin.
    pub run_after: Instant,
    /// When its worker last said that it is alive.
    pub heartbeat_at: Option<Instant>,
}

/// Which jobs to list; every part that is given must hold.
#[derive(Debug, Clone, Default)]
pub struct JobFilter {
    /// Of this project; otherwise of every project the caller may see.
    pub project: Option<ProjectId>,
    /// In this state.
    pub state: Option<State>,
    /// Of this kind.
    pub kind: Option<String>,
}

/// Some jobs, newest first.
#[derive(Debug, Clone)]
pub struct JobPage {
    /// The jobs.
    pub items: Vec<JobRecord>,
    /// Where the next page begins, if there is more.
    pub next: Option<ActivityId>,
}

/// How much a log line matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// For whoever looks for a fault.
    Debug,
    /// What happens.
    Info,
    /// Something is not as it should be.
    Warning,
    /// Something did not work.
    Error,
}

/// Text that names no level.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{text}' is not a log level: debug, info, warning or error is needed")]
pub struct UnknownLevel {
    /// What was given, cut to 80 characters.
    pub text: String,
}

impl Level {
    const ALL: [Level; 4] = [Level::Debug, Level::Info, Level::Warning, Level::Error];

    /// The stable name, as stored.
    pub fn name(self) -> &'static str {
        match self {
            Level::Debug => "debug",
            Level::Info => "info",
            Level::Warning => "warning",
            Level::Error => "error",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Level {
    type Err = UnknownLevel;

    fn from_str(text: &str) -> Result<Self, UnknownLevel> {
        Level::ALL
            .into_iter()
            .find(|level| level.name() == text)
            .ok_or_else(|| UnknownLevel { text: text.chars().take(80).collect() })
    }
}

/// One line of a job's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// Its place in the log, from 1, without gaps.
    pub sequence: i64,
    /// When it was written.
    pub at: Instant,
    /// How much it matters.
    pub level: Level,
    /// What it says; it may have several lines.
    pub text: String,
}

/// What is told to whoever watches a job.
#[derive(Debug, Clone, PartialEq)]
pub enum JobEvent {
    /// The job has come to another state, or to another attempt. The stream ends after a final one.
    State(Box<JobRecord>),
    /// The attempt has come further: 0 to 1, and what it is doing.
    Progress {
        /// How much is done.
        fraction: f64,
        /// What it is doing.
        message: Option<String>,
    },
    /// A line was added to the log.
    Log(LogLine),
}
