//! Jobs: look at them, follow them, stop them, try them again.

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use axum::response::sse::Event;
use futures::StreamExt;
use holotype_api::Page;
use holotype_api::job::{Job, JobEvent, JobLogLine, JobProgress, JobState, JobStateChange};
use holotype_app::jobs::{self, JobFilter, JobRecord, LogLine, State as Standing};
use holotype_core::ActivityId;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::auth::Authenticated;
use crate::events;
use crate::extract::{Params, Segments, page_limit};
use crate::problem::Failure;
use crate::project::find_project;
use crate::state::ServerState;

/// Lines that the jobs room answers at most.
const LOG_PAGE: usize = 1000;

pub(crate) fn routes() -> OpenApiRouter<ServerState> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(get))
        .routes(routes!(log))
        .routes(routes!(follow))
        .routes(routes!(cancel))
        .routes(routes!(retry))
}

/// Which jobs to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Which {
    /// Only jobs in this state.
    state: Option<JobState>,
    /// Only jobs of this kind.
    kind: Option<String>,
    /// Only jobs of this project, by id or name; otherwise of every project the caller may see.
    project: Option<String>,
    /// Most items in the page: 1 to 1000, 100 if not given.
    limit: Option<u32>,
    /// The `next` of the page before.
    after: Option<String>,
}

/// List jobs, newest first.
#[utoipa::path(get, path = "/jobs", tag = "jobs", params(Which), responses(
    (status = 200, description = "A page of jobs", body = Page<Job>),
))]
async fn list(
    State(state): State<ServerState>,
    Authenticated(caller): Authenticated,
    Params(which): Params<Which>,
) -> Result<Json<Page<Job>>, Failure> {
    let project = match &which.project {
        Some(project) => Some(find_project(&state, &caller, project).await?),
        None => None,
    };
    let filter = JobFilter { project, state: which.state.map(standing), kind: which.kind };
    let after = which.after.as_deref().map(job_id).transpose()?;
    let page = state.app().jobs().list(&caller, filter, after, page_limit(which.limit)?).await?;
    Ok(Json(Page { items: page.items.into_iter().map(job).collect(), next: page.next.map(|id| id.to_string()) }))
}

/// Look at one job.
#[utoipa::path(get, path = "/jobs/{id}", tag = "jobs", params(("id" = String, Path, description = "The job's id")), responses(
    (status = 200, description = "The job", body = Job),
))]
async fn get(
    State(state): State<ServerState>,
    Authenticated(caller): Authenticated,
    Segments(id): Segments<String>,
) -> Result<Json<Job>, Failure> {
    Ok(Json(job(state.app().jobs().get(&caller, job_id(&id)?).await?)))
}

/// Where a job's log is to begin.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct After {
    /// Only lines after the one with this sequence.
    after: Option<i64>,
    /// Taken and not needed: a job's id says where it is.
    #[serde(rename = "project")]
    #[param(rename = "project")]
    _project: Option<String>,
}

/// Read a job's log.
#[utoipa::path(get, path = "/jobs/{id}/log", tag = "jobs",
    params(("id" = String, Path, description = "The job's id"), After),
    responses((status = 200, description = "A page of lines, oldest first", body = Page<JobLogLine>)),
)]
async fn log(
    State(state): State<ServerState>,
    Authenticated(caller): Authenticated,
    Segments(id): Segments<String>,
    Params(from): Params<After>,
) -> Result<Json<Page<JobLogLine>>, Failure> {
    let lines = state.app().jobs().log(&caller, job_id(&id)?, from.after.unwrap_or(0)).await?;
    // A page that is not full is the last one.
    let full = lines.len() >= LOG_PAGE;
    let next = lines.last().filter(|_| full).map(|line| line.sequence.to_string());
    Ok(Json(Page { items: lines.into_iter().map(log_line).collect(), next }))
}

/// Follow a job to its end: events `state`, `log` and `progress`.
#[utoipa::path(get, path = "/jobs/{id}/events", tag = "jobs",
    params(("id" = String, Path, description = "The job's id"), After),
    responses((status = 200, description = "Server-sent events; the stream ends after a final state",
        content_type = "text/event-stream", body = String)),
)]
async fn follow(
    State(state): State<ServerState>,
    Authenticated(caller): Authenticated,
    Segments(id): Segments<String>,
    Params(from): Params<After>,
) -> Result<Response, Failure> {
    let news = state.app().jobs().watch(&caller, job_id(&id)?, from.after.unwrap_or(0)).await?;
    let events = news.map(|news| {
        let event = event(news?);
        let data = event.data().map_err(Failure::internal)?;
        Ok(Event::default().event(event.name()).data(data))
    });
    Ok(events::answer(events, state.shutdown()))
}

/// Stop a job: one that waits at once, one that runs as soon as it heeds it.
#[utoipa::path(post, path = "/jobs/{id}/cancel", tag = "jobs", params(("id" = String, Path, description = "The job's id")), responses(
    (status = 200, description = "The job as it stands now", body = Job),
))]
async fn cancel(
    State(state): State<ServerState>,
    Authenticated(caller): Authenticated,
    Segments(id): Segments<String>,
) -> Result<Json<Job>, Failure> {
    Ok(Json(job(state.app().jobs().cancel(&caller, job_id(&id)?).await?)))
}

/// Try a failed or cancelled job again.
#[utoipa::path(post, path = "/jobs/{id}/retry", tag = "jobs", params(("id" = String, Path, description = "The job's id")), responses(
    (status = 200, description = "The job as it stands now", body = Job),
))]
async fn retry(
    State(state): State<ServerState>,
    Authenticated(caller): Authenticated,
    Segments(id): Segments<String>,
) -> Result<Json<Job>, Failure> {
    Ok(Json(job(state.app().jobs().retry(&caller, job_id(&id)?).await?)))
}

/// What is no id names no job.
fn job_id(text: &str) -> Result<ActivityId, Failure> {
    text.parse()
        .map_err(|error: holotype_core::InvalidId| Failure::new(holotype_core::Category::NotFound, error.to_string()))
}

/// A job as it is told.
pub(crate) fn job(record: JobRecord) -> Job {
    Job {
        id: record.id,
        project: record.project,
        kind: record.kind,
        agent: record.agent,
        state: told(record.state),
        attempt: record.attempt,
        max_attempts: record.max_attempts,
        priority: record.priority.number(),
        params: record.params,
        result: record.result,
        error: record.error,
        progress: record.progress,
        message: record.message,
        code_version: record.code_version,
        created_at: record.created_at,
        started_at: record.started_at,
        finished_at: record.finished_at,
        run_after: (record.state == Standing::Queued).then_some(record.run_after),
        heartbeat_at: record.heartbeat_at,
    }
}

fn event(event: jobs::JobEvent) -> JobEvent {
    match event {
        jobs::JobEvent::State(record) => {
            JobEvent::State(JobStateChange { state: told(record.state), attempt: record.attempt, error: record.error })
        }
        jobs::JobEvent::Progress { fraction, message } => JobEvent::Progress(JobProgress { fraction, message }),
        jobs::JobEvent::Log(line) => JobEvent::Log(log_line(line)),
    }
}

fn log_line(line: LogLine) -> JobLogLine {
    JobLogLine { sequence: line.sequence, at: line.at, level: line.level.name().to_owned(), text: line.text }
}

/// A state as it is told.
pub(super) fn told(state: Standing) -> JobState {
    match state {
        Standing::Queued => JobState::Queued,
        Standing::Running => JobState::Running,
        Standing::Cancelling => JobState::Cancelling,
        Standing::Succeeded => JobState::Succeeded,
        Standing::Failed => JobState::Failed,
        Standing::Cancelled => JobState::Cancelled,
    }
}

fn standing(state: JobState) -> Standing {
    match state {
        JobState::Queued => Standing::Queued,
        JobState::Running => Standing::Running,
        JobState::Cancelling => Standing::Cancelling,
        JobState::Succeeded => Standing::Succeeded,
        JobState::Failed => Standing::Failed,
        JobState::Cancelled => Standing::Cancelled,
    }
}
