//! Reading many datapoints in an order, in portions that fit in memory.
//!
//! A scan reads keys first, which the indexes hold, and then documents: few at the start, since many requests want only a
//! page, and more as it goes on. A portion is bounded in number and in bytes, whatever the documents are.

use std::collections::HashMap;
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
    keys: Vec<Key>,
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
        Self { inner, wanted: Arc::new(wanted), sort, after, keys: Vec::new(), ahead, exhausted: false }
    }

    /// The next portion; none at the end.
    pub(crate) async fn next(&mut self) -> Result<Option<Portion>, DatapointError> {
        if self.keys.is_empty() && self.exhausted {
            return Ok(None);
        }
        let (mut keys, candidates) = self.read().await?;
        self.keys = keys.split_off(portion(&keys).len());
        if keys.is_empty() {
            return Ok(None);
        }
        let mut found: HashMap<i64, Candidate> = candidates.into_iter().map(|found| (found.sequence, found)).collect();
        let positions: Vec<Position> = keys.into_iter().map(|key| key.position).collect();
        let candidates = positions.iter().filter_map(|position| found.remove(&position.sequence)).collect();
        Ok(Some(Portion { candidates, positions }))
    }

    /// The keys that are known, or the next ones if there are none, and the documents of their first portion.
    async fn read(&mut self) -> Result<(Vec<Key>, Vec<Candidate>), DatapointError> {
        let (known, limit) = (Arc::new(std::mem::take(&mut self.keys)), self.ahead);
        let (wanted, sort, after) = (Arc::clone(&self.wanted), self.sort, self.after.clone());
        let kept = Arc::clone(&known);
        let (fresh, candidates) = self
            .inner
            .catalog
            .read(move |tx| {
                let (known, wanted, after) = (Arc::clone(&kept), Arc::clone(&wanted), after.clone());
                Box::pin(async move {
                    let fresh = match known.is_empty() {
                        true => Some(table::keys(tx, &wanted, sort, after.as_ref(), limit).await?),
                        false => None,
                    };
                    let keys = fresh.as_deref().unwrap_or(&known);
                    let sequences: Vec<i64> = portion(keys).iter().map(|key| key.position.sequence).collect();
                    Ok::<_, DatapointError>((fresh, table::candidates(tx, &sequences).await?))
                })
            })
            .await?;
        if let Some(fresh) = &fresh {
            self.exhausted = (fresh.len() as u64) < limit;
            self.ahead = (limit * 4).min(MOST_KEYS);
            self.after = fresh.last().map(|last| last.position.clone());
        }
        Ok((fresh.unwrap_or_else(|| Arc::unwrap_or_clone(known)), candidates))
    }

    /// Everything the scan finds that `selection` means, in its order.
    ///
    /// The steps of `budget` are for the whole stream; it ends with an error when they are used up.
    pub(crate) fn sifted(
        self,
        selection: Arc<Selection>,
        budget: Budget,
    ) -> BoxStream<'static, Result<Candidate, DatapointError>> {
        let portions = stream::try_unfold((self, budget), move |(mut scan, budget)| {
            let selection = Arc::clone(&selection);
            async move {
                let Some(portion) = scan.next().await? else { return Ok(None) };
                let (kept, budget) = sift(portion.candidates, selection, budget).await?;
                Ok::<_, DatapointError>(Some((kept, (scan, budget))))
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

/// The first of some keys, whose documents fit in memory together: at least one, if there are any.
fn portion(keys: &[Key]) -> &[Key] {
    let mut bytes = 0;
    let fits = |(number, key): (usize, &Key)| {
        bytes += key.bytes;
        number < MOST_DOCUMENTS && (number == 0 || bytes <= PORTION_BYTES)
    };
    let count = keys.iter().enumerate().map(fits).take_while(|fits| *fits).count();
    keys.get(..count).unwrap_or(keys)
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
