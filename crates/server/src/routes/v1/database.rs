//! The catalog's database and its backups. For administrators.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use holotype_api::Page;
use holotype_api::database::{Backup, DatabaseStatus, NewBackup};
use holotype_api::job::Job;
use holotype_app::catalog::Catalog;
use holotype_app::upkeep::{self, Task};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{paging, store};
use crate::auth::{Authenticated, require_admin};
use crate::extract::{JsonBody, Params};
use crate::problem::Failure;
use crate::project::PageOf;
use crate::state::ServerState;

pub(crate) fn routes() -> OpenApiRouter<ServerState> {
    OpenApiRouter::new().routes(routes!(status)).routes(routes!(back_up)).routes(routes!(list))
}

/// What the catalog is kept in.
#[utoipa::path(get, path = "/db", tag = "database", responses(
    (status = 200, description = "The database", body = DatabaseStatus),
))]
async fn status(
    State(state): State<ServerState>,
    Authenticated(caller): Authenticated,
) -> Result<Json<DatabaseStatus>, Failure> {
    require_admin(&caller, "look into the database")?;
    let check = upkeep::check(state.app().config()).await?;
    Ok(Json(DatabaseStatus {
        engine: state.app().catalog().engine().name().to_owned(),
        schema_version: check.found,
        expected_version: Catalog::EXPECTED_VERSION,
    }))
}

/// Begin a job that makes a backup in the home.
#[utoipa::path(post, path = "/db/backup", tag = "database", request_body = NewBackup, responses(
    (status = 202, description = "The job", body = Job),
))]
async fn back_up(
    State(state): State<ServerState>,
    Authenticated(caller): Authenticated,
    JsonBody(new): JsonBody<NewBackup>,
) -> Result<(StatusCode, Json<Job>), Failure> {
    store::begin(&state, &caller, Task::Backup { with_blobs: new.with_blobs }).await
}

/// List the backups in the home, the newest first.
#[utoipa::path(get, path = "/db/backups", tag = "database", params(PageOf), responses(
    (status = 200, description = "A page of backups", body = Page<Backup>),
))]
async fn list(
    State(state): State<ServerState>,
    Authenticated(caller): Authenticated,
    Params(page): Params<PageOf>,
) -> Result<Json<Page<Backup>>, Failure> {
    require_admin(&caller, "list backups")?;
    let home = state.app().config().home.clone();
    let found = tokio::task::spawn_blocking(move || upkeep::list_backups(&home)).await.map_err(Failure::internal)??;
    let backups = found.into_iter().map(|backup| Backup {
        name: backup.name,
        created_at: backup.created_at,
        engine: backup.engine,
        schema_version: backup.schema_version,
        size: backup.size,
        with_blobs: backup.with_blobs,
    });
    Ok(Json(paging::cut_backwards(backups.collect(), &page, |backup| backup.name.clone())?))
}
