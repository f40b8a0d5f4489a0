//! Projects and their members.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use holotype_api::Page;
use holotype_api::principal::{Member, NewProject, Project, SetRole};
use holotype_app::catalog;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::paging;
use crate::auth::Authenticated;
use crate::extract::{JsonBody, Params, Segments};
use crate::problem::Failure;
use crate::project::{PageOf, find_project};
use crate::state::ServerState;

pub(crate) fn routes() -> OpenApiRouter<ServerState> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(get, delete))
        .routes(routes!(members))
        .routes(routes!(set_role, remove_member))
}

/// List the projects the caller has a role on, by name; for an administrator all of them.
#[utoipa::path(get, path = "/projects", tag = "projects", params(PageOf), responses(
    (status = 200, description = "A page of projects", body = Page<Project>),
))]
async fn list(
    State(state): State<ServerState>,
    Authenticated(caller): Authenticated,
    Params(page): Params<PageOf>,
) -> Result<Json<Page<Project>>, Failure> {
    let projects = state.app().catalog().list_projects(&caller).await?.into_iter().map(project).collect();
    Ok(Json(paging::cut(projects, &page, |project| project.name.clone())?))
}

/// Create a project; the caller becomes its owner.
#[utoipa::path(post, path = "/projects", tag = "projects", request_body = NewProject, responses(
    (status = 201, description = "The project", body = Project),
))]
async fn create(
    State(state): State<ServerState>,
    Authenticated(caller): Authenticated,
    JsonBody(new): JsonBody<NewProject>,
) -> Result<(StatusCode, Json<Project>), Failure> {
    let created = state.app().catalog().create_project(&caller, &new.name).await?;
    Ok((StatusCode::CREATED, Json(project(created))))
}

/// Look at one project.
#[utoipa::path(get, path = "/projects/{project}", tag = "projects",
    params(("project" = String, Path, description = "The project's id or name")),
    responses((status = 200, description = "The project", body = Project)),
)]
async fn get(
    State(state): State<ServerState>,
    Authenticated(caller): Authenticated,
    Segments(name): Segments<String>,
) -> Result<Json<Project>, Failure> {
    Ok(Json(project(state.app().catalog().find_project(&caller, &name).await?)))
}

/// Delete a project that holds nothing and is nobody's own.
#[utoipa::path(delete, path = "/projects/{project}", tag = "projects",
    params(("project" = String, Path, description = "The project's id or name")),
    responses((status = 204, description = "The project is gone")),
)]
async fn delete(
    State(state): State<ServerState>,
    Authenticated(caller): Authenticated,
    Segments(name): Segments<String>,
) -> Result<StatusCode, Failure> {
    let project = find_project(&state, &caller, &name).await?;
    state.app().catalog().delete_project(&caller, project).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// List who has a role on a project, by name.
#[utoipa::path(get, path = "/projects/{project}/members", tag = "projects",
    params(("project" = String, Path, description = "The project's id or name"), PageOf),
    responses((status = 200, description = "A page of members", body = Page<Member>)),
)]
async fn members(
    State(state): State<ServerState>,
    Authenticated(caller): Authenticated,
    Segments(name): Segments<String>,
    Params(page): Params<PageOf>,
) -> Result<Json<Page<Member>>, Failure> {
    let project = find_project(&state, &caller, &name).await?;
    let members = state.app().catalog().members(&caller, project).await?.into_iter();
    let members = members.map(|member| Member { user: member.user, name: member.name, role: member.role }).collect();
    Ok(Json(paging::cut(members, &page, |member| member.name.clone())?))
}

/// Give a user a role on a project, instead of the one the user has. For owners.
#[utoipa::path(put, path = "/projects/{project}/members/{user}", tag = "projects",
    params(
        ("project" = String, Path, description = "The project's id or name"),
        ("user" = String, Path, description = "The user's name"),
    ),
    request_body = SetRole,
    responses((status = 204, description = "The user has the role")),
)]
async fn set_role(
    State(state): State<ServerState>,
    Authenticated(caller): Authenticated,
    Segments((name, user)): Segments<(String, String)>,
    JsonBody(set): JsonBody<SetRole>,
) -> Result<StatusCode, Failure> {
    let project = find_project(&state, &caller, &name).await?;
    state.app().catalog().set_role(&caller, project, &user, set.role).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Take a user's role on a project away. For owners, and for everybody about themselves.
#[utoipa::path(delete, path = "/projects/{project}/members/{user}", tag = "projects",
    params(
        ("project" = String, Path, description = "The project's id or name"),
        ("user" = String, Path, description = "The user's name"),
    ),
    responses((status = 204, description = "The user has no role on the project")),
)]
async fn remove_member(
    State(state): State<ServerState>,
    Authenticated(caller): Authenticated,
    Segments((name, user)): Segments<(String, String)>,
) -> Result<StatusCode, Failure> {
    let project = find_project(&state, &caller, &name).await?;
    state.app().catalog().remove_member(&caller, project, &user).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn project(project: catalog::Project) -> Project {
    Project { id: project.id, name: project.name, created_at: project.created_at, role: project.role }
}
