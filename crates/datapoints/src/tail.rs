//! Following a project: its datapoints as they arrive, whichever process stores them.
//!
//! A tail reads the catalog by sequence number. It does so when this process has stored something, and every half second
//! because another one may have. On PostgreSQL a lower number may be committed after a higher one, so a tail looks back a while.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use futures::stream::{self, BoxStream};
use holotype_catalog::Engine;
use holotype_core::filter::Budget;
use holotype_core::{Caller, ProjectId, Role};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::scan::{PORTION_BYTES, sift};
use crate::select::Selection;
use crate::table::{self, Candidate};
use crate::{DatapointError, Datapoints};

/// How often the catalog is looked at without a reason.
const INTERVAL: Duration = Duration::from_millis(500);

/// How long to wait after a look, so that what arrives in quick succession is read together.
const PAUSE: Duration = Duration::from_millis(20);

/// How long a transaction may take from taking its numbers to its commit.
const SETTLE: Duration = Duration::from_secs(10);

/// The most numbers that are looked back at.
const MOST_RECENT: usize = 20_000;

/// The datapoints read at once.
const PORTION: usize = 500;

/// A datapoint that has arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrival {
    /// Its place in the order of arrival. A tail that begins after it goes on from there.
    pub sequence: i64,
    /// Its id.
    pub id: String,
    /// Its exact JSON text.
    pub document: Arc<str>,
}

/// Tells the tails of this process that something was committed.
#[derive(Debug, Clone)]
pub(crate) struct Arrivals(watch::Sender<()>);

impl Arrivals {
    pub(crate) fn new() -> Self {
        Self(watch::Sender::new(()))
    }

    pub(crate) fn announce(&self) {
        self.0.send_replace(());
    }
}

impl Datapoints {
    /// The datapoints that `selection` means as they arrive, from now on or after a sequence number. The stream does not end by
    /// itself; each look checks that the caller may still read the project.
    ///
    /// # Errors
    /// If the caller may not read the project, now or later, or the catalog fails.
    pub async fn tail(
        &self,
        caller: &Caller,
        project: ProjectId,
        selection: Selection,
        after: Option<i64>,
    ) -> Result<BoxStream<'static, Result<Arrival, DatapointError>>, DatapointError> {
        self.require(caller, project, Role::Viewer).await?;
        let announced = self.inner.arrivals.0.subscribe();
        let newest = match after {
            Some(sequence) => sequence,
            None => {
                let newest = self.inner.catalog.read(move |tx| {
                    Box::pin(async move { table::newest(tx, project).await.map_err(DatapointError::from) })
                });
                newest.await?
            }
        };
        let follower = Follower {
            datapoints: self.clone(),
            caller: caller.clone(),
            project,
            selection: Arc::new(selection),
            announced,
            seen: Seen::new(newest, self.inner.catalog.engine()),
            waiting: VecDeque::new(),
        };
        let portions = stream::try_unfold(follower, |mut follower| async move {
            let arrivals = follower.next().await?;
            Ok::<_, DatapointError>(Some((arrivals, follower)))
        });
        let single = |portion: Result<Vec<Arrival>, DatapointError>| match portion {
            Ok(arrivals) => arrivals.into_iter().map(Ok).collect::<Vec<_>>(),
            Err(error) => vec![Err(error)],
        };
        Ok(portions.flat_map(move |portion| stream::iter(single(portion))).boxed())
    }
}

struct Follower {
    datapoints: Datapoints,
    caller: Caller,
    project: ProjectId,
    selection: Arc<Selection>,
    announced: watch::Receiver<()>,
    seen: Seen,
    /// What has arrived and is still to be read, in parts that fit in memory.
    waiting: VecDeque<Arc<[i64]>>,
}

impl Follower {
    /// Waits until something has arrived that the selection means.
    async fn next(&mut self) -> Result<Vec<Arrival>, DatapointError> {
        loop {
            while let Some(part) = self.waiting.pop_front() {
                let found = self.read(part).await?;
                if !found.is_empty() {
                    return Ok(found);
                }
            }
            self.announced.mark_unchanged();
            self.datapoints.require(&self.caller, self.project, Role::Viewer).await?;
            if self.look().await? == 0 {
                // The sender lives as long as `datapoints` does, so only time or an announcement ends the wait.
                drop(tokio::time::timeout(INTERVAL, self.announced.changed()).await);
                tokio::time::sleep(PAUSE).await;
            }
        }
    }

    /// Notes what is there and was not before; how much that is.
    async fn look(&mut self) -> Result<usize, DatapointError> {
        let (project, horizon) = (self.project, self.seen.horizon);
        let limit = i64::try_from(self.seen.recent.len() + PORTION).unwrap_or(i64::MAX);
        let catalog = &self.datapoints.inner.catalog;
        let there = catalog
            .read(move |tx| {
                Box::pin(async move { table::above(tx, project, horizon, limit).await.map_err(DatapointError::from) })
            })
            .await?;
        let new: Arc<[i64]> = self.seen.add(there, Instant::now()).into();
        if new.is_empty() {
            return Ok(0);
        }
        let wanted = Arc::clone(&new);
        let lengths = catalog
            .read(move |tx| {
                let wanted = Arc::clone(&wanted);
                Box::pin(async move { table::lengths(tx, &wanted).await.map_err(DatapointError::from) })
            })
            .await?;
        self.waiting.extend(parts(&lengths));
        Ok(new.len())
    }

    async fn read(&self, sequences: Arc<[i64]>) -> Result<Vec<Arrival>, DatapointError> {
        let mut found = self
            .datapoints
            .inner
            .catalog
            .read(move |tx| {
                let sequences = Arc::clone(&sequences);
                Box::pin(async move { table::candidates(tx, &sequences).await.map_err(DatapointError::from) })
            })
            .await?;
        found.sort_by_key(|candidate| candidate.sequence);
        let budget = Budget::new(self.datapoints.inner.settings.limits.query_steps);
        let (kept, _) = sift(found, Arc::clone(&self.selection), budget).await?;
        Ok(kept.into_iter().map(Arrival::from).collect())
    }
}

/// Sequence numbers in parts whose documents fit in memory together.
fn parts(lengths: &[(i64, u64)]) -> Vec<Arc<[i64]>> {
    let (mut parts, mut part, mut bytes) = (Vec::new(), Vec::new(), 0);
    for (sequence, length) in lengths {
        if !part.is_empty() && bytes + length > PORTION_BYTES {
            parts.push(std::mem::take(&mut part).into());
            bytes = 0;
        }
        part.push(*sequence);
        bytes += length;
    }
    parts.push(part.into());
    parts
}

impl From<Candidate> for Arrival {
    fn from(candidate: Candidate) -> Self {
        Self { sequence: candidate.sequence, id: candidate.id, document: candidate.document }
    }
}

/// Which sequence numbers were seen.
#[derive(Debug)]
struct Seen {
    /// Nothing new is expected at this number or below.
    horizon: i64,
    /// What was seen above the horizon.
    recent: BTreeSet<i64>,
    /// The greatest number seen at moments of the past, the oldest first.
    past: VecDeque<(Instant, i64)>,
    settle: Duration,
}

impl Seen {
    fn new(horizon: i64, engine: Engine) -> Self {
        let settle = match engine {
            // One writer: numbers are committed in their order.
            Engine::Sqlite => Duration::ZERO,
            Engine::Postgres => SETTLE,
        };
        Self { horizon, recent: BTreeSet::new(), past: VecDeque::new(), settle }
    }

    /// Takes what is there above the horizon at `now`, and gives what of it is new, at most a portion.
    fn add(&mut self, there: Vec<i64>, now: Instant) -> Vec<i64> {
        let mut new: Vec<i64> = there.into_iter().filter(|sequence| !self.recent.contains(sequence)).collect();
        new.truncate(PORTION);
        self.recent.extend(&new);
        if let Some(greatest) = self.recent.last() {
            self.past.push_back((now, *greatest));
        }
        while let Some((then, greatest)) = self.past.front().copied()
            && now.duration_since(then) >= self.settle
        {
            self.raise(greatest);
            self.past.pop_front();
        }
        while self.recent.len() > MOST_RECENT {
            if let Some(least) = self.recent.first().copied() {
                self.raise(least);
            }
        }
        new
    }

    fn raise(&mut self, horizon: i64) {
        self.horizon = self.horizon.max(horizon);
        self.recent = self.recent.split_off(&(self.horizon + 1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_are_committed_out_of_order_are_each_seen_once() {
        let mut seen = Seen::new(10, Engine::Postgres);
        let start = Instant::now();
        assert_eq!(seen.add(vec![11, 13], start), [11, 13]);
        assert_eq!(seen.add(vec![11, 12, 13], start + Duration::from_secs(1)), [12]);
        assert_eq!(seen.horizon, 10, "a lower number may still come");
        assert_eq!(seen.add(vec![11, 12, 13], start + SETTLE + Duration::from_secs(1)), [0_i64; 0]);
        assert_eq!((seen.horizon, seen.recent.len()), (13, 0));
        assert_eq!(seen.add(vec![14], start + SETTLE + Duration::from_secs(2)), [14]);
    }

    #[test]
    fn with_one_writer_nothing_is_looked_at_twice() {
        let mut seen = Seen::new(0, Engine::Sqlite);
        assert_eq!(seen.add(vec![1, 2], Instant::now()), [1, 2]);
        assert_eq!((seen.horizon, seen.recent.len()), (2, 0));
    }

    #[test]
    fn what_is_looked_back_at_is_bounded() {
        let mut seen = Seen::new(0, Engine::Postgres);
        let start = Instant::now();
        for first in (1..=30_000).step_by(PORTION) {
            let there = seen.recent.iter().copied().chain(first..first + 500).collect();
            assert_eq!(seen.add(there, start).len(), PORTION);
        }
        assert_eq!((seen.recent.len(), seen.horizon), (MOST_RECENT, 10_000));
    }
}
