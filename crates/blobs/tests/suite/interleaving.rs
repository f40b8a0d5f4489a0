//! Puts, releases and sweeps at the same time, in every order that a script can make.
//!
//! Every publication and every deletion of bytes stops before it is done and after it is done, until the script lets it go on. So
//! a script decides who comes first at each step, and can hold one actor for days of the hand-turned clock while others pass it. At every step,
//! whatever a record names must be there; and in the end nothing else may be.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use futures::TryStreamExt;
use holotype_blobs::{BlobError, Blobs};
use holotype_catalog::{Catalog, CatalogError};
use holotype_core::Digest;
use holotype_store::Verdict;
use holotype_testkit::fault::Operation;
use proptest::prelude::*;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::oneshot;

use crate::bench::{Bench, GRACE, PIN, on, put, read, reference, release};

/// Few contents, so that actors meet.
const CONTENTS: u8 = 3;

/// How far the clock may move while a sweep is under way: it is given up to half of the time its claims are good for.
const DURING_A_SWEEP: Duration = Duration::from_secs(300);

tokio::task_local! {
    /// Set in the tasks of actors; the test's own calls to the store pass the gate.
    static ACTOR: usize;
}

#[derive(Debug, Clone)]
enum Step {
    Put(u8),
    Release(usize),
    Sweep,
    Pass(Duration),
    /// Lets one of the waiting calls go on.
    Go(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let time = prop_oneof![2 => Just(Duration::from_secs(20)), 1 => Just(PIN), 3 => Just(PIN + GRACE)];
    prop_oneof![
        3 => (0..CONTENTS).prop_map(Step::Put),
        3 => any::<usize>().prop_map(Step::Release),
        4 => Just(Step::Sweep),
        5 => time.prop_map(Step::Pass),
        8 => any::<usize>().prop_map(Step::Go),
    ]
}

enum Event {
    Waiting(oneshot::Sender<()>),
    /// A put has ended, and its record names this.
    Named(String, Digest),
    /// A put has been told that the blob is gone, and to come again.
    Refused,
    Released,
    Swept,
    Failed(String),
}

/// What the script knows of the world.
struct World {
    bench: Bench,
    events: UnboundedReceiver<Event>,
    sender: UnboundedSender<Event>,
    waiting: Vec<oneshot::Sender<()>>,
    named: BTreeMap<String, Digest>,
    actors: usize,
    running: usize,
    sweeps: usize,
    passed_during_sweep: Duration,
}

impl World {
    fn new(bench: Bench) -> Self {
        let (sender, events) = unbounded_channel();
        let gate = sender.clone();
        bench.faults.gate(move |operation| {
            let gate = gate.clone();
            Box::pin(async move {
                let stops = matches!(operation, Operation::Put | Operation::Rename | Operation::Delete);
                if stops && ACTOR.try_with(|_| ()).is_ok() {
                    let (go, wait) = oneshot::channel();
                    gate.send(Event::Waiting(go)).unwrap();
                    wait.await.unwrap();
                }
            })
        });
        Self {
            bench,
            events,
            sender,
            waiting: Vec::new(),
            named: BTreeMap::new(),
            actors: 0,
            running: 0,
            sweeps: 0,
            passed_during_sweep: Duration::ZERO,
        }
    }

    fn start(&mut self, work: impl Future<Output = Event> + Send + 'static) {
        let (sender, actor) = (self.sender.clone(), self.actors);
        tokio::spawn(async move {
            let ended = tokio::spawn(ACTOR.scope(actor, work)).await;
            sender.send(ended.unwrap_or_else(|panicked| Event::Failed(panicked.to_string()))).unwrap();
        });
        self.actors += 1;
        self.running += 1;
    }

    async fn take(&mut self, step: Step) {
        match step {
            Step::Put(content) => {
                let (blobs, catalog) = (self.bench.blobs.clone(), self.bench.catalog.clone());
                self.start(put_and_name(blobs, catalog, content, format!("record-{}", self.actors)));
            }
            Step::Release(choice) => {
                // From here on the bytes may go, whenever the release is done.
                let Some(record) = self.named.keys().nth(choice % self.named.len().max(1)).cloned() else { return };
                self.named.remove(&record);
                let catalog = self.bench.catalog.clone();
                self.start(async move {
                    release(&catalog, &record).await;
                    Event::Released
                });
            }
            Step::Sweep => {
                let blobs = self.bench.blobs.clone();
                self.sweeps += 1;
                self.start(async move {
                    let mut plan = blobs.sweep_plan().await.unwrap();
                    // By this clock an upload may stand still for days, and its file with it; that is not what is tried here.
                    plan.stale_staging.clear();
                    blobs.sweep(&plan, on).await.unwrap();
                    Event::Swept
                });
            }
            Step::Pass(time) => {
                if self.sweeps > 0 {
                    if self.passed_during_sweep + time > DURING_A_SWEEP {
                        return;
                    }
                    self.passed_during_sweep += time;
                }
                self.bench.clock.advance(time);
            }
            Step::Go(choice) => {
                if !self.waiting.is_empty() {
                    self.waiting.swap_remove(choice % self.waiting.len()).send(()).unwrap();
                }
            }
        }
        self.settle().await;
        self.everything_named_is_there().await;
    }

    /// Takes note of what has happened, until nothing does for a moment. How long the moment is decides what is tried, not what is true.
    async fn settle(&mut self) {
        while let Ok(Some(event)) = tokio::time::timeout(Duration::from_millis(15), self.events.recv()).await {
            self.note(event);
            if self.events.is_empty() && self.waiting.len() == self.running {
                return;
            }
        }
    }

    fn note(&mut self, event: Event) {
        self.running -= usize::from(!matches!(event, Event::Waiting(_)));
        match event {
            Event::Waiting(go) => self.waiting.push(go),
            Event::Named(record, digest) => drop(self.named.insert(record, digest)),
            Event::Swept => {
                self.sweeps -= 1;
                if self.sweeps == 0 {
                    self.passed_during_sweep = Duration::ZERO;
                }
            }
            Event::Refused | Event::Released => {}
            Event::Failed(how) => panic!("{how}"),
        }
    }

    async fn everything_named_is_there(&self) {
        for (record, digest) in &self.named {
            assert_eq!(self.bench.store.head(*digest).await.unwrap(), Some(1), "{record} names bytes that are gone");
        }
    }

    /// Lets everyone come to an end, lets all time pass, and sweeps.
    async fn end(mut self) {
        while self.running > 0 {
            for go in std::mem::take(&mut self.waiting) {
                go.send(()).unwrap();
            }
            match tokio::time::timeout(Duration::from_millis(200), self.events.recv()).await {
                Ok(event) => self.note(event.unwrap()),
                // A put waits for a deletion that a sweep gave up, and may take it over in time.
                Err(_) if self.sweeps == 0 => self.bench.let_everything_expire(),
                Err(_) => {}
            }
            self.everything_named_is_there().await;
        }
        // Whatever has happened, the next put succeeds, once what was given up may be taken over.
        self.bench.let_everything_expire();
        let held = self.bench.put(&[0]).await;
        reference(&self.bench.catalog, &held, "last").await.unwrap();
        self.named.insert("last".into(), held.digest);
        // Twice: what a sweep gave up is finished by the next.
        for _ in 0..2 {
            self.bench.let_everything_expire();
            self.bench.sweep().await;
        }
        let expected: BTreeSet<Digest> = self.named.values().copied().collect();
        let listed: Vec<Digest> = self.bench.store.list().map_ok(|blob| blob.digest).try_collect().await.unwrap();
        assert_eq!(listed.into_iter().collect::<BTreeSet<_>>(), expected);
        for content in 0..CONTENTS {
            let digest = Digest::of(&[content]);
            let named = self.named.values().filter(|named| **named == digest).count() as u64;
            assert_eq!(self.bench.info(digest).await.map_or(0, |info| info.references), named);
            let verdict = self.bench.store.verify(digest).await.unwrap();
            let right = if named > 0 { Verdict::Intact { size: 1 } } else { Verdict::Absent };
            assert_eq!((verdict, self.bench.info(digest).await.is_some()), (right, named > 0));
        }
    }
}

async fn put_and_name(blobs: Blobs, catalog: Catalog, content: u8, record: String) -> Event {
    match put(&blobs, &[content]).await {
        Ok(held) => match reference(&catalog, &held, &record).await {
            Ok(()) => Event::Named(record, held.digest),
            Err(CatalogError::BlobGone { .. }) => Event::Refused,
            Err(error) => panic!("{error}"),
        },
        // Held up for days between the upload and the look at it, it finds that a sweep has taken the blob.
        Err(BlobError::BeingDeleted { .. } | BlobError::Store(_)) => Event::Refused,
        Err(error) => panic!("{error}"),
    }
}

fn run(script: Vec<Step>, bench: impl Future<Output = Bench>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut world = World::new(bench.await);
        for step in script {
            world.take(step).await;
        }
        world.end().await;
    });
}

fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, max_shrink_iters: 100, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(cases(12))]

    #[test]
    fn whatever_comes_first_what_is_named_is_there_in_memory(script in prop::collection::vec(step(), 30..120)) {
        run(script, Bench::in_memory());
    }

    #[test]
    fn whatever_comes_first_what_is_named_is_there_on_disk(script in prop::collection::vec(step(), 30..120)) {
        run(script, Bench::on_disk());
    }

    #[test]
    fn whatever_comes_first_what_is_named_is_there_with_postgres(script in prop::collection::vec(step(), 30..120)) {
        run(script, Bench::on_postgres());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_at_once_on_a_disk_lose_nothing() {
    let bench = Arc::new(Bench::on_disk().await);
    let workers = (0..4_u8).map(|worker| {
        let bench = Arc::clone(&bench);
        tokio::spawn(async move {
            let (mut kept, mut refused) = (0, 0);
            for round in 0..25_u8 {
                let (content, record) = ([round % CONTENTS], format!("{worker}-{round}"));
                let held = bench.put(&content).await;
                match reference(&bench.catalog, &held, &record).await {
                    Ok(()) => kept += 1,
                    Err(CatalogError::BlobGone { .. }) => {
                        refused += 1;
                        continue;
                    }
                    Err(error) => panic!("{error}"),
                }
                assert_eq!(read(&bench.blobs, held.digest).await.unwrap(), content);
                bench.release(&record).await;
            }
            kept + refused
        })
    });
    let workers: Vec<_> = workers.collect();
    let mut removed = 0;
    while workers.iter().any(|worker| !worker.is_finished()) {
        bench.let_everything_expire();
        let mut plan = bench.blobs.sweep_plan().await.unwrap();
        plan.stale_staging.clear();
        removed += bench.blobs.sweep(&plan, on).await.unwrap().blobs;
    }
    for worker in workers {
        assert_eq!(worker.await.unwrap(), 25);
    }
    assert!(removed > 0, "no sweep came between");
}
