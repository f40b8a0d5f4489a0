//! `holotype archive schedule add`

use std::path::PathBuf;

use holotype_api::fetch::NewFetchSchedule;
use holotype_app::archives::fetch::{FetchOptions, FetchRequest};
use holotype_app::{AppError, SystemClock};

use crate::context::Context;
use crate::failure::Failure;
use crate::ui::when;

/// Have a fetch done by the clock
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
CONFIG and the files that it names are read now, and kept as they are: after a change, remove the
schedule and add it again. Where its dates are 'none', each fetch asks for all since 24 hours before it
was due; one that was missed is made up for once. The workers of the server do it, so the directories
are those of the server's machine, the tokens come from the server's environment, and only an
administrator may ask for it.

EXPRESSION is minute, hour, day of the month, month, day of the week.

Examples:
  holotype archive schedule add nightly night.yaml --cron '0 9 * * *'
  holotype archive schedule add nightly night.yaml --cron '30 8 * * *' --time-zone Europe/Berlin
  holotype archive schedule add spectra night.yaml --cron '0 */6 * * *' --rules my_rules.yaml")]
pub(super) struct Add {
    /// What to call it
    name: String,
    /// The configuration: the data_download.yaml of the microlensing pipeline
    config: PathBuf,
    /// When: a cron expression
    #[arg(long, value_name = "EXPRESSION")]
    cron: String,
    /// Whose clock is meant
    #[arg(long, value_name = "ZONE", default_value = "UTC")]
    time_zone: String,
    /// Select and sort by the rules in this file instead of the pipeline's
    #[arg(long, value_name = "FILE")]
    rules: Option<PathBuf>,
    /// Keep a data_summary.txt in every dataset's directory
    #[arg(long)]
    data_summary: bool,
    /// Let a frame that was reduced anew replace a file that was changed since it was placed
    #[arg(long)]
    replace_amended: bool,
}

impl Add {
    pub(super) async fn run(self, context: &Context) -> Result<(), Failure> {
        let Self { name, config, cron, time_zone, rules, data_summary, replace_amended } = self;
        let options = FetchOptions { data_summary, replace_amended };
        let now = SystemClock::shared().now();
        let request = FetchRequest::load(&config, rules.as_deref(), options, now).map_err(AppError::from)?;
        let request = serde_json::to_value(request)
            .map_err(|source| Failure::io("the request cannot be written", source.into()))?;
        let new = NewFetchSchedule { name, cron, time_zone, request };
        let schedule = context.api(async |client| client.add_fetch_schedule(&new).await).await?;
        context.ui.result(&schedule, || format!("{}: due {} UTC\n", schedule.name, when(schedule.next_at)))
    }
}
