//! `holotype project list`

use holotype_client::PageQuery;

use crate::context::Context;
use crate::failure::Failure;
use crate::paging::{Listing, collect};
use crate::ui::{Table, or_dash, when};

/// List the projects you have a role on
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  holotype project list
  holotype project list --json")]
pub(super) struct List {
    #[command(flatten)]
    listing: Listing,
}

impl List {
    pub(super) async fn run(self, context: &Context) -> Result<(), Failure> {
        let page = context
            .api(async |client| {
                collect(&self.listing, async |limit, after| client.projects(&PageQuery { limit, after }).await).await
            })
            .await?;
        context.ui.result(&page, || {
            let mut table = Table::new(["NAME", "YOUR ROLE", "CREATED (UTC)", "ID"]);
            for project in &page.items {
                table.row([
                    project.name.clone(),
                    or_dash(project.role.map(|role| role.to_string())),
                    when(project.created_at),
                    project.id.to_string(),
                ]);
            }
            table.render()
        })
    }
}
