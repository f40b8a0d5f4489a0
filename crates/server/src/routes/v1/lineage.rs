//! Lineage: where something came from, and what became of it.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use holotype_api::lineage::{Execution, Lineage, LineageEdge, LineageNode};
use holotype_app::catalog::{Direction, Entity, Graph, Node};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::provenance;
use crate::auth::Authenticated;
use crate::extract::{Params, Segments};
use crate::problem::{Failure, Fault};
use crate::project::project_or_own;
use crate::state::ServerState;

/// Steps walked when a request does not say.
const DEPTH: u32 = 5;
/// Most steps walked.
const DEEPEST: u32 = 100;

pub(crate) fn routes() -> OpenApiRouter<ServerState> {
    OpenApiRouter::new().routes(routes!(walk))
}

/// How to walk.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Walk {
    /// `back` to what it came from, `forward` to what came of it, or `both`, which is meant if nothing is said.
    #[serde(default)]
    #[param(inline)]
    direction: Way,
    /// Most steps from the start: 1 to 100, 5 if not given.
    depth: Option<u32>,
    /// `graph`, or `prov` for a W3C PROV-JSON document.
    #[serde(default)]
    #[param(inline)]
    format: Format,
    /// The project of the start, by id or name; the caller's own if not given.
    project: Option<String>,
}

#[derive(Debug, Clone, Copy, Default, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum Way {
    Back,
    Forward,
    #[default]
    Both,
}

#[derive(Debug, Clone, Copy, Default, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum Format {
    #[default]
    Graph,
    Prov,
}

/// Walk from one thing back to what it was made from and forward to what was made from it.
#[utoipa::path(get, path = "/lineage/{kind}/{id}", tag = "lineage",
    params(
        ("kind" = String, Path, description = "`datapoint`, `frame`, `session`, `operation`, `result`, `job` or `blob`"),
        ("id" = String, Path, description = "Its id; of a blob, its digest"),
        Walk,
    ),
    responses((status = 200, description = "What was met, or the same as PROV-JSON", body = Lineage)),
)]
async fn walk(
    State(state): State<ServerState>,
    Authenticated(caller): Authenticated,
    Segments((kind, id)): Segments<(String, String)>,
    Params(walk): Params<Walk>,
) -> Result<Response, Failure> {
    let depth = walk.depth.unwrap_or(DEPTH);
    if !(1..=DEEPEST).contains(&depth) {
        let message = format!("a number from 1 to {DEEPEST} is needed");
        return Err(Failure::invalid(vec![Fault::new("value_error", &["query", "depth"], message, depth.into())]));
    }
    let project = project_or_own(&state, &caller, walk.project.as_deref()).await?;
    let direction = match walk.direction {
        Way::Back => Direction::Back,
        Way::Forward => Direction::Forward,
        Way::Both => Direction::Both,
    };
    let start = Entity { kind, project, id };
    let graph = state.app().catalog().lineage(&caller, start, direction, depth as usize).await?;
    Ok(match walk.format {
        Format::Graph => Json(lineage(graph)).into_response(),
        Format::Prov => Json(provenance::document(&graph)).into_response(),
    })
}

fn lineage(graph: Graph) -> Lineage {
    let position = |index: usize| u32::try_from(index).unwrap_or(u32::MAX);
    let edges = graph.edges.iter().map(|edge| LineageEdge {
        from: position(edge.from),
        to: position(edge.to),
        relation: edge.relation.name().to_owned(),
    });
    Lineage { edges: edges.collect(), nodes: graph.nodes.into_iter().map(node).collect(), truncated: graph.truncated }
}

fn node(node: Node) -> LineageNode {
    match node {
        Node::Entity { entity, agent, at } => {
            LineageNode { kind: entity.kind, id: entity.id, project: entity.project, agent, at, execution: None }
        }
        Node::Activity { id, project, kind, agent, state, code_version, created_at, started_at, finished_at } => {
            LineageNode {
                kind: holotype_app::catalog::JOB.to_owned(),
                id: id.to_string(),
                project,
                agent: Some(agent),
                at: Some(created_at),
                execution: Some(Execution { kind, state, code_version, started_at, finished_at }),
            }
        }
    }
}
