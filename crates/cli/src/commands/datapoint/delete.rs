//! `holotype datapoint delete`

use holotype_api::{Document, Page};
use serde_json::json;

use super::row::write_page;
use crate::context::Context;
use crate::failure::Failure;
use crate::plan::Confirmation;

/// Take datapoints out of sight; they can be restored until a sweep removes them
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Without --yes it only says what would happen. 'holotype datapoint restore' brings them back as long
as the setting datapoints.undelete_for says.

Examples:
  holotype datapoint delete temperature-1
  holotype datapoint delete temperature-1 temperature-2 --yes")]
pub(super) struct Delete {
    /// The datapoints' ids
    #[arg(required = true)]
    id: Vec<String>,
    #[command(flatten)]
    confirmation: Confirmation,
}

impl Delete {
    pub(super) async fn run(self, context: &Context) -> Result<(), Failure> {
        let yes = self.confirmation.yes;
        let items: Vec<Document> = context
            .api(async |client| {
                let mut items = Vec::with_capacity(self.id.len());
                // All of them must be there before the first is touched.
                for id in &self.id {
                    items.push(client.datapoint(id).await?);
                }
                if yes {
                    for id in &self.id {
                        client.delete_datapoint(id).await?;
                    }
                }
                Ok::<_, Failure>(items)
            })
            .await?;
        if context.ui.is_json() {
            return context.ui.json(&json!({ "items": items, "deleted": yes }));
        }
        write_page(context.ui, &Page { items, next: None })?;
        context.ui.note(if yes {
            "deleted; 'holotype datapoint restore ID' brings one back"
        } else {
            "plan only: nothing was changed; add --yes to do it"
        });
        Ok(())
    }
}
