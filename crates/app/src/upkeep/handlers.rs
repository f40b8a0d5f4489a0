//! The work of the upkeep's jobs.

use std::ops::ControlFlow;
use std::sync::Arc;

use async_trait::async_trait;
use holotype_blobs::Progress;
use holotype_jobs::{Failure, Handler, Job, Level};
use holotype_store::Verdict;
use serde_json::{Value, json};

use super::{BackupRequest, Task, back_up};
use crate::{App, AppError};

/// Lost blobs that a verification writes into its log; all of them are counted.
const LOGGED: usize = 100;

pub(super) fn all(app: &App) -> Vec<Arc<dyn Handler>> {
    let upkeep = |task| Arc::new(Upkeep { app: app.clone(), task }) as Arc<dyn Handler>;
    [Task::Verify, Task::Sweep, Task::Flush, Task::Backup { with_blobs: false }].map(upkeep).to_vec()
}

/// Does one kind of upkeep.
struct Upkeep {
    app: App,
    task: Task,
}

#[async_trait]
impl Handler for Upkeep {
    fn kind(&self) -> &'static str {
        self.task.kind()
    }

    async fn run(&self, job: &Job) -> Result<Value, Failure> {
        let result = match self.task {
            Task::Verify => verify(&self.app, job).await?,
            Task::Sweep => sweep(&self.app, job).await.map_err(failure)?,
            Task::Flush => flush(&self.app, job).await.map_err(failure)?,
            Task::Backup { .. } => backup(&self.app, job).await?,
        };
        if job.cancelled() { Err(Failure::Cancelled) } else { Ok(result) }
    }
}

fn failure(error: impl Into<AppError>) -> Failure {
    let error = error.into();
    Failure::of(error.category(), error)
}

/// Passes on how far the work has come, and that it is to end.
fn tell<'j>(job: &'j Job, what: &'j str) -> impl Fn(Progress) -> ControlFlow<()> + Send + Sync + 'j {
    move |Progress { done, total, bytes }| {
        let share = done as f64 / total.max(1) as f64;
        job.progress(share, format!("{what} {done} of {total} blobs, {bytes} bytes"));
        if job.cancelled() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

/// Reads every blob. Lost bytes make the job fail, so that nobody overlooks them.
async fn verify(app: &App, job: &Job) -> Result<Value, Failure> {
    let report = app.blobs().verify_all(tell(job, "verified")).await.map_err(failure)?;
    for finding in report.findings.iter().take(LOGGED) {
        let what = match finding.verdict {
            Verdict::Damaged { found, size } => format!("is damaged: its {size} bytes have the digest {found}"),
            Verdict::Absent => "is missing".to_owned(),
            Verdict::Intact { size } => format!("has {size} bytes, which is not what the catalog says"),
        };
        job.log(Level::Error, format!("{} {what}; {} references name it", finding.digest, finding.references));
    }
    if report.lost > 0 {
        let reason = format!(
            "{} blobs are damaged or missing ({} are intact): `holotype job log` lists them, `holotype db restore` brings back those of a backup",
            report.lost, report.intact
        );
        return Err(Failure::Permanent { reason });
    }
    Ok(json!({ "intact": report.intact, "bytes": report.bytes }))
}

/// Lets go of datapoints deleted long ago, and then of the bytes that nothing names.
async fn sweep(app: &App, job: &Job) -> Result<Value, AppError> {
    let before = app.clock().now().before(app.config().datapoints.undelete_for);
    let purged = app.datapoints().purge(before).await?;
    job.log(Level::Info, format!("removed {purged} datapoints that were deleted before {before}"));
    let plan = app.blobs().sweep_plan().await?;
    let report = app.blobs().sweep(&plan, tell(job, "removed")).await?;
    Ok(json!({
        "datapoints": purged,
        "blobs": report.blobs,
        "bytes": report.bytes,
        "orphans": report.orphans,
        "staging_files": report.staging,
        "left_for_next_time": report.abandoned,
    }))
}

async fn flush(app: &App, job: &Job) -> Result<Value, AppError> {
    let flushed = app.blobs().flush_spool(tell(job, "uploaded")).await?;
    Ok(json!({ "uploaded": flushed.uploaded, "bytes": flushed.bytes, "left": flushed.left }))
}

/// Makes a backup. One that lacks bytes is kept, and the job fails to say so.
async fn backup(app: &App, job: &Job) -> Result<Value, Failure> {
    let with_blobs = job.params.get("with_blobs").and_then(Value::as_bool).unwrap_or(false);
    let request = BackupRequest { with_blobs, suffix: None };
    let made = back_up(app, request, tell(job, "copied")).await.map_err(failure)?;
    for name in &made.rotated {
        job.log(Level::Info, format!("removed the old backup {name}"));
    }
    if made.proof.missing > 0 {
        let reason = format!(
            "the backup {} is made, but {} blobs that records name are not in the store: run `holotype store verify`",
            made.info.name, made.proof.missing
        );
        return Err(Failure::Permanent { reason });
    }
    Ok(json!({
        "name": made.info.name,
        "bytes": made.info.size,
        "with_blobs": made.info.with_blobs,
        "blobs_present": made.proof.present,
    }))
}
