//! `holotype user list`

use holotype_client::PageQuery;

use crate::context::Context;
use crate::failure::Failure;
use crate::paging::{Listing, collect};
use crate::ui::{Table, when};

/// List the users
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  holotype user list
  holotype user list --limit 1000 --json")]
pub(super) struct List {
    #[command(flatten)]
    listing: Listing,
}

impl List {
    pub(super) async fn run(self, context: &Context) -> Result<(), Failure> {
        let page = context
            .api(async |client| {
                collect(&self.listing, async |limit, after| client.users(&PageQuery { limit, after }).await).await
            })
            .await?;
        context.ui.result(&page, || {
            let mut table = Table::new(["NAME", "ADMINISTRATOR", "STATE", "CREATED (UTC)", "PROJECT"]);
            for user in &page.items {
                table.row([
                    user.name.clone(),
                    if user.admin { "yes" } else { "no" }.to_owned(),
                    if user.disabled { "disabled" } else { "active" }.to_owned(),
                    when(user.created_at),
                    user.project.to_string(),
                ]);
            }
            table.render()
        })
    }
}
