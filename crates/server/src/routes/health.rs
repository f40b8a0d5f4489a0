//! The contract's `/health`: always answered, also to strangers, also when something is wrong.

use axum::Json;
use axum::extract::State;
use axum::http::{Extensions, HeaderMap};
use holotype_api::health::ManagerHealth;
use holotype_app::datapoints::Selection;
use holotype_core::{Caller, Category};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::auth;
use crate::problem::Failure;
use crate::state::ServerState;

pub(crate) fn routes() -> OpenApiRouter<ServerState> {
    OpenApiRouter::new().routes(routes!(health))
}

/// Whether the manager can do its work. A stranger is not told how much it holds.
#[utoipa::path(get, path = "/health", tag = "MADSci", responses(
    (status = 200, description = "The manager's health, good or bad", body = ManagerHealth),
))]
async fn health(
    State(state): State<ServerState>,
    headers: HeaderMap,
    extensions: Extensions,
) -> Result<Json<ManagerHealth>, Failure> {
    let caller = match auth::identify(&state, &headers, &extensions).await {
        Ok(caller) => caller,
        // Whoever believes to be signed in and is not must learn it; a catalog that does not answer is what health tells.
        Err(failure) if failure.category() == Category::Denied => return Err(failure),
        Err(_) => None,
    };
    Ok(Json(look(&state, caller.as_ref()).await))
}

async fn look(state: &ServerState, caller: Option<&Caller>) -> ManagerHealth {
    let healthy = ManagerHealth {
        healthy: true,
        description: "Data Manager is running normally".to_owned(),
        version: Some(env!("CARGO_PKG_VERSION").to_owned()),
        db_connected: true,
        storage_accessible: true,
        total_datapoints: None,
    };
    let total = match total(state, caller).await {
        Ok(total) => total,
        Err(error) => {
            let description = format!("Database connection failed: {error}");
            return ManagerHealth {
                healthy: false,
                description,
                db_connected: false,
                storage_accessible: false,
                ..healthy
            };
        }
    };
    let problem = match state.vitals().store(state.app()).await.as_ref() {
        Ok(status) => status.problem.clone(),
        Err(error) => Some(error.clone()),
    };
    match problem {
        None => ManagerHealth { total_datapoints: total, ..healthy },
        Some(problem) => ManagerHealth {
            healthy: false,
            description: format!("Storage is not accessible: {problem}"),
            storage_accessible: false,
            total_datapoints: total,
            ..healthy
        },
    }
}

/// Datapoints in the caller's project. Asked of the catalog in any case, for that shows that it answers.
async fn total(state: &ServerState, caller: Option<&Caller>) -> Result<Option<u64>, String> {
    match caller {
        Some(caller) => {
            let count = state.app().datapoints().count(caller, caller.project, Selection::default()).await;
            count.map(Some).map_err(|error| error.to_string())
        }
        None => state.ping().await.map(|()| None).map_err(|error| error.to_string()),
    }
}
