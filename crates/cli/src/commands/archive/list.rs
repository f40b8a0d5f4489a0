//! `holotype archive list`

use holotype_api::fetch::Fetch;
use holotype_client::PageQuery;

use crate::commands::job;
use crate::context::Context;
use crate::failure::Failure;
use crate::paging::{Listing, collect};
use crate::ui::{Table, short, when};

/// List fetches, newest first
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  holotype archive list
  holotype archive list --project survey --limit 1000 --json")]
pub(super) struct List {
    #[command(flatten)]
    listing: Listing,
}

impl List {
    pub(super) async fn run(self, context: &Context) -> Result<(), Failure> {
        let page = context
            .api(async |client| {
                collect(&self.listing, async |limit, after| client.fetches(&PageQuery { limit, after }).await).await
            })
            .await?;
        context.ui.result(&page, || {
            let mut table = Table::new(["FETCH", "STATE", "RESULT", "FROM (UTC)", "TO (UTC)", "CONFIGURATION"]);
            for fetch in &page.items {
                table.row([
                    fetch.id.to_string(),
                    job::state(fetch.state).to_owned(),
                    result(fetch).to_owned(),
                    when(fetch.window.start),
                    when(fetch.window.end),
                    short(&fetch.name, 60),
                ]);
            }
            table.render()
        })
    }
}

/// What a fetch came to, in a word.
pub(super) fn result(fetch: &Fetch) -> &'static str {
    match (fetch.undone_at, fetch.complete) {
        (Some(_), _) => "undone",
        (None, Some(true)) => "complete",
        (None, Some(false)) => "incomplete",
        (None, None) => "-",
    }
}
