//! `holotype datapoint restore`

use serde_json::json;

use crate::context::Context;
use crate::failure::Failure;

/// Bring deleted datapoints back
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
'holotype datapoint list --deleted' shows what can be restored.

Examples:
  holotype datapoint restore temperature-1")]
pub(super) struct Restore {
    /// The datapoints' ids
    #[arg(required = true)]
    id: Vec<String>,
}

impl Restore {
    pub(super) async fn run(self, context: &Context) -> Result<(), Failure> {
        context
            .api(async |client| {
                for id in &self.id {
                    client.restore_datapoint(id).await?;
                }
                Ok::<_, Failure>(())
            })
            .await?;
        context.ui.result(&json!({ "restored": self.id }), || format!("{}\n", self.id.join("\n")))
    }
}
