//! `holotype datapoint get`

use crate::context::Context;
use crate::failure::Failure;
use crate::ui::plain;

/// Show one datapoint
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
With --json the datapoint is written exactly as it is stored, every digit of it, on one line.

Examples:
  holotype datapoint get temperature-1
  holotype datapoint get temperature-1 --json")]
pub(super) struct Get {
    /// The datapoint's id
    id: String,
}

impl Get {
    pub(super) async fn run(self, context: &Context) -> Result<(), Failure> {
        let document = context.api(async |client| client.datapoint(&self.id).await).await?;
        if context.ui.is_json() {
            return context.ui.json(&document);
        }
        let unreadable = |source| Failure::Json { what: "the datapoint".to_owned(), source };
        let value: serde_json::Value = serde_json::from_str(document.get()).map_err(unreadable)?;
        let text = serde_json::to_string_pretty(&value).map_err(unreadable)?;
        context.ui.text(&format!("{}\n", plain(&text)))
    }
}
