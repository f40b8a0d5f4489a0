//! Sessions and operations that go. Work that nobody waits for any more is stopped.

use std::collections::BTreeSet;

use holotype_catalog::Tx;
use holotype_core::{Caller, Role};

use crate::{OperationId, SessionError, SessionId, Sessions, table};

impl Sessions {
    /// Deletes a session with its operations. Results stay: to ask for the same again is to have it at once.
    ///
    /// # Errors
    /// [`SessionError::NoSession`], also for one of somebody else.
    pub async fn delete(&self, caller: &Caller, id: SessionId) -> Result<(), SessionError> {
        let (sessions, caller) = (self.clone(), caller.clone());
        self.catalog()
            .write(move |tx| {
                let (sessions, caller) = (sessions.clone(), caller.clone());
                Box::pin(async move {
                    let session = table::lock_session(tx, caller.user, id).await?;
                    tx.require(&caller, session.project, Role::Editor).await?;
                    let results = table::results_of(tx, id).await?;
                    table::delete_session(tx, id).await?;
                    sessions.leave(tx, results).await
                })
            })
            .await
    }

    /// Deletes operations of a session; how many there were. Numbers of other sessions' operations count for nothing.
    ///
    /// # Errors
    /// [`SessionError::NoSession`], also for one of somebody else.
    pub async fn delete_operations(
        &self,
        caller: &Caller,
        id: SessionId,
        operations: Vec<OperationId>,
    ) -> Result<u64, SessionError> {
        let (sessions, caller) = (self.clone(), caller.clone());
        let operations: BTreeSet<i64> = operations.into_iter().map(|operation| operation.0).collect();
        let operations: Vec<i64> = operations.into_iter().collect();
        self.catalog()
            .write(move |tx| {
                let (sessions, caller, operations) = (sessions.clone(), caller.clone(), operations.clone());
                Box::pin(async move {
                    let session = table::lock_session(tx, caller.user, id).await?;
                    tx.require(&caller, session.project, Role::Editor).await?;
                    let results = table::delete_operations(tx, id, &operations).await?;
                    let deleted = results.len() as u64;
                    sessions.leave(tx, results).await?;
                    Ok(deleted)
                })
            })
            .await
    }

    /// Stops the work on results that no operation points to any more.
    pub(crate) async fn leave(&self, tx: &mut Tx, results: Vec<String>) -> Result<(), SessionError> {
        // In one order everywhere, so that two deletions never wait for each other.
        for key in BTreeSet::from_iter(results) {
            let Some(result) = table::lock_result(tx, &key).await? else { continue };
            if let (false, Some(job)) = (result.finished, result.activity)
                && table::waiting(tx, &key, None).await?.0 == 0
            {
                self.jobs().stop(tx, job).await?;
            }
        }
        Ok(())
    }

    /// Stops the work on an operation, which then has failed; to ask for it again is to begin anew.
    ///
    /// # Errors
    /// [`SessionError::NoOperation`]; [`SessionError::Ended`]; [`SessionError::Shared`] while others wait for the same.
    pub async fn cancel(&self, caller: &Caller, id: OperationId) -> Result<(), SessionError> {
        let (sessions, caller) = (self.clone(), caller.clone());
        self.catalog()
            .write(move |tx| {
                let (sessions, caller) = (sessions.clone(), caller.clone());
                Box::pin(async move {
                    let found = table::operation(tx, caller.user, id).await?.ok_or(SessionError::NoOperation { id })?;
                    let session = table::session(tx, caller.user, found.session).await?;
                    let session = session.ok_or(SessionError::NoOperation { id })?;
                    tx.require(&caller, session.project, Role::Editor).await?;
                    let key = found.key.to_string();
                    let result = table::lock_result(tx, &key).await?.ok_or(SessionError::NoOperation { id })?;
                    let (total, own) = table::waiting(tx, &key, Some(caller.user)).await?;
                    if total > own {
                        return Err(SessionError::Shared { id });
                    }
                    match (result.finished, result.activity) {
                        (false, Some(job)) if sessions.jobs().stop(tx, job).await? => Ok(()),
                        _ => Err(SessionError::Ended { id }),
                    }
                })
            })
            .await
    }
}
