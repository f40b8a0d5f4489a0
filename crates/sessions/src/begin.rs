//! The one place where work on a result begins: once, however many ask at the same time.

use holotype_catalog::{Entity, Tx};
use holotype_core::{Digest, ProjectId, UserId};
use holotype_jobs::{NewJob, Priority, State};
use serde_json::json;

use crate::{JOB_KIND, OPERATION, OperationId, RESULT, SessionError, Sessions, table};

impl Sessions {
    /// Begins the work on a result unless it is done or under way, and has its job answer for the operation that asks.
    ///
    /// The result's row is locked first, so of those who ask at once one finds nothing under way.
    pub(crate) async fn begin(
        &self,
        tx: &mut Tx,
        (project, agent): (ProjectId, UserId),
        operation: OperationId,
        name: &str,
        key: &Digest,
        request: &str,
    ) -> Result<(), SessionError> {
        let text = key.to_string();
        let absent = || SessionError::Damaged { what: format!("result {text}"), problem: "it is gone".to_owned() };
        let result = table::lock_result(tx, &text).await?.ok_or_else(absent)?;
        let job = match result.activity {
            Some(job) if result.finished || is_under_way(table::job_state(tx, job).await?.as_deref()) => job,
            _ => {
                // What an attempt before left behind is not part of what is made now.
                tx.release_blobs(RESULT, result.project, &text).await?;
                table::forget_files(tx, &text).await?;
                let params = json!({ "operation": name, "key": text });
                let job = NewJob { priority: Priority::High, ..NewJob::new(JOB_KIND, project, agent, params) };
                let id = self.jobs().enqueue(tx, &job).await?;
                table::begin_result(tx, key, (project, agent), request, id).await?;
                id
            }
        };
        tx.add_output(job, Entity::record(OPERATION, project, operation.to_string())).await?;
        Ok(())
    }
}

/// Whether a job in this state will come to an end by itself. One that is being stopped will not do the work.
fn is_under_way(state: Option<&str>) -> bool {
    let state = state.and_then(|name| name.parse::<State>().ok());
    matches!(state, Some(State::Queued | State::Running))
}
