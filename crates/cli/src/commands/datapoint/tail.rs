//! `holotype datapoint tail`

use serde_json::json;

use super::row::Row;
use crate::context::{Context, Need};
use crate::failure::Failure;
use crate::input;
use crate::ui::{or_dash, plain};

/// Print datapoints as they arrive, until Ctrl-C
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
It needs a running server: 'holotype serve', or --server. With --json, one datapoint per line.

Examples:
  holotype datapoint tail
  holotype datapoint tail '{\"label\": \"temperature\"}' --json
  holotype datapoint tail --count 1")]
pub(super) struct Tail {
    /// What the datapoints must be like; all of them without it
    filter: Option<String>,
    /// End after so many
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u64).range(1..))]
    count: Option<u64>,
}

impl Tail {
    pub(super) async fn run(self, context: &Context) -> Result<(), Failure> {
        let filter = match &self.filter {
            Some(filter) => input::json(filter, "the filter").await?,
            None => json!({}),
        };
        let ui = context.ui;
        context
            .call(Need::Server, async |client| {
                let mut tail = client.tail_datapoints(&filter).await?;
                ui.note("waiting for datapoints; Ctrl-C ends");
                let mut seen = 0;
                while let Some(document) = tail.next().await? {
                    if ui.is_json() {
                        ui.json(&document)?;
                    } else {
                        let row = Row::read(&document)?;
                        let content = row.content();
                        let cells = [or_dash(row.data_timestamp), or_dash(row.id), or_dash(row.label), content];
                        ui.text(&format!("{}\n", plain(&cells.join("  ")).replace('\n', " ")))?;
                    }
                    seen += 1;
                    if self.count.is_some_and(|count| seen >= count) {
                        break;
                    }
                }
                Ok::<_, Failure>(())
            })
            .await
    }
}
