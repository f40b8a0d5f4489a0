//! `holotype archive fetch`

use std::path::PathBuf;

use futures::StreamExt;
use holotype_app::AppError;
use holotype_app::archives::fetch::{FetchOptions, FetchRequest, FrameState, PreviewedFrame, Report};
use holotype_app::jobs::{JobEvent, JobRecord, Level, State};
use holotype_core::ActivityId;
use serde::Serialize;

use super::local::Local;
use crate::context::Context;
use crate::failure::Failure;
use crate::interrupt::Interrupts;
use crate::ui::{Bar, Table, bytes, or_dash, short};

/// Fetch frames from online archives, and sort them into reduction directories
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
CONFIG is the data_download.yaml of the microlensing pipeline, as it is. Tokens come from the
environment variables that it names. What is there already is not fetched again; a frame that
was reduced anew is. Ctrl-C stops after what is under way, and so may kill -9 at any moment: run
it again, and it goes on where it was. The exit code is 1 if something is missing at the end.

Examples:
  holotype archive fetch data_download.yaml
  holotype archive fetch data_download.yaml --dry-run
  holotype archive fetch data_download.yaml --rules my_rules.yaml --data-summary
  holotype archive fetch data_download.yaml --json")]
pub(super) struct Fetch {
    /// The configuration
    config: PathBuf,
    /// Say what would be fetched, and where it would go; write nothing
    #[arg(long)]
    dry_run: bool,
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

/// What a fetch came to, for programs.
#[derive(Debug, Serialize)]
struct Outcome<'o> {
    fetch: ActivityId,
    state: String,
    error: Option<&'o str>,
    frames: Vec<(FrameState, u64)>,
    transferred: u64,
    report: Option<&'o Report>,
}

impl Fetch {
    pub(super) async fn run(self, context: &Context) -> Result<(), Failure> {
        let local = Local::open(context).await?;
        let result = self.work(context, &local).await;
        local.app.close().await;
        result
    }

    async fn work(self, context: &Context, local: &Local) -> Result<(), Failure> {
        let Self { config, dry_run, rules, data_summary, replace_amended } = self;
        let options = FetchOptions { data_summary, replace_amended };
        let request = local.app.fetch_request(&config, rules.as_deref(), options)?;
        if dry_run { preview(context, local, &request).await } else { fetch(context, local, &request).await }
    }
}

async fn preview(context: &Context, local: &Local, request: &FetchRequest) -> Result<(), Failure> {
    let (mut table, mut written) = (Table::new(["STATE", "FRAME", "SIZE", "PLACE"]), Ok(()));
    let show = |frame: PreviewedFrame| {
        if context.ui.is_json() {
            if written.is_ok() {
                written = context.ui.json(&frame);
            }
            return;
        }
        let state = frame.change.map_or(frame.state.name(), |change| change.name());
        let place = frame.path.map(|path| path.display().to_string()).or(frame.reason);
        table.row([state.to_owned(), frame.name, or_dash(frame.size.map(bytes)), or_dash(place)]);
    };
    local.app.preview_fetch(&local.caller, local.project, request, show).await?;
    written?;
    if context.ui.is_json() { Ok(()) } else { context.ui.text(&table.render()) }
}

async fn fetch(context: &Context, local: &Local, request: &FetchRequest) -> Result<(), Failure> {
    let mut interrupts = Interrupts::listen().map_err(|source| Failure::io("signals cannot be heard", source))?;
    let performance = local.app.begin_fetch(&local.caller, local.project, request).await?;
    let (id, jobs, ui) = (performance.id(), local.app.jobs().clone(), context.ui);
    ui.note(&format!("fetch {id}: observations from {} to {}", request.window.start, request.window.end));
    let bar = ui.bar("fetch");
    let mut performing = tokio::spawn(performance.run());
    let mut events = jobs.watch(&local.caller, id, 0).await.map_err(AppError::from)?;
    let (mut asked, mut told) = (false, true);
    let ended = loop {
        tokio::select! {
            ended = &mut performing => break ended,
            event = events.next(), if told => match event {
                Some(Ok(event)) => show(context, &bar, event),
                // The fetch goes on without being watched.
                Some(Err(_)) | None => told = false,
            },
            () = interrupts.next() => {
                if asked {
                    return Err(Failure::Interrupted);
                }
                asked = true;
                ui.note("stopping after what is under way; a second signal ends it at once");
                jobs.cancel(&local.caller, id).await.map_err(AppError::from)?;
            }
        }
    };
    bar.finish();
    ended.map_err(|source| Failure::io("the fetch ended early", std::io::Error::other(source)))?;
    let job = jobs.get(&local.caller, id).await.map_err(AppError::from)?;
    finish(context, local, &job).await
}

fn show(context: &Context, bar: &Bar, event: JobEvent) {
    match event {
        JobEvent::Progress { fraction, message } => bar.set(fraction, message.as_deref()),
        JobEvent::Log(line) if line.level >= Level::Warning => {
            bar.aside(|| context.ui.complain(&format!("{}: {}", line.level.name(), line.text)));
        }
        JobEvent::Log(_) | JobEvent::State(_) => {}
    }
}

async fn finish(context: &Context, local: &Local, job: &JobRecord) -> Result<(), Failure> {
    let record = local.app.archives().fetch_record(&local.caller, job.id).await;
    let (record, tally) = record.map_err(AppError::from)?;
    let report = record.fetch.report;
    let outcome = Outcome {
        fetch: job.id,
        state: job.state.to_string(),
        error: job.error.as_deref(),
        frames: tally.frames.clone(),
        transferred: tally.transferred,
        report: report.as_ref(),
    };
    context.ui.result(&outcome, || match (&report, &job.error) {
        (Some(report), _) => report.lines().join("\n") + "\n",
        (None, Some(error)) => format!("the fetch ended early: {error}\n"),
        (None, None) => "the fetch was stopped; run it again, and it goes on where it was\n".to_owned(),
    })?;
    if job.state == State::Failed && tally.count(FrameState::Failed) > 0 && !context.ui.is_json() {
        name_failures(context, local, job.id).await?;
    }
    match job.state {
        State::Succeeded => Ok(()),
        State::Cancelled => Err(Failure::Interrupted),
        State::Failed | State::Queued | State::Running | State::Cancelling => Err(Failure::Negative),
    }
}

/// The frames that failed, as many as fit a screen.
async fn name_failures(context: &Context, local: &Local, id: ActivityId) -> Result<(), Failure> {
    let failed = local.app.archives().fetch_frames(&local.caller, id, Some(FrameState::Failed), None, 20).await;
    for frame in failed.map_err(AppError::from)? {
        context.ui.complain(&format!("{}: {}", frame.name, short(&or_dash(frame.reason), 300)));
    }
    Ok(())
}
