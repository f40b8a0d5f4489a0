//! `holotype archive schedule list`

use holotype_client::PageQuery;

use crate::context::Context;
use crate::failure::Failure;
use crate::paging::{Listing, collect};
use crate::ui::{Table, or_dash, short, when};

/// List the schedules of the project, by name
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  holotype archive schedule list
  holotype archive schedule list --json")]
pub(super) struct List {
    #[command(flatten)]
    listing: Listing,
}

impl List {
    pub(super) async fn run(self, context: &Context) -> Result<(), Failure> {
        let page = context
            .api(async |client| {
                collect(&self.listing, async |limit, after| client.fetch_schedules(&PageQuery { limit, after }).await)
                    .await
            })
            .await?;
        context.ui.result(&page, || {
            let mut table = Table::new(["NAME", "CRON", "TIME ZONE", "DUE (UTC)", "LAST FETCH", "CONFIGURATION"]);
            for schedule in &page.items {
                table.row([
                    schedule.name.clone(),
                    schedule.cron.clone(),
                    schedule.time_zone.clone(),
                    when(schedule.next_at),
                    or_dash(schedule.last_fetch.map(|fetch| fetch.to_string())),
                    short(&schedule.config, 60),
                ]);
            }
            table.render()
        })
    }
}
