//! Waiting for a job while telling how far it is.

use holotype_api::JobEvent;
use holotype_api::job::{Job, JobState};
use holotype_client::Client;

use crate::failure::Failure;
use crate::ui::{Bar, Ui};

/// Waits until the job has come to its end, and answers how it stands then.
pub(crate) async fn follow(client: &Client, job: Job, ui: Ui) -> Result<Job, Failure> {
    let bar = ui.bar(&job.kind);
    let ended = watch(client, job, ui, &bar).await;
    bar.finish();
    ended
}

async fn watch(client: &Client, mut job: Job, ui: Ui, bar: &Bar) -> Result<Job, Failure> {
    while !job.state.is_final() {
        // The stream of a server that restarts meanwhile just ends; the job goes on, and so does the wait.
        let mut events = client.job_events(job.id).await?;
        while let Some(event) = events.next().await? {
            match event {
                JobEvent::Progress(progress) => bar.set(progress.fraction, progress.message.as_deref()),
                JobEvent::State(change) if change.state.is_final() => break,
                JobEvent::Log(line) if line.level == "warning" || line.level == "error" => {
                    bar.aside(|| ui.complain(&format!("{}: {}", line.level, line.text)));
                }
                JobEvent::Log(_) | JobEvent::State(_) => {}
            }
        }
        job = client.job(job.id).await?;
    }
    Ok(job)
}

/// Success for a job that did, or may still do, what it was for.
pub(crate) fn outcome(job: &Job) -> Result<(), Failure> {
    match job.state {
        JobState::Failed | JobState::Cancelled => Err(Failure::Negative),
        JobState::Queued | JobState::Running | JobState::Cancelling | JobState::Succeeded => Ok(()),
    }
}

/// What a finished job answers, or the reason why there is nothing.
pub(crate) fn result(job: &Job) -> Result<&serde_json::Value, Failure> {
    match (&job.result, job.state) {
        (Some(result), JobState::Succeeded) => Ok(result),
        _ => Err(Failure::Job {
            id: job.id,
            kind: job.kind.clone(),
            reason: job.error.clone().unwrap_or_else(|| "it was cancelled".to_owned()),
        }),
    }
}
