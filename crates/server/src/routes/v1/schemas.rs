//! Schemas of labels: what the values under a label must look like.

use axum::Json;
use axum::extract::Request;
use axum::extract::State;
use axum::http::StatusCode;
use holotype_api::Page;
use holotype_api::datapoint::{DatapointSchema, PutDatapointSchema};
use holotype_app::datapoints::LabelSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::paging;
use crate::auth::Authenticated;
use crate::extract::{Params, Segments, read_json};
use crate::problem::Failure;
use crate::project::{InProject, PageOf, project_or_own};
use crate::state::ServerState;

/// Largest schema, with its unit.
const SCHEMA_BYTES: usize = 512 * 1024;

pub(crate) fn routes() -> OpenApiRouter<ServerState> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(get, put, delete))
}

/// List the schemas of a project by label.
#[utoipa::path(get, path = "/datapoint-schemas", tag = "datapoint schemas", params(PageOf), responses(
    (status = 200, description = "A page of schemas", body = Page<DatapointSchema>),
))]
async fn list(
    State(state): State<ServerState>,
    Authenticated(caller): Authenticated,
    Params(page): Params<PageOf>,
) -> Result<Json<Page<DatapointSchema>>, Failure> {
    let project = project_or_own(&state, &caller, page.project.as_deref()).await?;
    let schemas = state.app().datapoints().label_schemas(&caller, project).await?.into_iter().map(schema).collect();
    Ok(Json(paging::cut(schemas, &page, |schema| schema.label.clone())?))
}

/// Look at the schema of a label.
#[utoipa::path(get, path = "/datapoint-schemas/{label}", tag = "datapoint schemas",
    params(("label" = String, Path, description = "The label"), InProject),
    responses((status = 200, description = "The schema", body = DatapointSchema)),
)]
async fn get(
    State(state): State<ServerState>,
    Authenticated(caller): Authenticated,
    Segments(label): Segments<String>,
    Params(place): Params<InProject>,
) -> Result<Json<DatapointSchema>, Failure> {
    let project = project_or_own(&state, &caller, place.project.as_deref()).await?;
    Ok(Json(schema(state.app().datapoints().label_schema(&caller, project, &label).await?)))
}

/// Set the schema of a label, in place of the one it has. Values stored before are not looked at again.
#[utoipa::path(put, path = "/datapoint-schemas/{label}", tag = "datapoint schemas",
    params(("label" = String, Path, description = "The label"), InProject),
    request_body = PutDatapointSchema,
    responses((status = 200, description = "The schema", body = DatapointSchema)),
)]
async fn put(
    State(state): State<ServerState>,
    Authenticated(caller): Authenticated,
    Segments(label): Segments<String>,
    Params(place): Params<InProject>,
    request: Request,
) -> Result<Json<DatapointSchema>, Failure> {
    let project = project_or_own(&state, &caller, place.project.as_deref()).await?;
    let put: PutDatapointSchema = read_json(request, SCHEMA_BYTES).await?;
    let set = state.app().datapoints().put_label_schema(&caller, project, &label, put.schema, put.unit).await?;
    Ok(Json(schema(set)))
}

/// Remove the schema of a label.
#[utoipa::path(delete, path = "/datapoint-schemas/{label}", tag = "datapoint schemas",
    params(("label" = String, Path, description = "The label"), InProject),
    responses((status = 204, description = "The label has no schema")),
)]
async fn delete(
    State(state): State<ServerState>,
    Authenticated(caller): Authenticated,
    Segments(label): Segments<String>,
    Params(place): Params<InProject>,
) -> Result<StatusCode, Failure> {
    let project = project_or_own(&state, &caller, place.project.as_deref()).await?;
    state.app().datapoints().delete_label_schema(&caller, project, &label).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn schema(schema: LabelSchema) -> DatapointSchema {
    DatapointSchema {
        label: schema.label,
        schema: schema.schema,
        unit: schema.unit,
        updated_at: schema.updated_at,
        agent: schema.agent,
    }
}
