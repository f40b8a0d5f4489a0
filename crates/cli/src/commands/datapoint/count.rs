//! `holotype datapoint count`

use serde_json::{Value, json};

use crate::context::Context;
use crate::failure::Failure;
use crate::input;

/// Count datapoints
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
FILTER is JSON in the query language of docs/guide/datapoints.md; @FILE reads a file, - reads stdin.

Examples:
  holotype datapoint count
  holotype datapoint count '{\"label\": \"temperature\"}'")]
pub(super) struct Count {
    /// What the datapoints must be like; all of them without it
    filter: Option<String>,
}

impl Count {
    pub(super) async fn run(self, context: &Context) -> Result<(), Failure> {
        let filter = match &self.filter {
            Some(filter) => input::json(filter, "the filter").await?,
            None => Value::Null,
        };
        let count = context.api(async |client| client.count_datapoints(filter).await).await?;
        context.ui.result(&json!({ "count": count }), || format!("{count}\n"))
    }
}
