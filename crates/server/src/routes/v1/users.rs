//! Users, and who the server takes the caller for.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use holotype_api::Page;
use holotype_api::principal::{NewPassword, NewUser, User, WhoAmI};
use holotype_app::catalog;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::paging;
use crate::auth::Authenticated;
use crate::extract::{JsonBody, Params, Segments};
use crate::problem::Failure;
use crate::project::PageOf;
use crate::state::ServerState;

pub(crate) fn routes() -> OpenApiRouter<ServerState> {
    OpenApiRouter::new()
        .routes(routes!(who_am_i))
        .routes(routes!(list, create))
        .routes(routes!(get, disable))
        .routes(routes!(set_password))
}

/// Who the server takes the caller for.
#[utoipa::path(get, path = "/whoami", tag = "users", responses(
    (status = 200, description = "The caller", body = WhoAmI),
))]
async fn who_am_i(Authenticated(caller): Authenticated) -> Json<WhoAmI> {
    Json(WhoAmI {
        id: caller.user,
        name: caller.name,
        admin: caller.admin,
        project: caller.project,
        token: caller.token,
    })
}

/// List users by name. For administrators.
#[utoipa::path(get, path = "/users", tag = "users", params(PageOf), responses(
    (status = 200, description = "A page of users", body = Page<User>),
))]
async fn list(
    State(state): State<ServerState>,
    Authenticated(caller): Authenticated,
    Params(page): Params<PageOf>,
) -> Result<Json<Page<User>>, Failure> {
    let users = state.app().catalog().list_users(&caller).await?.into_iter().map(user).collect();
    Ok(Json(paging::cut(users, &page, |user| user.name.clone())?))
}

/// Create a user. The first one becomes the administrator and takes over what the local owner made.
#[utoipa::path(post, path = "/users", tag = "users", request_body = NewUser, responses(
    (status = 201, description = "The user", body = User),
))]
async fn create(
    State(state): State<ServerState>,
    Authenticated(caller): Authenticated,
    JsonBody(new): JsonBody<NewUser>,
) -> Result<(StatusCode, Json<User>), Failure> {
    let password = new.password.map(holotype_api::Secret::into_inner);
    let created = state.app().catalog().create_user(&caller, &new.name, password, new.admin).await?;
    Ok((StatusCode::CREATED, Json(user(created))))
}

/// Look at one user: oneself, or anybody for an administrator.
#[utoipa::path(get, path = "/users/{name}", tag = "users", params(("name" = String, Path, description = "The user's name")), responses(
    (status = 200, description = "The user", body = User),
))]
async fn get(
    State(state): State<ServerState>,
    Authenticated(caller): Authenticated,
    Segments(name): Segments<String>,
) -> Result<Json<User>, Failure> {
    Ok(Json(user(state.app().catalog().find_user(&caller, &name).await?)))
}

/// Keep a user from signing in. What the user made stays. For administrators.
#[utoipa::path(delete, path = "/users/{name}", tag = "users", params(("name" = String, Path, description = "The user's name")), responses(
    (status = 204, description = "The user is disabled"),
))]
async fn disable(
    State(state): State<ServerState>,
    Authenticated(caller): Authenticated,
    Segments(name): Segments<String>,
) -> Result<StatusCode, Failure> {
    state.app().catalog().disable_user(&caller, &name).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Set a password: one's own, or anybody's for an administrator.
#[utoipa::path(put, path = "/users/{name}/password", tag = "users", params(("name" = String, Path, description = "The user's name")),
    request_body = NewPassword,
    responses((status = 204, description = "The password is set")),
)]
async fn set_password(
    State(state): State<ServerState>,
    Authenticated(caller): Authenticated,
    Segments(name): Segments<String>,
    JsonBody(new): JsonBody<NewPassword>,
) -> Result<StatusCode, Failure> {
    state.app().catalog().set_password(&caller, &name, new.password.into_inner()).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn user(user: catalog::User) -> User {
    User {
        id: user.id,
        name: user.name,
        admin: user.admin,
        disabled: user.disabled,
        project: user.project,
        created_at: user.created_at,
    }
}
