//! `holotype operation list`

use holotype_client::PageQuery;

use crate::context::Context;
use crate::failure::Failure;
use crate::paging::{Listing, collect};
use crate::ui::{Table, short, when};

/// List your operations, newest first
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  holotype operation list
  holotype operation list --limit 100 --json")]
pub(super) struct List {
    #[command(flatten)]
    listing: Listing,
}

impl List {
    pub(super) async fn run(self, context: &Context) -> Result<(), Failure> {
        let page = context
            .api(async |client| {
                collect(&self.listing, async |limit, after| client.operations(&PageQuery { limit, after }).await).await
            })
            .await?;
        context.ui.result(&page, || {
            let mut table = Table::new(["ID", "SESSION", "NAME", "STATUS", "DONE", "CREATED (UTC)", "MESSAGE"]);
            for operation in &page.items {
                table.row([
                    operation.id.to_string(),
                    operation.session.to_string(),
                    operation.name.clone(),
                    operation.status.clone(),
                    format!("{:.0} %", operation.progress * 100.0),
                    when(operation.created_at),
                    short(&operation.message, 60),
                ]);
            }
            table.render()
        })
    }
}
