//! Fetches: what came from online archives, what became of each frame, and what is fetched by the clock.
//!
//! To fetch is a matter of the machine whose directories are written to, so there is no route for it: the command line does it there, and
//! a schedule, which an administrator makes, has the workers do it on theirs.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use holotype_api::Page;
use holotype_api::fetch::{
    ArchiveRemark, Fetch, FetchCount, FetchDetail, FetchFrame, FetchReport, FetchSchedule, FetchTally, FetchWindow,
    FrameChange, FrameState, NewFetchSchedule,
};
use holotype_app::archives::fetch::{self, FetchRecord, FetchRequest, Schedule};
use holotype_core::{ActivityId, Category, InvalidId};
use serde::Deserialize;
use serde_json::Value;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{jobs, paging};
use crate::auth::Authenticated;
use crate::extract::{JsonBody, Params, Segments, page_limit};
use crate::problem::{Failure, Fault};
use crate::project::{InProject, PageOf, project_or_own};
use crate::state::ServerState;

pub(crate) fn routes() -> OpenApiRouter<ServerState> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(get))
        .routes(routes!(frames))
        .routes(routes!(schedules, add_schedule))
        .routes(routes!(remove_schedule))
}

/// Which fetches, or schedules, to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Whose {
    /// The project, by id or name; the caller's own if not given.
    project: Option<String>,
    /// Most items in the page: 1 to 1000, 100 if not given.
    limit: Option<u32>,
    /// The `next` of the page before.
    after: Option<String>,
}

/// List the fetches of a project, newest first; those whose job waits or runs too.
#[utoipa::path(get, path = "/fetches", tag = "fetches", params(Whose), responses(
    (status = 200, description = "A page of fetches", body = Page<Fetch>),
))]
async fn list(
    State(state): State<ServerState>,
    Authenticated(caller): Authenticated,
    Params(whose): Params<Whose>,
) -> Result<Json<Page<Fetch>>, Failure> {
    let project = project_or_own(&state, &caller, whose.project.as_deref()).await?;
    let after = whose.after.as_deref().map(fetch_id).transpose()?;
    let page = state.app().archives().fetches(&caller, project, after, page_limit(whose.limit)?).await?;
    Ok(Json(Page { items: page.items.iter().map(told).collect(), next: page.next.map(|id| id.to_string()) }))
}

/// Look at one fetch: its job, how many of its frames stand where, and its report.
#[utoipa::path(get, path = "/fetches/{id}", tag = "fetches", params(("id" = String, Path, description = "The fetch's id")), responses(
    (status = 200, description = "The fetch", body = FetchDetail),
))]
async fn get(
    State(state): State<ServerState>,
    Authenticated(caller): Authenticated,
    Segments(id): Segments<String>,
) -> Result<Json<FetchDetail>, Failure> {
    let (record, tally) = state.app().archives().fetch_record(&caller, fetch_id(&id)?).await?;
    let count = |(state, count)| FetchCount { state: state_told(state), count };
    Ok(Json(FetchDetail {
        fetch: told(&record),
        tally: FetchTally { frames: tally.frames.into_iter().map(count).collect(), transferred: tally.transferred },
        report: record.fetch.report.map(report),
        job: jobs::job(record.job),
    }))
}

/// Which frames of a fetch to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Which {
    /// Only frames in this state.
    state: Option<FrameState>,
    /// Most items in the page: 1 to 1000, 100 if not given.
    limit: Option<u32>,
    /// The `next` of the page before: only frames after this position.
    after: Option<i64>,
    /// Taken and not needed: a fetch's id says where it is.
    #[serde(rename = "project")]
    #[param(rename = "project")]
    _project: Option<String>,
}

/// List the frames of a fetch in the order in which the archives listed them, and what became of each.
#[utoipa::path(get, path = "/fetches/{id}/frames", tag = "fetches",
    params(("id" = String, Path, description = "The fetch's id"), Which),
    responses((status = 200, description = "A page of frames", body = Page<FetchFrame>)),
)]
async fn frames(
    State(state): State<ServerState>,
    Authenticated(caller): Authenticated,
    Segments(id): Segments<String>,
    Params(which): Params<Which>,
) -> Result<Json<Page<FetchFrame>>, Failure> {
    let (id, limit) = (fetch_id(&id)?, page_limit(which.limit)?);
    let wanted = which.state.map(state_meant);
    let frames = state.app().archives().fetch_frames(&caller, id, wanted, which.after, limit).await?;
    // A page that is not full is the last one.
    let is_full = frames.len() >= limit as usize;
    let next = frames.last().filter(|_| is_full).map(|frame| frame.position.to_string());
    Ok(Json(Page { items: frames.into_iter().map(frame).collect(), next }))
}

/// List the schedules of a project, by name.
#[utoipa::path(get, path = "/fetch-schedules", tag = "fetches", params(Whose), responses(
    (status = 200, description = "A page of schedules", body = Page<FetchSchedule>),
))]
async fn schedules(
    State(state): State<ServerState>,
    Authenticated(caller): Authenticated,
    Params(whose): Params<Whose>,
) -> Result<Json<Page<FetchSchedule>>, Failure> {
    let project = project_or_own(&state, &caller, whose.project.as_deref()).await?;
    let schedules = state.app().archives().schedules(&caller, project).await?;
    let page = PageOf { limit: whose.limit, after: whose.after, project: None };
    let items = schedules.into_iter().map(schedule).collect();
    Ok(Json(paging::cut(items, &page, |schedule| schedule.name.clone())?))
}

/// Have a fetch done by the clock. It writes into directories of the server's machine, so it is for administrators.
#[utoipa::path(post, path = "/fetch-schedules", tag = "fetches", params(InProject), request_body = NewFetchSchedule, responses(
    (status = 201, description = "The schedule", body = FetchSchedule),
))]
async fn add_schedule(
    State(state): State<ServerState>,
    Authenticated(caller): Authenticated,
    Params(place): Params<InProject>,
    JsonBody(new): JsonBody<NewFetchSchedule>,
) -> Result<(StatusCode, Json<FetchSchedule>), Failure> {
    let project = project_or_own(&state, &caller, place.project.as_deref()).await?;
    let NewFetchSchedule { name, cron, time_zone, request } = new;
    let request: FetchRequest = serde_json::from_value(request).map_err(|error| {
        Failure::invalid(vec![Fault::new("value_error", &["body", "request"], error.to_string(), Value::Null)])
    })?;
    let added = state.app().archives().add_schedule(&caller, project, &name, &cron, &time_zone, request).await?;
    Ok((StatusCode::CREATED, Json(schedule(added))))
}

/// End a schedule. What it has fetched stays.
#[utoipa::path(delete, path = "/fetch-schedules/{name}", tag = "fetches",
    params(("name" = String, Path, description = "The schedule's name"), InProject),
    responses((status = 204, description = "The schedule is no more")),
)]
async fn remove_schedule(
    State(state): State<ServerState>,
    Authenticated(caller): Authenticated,
    Segments(name): Segments<String>,
    Params(place): Params<InProject>,
) -> Result<StatusCode, Failure> {
    let project = project_or_own(&state, &caller, place.project.as_deref()).await?;
    state.app().archives().remove_schedule(&caller, project, &name).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What is no id names no fetch.
fn fetch_id(text: &str) -> Result<ActivityId, Failure> {
    text.parse().map_err(|error: InvalidId| Failure::new(Category::NotFound, error.to_string()))
}

fn told(record: &FetchRecord) -> Fetch {
    let FetchRecord { fetch, job } = record;
    Fetch {
        id: fetch.id,
        project: fetch.project,
        agent: fetch.agent,
        name: fetch.name.clone(),
        tree: fetch.tree.clone(),
        window: window(fetch.window),
        state: jobs::told(job.state),
        created_at: job.created_at,
        finished_at: job.finished_at,
        complete: fetch.report.as_ref().map(fetch::Report::is_complete),
        undone_at: fetch.undone_at,
    }
}

fn window(window: fetch::Window) -> FetchWindow {
    FetchWindow { start: window.start, end: window.end }
}

fn report(report: fetch::Report) -> FetchReport {
    let remarks = |all: Vec<(String, String)>| {
        all.into_iter().map(|(archive, text)| ArchiveRemark { archive, text }).collect::<Vec<_>>()
    };
    FetchReport {
        missing: report.missing(),
        complete: report.is_complete(),
        lines: report.lines(),
        listed: report.listed,
        unasked: remarks(report.unasked),
        unusable: remarks(report.unusable),
        gone: remarks(report.gone),
    }
}

fn frame(frame: fetch::FetchFrame) -> FetchFrame {
    FetchFrame {
        position: frame.position,
        archive: frame.archive,
        name: frame.name,
        state: state_told(frame.state),
        change: frame.change.map(change),
        checksum: frame.checksum,
        size: frame.size,
        reason: frame.reason,
        path: frame.path,
        transferred: frame.transferred,
        changed_at: frame.changed_at,
    }
}

fn schedule(schedule: Schedule) -> FetchSchedule {
    let request = schedule.request;
    FetchSchedule {
        name: schedule.name,
        project: schedule.project,
        agent: schedule.agent,
        cron: schedule.cron,
        time_zone: schedule.time_zone,
        next_at: schedule.next_at,
        last_fetch: schedule.last_fetch,
        config: request.name,
        tree: request.config.reduction_directory.display().to_string(),
        data_summary: request.options.data_summary,
        replace_amended: request.options.replace_amended,
    }
}

fn change(change: fetch::Change) -> FrameChange {
    match change {
        fetch::Change::New => FrameChange::New,
        fetch::Change::Changed => FrameChange::Changed,
        fetch::Change::Resumed => FrameChange::Resumed,
    }
}

fn state_told(state: fetch::FrameState) -> FrameState {
    match state {
        fetch::FrameState::Placed => FrameState::Placed,
        fetch::FrameState::Waiting => FrameState::Waiting,
        fetch::FrameState::Aside => FrameState::Aside,
        fetch::FrameState::Have => FrameState::Have,
        fetch::FrameState::Unwanted => FrameState::Unwanted,
        fetch::FrameState::Failed => FrameState::Failed,
        fetch::FrameState::Planned => FrameState::Planned,
        fetch::FrameState::Held => FrameState::Held,
        fetch::FrameState::Undone => FrameState::Undone,
    }
}

fn state_meant(state: FrameState) -> fetch::FrameState {
    match state {
        FrameState::Placed => fetch::FrameState::Placed,
        FrameState::Waiting => fetch::FrameState::Waiting,
        FrameState::Aside => fetch::FrameState::Aside,
        FrameState::Have => fetch::FrameState::Have,
        FrameState::Unwanted => fetch::FrameState::Unwanted,
        FrameState::Failed => fetch::FrameState::Failed,
        FrameState::Planned => fetch::FrameState::Planned,
        FrameState::Held => fetch::FrameState::Held,
        FrameState::Undone => fetch::FrameState::Undone,
    }
}
