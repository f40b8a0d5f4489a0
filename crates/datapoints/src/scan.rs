//! Reading many datapoints in an order, in portions that fit in memory.
//!
//! A scan reads keys first, which the indexes hold, and then documents: few at the start, since many requests want only a
//! page, and more as it goes on. A portion is bounded in number and in bytes, whatever the documents are.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use futures::StreamExt;
use futures::stream::{self, BoxStream};
use holotype_core::filter::Budget;

use crate::select::Selection;
use crate::table::{self, Candidate, Key, Position, Sort, Wanted};
use crate::{DatapointError, Inner};

/// The most keys read at once.
const MOST_KEYS: u64 = 16_384;

/// The most documents read at once.
const MOST_DOCUMENTS: usize = 256;

/// The bytes of documents after which a portion ends.
pub(crate) const PORTION_BYTES: u64 = 4 * 1024 * 1024;

/// Reads the wanted datapoints in their order, portion by portion.
pub(crate) struct Scan {
    inner: Arc<Inner>,
    wanted: Arc<Wanted>,
    sort: Sort,
    /// The last key that was read from the catalog.
    after: Option<Position>,
    keys: VecDeque<Key>,
    /// How many keys to read next.
    ahead: u64,
    exhausted: bool,
}

/// Some datapoints of a scan, and how far it has come.
pub(crate) struct Portion {
    pub(crate) candidates: Vec<Candidate>,
    /// The keys of the portion, also of datapoints that were deleted meanwhile.
    pub(crate) positions: Vec<Position>,
}

impl Scan {
    /// A scan that expects to need about `first` datapoints.
    pub(crate) fn new(inner: Arc<Inner>, wanted: Wanted, sort: Sort, after: Option<Position>, first: u64) -> Self {
        let ahead = first.clamp(16, MOST_KEYS);
        Self { inner, wanted: Arc::new(wanted), sort, after, keys: VecDeque::new(), ahead, exhausted: false }
    }

    /// The next portion; none at the end.
    pub(crate) async fn next(&mut self) -> Result<Option<Portion>, DatapointError> {
        if self.keys.is_empty() && !self.exhausted {
            self.read_keys().await?;
        }
        let positions = self.take_positions();
        if positions.is_empty() {
            return Ok(None);
        }
        let sequences: Arc<[i64]> = positions.iter().map(|position| position.sequence).collect();
        let read = Arc::clone(&sequences);
        let found = self
            .inner
            .catalog
            .read(move |tx| {
                let sequences = Arc::clone(&read);
                Box::pin(async move { table::candidates(tx, &sequences).await.map_err(DatapointError::from) })
            })
            .await?;
        let mut found: HashMap<i64, Candidate> =
            found.into_iter().map(|candidate| (candidate.sequence, candidate)).collect();
        let candidates = sequences.iter().filter_map(|sequence| found.remove(sequence)).collect();
        Ok(Some(Portion { candidates, positions }))
    }

    async fn read_keys(&mut self) -> Result<(), DatapointError> {
        let (wanted, sort, after, limit) = (Arc::clone(&self.wanted), self.sort, self.after.clone(), self.ahead);
        let keys = self
            .inner
            .catalog
            .read(move |tx| {
                let (wanted, after) = (Arc::clone(&wanted), after.clone());
                Box::pin(async move {
                    table::keys(tx, &wanted, sort, after.as_ref(), limit).await.map_err(DatapointError::from)
                })
            })
            .await?;
        self.exhausted = u64::try_from(keys.len()).is_ok_and(|count| count < limit);
        self.ahead = (self.ahead * 4).min(MOST_KEYS);
        self.keys = keys.into();
        if let Some(last) = self.keys.back() {
            self.after = Some(last.position.clone());
        }
        Ok(())
    }

    /// Takes the keys of the next portion: at least one, if there are any.
    fn take_positions(&mut self) -> Vec<Position> {
        let (mut positions, mut bytes) = (Vec::new(), 0);
        while positions.len() < MOST_DOCUMENTS {
            let fits = |key: &mut Key| positions.is_empty() || bytes + key.bytes <= PORTION_BYTES;
            let Some(key) = self.keys.pop_front_if(fits) else { break };
            bytes += key.bytes;
            positions.push(key.position);
        }
        positions
    }

    /// Everything the scan finds that `selection` means, in its order.
    ///
    /// The steps of `budget` are for the whole stream; it ends with an error when they are used up.
    pub(crate) fn sifted(
        self,
        selection: Arc<Selection>,
        budget: Budget,
    ) -> BoxStream<'static, Result<Candidate, DatapointError>> {
        let portions = stream::try_unfold((self, Some(budget)), move |(mut scan, budget)| {
            let selection = Arc::clone(&selection);
            async move {
                let Some(portion) = scan.next().await? else { return Ok(None) };
                let (kept, budget) =
                    sift(portion.candidates, selection, budget.unwrap_or_else(|| Budget::new(0))).await?;
                Ok::<_, DatapointError>(Some((kept, (scan, Some(budget)))))
            }
        });
        portions
            .flat_map(|portion| {
                let items: Vec<Result<Candidate, DatapointError>> = match portion {
                    Ok(candidates) => candidates.into_iter().map(Ok).collect(),
                    Err(error) => vec![Err(error)],
                };
                stream::iter(items)
            })
            .boxed()
    }
}

/// The candidates that `selection` means, and what is left of the budget. The work is done off the runtime's own threads.
pub(crate) async fn sift(
    candidates: Vec<Candidate>,
    selection: Arc<Selection>,
    mut budget: Budget,
) -> Result<(Vec<Candidate>, Budget), DatapointError> {
    if selection.is_everything() {
        return Ok((candidates, budget));
    }
    let work = move || {
        let mut kept = Vec::with_capacity(candidates.len());
        for candidate in candidates {
            if selection.matches(&candidate, &mut budget)? {
                kept.push(candidate);
            }
        }
        Ok((kept, budget))
    };
    tokio::task::spawn_blocking(work).await?
}
