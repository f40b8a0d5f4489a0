//! Reading many datapoints in an order, in portions that fit in memory.
//!
//! A scan reads keys first, which the indexes hold, and then documents: few at the start, since many requests want only a
//! page, and more as it goes on. A portion is bounded in number and in bytes, whatever the documents are.

use std::collections::HashMap;
use std::sync::Arc;

use futures::StreamExt;
use futures::stream::{self, BoxStream};
use holotype_core::filter::Budget;

use crate::narrow::{Narrowing, TextColumn};
use crate::select::Selection;
use crate::table::{self, Candidate, Key, Position, Route, Sort, SortKey, Wanted};
use crate::{DatapointError, Inner};

/// The most keys read at once.
const MOST_KEYS: u64 = 16_384;

/// The most datapoints that are sorted again for every part that is read of them.
const FEW: u64 = 16_384;

/// The most documents read at once.
const MOST_DOCUMENTS: usize = 256;

/// The bytes of documents after which a portion ends.
pub(crate) const PORTION_BYTES: u64 = 4 * 1024 * 1024;

/// Reads the wanted datapoints in their order, portion by portion.
pub(crate) struct Scan {
    inner: Arc<Inner>,
    wanted: Arc<Wanted>,
    sort: Sort,
    /// How the keys are found, once that is known.
    route: Option<Route>,
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
        let route = plain_route(&wanted.narrowing, sort.key);
        Self { inner, wanted: Arc::new(wanted), sort, route, after, keys: Vec::new(), ahead, exhausted: false }
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
        let (kept, route) = (Arc::clone(&known), self.route);
        let (route, fresh, candidates) = self
            .inner
            .catalog
            .read(move |tx| {
                let (known, wanted, after) = (Arc::clone(&kept), Arc::clone(&wanted), after.clone());
                Box::pin(async move {
                    let route = match route {
                        Some(route) => route,
                        None if table::are_few(tx, &wanted, FEW).await? => Route::Narrowed,
                        None => Route::Ordered,
                    };
                    let fresh = match known.is_empty() {
                        true => Some(table::keys(tx, &wanted, (sort, route), after.as_ref(), limit).await?),
                        false => None,
                    };
                    let keys = fresh.as_deref().unwrap_or(&known);
                    let sequences: Vec<i64> = portion(keys).iter().map(|key| key.position.sequence).collect();
                    Ok::<_, DatapointError>((route, fresh, table::candidates(tx, &sequences).await?))
                })
            })
            .await?;
        self.route = Some(route);
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

/// The route that is the shorter one without looking; none if that depends on how much there is.
fn plain_route(narrowing: &Narrowing, key: SortKey) -> Option<Route> {
    let one_label = narrowing.is_one(TextColumn::Label) && narrowing.owners.is_empty();
    let one_owner = matches!(narrowing.owners.as_slice(), [(_, values)] if values.len() == 1);
    match key {
        _ if narrowing.lists_ids() => Some(Route::Narrowed),
        _ if !narrowing.is_indexed() => Some(Route::Ordered),
        // These indexes have both: what is wanted, in its order.
        SortKey::Timestamp | SortKey::Label if one_label => Some(Route::Ordered),
        SortKey::Sequence if one_owner && narrowing.texts.is_empty() => Some(Route::Ordered),
        _ => None,
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
