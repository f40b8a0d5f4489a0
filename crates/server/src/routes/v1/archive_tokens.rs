//! Users' own tokens of the other archive that is configured.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use holotype_api::principal::{ArchiveToken, NewArchiveToken};
use holotype_app::archives::ArchiveError;
use holotype_app::archives::remote::Remote;
use holotype_app::catalog::CatalogError;
use holotype_core::{Caller, UserId};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::auth::Authenticated;
use crate::extract::{JsonBody, Segments};
use crate::problem::Failure;
use crate::state::ServerState;

pub(crate) fn routes() -> OpenApiRouter<ServerState> {
    OpenApiRouter::new().routes(routes!(show, set, remove))
}

/// Tell whether a user's token of the other archive is kept: one's own, or anybody's for an administrator.
#[utoipa::path(get, path = "/users/{name}/archive-token", tag = "users", params(("name" = String, Path, description = "The user's name")),
    responses((status = 200, description = "When it was set", body = ArchiveToken)),
)]
async fn show(
    State(state): State<ServerState>,
    Authenticated(caller): Authenticated,
    Segments(name): Segments<String>,
) -> Result<Json<ArchiveToken>, Failure> {
    let (remote, user) = whose(&state, &caller, &name).await?;
    let set_at = remote.token_set_at(user).await?;
    Ok(Json(ArchiveToken { archive: remote.address().to_owned(), set_at }))
}

/// Keep a user's token of the other archive, encrypted: one's own, or anybody's for an administrator. Nobody is shown it again.
#[utoipa::path(put, path = "/users/{name}/archive-token", tag = "users", params(("name" = String, Path, description = "The user's name")),
    request_body = NewArchiveToken,
    responses((status = 204, description = "It is kept")),
)]
async fn set(
    State(state): State<ServerState>,
    Authenticated(caller): Authenticated,
    Segments(name): Segments<String>,
    JsonBody(new): JsonBody<NewArchiveToken>,
) -> Result<StatusCode, Failure> {
    let (remote, user) = whose(&state, &caller, &name).await?;
    remote.set_token(&caller, user, &new.token.into_inner()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Forget a user's token of the other archive: one's own, or anybody's for an administrator.
#[utoipa::path(delete, path = "/users/{name}/archive-token", tag = "users", params(("name" = String, Path, description = "The user's name")),
    responses((status = 204, description = "None is kept")),
)]
async fn remove(
    State(state): State<ServerState>,
    Authenticated(caller): Authenticated,
    Segments(name): Segments<String>,
) -> Result<StatusCode, Failure> {
    let (remote, user) = whose(&state, &caller, &name).await?;
    remote.remove_token(&caller, user).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The archive, and the user whose token is meant, if the caller may.
async fn whose<'s>(state: &'s ServerState, caller: &Caller, name: &str) -> Result<(&'s Remote, UserId), Failure> {
    let user = match state.app().catalog().find_user(caller, name).await {
        Ok(user) => user.id,
        // The home's owner is no user, and has a token like one.
        Err(CatalogError::NotFound { .. }) if caller.user == UserId::LOCAL && caller.name == name => UserId::LOCAL,
        Err(error) => return Err(error.into()),
    };
    Ok((state.app().remote().ok_or(ArchiveError::NoRemote)?, user))
}
