//! Deleting with a way back, and the sweep that ends it.

use std::collections::BTreeMap;
use std::sync::Arc;

use holotype_catalog::Tx;
use holotype_core::{Caller, Instant, ProjectId, Role};
use serde::Deserialize;
use serde_json::json;

use crate::model::is_indexed_owner;
use crate::{DatapointError, Datapoints, KIND, table};

/// Datapoints removed in one transaction.
const PORTION: i64 = 200;

impl Datapoints {
    /// Deletes a datapoint: it is found no more, and can be restored until it is purged.
    ///
    /// # Errors
    /// If the caller may not write to the project, or there is no such datapoint.
    pub async fn delete(&self, caller: &Caller, project: ProjectId, id: &str) -> Result<(), DatapointError> {
        self.change(caller, project, id, Change::Delete).await
    }

    /// Brings a deleted datapoint back as it was.
    ///
    /// # Errors
    /// If the caller may not write to the project, or there is no such deleted datapoint.
    pub async fn restore(&self, caller: &Caller, project: ProjectId, id: &str) -> Result<(), DatapointError> {
        self.change(caller, project, id, Change::Restore).await
    }

    async fn change(
        &self,
        caller: &Caller,
        project: ProjectId,
        id: &str,
        change: Change,
    ) -> Result<(), DatapointError> {
        self.require(caller, project, Role::Editor).await?;
        if id.contains('\0') {
            return Err(DatapointError::not_found(id));
        }
        let (caller, wanted): (Arc<Caller>, Arc<str>) = (Arc::new(caller.clone()), id.into());
        let changed = self
            .inner
            .catalog
            .write(move |tx| {
                let (caller, id) = (Arc::clone(&caller), Arc::clone(&wanted));
                Box::pin(async move { change.apply(tx, &caller, project, &id).await })
            })
            .await?;
        if changed { Ok(()) } else { Err(DatapointError::not_found(id)) }
    }

    /// Removes for good what was deleted before `before`, in every project, and lets go of its files' blobs. Gives how many.
    ///
    /// A sweep calls this after a grace period, and then removes the blobs that nothing else refers to.
    ///
    /// # Errors
    /// If the catalog fails; what was removed until then stays removed.
    pub async fn purge(&self, before: Instant) -> Result<u64, DatapointError> {
        let mut total = 0;
        loop {
            let (found, removed) =
                self.inner.catalog.write(move |tx| Box::pin(async move { purge_portion(tx, before).await })).await?;
            total += removed;
            if found < PORTION {
                return Ok(total);
            }
        }
    }
}

/// What becomes of a datapoint.
#[derive(Debug, Clone, Copy)]
enum Change {
    Delete,
    Restore,
}

impl Change {
    /// Changes the datapoint and notes who did; whether there was one to change.
    async fn apply(self, tx: &mut Tx, caller: &Caller, project: ProjectId, id: &str) -> Result<bool, DatapointError> {
        let (changed, action) = match self {
            Self::Delete => (table::mark_deleted(tx, project, id).await?, "datapoint.delete"),
            Self::Restore => (table::unmark_deleted(tx, project, id).await?, "datapoint.restore"),
        };
        if changed {
            tx.audit(caller, action, id, json!({ "project": project })).await?;
        }
        Ok(changed)
    }
}

/// How many were found, and how many of them were still deleted and are removed now.
async fn purge_portion(tx: &mut Tx, before: Instant) -> Result<(i64, u64), DatapointError> {
    let found = table::deleted_before(tx, before, PORTION).await?;
    let mut removed = 0;
    for (project, id) in &found {
        if let Some((sequence, document)) = table::remove(tx, *project, id, before).await? {
            for (field, value) in owners(id, &document)?.iter().filter(|(field, _)| is_indexed_owner(field)) {
                table::remove_owner(tx, *project, (field, value), sequence).await?;
            }
            tx.release_blobs(KIND, *project, id).await?;
            removed += 1;
        }
    }
    Ok((i64::try_from(found.len()).unwrap_or(i64::MAX), removed))
}

/// The owners in a stored document.
#[derive(Deserialize)]
struct Owned {
    ownership_info: Option<BTreeMap<String, String>>,
}

fn owners(id: &str, document: &str) -> Result<BTreeMap<String, String>, DatapointError> {
    let owned: Owned = serde_json::from_str(document)
        .map_err(|error| DatapointError::Damaged { id: id.to_owned(), problem: error.to_string() })?;
    Ok(owned.ownership_info.unwrap_or_default())
}
