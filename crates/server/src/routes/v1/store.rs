//! The store: how it is, what a sweep would remove, and the jobs that look after it. For administrators.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use holotype_api::job::Job;
use holotype_api::store::{StoreStatus, SweepPlan};
use holotype_app::upkeep::{self, Task};
use holotype_core::Caller;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::jobs::job;
use crate::auth::{Authenticated, require_admin};
use crate::problem::Failure;
use crate::state::ServerState;

pub(crate) fn routes() -> OpenApiRouter<ServerState> {
    OpenApiRouter::new().routes(routes!(status)).routes(routes!(verify)).routes(routes!(plan, sweep))
}

/// How the store is, and what it holds.
#[utoipa::path(get, path = "/store", tag = "store", responses(
    (status = 200, description = "The store", body = StoreStatus),
))]
async fn status(
    State(state): State<ServerState>,
    Authenticated(caller): Authenticated,
) -> Result<Json<StoreStatus>, Failure> {
    require_admin(&caller, "look into the store")?;
    let status = state.app().blobs().status().await?;
    Ok(Json(StoreStatus {
        location: status.location,
        reachable: status.problem.is_none(),
        error: status.problem,
        blobs: status.counts.blobs,
        bytes: status.counts.bytes,
        spooled: status.counts.spooled,
        unreferenced: status.counts.unreferenced,
    }))
}

/// Begin a job that reads every blob and compares it with its name.
#[utoipa::path(post, path = "/store/verify", tag = "store", responses(
    (status = 202, description = "The job", body = Job),
))]
async fn verify(
    State(state): State<ServerState>,
    Authenticated(caller): Authenticated,
) -> Result<(StatusCode, Json<Job>), Failure> {
    begin(&state, &caller, Task::Verify).await
}

/// What a sweep would remove now.
#[utoipa::path(get, path = "/store/sweep", tag = "store", responses(
    (status = 200, description = "The plan; nothing is removed", body = SweepPlan),
))]
async fn plan(
    State(state): State<ServerState>,
    Authenticated(caller): Authenticated,
) -> Result<Json<SweepPlan>, Failure> {
    require_admin(&caller, "plan a sweep")?;
    let plan = state.app().blobs().sweep_plan().await?;
    Ok(Json(SweepPlan {
        unreferenced: plan.unreferenced,
        bytes: plan.bytes,
        digests: plan.digests,
        stale_staging: (plan.stale_staging.len() + plan.stale_spool.len()) as u64,
        orphan_objects: plan.orphans.len() as u64,
    }))
}

/// Begin a job that removes what no record names and whose grace period is over.
#[utoipa::path(post, path = "/store/sweep", tag = "store", responses(
    (status = 202, description = "The job", body = Job),
))]
async fn sweep(
    State(state): State<ServerState>,
    Authenticated(caller): Authenticated,
) -> Result<(StatusCode, Json<Job>), Failure> {
    begin(&state, &caller, Task::Sweep).await
}

/// Begins upkeep, and tells of its job.
pub(super) async fn begin(
    state: &ServerState,
    caller: &Caller,
    task: Task,
) -> Result<(StatusCode, Json<Job>), Failure> {
    let id = upkeep::request(state.app(), caller, task).await?;
    Ok((StatusCode::ACCEPTED, Json(job(state.app().jobs().get(caller, id).await?))))
}
