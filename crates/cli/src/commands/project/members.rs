//! `holotype project members`

use holotype_client::PageQuery;

use crate::context::Context;
use crate::failure::Failure;
use crate::paging::{Listing, collect};
use crate::ui::Table;

/// List who has a role on a project
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  holotype project members spectroscopy
  holotype project members spectroscopy --json")]
pub(super) struct Members {
    /// The project, by name or id
    name: String,
    #[command(flatten)]
    listing: Listing,
}

impl Members {
    pub(super) async fn run(self, context: &Context) -> Result<(), Failure> {
        let page = context
            .api(async |client| {
                collect(&self.listing, async |limit, after| {
                    client.members(&self.name, &PageQuery { limit, after }).await
                })
                .await
            })
            .await?;
        context.ui.result(&page, || {
            let mut table = Table::new(["NAME", "ROLE", "USER"]);
            for member in &page.items {
                table.row([member.name.clone(), member.role.to_string(), member.user.to_string()]);
            }
            table.render()
        })
    }
}
