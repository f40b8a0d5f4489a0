//! Health in detail, for who is signed in.

use axum::Json;
use axum::extract::State;
use holotype_api::health::{Check, Health};
use holotype_app::catalog::CatalogError;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::auth::Authenticated;
use crate::state::ServerState;

pub(crate) fn routes() -> OpenApiRouter<ServerState> {
    OpenApiRouter::new().routes(routes!(health))
}

/// Whether every part of the service can do its work.
#[utoipa::path(get, path = "/health", tag = "health", responses(
    (status = 200, description = "The service's health, good or bad", body = Health),
))]
async fn health(State(state): State<ServerState>, Authenticated(_caller): Authenticated) -> Json<Health> {
    let mut checks = vec![catalog(state.ping().await)];
    checks.extend(store(&state).await);
    checks.extend(object_storage(&state).await);
    Json(Health {
        healthy: checks.iter().all(|check| check.ok),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        uptime_seconds: state.uptime_seconds(),
        checks,
    })
}

fn check(name: &str, ok: bool, detail: impl Into<String>) -> Check {
    Check { name: name.to_owned(), ok, detail: detail.into() }
}

fn catalog(ping: Result<(), CatalogError>) -> Check {
    match ping {
        Ok(()) => check("catalog", true, "it answers"),
        Err(error) => check("catalog", false, error.to_string()),
    }
}

async fn store(state: &ServerState) -> Vec<Check> {
    let found = state.vitals().store(state.app()).await;
    let status = match found.as_ref() {
        Ok(status) => status,
        Err(error) => return vec![check("store", false, error.clone())],
    };
    let store = match &status.problem {
        None => check("store", true, format!("{} can be written", status.location)),
        Some(problem) => check("store", false, problem.clone()),
    };
    let spool = match status.counts.spooled {
        0 => check("spool", true, "nothing waits on the local disk"),
        // They are safe, and uploaded when the bucket is back.
        waiting => check("spool", true, format!("{waiting} blobs wait on the local disk for the store")),
    };
    vec![store, spool]
}

async fn object_storage(state: &ServerState) -> Option<Check> {
    let answers = state.app().datapoints().object_storage_answers().await?;
    let detail = if answers { "it answers" } else { "it does not answer; check the OBJECT_STORAGE settings" };
    Some(check("object storage", answers, detail))
}
