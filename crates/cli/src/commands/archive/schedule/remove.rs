//! `holotype archive schedule remove`

use serde_json::json;

use crate::context::Context;
use crate::failure::Failure;
use crate::plan::Confirmation;

/// End a schedule; what it has fetched stays
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Without --yes it only says what would happen.

Examples:
  holotype archive schedule remove nightly
  holotype archive schedule remove nightly --yes")]
pub(super) struct Remove {
    /// Its name, as 'holotype archive schedule list' shows it
    name: String,
    #[command(flatten)]
    confirmation: Confirmation,
}

impl Remove {
    pub(super) async fn run(self, context: &Context) -> Result<(), Failure> {
        if self.confirmation.yes {
            context.api(async |client| client.remove_fetch_schedule(&self.name).await).await?;
        }
        let value = json!({ "name": self.name, "removed": self.confirmation.yes });
        self.confirmation.report(context.ui, &value, || format!("schedule {}: ends\n", self.name))
    }
}
