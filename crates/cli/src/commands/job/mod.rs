//! `holotype job`: what runs in the background.

mod cancel;
mod list;
mod log;
mod retry;
mod show;

use clap::Subcommand;
use holotype_api::job::{Job as Record, JobState};

use crate::context::Context;
use crate::failure::Failure;
use crate::ui::{or_dash, when, who};

/// Background work: see it, follow it, stop it, repeat it
#[derive(Debug, clap::Args)]
pub(crate) struct Job {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    List(list::List),
    Show(show::Show),
    Log(log::Log),
    Cancel(cancel::Cancel),
    Retry(retry::Retry),
}

impl Job {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Failure> {
        match self.verb {
            Verb::List(verb) => verb.run(context).await,
            Verb::Show(verb) => verb.run(context).await,
            Verb::Log(verb) => verb.run(context).await,
            Verb::Cancel(verb) => verb.run(context).await,
            Verb::Retry(verb) => verb.run(context).await,
        }
    }
}

/// Every state a job can be in.
const STATES: [JobState; 6] = [
    JobState::Queued,
    JobState::Running,
    JobState::Cancelling,
    JobState::Succeeded,
    JobState::Failed,
    JobState::Cancelled,
];

/// The state of this name.
fn by_name(name: String) -> Result<JobState, String> {
    STATES.into_iter().find(|known| state(*known) == name).ok_or(name)
}

/// A state as it is written in commands and tables.
pub(super) fn state(state: JobState) -> &'static str {
    match state {
        JobState::Queued => "queued",
        JobState::Running => "running",
        JobState::Cancelling => "cancelling",
        JobState::Succeeded => "succeeded",
        JobState::Failed => "failed",
        JobState::Cancelled => "cancelled",
    }
}

/// A job in a few lines.
fn describe(job: &Record) -> String {
    let mut lines = vec![
        format!("job       {}", job.id),
        format!("kind      {}", job.kind),
        format!("state     {} ({:.0} %)", state(job.state), job.progress * 100.0),
        format!("attempt   {} of {}", job.attempt, job.max_attempts),
        format!("created   {} by {}", when(job.created_at), who(job.agent)),
        format!("started   {}", or_dash(job.started_at.map(when))),
        format!("finished  {}", or_dash(job.finished_at.map(when))),
        format!("params    {}", job.params),
    ];
    let optional = [
        ("message ", job.message.clone()),
        ("error   ", job.error.clone()),
        ("result  ", job.result.as_ref().map(ToString::to_string)),
        ("next try", job.run_after.map(when)),
    ];
    lines.extend(optional.into_iter().filter_map(|(name, value)| Some(format!("{name}  {}", value?))));
    lines.join("\n") + "\n"
}
