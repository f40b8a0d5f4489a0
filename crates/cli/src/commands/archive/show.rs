//! `holotype archive show`

use clap::builder::{PossibleValuesParser, TypedValueParser};
use holotype_api::Page;
use holotype_api::fetch::{FetchDetail, FetchFrame, FrameState};
use holotype_client::PageQuery;
use holotype_core::ActivityId;
use serde::Serialize;

use super::list::result;
use crate::commands::job;
use crate::context::Context;
use crate::failure::Failure;
use crate::paging::{Listing, collect};
use crate::ui::{Table, bytes, or_dash, plain, short, when, who};

/// Show a fetch: where it stands, its report, and what became of each frame
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
What it does at the moment is in its job's log: 'holotype job log FETCH --follow'. 'holotype job retry'
has a worker try it again, and only what is missing is fetched.

Examples:
  holotype archive show 01M7TYQ5S0BK0VXTWDM5JRXV37
  holotype archive show 01M7TYQ5S0BK0VXTWDM5JRXV37 --state failed
  holotype archive show 01M7TYQ5S0BK0VXTWDM5JRXV37 --limit 100000 --json")]
pub(super) struct Show {
    /// The fetch; 'holotype archive list' shows those there are
    fetch: ActivityId,
    /// Only frames in this state
    #[arg(long, value_parser = PossibleValuesParser::new(FrameState::ALL.map(FrameState::name)).try_map(by_name))]
    state: Option<FrameState>,
    #[command(flatten)]
    listing: Listing,
}

/// A fetch and some of its frames, for programs.
#[derive(Debug, Serialize)]
struct Shown {
    #[serde(flatten)]
    detail: FetchDetail,
    frames: Page<FetchFrame>,
}

impl Show {
    pub(super) async fn run(self, context: &Context) -> Result<(), Failure> {
        let Self { fetch, state, listing } = self;
        let shown = context
            .api(async |client| {
                let detail = client.fetch(fetch).await?;
                let frames = collect(&listing, async |limit, after| {
                    client.fetch_frames(fetch, state, &PageQuery { limit, after }).await
                });
                Ok::<_, Failure>(Shown { frames: frames.await?, detail })
            })
            .await?;
        context.ui.result(&shown, || describe(&shown.detail) + &frames(&shown.frames.items))?;
        if shown.frames.next.is_some() {
            context.ui.note("there are more frames: --limit shows more, and --state those in one state");
        }
        Ok(())
    }
}

fn by_name(name: String) -> Result<FrameState, String> {
    FrameState::ALL.into_iter().find(|known| known.name() == name).ok_or(name)
}

fn describe(detail: &FetchDetail) -> String {
    let FetchDetail { fetch, job, tally, report } = detail;
    let mut lines = vec![
        format!("fetch     {}", fetch.id),
        format!("config    {}", plain(&fetch.name)),
        format!("tree      {}", plain(&fetch.tree)),
        format!("window    {} to {}", when(fetch.window.start), when(fetch.window.end)),
        format!("created   {} by {}", when(fetch.created_at), who(fetch.agent)),
        format!("state     {} ({:.0} %), attempt {}", job::state(fetch.state), job.progress * 100.0, job.attempt),
        format!("result    {}", result(fetch)),
    ];
    lines.extend(job.error.as_ref().map(|error| format!("error     {}", plain(error))));
    lines.extend(job.run_after.map(|at| format!("next try  {}", when(at))));
    lines.push(String::new());
    match report {
        Some(report) => lines.extend(report.lines.iter().map(|line| plain(line))),
        None => {
            let listed: u64 = tally.frames.iter().map(|count| count.count).sum();
            lines.push(format!("{listed} frames listed so far; {} came", bytes(tally.transferred)));
            lines.extend(tally.frames.iter().map(|count| format!("  {} {}", count.count, count.state.name())));
        }
    }
    lines.join("\n") + "\n"
}

fn frames(frames: &[FetchFrame]) -> String {
    if frames.is_empty() {
        return String::new();
    }
    let mut table = Table::new(["FRAME", "STATE", "SIZE", "WHERE OR WHY"]);
    for frame in frames {
        // A reason says more than a place.
        let remark = frame.reason.clone().or_else(|| frame.path.clone());
        let size = frame.size.and_then(|size| u64::try_from(size).ok());
        table.row([
            frame.name.clone(),
            frame.state.name().to_owned(),
            or_dash(size.map(bytes)),
            short(&or_dash(remark), 200),
        ]);
    }
    format!("\n{}", table.render())
}
