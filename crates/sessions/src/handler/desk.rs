//! An execution's progress and files on their way into the catalog and the store.

use std::io::Read as _;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use holotype_blobs::{BlobReference, Held};
use holotype_core::Digest;
use holotype_jobs::{Job, JobError};
use serde_json::{Value, json};
use tokio::runtime::Handle;

use super::lost;
use crate::{Desk, FileName, OperationError, RESULT, ResultFile, SessionError, Sessions, table};

/// Bytes of a file that are read at a time.
const PIECE: usize = 1 << 20;

/// The desk of a job. Only for threads that may block.
pub(super) struct JobDesk {
    sessions: Sessions,
    job: Job,
    key: Digest,
    runtime: Handle,
    begun: Instant,
    shown: Mutex<Vec<Value>>,
}

impl JobDesk {
    /// Call it on the runtime that the store works on.
    pub(super) fn new(sessions: Sessions, job: Job, key: Digest) -> Self {
        Self { sessions, job, key, runtime: Handle::current(), begun: Instant::now(), shown: Mutex::default() }
    }

    /// What was shown.
    pub(super) fn shown(&self) -> Vec<Value> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn upload(&self, path: &Path) -> Result<Held, OperationError> {
        let mut file = std::fs::File::open(path)?;
        let mut upload = self.sessions.blobs().begin();
        let mut piece = vec![0; PIECE];
        loop {
            match file.read(&mut piece)? {
                0 => break,
                count => {
                    let bytes = piece.get(..count).unwrap_or_default();
                    upload.write(bytes).await.map_err(|error| unkept(error.into()))?;
                }
            }
        }
        upload.finish().await.map_err(|error| unkept(error.into()))
    }

    async fn record(&self, name: &FileName, held: Held) -> Result<(), SessionError> {
        let (job, key, name) = (self.job.clone(), self.key, name.clone());
        self.sessions
            .catalog()
            .write(move |tx| {
                let (job, name, held) = (job.clone(), name.clone(), held.clone());
                Box::pin(async move {
                    job.fence(tx).await?;
                    let file = ResultFile { digest: held.digest, size: held.size, created: tx.now(), name };
                    table::put_file(tx, &key, &file).await?;
                    let (record, name) = (key.to_string(), file.name.to_string());
                    held.reference(tx, BlobReference { project: job.project, kind: RESULT, record, name }).await?;
                    Ok(())
                })
            })
            .await
    }

    async fn write_output(&self, output: String) -> Result<(), SessionError> {
        let (job, key, output) = (self.job.clone(), self.key, Arc::<str>::from(output));
        self.sessions
            .catalog()
            .write(move |tx| {
                let (job, output) = (job.clone(), Arc::clone(&output));
                Box::pin(async move {
                    if !table::put_output(tx, &key, job.id, Some(&output), false).await? {
                        return Err(lost(&job));
                    }
                    Ok(job.fence(tx).await?)
                })
            })
            .await
    }
}

impl Desk for JobDesk {
    fn report(&self, message: &str, fraction: f64) {
        self.job.progress(fraction, message);
    }

    fn stopped(&self) -> Option<OperationError> {
        if self.job.cancelled() {
            return Some(OperationError::Stopped);
        }
        let limit = self.sessions.settings().time_limit;
        (self.begun.elapsed() > limit).then_some(OperationError::TooLong { minutes: limit.as_secs() / 60 })
    }

    fn keep(&self, name: &FileName, path: &Path) -> Result<(), OperationError> {
        self.runtime.block_on(async {
            let held = self.upload(path).await?;
            self.record(name, held).await.map_err(unkept)
        })
    }

    fn show(&self, product: Value) -> Result<(), OperationError> {
        let output = {
            let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
            shown.push(product);
            json!({ "output_files": *shown }).to_string()
        };
        self.runtime.block_on(self.write_output(output)).map_err(unkept)
    }
}

/// Why something was not kept.
fn unkept(error: SessionError) -> OperationError {
    match error {
        SessionError::Job(JobError::Lost { .. }) => OperationError::Stopped,
        error => OperationError::Store { category: error.category(), problem: error.to_string() },
    }
}
