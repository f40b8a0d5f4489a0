//! `holotype datapoint schema list`

use holotype_client::PageQuery;

use crate::context::Context;
use crate::failure::Failure;
use crate::paging::{Listing, collect};
use crate::ui::{Table, or_dash, short, when};

/// List the labels that have a schema
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  holotype datapoint schema list
  holotype datapoint schema list --json")]
pub(super) struct List {
    #[command(flatten)]
    listing: Listing,
}

impl List {
    pub(super) async fn run(self, context: &Context) -> Result<(), Failure> {
        let page = context
            .api(async |client| {
                collect(&self.listing, async |limit, after| client.datapoint_schemas(&PageQuery { limit, after }).await)
                    .await
            })
            .await?;
        context.ui.result(&page, || {
            let mut table = Table::new(["LABEL", "UNIT", "UPDATED (UTC)", "SCHEMA"]);
            for schema in &page.items {
                table.row([
                    schema.label.clone(),
                    or_dash(schema.unit.clone()),
                    when(schema.updated_at),
                    short(&schema.schema.to_string(), 60),
                ]);
            }
            table.render()
        })
    }
}
