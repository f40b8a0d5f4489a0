//! A fetch as a job: of the process that asks for it, or of a worker when a schedule asks.

use std::sync::Arc;

use async_trait::async_trait;
use holotype_core::{Clock, ProjectId, UserId};
use holotype_jobs::{Failure, Handler, Job, NewJob};
use serde_json::{Value, json};

use super::connect::{Secrets, connect};
use super::report::Report;
use super::run::FetchRequest;
use crate::{ArchiveError, Archives};

/// The kind of a fetch's job.
pub const KIND: &str = "archive.fetch";

/// How often a scheduled fetch is begun before somebody has to look at it.
const ATTEMPTS: u32 = 3;

/// Does fetches.
pub struct FetchHandler {
    archives: Archives,
    secrets: Arc<dyn Secrets>,
    clock: Arc<dyn Clock>,
}

impl FetchHandler {
    /// A handler that looks up tokens in `secrets`.
    pub fn new(archives: Archives, secrets: Arc<dyn Secrets>, clock: Arc<dyn Clock>) -> Self {
        Self { archives, secrets, clock }
    }
}

impl FetchRequest {
    /// The job that does it in the process that asks for it: killed, it has failed, and whoever asked asks again.
    ///
    /// # Errors
    /// Never: all of it can be written as JSON.
    pub fn job(&self, project: ProjectId, agent: UserId) -> Result<NewJob, ArchiveError> {
        let params = serde_json::to_value(self).map_err(ArchiveError::internal)?;
        Ok(NewJob { max_attempts: 1, ..NewJob::new(KIND, project, agent, params) })
    }

    /// The job that a worker does.
    ///
    /// # Errors
    /// Never: all of it can be written as JSON.
    pub(super) fn worker_job(&self, project: ProjectId, agent: UserId) -> Result<NewJob, ArchiveError> {
        Ok(NewJob { max_attempts: ATTEMPTS, ..self.job(project, agent)? })
    }
}

#[async_trait]
impl Handler for FetchHandler {
    fn kind(&self) -> &'static str {
        KIND
    }

    async fn run(&self, job: &Job) -> Result<Value, Failure> {
        let request: FetchRequest = serde_json::from_value(job.params.clone())
            .map_err(|error| Failure::Permanent { reason: format!("its parameters are no fetch: {error}") })?;
        let sources = connect(&request, &*self.secrets, &self.clock).map_err(failure)?;
        let report = self.archives.fetch(job, request, sources).await.map_err(failure)?;
        if report.is_complete() { Ok(json!({ "report": report })) } else { Err(incomplete(job, &report)) }
    }
}

fn failure(error: ArchiveError) -> Failure {
    match error {
        ArchiveError::Stopped => Failure::Cancelled,
        other => Failure::of(other.category(), other),
    }
}

/// What is missing may be there the next time: the archive was down, a frame arrived damaged, a file was in the way.
fn incomplete(job: &Job, report: &Report) -> Failure {
    let missing = report.missing();
    let (unasked, id) = (report.unasked.len(), job.id);
    let reason = format!(
        "{missing} frames are missing and {unasked} lists broke off; `holotype archive show {id}` names them, and another fetch goes on from here"
    );
    Failure::Retry { reason }
}
