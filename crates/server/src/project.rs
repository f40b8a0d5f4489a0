//! Which project a request speaks about.

use holotype_core::{Caller, ProjectId};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::problem::Failure;
use crate::state::ServerState;

/// The project of this id or name, if the caller may know of it.
pub(crate) async fn find_project(state: &ServerState, caller: &Caller, wanted: &str) -> Result<ProjectId, Failure> {
    Ok(state.app().catalog().find_project(caller, wanted).await?.id)
}

/// The project a request names, else the caller's own.
pub(crate) async fn project_or_own(
    state: &ServerState,
    caller: &Caller,
    named: Option<&str>,
) -> Result<ProjectId, Failure> {
    match named {
        Some(named) => find_project(state, caller, named).await,
        None => Ok(caller.project),
    }
}

/// A query that names nothing but a project.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct InProject {
    /// The project, by id or name; the caller's own if not given.
    pub(crate) project: Option<String>,
}

/// A query that asks for a page of a list that belongs to no project.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct PageOf {
    /// Most items in the page: 1 to 1000, 100 if not given.
    pub(crate) limit: Option<u32>,
    /// The `next` of the page before.
    pub(crate) after: Option<String>,
    /// Taken and not needed.
    pub(crate) project: Option<String>,
}
