//! `holotype token list`

use holotype_client::PageQuery;

use super::holder;
use crate::context::Context;
use crate::failure::Failure;
use crate::paging::{Listing, collect};
use crate::ui::{Table, or_dash, when};

/// List a user's tokens, without their secrets
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  holotype token list
  holotype token list --user ada --json")]
pub(super) struct List {
    /// Whose tokens, if not your own
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    #[command(flatten)]
    listing: Listing,
}

impl List {
    pub(super) async fn run(self, context: &Context) -> Result<(), Failure> {
        let page = context
            .api(async |client| {
                let user = holder(client, self.user.as_deref()).await?;
                let page = collect(&self.listing, async |limit, after| {
                    client.tokens(user.as_deref(), &PageQuery { limit, after }).await
                });
                Ok::<_, Failure>(page.await?)
            })
            .await?;
        context.ui.result(&page, || {
            let mut table = Table::new(["ID", "NAME", "CREATED (UTC)", "LAST USED (UTC)", "EXPIRES (UTC)"]);
            for token in &page.items {
                table.row([
                    token.id.to_string(),
                    token.name.clone(),
                    when(token.created_at),
                    or_dash(token.last_used_at.map(when)),
                    or_dash(token.expires_at.map(when)),
                ]);
            }
            table.render()
        })
    }
}
