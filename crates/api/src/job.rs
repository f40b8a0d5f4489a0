//! Jobs: what the service does in the background, and how it tells of it.

use holotype_core::{ActivityId, Instant, ProjectId, UserId};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

/// Where a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum JobState {
    /// It waits for a worker, or for its time.
    Queued,
    /// A worker holds it.
    Running,
    /// A worker holds it and has been told to stop.
    Cancelling,
    /// It did what it was for.
    Succeeded,
    /// It gave up; `error` says why.
    Failed,
    /// Somebody stopped it.
    Cancelled,
}

impl JobState {
    /// Whether nothing more will happen, unless somebody retries the job.
    pub fn is_final(self) -> bool {
        matches!(self, JobState::Succeeded | JobState::Failed | JobState::Cancelled)
    }
}

/// One execution of something in the background.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Job {
    /// Its id; it is also the activity of this name in the lineage.
    #[schema(schema_with = crate::schema::id)]
    pub id: ActivityId,
    /// The project it belongs to.
    #[schema(schema_with = crate::schema::id)]
    pub project: ProjectId,
    /// What it does, for example `store.verify`.
    pub kind: String,
    /// Who asked for it.
    #[schema(schema_with = crate::schema::id)]
    pub agent: UserId,
    /// Where it stands.
    pub state: JobState,
    /// The attempt that waits, runs or was the last; the first is 1.
    pub attempt: u32,
    /// How often it may be begun.
    pub max_attempts: u32,
    /// Jobs of a higher priority go first.
    pub priority: i32,
    /// What it was given.
    pub params: Value,
    /// What came out of it.
    pub result: Option<Value>,
    /// Why it failed, or why it will be tried again.
    pub error: Option<String>,
    /// How much is done: 0 to 1.
    pub progress: f64,
    /// What it is doing.
    pub message: Option<String>,
    /// The version of the code that ran it, or that is to run it.
    pub code_version: String,
    /// When it was asked for.
    #[schema(schema_with = crate::schema::instant)]
    pub created_at: Instant,
    /// When its latest attempt began.
    #[schema(schema_with = crate::schema::optional_instant)]
    pub started_at: Option<Instant>,
    /// When it came to its end.
    #[schema(schema_with = crate::schema::optional_instant)]
    pub finished_at: Option<Instant>,
    /// When its attempt may begin, while it waits for that.
    #[schema(schema_with = crate::schema::optional_instant)]
    pub run_after: Option<Instant>,
    /// When its worker last said that it is alive.
    #[schema(schema_with = crate::schema::optional_instant)]
    pub heartbeat_at: Option<Instant>,
}

/// One line of a job's log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct JobLogLine {
    /// Its place in the log; later lines have higher numbers.
    pub sequence: i64,
    /// When it was written.
    #[schema(schema_with = crate::schema::instant)]
    pub at: Instant,
    /// `debug`, `info`, `warning` or `error`.
    pub level: String,
    /// What it says.
    pub text: String,
}

/// How far a job has come.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct JobProgress {
    /// How much is done: 0 to 1.
    pub fraction: f64,
    /// What it is doing.
    pub message: Option<String>,
}

/// That a job has come to another state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct JobStateChange {
    /// The new state.
    pub state: JobState,
    /// The attempt that waits, runs or was the last.
    pub attempt: u32,
    /// Why it failed, or why it will be tried again.
    pub error: Option<String>,
}

/// One server-sent event of a job: the name travels in `event:`, the data in `data:`.
#[derive(Debug, Clone, PartialEq)]
pub enum JobEvent {
    /// `progress`
    Progress(JobProgress),
    /// `log`
    Log(JobLogLine),
    /// `state`; the stream ends after a final one.
    State(JobStateChange),
}

impl JobEvent {
    /// The event's name.
    pub fn name(&self) -> &'static str {
        match self {
            JobEvent::Progress(_) => "progress",
            JobEvent::Log(_) => "log",
            JobEvent::State(_) => "state",
        }
    }

    /// The event's data, as JSON on one line.
    ///
    /// # Errors
    /// When the data cannot be written as JSON, for example a fraction that is not a number.
    pub fn data(&self) -> Result<String, serde_json::Error> {
        match self {
            JobEvent::Progress(progress) => serde_json::to_string(progress),
            JobEvent::Log(line) => serde_json::to_string(line),
            JobEvent::State(change) => serde_json::to_string(change),
        }
    }

    /// The event with this name and data; `None` for a name this version does not know, which is to be passed over.
    ///
    /// # Errors
    /// When the name is known and the data is not of its shape.
    pub fn parse(name: &str, data: &str) -> Result<Option<Self>, serde_json::Error> {
        Ok(Some(match name {
            "progress" => JobEvent::Progress(serde_json::from_str(data)?),
            "log" => JobEvent::Log(serde_json::from_str(data)?),
            "state" => JobEvent::State(serde_json::from_str(data)?),
            _ => return Ok(None),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_read_as_it_was_written() {
        let events = [
            JobEvent::Progress(JobProgress { fraction: 0.25, message: Some("reading".to_owned()) }),
            JobEvent::Log(JobLogLine {
                sequence: 7,
                at: Instant::from_micros(1),
                level: "info".to_owned(),
                text: "two\nlines".to_owned(),
            }),
            JobEvent::State(JobStateChange { state: JobState::Failed, attempt: 2, error: Some("no space".to_owned()) }),
        ];
        for event in events {
            let data = event.data().unwrap();
            assert!(!data.contains('\n'));
            assert_eq!(JobEvent::parse(event.name(), &data).unwrap(), Some(event));
        }
        assert_eq!(JobEvent::parse("of a later version", "{}").unwrap(), None);
        assert!(JobEvent::parse("state", "{}").is_err());
    }
}
