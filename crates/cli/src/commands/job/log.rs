//! `holotype job log`

use holotype_api::JobEvent;
use holotype_api::job::JobLogLine;
use holotype_client::Client;
use holotype_core::ActivityId;

use crate::context::{Context, Need};
use crate::failure::Failure;
use crate::ui::{Ui, plain, when};

/// Print what a job has said
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  holotype job log 01JD3Z5N2V8Q0W4X6Y7Z8A9B0C
  holotype job log 01JD3Z5N2V8Q0W4X6Y7Z8A9B0C --follow
  holotype job log 01JD3Z5N2V8Q0W4X6Y7Z8A9B0C --json    (one JSON value per line)")]
pub(super) struct Log {
    /// The job's id
    id: ActivityId,
    /// Go on until the job has come to its end; exit code 1 if it failed
    #[arg(long, short)]
    follow: bool,
}

impl Log {
    pub(super) async fn run(self, context: &Context) -> Result<(), Failure> {
        let need = if self.follow { Need::Jobs } else { Need::Answers };
        let job = context
            .call(need, async |client| {
                let mut printer = Printer { ui: context.ui, last: None };
                let mut job = client.job(self.id).await?;
                while self.follow && !job.state.is_final() {
                    // The stream of a server that restarts meanwhile just ends; the job goes on.
                    let mut events = client.job_events(self.id).await?;
                    while let Some(event) = events.next().await? {
                        if let JobEvent::Log(line) = event {
                            printer.line(&line)?;
                        }
                    }
                    job = client.job(self.id).await?;
                }
                printer.catch_up(client, self.id).await?;
                Ok::<_, Failure>(job)
            })
            .await?;
        if self.follow { crate::follow::outcome(&job) } else { Ok(()) }
    }
}

/// Prints each line once, whether it comes from the log or from the stream.
struct Printer {
    ui: Ui,
    last: Option<i64>,
}

impl Printer {
    async fn catch_up(&mut self, client: &Client, id: ActivityId) -> Result<(), Failure> {
        loop {
            let page = client.job_log(id, self.last).await?;
            for line in &page.items {
                self.line(line)?;
            }
            if page.next.is_none() || page.items.is_empty() {
                return Ok(());
            }
        }
    }

    fn line(&mut self, line: &JobLogLine) -> Result<(), Failure> {
        if self.last.is_some_and(|last| line.sequence <= last) {
            return Ok(());
        }
        self.last = Some(line.sequence);
        self.ui.result(line, || format!("{} {:<7} {}\n", when(line.at), line.level, plain(&line.text)))
    }
}
