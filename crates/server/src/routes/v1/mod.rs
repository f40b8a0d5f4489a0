//! Our own routes: one shape of errors, pages by cursor, creations that are safe to repeat.

mod archive_tokens;
mod audit;
mod database;
mod datapoints;
mod fetches;
mod frames;
mod health;
mod jobs;
mod lineage;
mod paging;
mod projects;
mod provenance;
mod schemas;
mod sessions;
mod store;
mod tokens;
mod users;

use axum::middleware::from_fn_with_state;
use utoipa_axum::router::OpenApiRouter;

use crate::idempotency;
use crate::state::ServerState;

/// Everything under `/api/v1`. All of it needs a caller.
pub(crate) fn routes(state: &ServerState) -> OpenApiRouter<ServerState> {
    // Small bodies, whose answers can be remembered and given again.
    let small = OpenApiRouter::new()
        .merge(users::routes())
        .merge(archive_tokens::routes())
        .merge(tokens::routes())
        .merge(projects::routes())
        .merge(audit::routes())
        .merge(jobs::routes())
        .merge(fetches::routes())
        .merge(lineage::routes())
        .merge(store::routes())
        .merge(database::routes())
        .merge(health::routes())
        .route_layer(from_fn_with_state(state.clone(), idempotency::remember));
    OpenApiRouter::new().nest(
        "/api/v1",
        small.merge(datapoints::routes()).merge(schemas::routes()).merge(frames::routes()).merge(sessions::routes()),
    )
}
