//! The two lists of the contract: the newest datapoints, and those that a query means.

use futures::StreamExt;
use futures::stream::BoxStream;
use holotype_core::filter::Budget;
use holotype_core::{Caller, ProjectId, Role};
use std::sync::Arc;

use crate::scan::Scan;
use crate::select::Selection;
use crate::table::{Candidate, Sort, SortKey, Wanted};
use crate::{DatapointError, Datapoints, table};

/// A stored datapoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Its id.
    pub id: String,
    /// Its exact JSON text.
    pub document: Arc<str>,
}

/// Datapoints in an order, read as they are taken.
pub type Records = BoxStream<'static, Result<Record, DatapointError>>;

impl From<Candidate> for Record {
    fn from(candidate: Candidate) -> Self {
        Self { id: candidate.id, document: candidate.document }
    }
}

/// The natural order.
pub(crate) const IN_SEQUENCE: Sort = Sort { key: SortKey::Sequence, descending: false };

impl Datapoints {
    /// The datapoints with the greatest `data_timestamp`, compared as text, the greatest first.
    ///
    /// `number` is how many: 0 means all, and a negative number counts as its absolute value.
    ///
    /// # Errors
    /// If the caller may not read the project; in the stream, if the catalog fails.
    pub async fn latest(&self, caller: &Caller, project: ProjectId, number: i64) -> Result<Records, DatapointError> {
        self.require(caller, project, Role::Viewer).await?;
        let wanted = Wanted { project, deleted: false, narrowing: Selection::default().narrowing() };
        let most = if number == 0 { u64::MAX } else { number.unsigned_abs() };
        let newest_first = Sort { key: SortKey::Timestamp, descending: true };
        let scan = Scan::new(Arc::clone(&self.inner), wanted, newest_first, None, most);
        let found = scan.sifted(Arc::new(Selection::default()), Budget::new(0));
        Ok(found.take(usize::try_from(most).unwrap_or(usize::MAX)).map(|item| item.map(Record::from)).boxed())
    }

    /// The datapoints that `selection` means, in the order in which they were stored.
    ///
    /// # Errors
    /// If the caller may not read the project; in the stream, if the selection takes more steps than
    /// [`Limits::query_steps`](crate::Limits::query_steps), or the catalog fails.
    pub async fn query(
        &self,
        caller: &Caller,
        project: ProjectId,
        selection: Selection,
    ) -> Result<Records, DatapointError> {
        self.require(caller, project, Role::Viewer).await?;
        Ok(self.matching(project, selection).map(|item| item.map(Record::from)).boxed())
    }

    /// How many datapoints `selection` means.
    ///
    /// # Errors
    /// As [`query`](Self::query).
    pub async fn count(
        &self,
        caller: &Caller,
        project: ProjectId,
        selection: Selection,
    ) -> Result<u64, DatapointError> {
        self.require(caller, project, Role::Viewer).await?;
        if selection.is_everything() {
            let wanted = Arc::new(Wanted { project, deleted: false, narrowing: selection.narrowing() });
            let counted = self.inner.catalog.read(move |tx| {
                let wanted = Arc::clone(&wanted);
                Box::pin(async move { table::count(tx, &wanted).await.map_err(DatapointError::from) })
            });
            return counted.await;
        }
        let mut matching = self.matching(project, selection);
        let mut count = 0;
        while let Some(found) = matching.next().await {
            found?;
            count += 1;
        }
        Ok(count)
    }

    /// What `selection` means, in the natural order, for a caller who may read it.
    pub(crate) fn matching(
        &self,
        project: ProjectId,
        selection: Selection,
    ) -> BoxStream<'static, Result<Candidate, DatapointError>> {
        let wanted = Wanted { project, deleted: false, narrowing: selection.narrowing() };
        let scan = Scan::new(Arc::clone(&self.inner), wanted, IN_SEQUENCE, None, 256);
        scan.sifted(Arc::new(selection), Budget::new(self.inner.settings.limits.query_steps))
    }
}
