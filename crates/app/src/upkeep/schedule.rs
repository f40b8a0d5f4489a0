//! Asking for upkeep when it is due.
//!
//! Whether it is due follows from the jobs there are, so a restart neither forgets nor repeats. Two servers of one catalog may
//! both ask at the same moment; then the work is done twice, which it bears.

use std::time::Duration;

use holotype_catalog::Catalog;
use holotype_core::{Instant, UserId};
use holotype_jobs::{JobFilter, JobRecord, Priority, State};
use tokio_util::sync::CancellationToken;

use super::Task;
use crate::{App, AppError};

/// How often it is looked whether something is due; no period is shorter in effect.
const LOOK: Duration = Duration::from_secs(15);

/// Looks from time to time, until `shutdown`. What fails is logged and tried again at the next look.
pub(crate) async fn schedule(app: &App, shutdown: CancellationToken) {
    let mut looks = tokio::time::interval(LOOK);
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return,
            _ = looks.tick() => {}
        }
        if let Err(error) = app.archives().fetch_what_is_due().await {
            tracing::warn!(%error, "scheduled fetches could not be asked for");
        }
        for (task, every) in periods(app) {
            if let Err(error) = ask_if_due(app, task, every).await {
                tracing::warn!(kind = task.kind(), %error, "upkeep could not be asked for");
            }
        }
    }
}

/// What is done by itself, and how often.
fn periods(app: &App) -> Vec<(Task, Duration)> {
    let upkeep = &app.config().upkeep;
    let all = [
        (Task::Flush, upkeep.flush_every),
        (Task::Sweep, upkeep.sweep_every),
        (Task::Verify, upkeep.verify_every),
        (Task::Backup { with_blobs: false }, upkeep.backup_every),
    ];
    all.into_iter().filter_map(|(task, every)| Some((task, every?))).collect()
}

async fn ask_if_due(app: &App, task: Task, every: Duration) -> Result<(), AppError> {
    let filter = JobFilter { kind: Some(task.kind().to_owned()), ..JobFilter::default() };
    let latest = app.jobs().list(&Catalog::local_owner(), filter, None, 1).await?.items.into_iter().next();
    if !is_due(latest.as_ref(), app.clock().now(), every) || !has_something_to_do(app, task).await? {
        return Ok(());
    }
    super::enqueue(app, task.job(UserId::LOCAL, Priority::Low)).await?;
    Ok(())
}

/// Whether the latest job of its kind has ended, and was asked for long enough ago. What was never done is due.
fn is_due(latest: Option<&JobRecord>, now: Instant, every: Duration) -> bool {
    latest.is_none_or(|job| {
        let ended = matches!(job.state, State::Succeeded | State::Failed | State::Cancelled);
        ended && job.created_at.after(every) <= now
    })
}

/// A flush comes often and mostly finds nothing, which needs no job.
async fn has_something_to_do(app: &App, task: Task) -> Result<bool, AppError> {
    if task != Task::Flush {
        return Ok(true);
    }
    let counts = app.catalog().read(|tx| Box::pin(tx.blob_counts())).await?;
    Ok(counts.spooled > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVERY: Duration = Duration::from_secs(3600);

    fn job(state: State, created_at: Instant) -> JobRecord {
        JobRecord {
            id: holotype_core::ActivityId::from_parts(created_at, 0),
            project: holotype_core::ProjectId::DEFAULT,
            kind: Task::Sweep.kind().to_owned(),
            agent: UserId::LOCAL,
            state,
            attempt: 1,
            max_attempts: 3,
            priority: Priority::Low,
            params: serde_json::json!({}),
            result: None,
            error: None,
            progress: 0.0,
            message: None,
            code_version: String::new(),
            created_at,
            started_at: None,
            finished_at: None,
            run_after: created_at,
            heartbeat_at: None,
        }
    }

    #[test]
    fn upkeep_is_due_when_it_was_never_done_or_long_ago() {
        let now = Instant::from_micros(1_700_000_000_000_000);
        assert!(is_due(None, now, EVERY));
        for state in [State::Succeeded, State::Failed, State::Cancelled] {
            assert!(is_due(Some(&job(state, now.before(EVERY))), now, EVERY));
            assert!(!is_due(Some(&job(state, now.before(EVERY / 2))), now, EVERY));
        }
    }

    #[test]
    fn what_waits_or_runs_is_not_asked_for_again_however_long_it_takes() {
        let now = Instant::from_micros(1_700_000_000_000_000);
        for state in [State::Queued, State::Running, State::Cancelling] {
            assert!(!is_due(Some(&job(state, now.before(EVERY * 10))), now, EVERY));
        }
    }
}
