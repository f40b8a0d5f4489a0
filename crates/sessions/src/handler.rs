//! The job that operates: brings the inputs, has the operation work, and keeps what it makes.

mod desk;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use async_trait::async_trait;
use holotype_catalog::Entity;
use holotype_core::{Category, Digest};
use holotype_jobs::{Failure, Handler, Job, Level};
use serde_json::{Value, json};

use crate::scratch::Scratch;
use crate::{
    Desk as _, InputFile, JOB_KIND, Operation, OperationError, Outcome, RESULT, Request, SessionError, Sessions, Work,
    table,
};
use desk::JobDesk;

/// Does the operations that sessions ask for.
#[derive(Debug)]
pub struct OperateHandler {
    sessions: Sessions,
}

/// What is told of a fault of ours; the job's log tells more.
const UNKNOWN: &str = "An unknown error ended the operation. The log of its job tells more.";

impl OperateHandler {
    /// Works on the operations of these sessions.
    pub fn new(sessions: Sessions) -> Self {
        Self { sessions }
    }
}

#[async_trait]
impl Handler for OperateHandler {
    fn kind(&self) -> &'static str {
        JOB_KIND
    }

    async fn run(&self, job: &Job) -> Result<Value, Failure> {
        let key = job.params.get("key").and_then(Value::as_str).and_then(|text| text.parse::<Digest>().ok());
        let key = key.ok_or_else(|| permanent("the job names no result"))?;
        let Some(request) = self.claim(job, key).await.map_err(|error| failure(job, error))? else {
            return Ok(json!({ "key": key }));
        };
        let request = Request::from_text(&request)
            .map_err(|problem| failure(job, SessionError::Damaged { what: format!("result {key}"), problem }))?;
        let operation = self.sessions.operation(&request.operation).filter(|known| known.version() == request.version);
        let operation = Arc::clone(operation.ok_or_else(|| {
            permanent(format!("This version does not know generation {} of {}.", request.version, request.operation))
        })?);
        let scratch =
            self.sessions.scratch(&format!("{}-{}", job.id, job.attempt)).map_err(|error| failure(job, error))?;
        let inputs = self.bring_all(job, &request, &scratch).await?;
        let used: Vec<Digest> = inputs.values().flatten().map(|input| input.digest).collect();
        let desk = Arc::new(JobDesk::new(self.sessions.clone(), job.clone(), key));
        let work = Work {
            key,
            name: request.operation,
            parameters: request.parameters,
            inputs,
            scratch: scratch.path().to_owned(),
            desk: Arc::<JobDesk>::clone(&desk),
        };
        let outcome = compute(job, operation, work, scratch, &desk).await?;
        let output = match outcome {
            Outcome::Products => json!({ "output_files": desk.shown() }),
            Outcome::Data(items) => json!({ "output_data": items }),
        };
        self.finish(job, key, used, output.to_string()).await.map_err(|error| failure(job, error))?;
        Ok(json!({ "key": key }))
    }
}

impl OperateHandler {
    /// What is to be done, if it is still this job's to do; what an attempt before made of it is forgotten.
    async fn claim(&self, job: &Job, key: Digest) -> Result<Option<String>, SessionError> {
        let job = job.clone();
        self.sessions
            .catalog()
            .write(move |tx| {
                let job = job.clone();
                Box::pin(async move {
                    let text = key.to_string();
                    let Some(result) = table::lock_result(tx, &text).await? else { return Ok(None) };
                    if result.finished || result.activity != Some(job.id) {
                        return Ok(None);
                    }
                    job.fence(tx).await?;
                    tx.release_blobs(RESULT, result.project, &text).await?;
                    table::forget_files(tx, &text).await?;
                    table::put_output(tx, &key, job.id, None, false).await?;
                    Ok(table::request(tx, &key).await?)
                })
            })
            .await
    }

    /// Brings every input to this machine; the same bytes once.
    async fn bring_all(
        &self,
        job: &Job,
        request: &Request,
        scratch: &Scratch,
    ) -> Result<BTreeMap<String, Vec<InputFile>>, Failure> {
        let mut inputs: BTreeMap<String, Vec<InputFile>> = BTreeMap::new();
        let mut known = HashMap::new();
        let total = request.inputs.values().map(Vec::len).sum::<usize>().max(1);
        let mut brought = 0;
        for (field, files) in &request.inputs {
            for file in files {
                if job.cancelled() {
                    return Err(Failure::Cancelled);
                }
                job.progress(0.0, format!("Fetching files: {}%", 100 * brought / total));
                let version = &file.resolved.version;
                let (path, digest) = match known.get(version) {
                    Some(found) => Clone::clone(found),
                    None => {
                        let bringing =
                            self.sessions.bring(job.agent, job.project, &file.resolved, scratch.path()).await;
                        let found = bringing.map_err(|error| Failure::of(error.category(), error))?;
                        known.insert(version.clone(), found.clone());
                        found
                    }
                };
                let (item, file_name) = (file.item.clone(), file.resolved.file_name.clone());
                inputs.entry(field.clone()).or_default().push(InputFile { item, file_name, digest, path });
                brought += 1;
            }
        }
        Ok(inputs)
    }

    /// Makes the output the result, with its lineage, in one transaction: from its commit on the operation is complete.
    async fn finish(&self, job: &Job, key: Digest, used: Vec<Digest>, output: String) -> Result<(), SessionError> {
        let (job, shared) = (job.clone(), Arc::new((used, output)));
        self.sessions
            .catalog()
            .write(move |tx| {
                let (job, shared) = (job.clone(), Arc::clone(&shared));
                Box::pin(async move {
                    let (used, output) = &*shared;
                    if !table::put_output(tx, &key, job.id, Some(output), true).await? {
                        return Err(lost(&job));
                    }
                    job.fence(tx).await?;
                    for digest in used {
                        tx.add_input(job.id, Entity::blob(job.project, *digest)).await?;
                    }
                    tx.add_output(job.id, Entity::record(RESULT, job.project, key.to_string())).await?;
                    Ok(())
                })
            })
            .await
    }
}

/// Has the operation work on a thread of its own. The scratch folder stays for as long as the thread may use it.
async fn compute(
    job: &Job,
    operation: Arc<dyn Operation>,
    work: Work,
    scratch: Scratch,
    desk: &Arc<JobDesk>,
) -> Result<Outcome, Failure> {
    let computing = tokio::task::spawn_blocking(move || {
        let outcome = operation.run(&work);
        drop(scratch);
        outcome
    });
    match computing.await {
        Ok(Ok(outcome)) => Ok(outcome),
        Ok(Err(OperationError::Stopped)) => match desk.stopped() {
            Some(OperationError::Stopped) | None => Err(Failure::Cancelled),
            Some(reason) => Err(Failure::of(reason.category(), reason)),
        },
        Ok(Err(error)) if error.category() == Category::Internal => {
            job.log(Level::Error, error.to_string());
            Err(permanent(UNKNOWN))
        }
        Ok(Err(error)) => Err(Failure::of(error.category(), error)),
        Err(error) => {
            job.log(Level::Error, format!("the operation panicked: {error}"));
            Err(permanent(UNKNOWN))
        }
    }
}

fn permanent(reason: impl Into<String>) -> Failure {
    Failure::Permanent { reason: reason.into() }
}

/// What a failure of ours means for the job.
fn failure(job: &Job, error: SessionError) -> Failure {
    match error {
        SessionError::Job(error) => error.into(),
        error if error.category() == Category::Internal => {
            job.log(Level::Error, error.to_string());
            permanent(UNKNOWN)
        }
        error => Failure::of(error.category(), error),
    }
}

/// The result was given to another job.
fn lost(job: &Job) -> SessionError {
    holotype_jobs::JobError::Lost { id: job.id, attempt: job.attempt }.into()
}
