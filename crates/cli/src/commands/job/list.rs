//! `holotype job list`

use clap::builder::{PossibleValuesParser, TypedValueParser};
use holotype_api::job::JobState;
use holotype_client::JobQuery;

use super::{STATES, by_name, state};
use crate::context::Context;
use crate::failure::Failure;
use crate::paging::{Listing, collect};
use crate::ui::{Table, or_dash, short, when};

/// List jobs, newest first
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  holotype job list
  holotype job list --state failed
  holotype job list --kind store.verify --limit 1000 --json")]
pub(super) struct List {
    /// Only jobs in this state
    #[arg(long, value_parser = PossibleValuesParser::new(STATES.map(state)).try_map(by_name))]
    state: Option<JobState>,
    /// Only jobs of this kind, for example store.verify
    #[arg(long)]
    kind: Option<String>,
    #[command(flatten)]
    listing: Listing,
}

impl List {
    pub(super) async fn run(self, context: &Context) -> Result<(), Failure> {
        let Self { state: wanted, kind, listing } = self;
        let page = context
            .api(async |client| {
                collect(&listing, async |limit, after| {
                    client.jobs(&JobQuery { state: wanted, kind: kind.clone(), limit, after }).await
                })
                .await
            })
            .await?;
        context.ui.result(&page, || {
            let mut table = Table::new(["ID", "KIND", "STATE", "DONE", "CREATED (UTC)", "MESSAGE"]);
            for job in &page.items {
                let message = job.error.clone().or_else(|| job.message.clone());
                table.row([
                    job.id.to_string(),
                    job.kind.clone(),
                    state(job.state).to_owned(),
                    format!("{:.0} %", job.progress * 100.0),
                    when(job.created_at),
                    short(&or_dash(message), 60),
                ]);
            }
            table.render()
        })
    }
}
