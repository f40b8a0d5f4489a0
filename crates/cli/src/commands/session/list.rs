//! `holotype session list`

use holotype_client::PageQuery;

use crate::context::Context;
use crate::failure::Failure;
use crate::paging::{Listing, collect};
use crate::ui::{Table, short, when};

/// List your sessions, the last changed first
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  holotype session list
  holotype session list --limit 100 --json")]
pub(super) struct List {
    #[command(flatten)]
    listing: Listing,
}

impl List {
    pub(super) async fn run(self, context: &Context) -> Result<(), Failure> {
        let page = context
            .api(async |client| {
                collect(&self.listing, async |limit, after| client.sessions(&PageQuery { limit, after }).await).await
            })
            .await?;
        context.ui.result(&page, || {
            let mut table = Table::new(["ID", "FRAMES", "OPERATIONS", "MODIFIED (UTC)", "NAME"]);
            for session in &page.items {
                table.row([
                    session.id.to_string(),
                    session.frames.to_string(),
                    session.operations.to_string(),
                    when(session.modified_at),
                    short(&session.name, 60),
                ]);
            }
            table.render()
        })
    }
}
