//! What the service does in the background.

use holotype_api::job::{Job, JobLogLine, JobState};
use holotype_api::{JobEvent, Page};
use holotype_core::ActivityId;
use reqwest::Method;
use serde::Serialize;

use crate::events::Events;
use crate::{Client, ClientError};

/// Which jobs to list, newest first.
#[derive(Debug, Clone, Default, Serialize)]
pub struct JobQuery {
    /// Only jobs in this state.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<JobState>,
    /// Only jobs of this kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Most items in the page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// The `next` of the page before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}

/// The events of one job, until it has come to its end.
pub struct JobEvents(Events);

impl JobEvents {
    /// The next event; `None` after the final one.
    pub async fn next(&mut self) -> Result<Option<JobEvent>, ClientError> {
        while let Some(event) = self.0.next().await? {
            match JobEvent::parse(&event.name, &event.data) {
                Ok(Some(event)) => return Ok(Some(event)),
                Ok(None) => {}
                Err(source) => return Err(self.0.unreadable(source)),
            }
        }
        Ok(None)
    }
}

impl Client {
    /// One page of jobs.
    pub async fn jobs(&self, query: &JobQuery) -> Result<Page<Job>, ClientError> {
        self.json(self.request(Method::GET, &["jobs"])?.query(query)).await
    }

    /// One job.
    pub async fn job(&self, id: ActivityId) -> Result<Job, ClientError> {
        self.json(self.request(Method::GET, &["jobs", &id.to_string()])?).await
    }

    /// One page of a job's log, after the line with the sequence `after`.
    pub async fn job_log(&self, id: ActivityId, after: Option<i64>) -> Result<Page<JobLogLine>, ClientError> {
        let request = self.request(Method::GET, &["jobs", &id.to_string(), "log"])?;
        self.json(request.query(&[("after", after)])).await
    }

    /// What happens to a job: its log from the beginning, then everything new until it has come to its end.
    pub async fn job_events(&self, id: ActivityId) -> Result<JobEvents, ClientError> {
        let request = self.request(Method::GET, &["jobs", &id.to_string(), "events"])?;
        Ok(JobEvents(Events::new(self.open(request).await?)))
    }

    /// Asks a job to stop. Answers how it stands now: a running one takes a moment.
    pub async fn cancel_job(&self, id: ActivityId) -> Result<Job, ClientError> {
        self.json(self.request(Method::POST, &["jobs", &id.to_string(), "cancel"])?).await
    }

    /// Queues a failed or cancelled job for another attempt. Answers how it stands now.
    pub async fn retry_job(&self, id: ActivityId) -> Result<Job, ClientError> {
        self.json(self.creation(&["jobs", &id.to_string(), "retry"])?).await
    }
}
