//! Datapoints beyond the contract: pages, counts, batches, deletion with undo, live tail, export.

mod batch;
mod content;
mod list;
mod record;
mod streams;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::state::ServerState;

pub(crate) fn routes() -> OpenApiRouter<ServerState> {
    OpenApiRouter::new()
        .routes(routes!(list::list, record::create))
        .routes(routes!(list::query))
        .routes(routes!(list::count))
        .routes(routes!(batch::submit))
        .routes(routes!(streams::tail))
        .routes(routes!(streams::export))
        .routes(routes!(record::get, record::delete))
        .routes(routes!(record::restore))
        .routes(routes!(content::value))
        .routes(routes!(content::files))
        .routes(routes!(content::file))
}
