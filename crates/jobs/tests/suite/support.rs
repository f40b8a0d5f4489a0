//! A catalog with jobs to try things on, and handlers made of closures.

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use futures::TryStreamExt;
use futures::future::BoxFuture;
use holotype_catalog::{Catalog, CatalogUrl, Row, Sql};
use holotype_core::{ActivityId, Caller, Clock, Instant, ProjectId, UserId};
use holotype_jobs::{
    Backoff, Failure, Handler, Job, JobError, JobEvent, JobFilter, JobRecord, Jobs, LogLine, NewJob, Options, State,
};
use holotype_testkit::postgres::{TestDatabase, database};
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// Runs each of the named async functions on a catalog of either engine.
macro_rules! on_both_engines {
    ($($name:ident),* $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                $crate::support::patiently(super::$name(&$crate::support::Lab::sqlite().await)).await;
            })*
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                $crate::support::patiently(super::$name(&$crate::support::Lab::postgres().await)).await;
            })*
        }
    };
}
pub(crate) use on_both_engines;

/// Long enough that only a fault reaches it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// A test that waits for what never comes ends in the end.
pub(crate) async fn patiently(test: impl Future<Output = ()>) {
    assert!(tokio::time::timeout(PATIENCE * 2, test).await.is_ok(), "the test waited in vain");
}

/// The time of day.
#[derive(Debug)]
pub(crate) struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Instant {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        Instant::from_micros(since.as_micros().try_into().unwrap())
    }
}

/// A catalog whose queue is set up.
pub(crate) struct Lab {
    pub catalog: Catalog,
    pub url: String,
    _place: Place,
}

/// What is removed with the lab.
#[expect(dead_code, reason = "held for their destructors")]
enum Place {
    Directory(tempfile::TempDir),
    Database(TestDatabase),
}

impl Lab {
    pub(crate) async fn sqlite() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", directory.path().join("catalog.db").display());
        Self::at(url, Place::Directory(directory), Arc::new(SystemClock)).await
    }

    pub(crate) async fn postgres() -> Self {
        let database = database().await;
        Self::at(database.url.clone(), Place::Database(database), Arc::new(SystemClock)).await
    }

    async fn at(url: String, place: Place, clock: Arc<dyn Clock>) -> Self {
        Catalog::initialise(&CatalogUrl::parse(&url).unwrap(), &*clock).await.unwrap();
        let catalog = Catalog::open(CatalogUrl::parse(&url).unwrap(), clock).await.unwrap();
        Jobs::setup(&catalog).await.unwrap();
        Self { catalog, url, _place: place }
    }

    /// The same catalog under another clock, as another host would open it.
    pub(crate) async fn opened_with(&self, clock: Arc<dyn Clock>) -> Catalog {
        Catalog::open(CatalogUrl::parse(&self.url).unwrap(), clock).await.unwrap()
    }

    pub(crate) fn jobs(&self) -> Jobs {
        self.jobs_with(options())
    }

    /// Jobs that share nothing with others but the catalog, as those of another process do.
    pub(crate) fn jobs_with(&self, options: Options) -> Jobs {
        Jobs::new(self.catalog.clone(), options)
    }

    pub(crate) async fn count(&self, sql: Sql) -> i64 {
        let rows: Vec<Row> = self.catalog.read(move |tx| Box::pin(tx.rows_sql(sql, Vec::new()))).await.unwrap();
        rows[0].get("count").unwrap()
    }

    /// How many tasks the queue holds, in whatever state.
    pub(crate) async fn tasks(&self) -> i64 {
        self.count(Sql {
            sqlite: "SELECT count(*) AS count FROM Jobs",
            postgres: "SELECT count(*) AS count FROM apalis.jobs",
        })
        .await
    }

    pub(crate) async fn execute(&self, sql: Sql) -> u64 {
        self.catalog.write(move |tx| Box::pin(tx.exec_sql(sql, Vec::new()))).await.unwrap()
    }
}

/// Patient with a loaded machine, impatient with itself: leases last as long as in a service, everything else is quick.
pub(crate) fn options() -> Options {
    Options {
        poll: Duration::from_millis(50),
        reconcile: Duration::from_millis(100),
        flush: Duration::from_millis(5),
        grace: Duration::from_millis(100),
        restart: Duration::from_millis(20),
        backoff: Backoff { first: Duration::from_millis(10), most: Duration::from_millis(20) },
        administrative: vec!["admin.only"],
        ..Options::default()
    }
}

/// Waits long enough between attempts for everybody to look.
pub(crate) fn unhurried() -> Options {
    Options { backoff: Backoff { first: Duration::from_secs(2), most: Duration::from_secs(2) }, ..options() }
}

/// Gives many signs of life, and is as patient as ever.
pub(crate) fn lively() -> Options {
    Options { heartbeat: Duration::from_millis(50), missed_heartbeats: 300, ..options() }
}

/// Takes a silence of this length for death.
pub(crate) fn judging_after(lease: Duration) -> Options {
    Options { heartbeat: lease, missed_heartbeats: 1, ..options() }
}

/// Waits until `judge` has taken a job from a silent worker.
pub(crate) async fn taken_away(judge: &Jobs) {
    while judge.reconcile().await.unwrap().leases_lost == 0 {
        tokio::time::sleep(options().reconcile).await;
    }
}

pub(crate) fn owner() -> Caller {
    Catalog::local_owner()
}

pub(crate) fn new_job(kind: &str) -> NewJob {
    NewJob::new(kind, ProjectId::DEFAULT, UserId::LOCAL, json!({}))
}

pub(crate) async fn enqueue(jobs: &Jobs, catalog: &Catalog, job: NewJob) -> ActivityId {
    let jobs = jobs.clone();
    let work = catalog.write(move |tx| {
        let (jobs, job) = (jobs.clone(), job.clone());
        Box::pin(async move { jobs.enqueue(tx, &job).await })
    });
    work.await.unwrap()
}

impl Lab {
    pub(crate) async fn enqueue(&self, jobs: &Jobs, job: NewJob) -> ActivityId {
        enqueue(jobs, &self.catalog, job).await
    }
}

/// The job once `wanted` holds for it.
pub(crate) async fn until(jobs: &Jobs, id: ActivityId, wanted: impl Fn(&JobRecord) -> bool) -> JobRecord {
    let looking = async {
        loop {
            let job = jobs.get(&owner(), id).await.unwrap();
            if wanted(&job) {
                return job;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    match tokio::time::timeout(PATIENCE, looking).await {
        Ok(job) => job,
        Err(_) => panic!("waited in vain; the job is {:?}", jobs.get(&owner(), id).await),
    }
}

/// The job once it has come to an end.
pub(crate) async fn ended(jobs: &Jobs, id: ActivityId) -> JobRecord {
    until(jobs, id, |job| job.state.is_final()).await
}

pub(crate) async fn running(jobs: &Jobs, id: ActivityId) -> JobRecord {
    until(jobs, id, |job| job.state == State::Running).await
}

pub(crate) async fn log_of(jobs: &Jobs, id: ActivityId) -> Vec<LogLine> {
    jobs.log(&owner(), id, 0).await.unwrap()
}

pub(crate) async fn log_texts(jobs: &Jobs, id: ActivityId) -> Vec<String> {
    log_of(jobs, id).await.into_iter().map(|line| line.text).collect()
}

pub(crate) async fn listed(jobs: &Jobs, caller: &Caller) -> Vec<ActivityId> {
    let page = jobs.list(caller, JobFilter::default(), None, 100).await.unwrap();
    page.items.into_iter().map(|job| job.id).collect()
}

/// Everything that is told of a job from now to its end.
pub(crate) async fn events(jobs: &Jobs, id: ActivityId, after: i64) -> Vec<JobEvent> {
    let stream = jobs.watch(&owner(), id, after).await.unwrap();
    tokio::time::timeout(PATIENCE, stream.try_collect()).await.unwrap().unwrap()
}

type Run = Box<dyn Fn(Job) -> BoxFuture<'static, Result<Value, Failure>> + Send + Sync>;

/// A handler made of a closure.
pub(crate) struct Closure {
    kind: &'static str,
    run: Run,
}

#[async_trait]
impl Handler for Closure {
    fn kind(&self) -> &'static str {
        self.kind
    }

    async fn run(&self, job: &Job) -> Result<Value, Failure> {
        (self.run)(job.clone()).await
    }
}

pub(crate) fn handler<F, R>(kind: &'static str, run: F) -> Arc<dyn Handler>
where
    F: Fn(Job) -> R + Send + Sync + 'static,
    R: Future<Output = Result<Value, Failure>> + Send + 'static,
{
    Arc::new(Closure { kind, run: Box::new(move |job| Box::pin(run(job))) })
}

/// How often something happened.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tally(Arc<AtomicU64>);

impl Tally {
    pub(crate) fn add(&self) -> u64 {
        self.0.fetch_add(1, Ordering::SeqCst) + 1
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.get().fmt(f)
    }
}

/// A handler that counts how often it runs and answers with the count.
pub(crate) fn counting(kind: &'static str, tally: &Tally) -> Arc<dyn Handler> {
    let tally = tally.clone();
    handler(kind, move |_| {
        let tally = tally.clone();
        async move { Ok(json!(tally.add())) }
    })
}

/// Workers that stop with this value.
pub(crate) struct Workers {
    shutdown: CancellationToken,
    running: JoinHandle<Result<(), JobError>>,
}

impl Workers {
    pub(crate) fn start(jobs: &Jobs, concurrency: usize, handlers: Vec<Arc<dyn Handler>>) -> Self {
        let shutdown = CancellationToken::new();
        let (jobs, token) = (jobs.clone(), shutdown.clone());
        let running = tokio::spawn(async move { jobs.run_workers(handlers, concurrency, token).await });
        Self { shutdown, running }
    }

    /// Drops them in the middle, without a word.
    pub(crate) fn abandon(self) {
        self.running.abort();
    }

    pub(crate) async fn stop(self) {
        self.shutdown.cancel();
        tokio::time::timeout(PATIENCE, self.running).await.unwrap().unwrap().unwrap();
    }
}
