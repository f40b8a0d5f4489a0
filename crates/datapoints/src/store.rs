//! Making records: one transaction stores what was prepared, with the files and the references that keep their blobs.

use std::collections::HashSet;
use std::sync::Arc;

use holotype_blobs::BlobReference;
use holotype_catalog::{CatalogError, Tx};
use holotype_core::{Caller, ProjectId, Role, UserId};

use crate::submit::{Prepared, Stored};
use crate::table::{self, Existing, NewRow};
use crate::{DatapointError, Datapoints, KIND};

/// What one caller stores in one project.
#[derive(Debug)]
pub(crate) struct Batch {
    pub(crate) caller: Caller,
    pub(crate) project: ProjectId,
    pub(crate) prepared: Vec<Arc<Prepared>>,
}

/// What became of each datapoint of a batch, in its order.
pub(crate) type Answers = Vec<Result<Stored, DatapointError>>;

/// What became of a prepared submission.
#[derive(Debug, Clone)]
enum Outcome {
    Created,
    Same(Arc<str>),
    Clash,
    Deleted,
}

impl Datapoints {
    /// Stores what was prepared, in its order, in one transaction, if the caller may.
    pub(crate) async fn store(&self, caller: &Caller, project: ProjectId, prepared: Vec<Prepared>) -> Answers {
        let count = prepared.len();
        if count == 0 {
            return Vec::new();
        }
        let prepared = prepared.into_iter().map(Arc::new).collect();
        let answers = self.store_batches(vec![Batch { caller: caller.clone(), project, prepared }]).await;
        answers.map_or_else(|error| for_each(error, count), |answers| answers.into_iter().flatten().collect())
    }

    /// Stores batches in one transaction. One whose caller may not write does not hinder the others.
    ///
    /// # Errors
    /// What makes the transaction fail; then nothing is stored.
    pub(crate) async fn store_batches(&self, batches: Vec<Batch>) -> Result<Vec<Answers>, DatapointError> {
        let batches: Arc<[Batch]> = batches.into();
        let (work, arrivals) = (Arc::clone(&batches), self.inner.arrivals.clone());
        let outcomes = self.inner.catalog.write(move |tx| {
            let (batches, arrivals) = (Arc::clone(&work), arrivals.clone());
            tx.after_commit(Box::new(move || arrivals.announce()));
            Box::pin(async move {
                let mut outcomes = Vec::with_capacity(batches.len());
                for batch in &*batches {
                    outcomes.push(store_batch(tx, batch).await?);
                }
                Ok::<_, DatapointError>(outcomes)
            })
        });
        let outcomes = outcomes.await?;
        Ok(batches.iter().zip(outcomes).map(|(batch, outcomes)| batch.answers(outcomes)).collect())
    }
}

impl Batch {
    fn answers(&self, outcomes: Result<Vec<Outcome>, CatalogError>) -> Answers {
        match outcomes {
            Ok(outcomes) => {
                self.prepared.iter().zip(outcomes).map(|(prepared, outcome)| answer(&prepared.row, outcome)).collect()
            }
            Err(refused) => self.prepared.iter().map(|_| Err(refused.clone().into())).collect(),
        }
    }
}

/// What became of the datapoints of a batch, or why its caller may not store any.
async fn store_batch(tx: &mut Tx, batch: &Batch) -> Result<Result<Vec<Outcome>, CatalogError>, DatapointError> {
    // If it is the database that failed here, it refuses the transaction too.
    match tx.require(&batch.caller, batch.project, Role::Editor).await {
        Ok(()) => store_all(tx, batch.project, batch.caller.user, &batch.prepared).await.map(Ok),
        Err(refused) => Ok(Err(refused)),
    }
}

async fn store_all(
    tx: &mut Tx,
    project: ProjectId,
    agent: UserId,
    batch: &[Arc<Prepared>],
) -> Result<Vec<Outcome>, DatapointError> {
    let mut ids = HashSet::with_capacity(batch.len());
    let firsts: Vec<&Arc<Prepared>> = batch.iter().filter(|prepared| ids.insert(prepared.row.id.as_str())).collect();
    let rows: Vec<&NewRow> = firsts.iter().map(|prepared| &prepared.row).collect();
    let mut created = table::insert(tx, project, agent, &rows).await?;
    for prepared in firsts.iter().filter(|prepared| created.contains_key(&prepared.row.id)) {
        keep_files(tx, project, prepared).await?;
    }
    if created.len() == batch.len() {
        return Ok(vec![Outcome::Created; batch.len()]);
    }
    let others: Vec<&str> = batch.iter().map(|prepared| prepared.row.id.as_str()).collect();
    let existing = table::existing(tx, project, &others).await?;
    let mut outcome = |prepared: &Arc<Prepared>| match existing.get(&prepared.row.id) {
        // Only the first of a batch that names an id has created it.
        _ if created.remove(&prepared.row.id).is_some() => Ok(Outcome::Created),
        Some(existing) => Ok(compare(prepared, existing)),
        // It was purged between two statements of this transaction.
        None => Err(DatapointError::Purged { id: prepared.row.id.clone() }),
    };
    batch.iter().map(&mut outcome).collect()
}

/// Stores the files of a new datapoint, and holds on to their blobs.
async fn keep_files(tx: &mut Tx, project: ProjectId, prepared: &Prepared) -> Result<(), DatapointError> {
    let record = &prepared.row.id;
    for (file, held) in &prepared.files {
        // The datapoint that held the file was purged since it was looked at.
        let held = held.as_ref().ok_or_else(|| DatapointError::Purged { id: record.clone() })?;
        table::insert_file(tx, project, record, file).await?;
        held.reference(tx, BlobReference { project, kind: KIND, record: record.clone(), name: file.name.clone() })
            .await?;
    }
    Ok(())
}

/// How a submission stands to what its id already names.
fn compare(prepared: &Prepared, existing: &Existing) -> Outcome {
    // A client may also send back what it was answered, which is the document and no longer what was said at first.
    let is_same = existing.content == prepared.row.content
        || (prepared.files.is_empty() && existing.document == prepared.row.document);
    match (existing.deleted, is_same) {
        (true, _) => Outcome::Deleted,
        (false, true) => Outcome::Same(Arc::clone(&existing.document)),
        (false, false) => Outcome::Clash,
    }
}

fn answer(row: &NewRow, outcome: Outcome) -> Result<Stored, DatapointError> {
    let id = row.id.clone();
    match outcome {
        Outcome::Created => Ok(Stored { id, document: Arc::clone(&row.document), created: true }),
        Outcome::Same(document) => Ok(Stored { id, document, created: false }),
        Outcome::Clash => Err(DatapointError::Clash { id }),
        Outcome::Deleted => Err(DatapointError::Deleted { id }),
    }
}

/// One failure of a whole batch, told for each of its submissions.
pub(crate) fn for_each<T>(error: DatapointError, count: usize) -> Vec<Result<T, DatapointError>> {
    let source = Arc::new(error);
    (0..count).map(|_| Err(DatapointError::Together { source: Arc::clone(&source) })).collect()
}
