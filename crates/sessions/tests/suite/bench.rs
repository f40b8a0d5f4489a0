//! A catalog with a store, frames that some may have, and operations that do as they are told.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use holotype_blobs::{BlobOptions, Blobs, Held};
use holotype_catalog::{Catalog, CatalogUrl};
use holotype_core::{Caller, Digest, ProjectId, UserId};
use holotype_jobs::{Jobs, Options};
use holotype_sessions::{
    BroughtInput, Description, FrameSource, Input, InputError, InputItem, Kind, OperateHandler, Operation,
    OperationError, OperationId, OperationRecord, Outcome, Place, Product, Resolved, SessionError, SessionId,
    SessionRequest, Sessions, Settings, Status, Work,
};
use holotype_store::{Location, Store};
use holotype_testkit::clock::HandClock;
use holotype_testkit::postgres::{self, TestDatabase};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

/// Frames by their names, and who may have them; everybody if nobody is named.
#[derive(Debug, Default)]
pub(crate) struct Frames(Mutex<HashMap<String, (Held, Option<UserId>)>>);

#[async_trait]
impl FrameSource for Frames {
    async fn resolve(&self, caller: &Caller, item: &InputItem) -> Result<Resolved, InputError> {
        let known = self.0.lock().unwrap().get(&item.basename).cloned();
        let absent = InputError::Absent { basename: item.basename.clone(), place: "the archive" };
        let (held, owner) = known.ok_or_else(|| absent.clone())?;
        if owner.is_some_and(|owner| owner != caller.user) {
            return Err(absent);
        }
        let file_name = format!("{}.fits", item.basename);
        let place = match item.basename.starts_with("far") {
            true => Place::Elsewhere { reference: json!({ "basename": item.basename }) },
            false => Place::Held { digest: held.digest, size: held.size },
        };
        Ok(Resolved { version: format!("sha256:{}", held.digest), file_name, place })
    }

    async fn bring(&self, _: UserId, _: ProjectId, reference: &Value) -> Result<BroughtInput, InputError> {
        let name = reference["basename"].as_str().unwrap();
        match self.0.lock().unwrap().get(name) {
            Some((held, _)) if name != "far-dead" => Ok(BroughtInput { digest: held.digest, size: held.size }),
            _ => Err(InputError::Unavailable { problem: "the archive does not answer".to_owned() }),
        }
    }
}

/// What the operations of a bench have done, and what holds them up.
#[derive(Debug, Default)]
pub(crate) struct Gate {
    /// Executions that began.
    pub(crate) begun: AtomicUsize,
    /// Whether those that wait may go on.
    pub(crate) open: std::sync::atomic::AtomicBool,
}

/// Does as its `mode` says: `copy` its files, `measure` them, `wait` before it copies, `refuse`, or `panic`.
struct Trial(Description, Arc<Gate>);

impl Operation for Trial {
    fn description(&self) -> &Description {
        &self.0
    }

    fn run(&self, work: &Work) -> Result<Outcome, OperationError> {
        self.1.begun.fetch_add(1, Ordering::SeqCst);
        let files = work.files("input_files");
        match work.text("mode")? {
            "refuse" => return Err(OperationError::refused("these frames have nothing in common")),
            "panic" => panic!("as told"),
            "measure" => {
                let kept = work.keep("-1-diagnostic.jpg", &files[0].path)?;
                return Ok(Outcome::Data(vec![json!({ "files": files.len(), "mag": null, "image": { "a": kept } })]));
            }
            "wait" => {
                while !self.1.open.load(Ordering::SeqCst) {
                    work.report("Waiting", 0.25)?;
                    std::thread::sleep(Duration::from_millis(5));
                }
            }
            _ => {}
        }
        for (index, file) in files.iter().enumerate() {
            work.report("Copying", index as f64 / files.len() as f64)?;
            let copy = work.file(&format!("{index}.fits"));
            std::fs::copy(&file.path, &copy)?;
            let pictures = (Some(copy.clone()), Some(copy.clone()));
            let product =
                Product { number: Some(index + 1), fits: Some(copy), large: pictures.0, small: pictures.1, tif: None };
            work.publish(&product)?;
        }
        Ok(Outcome::Products)
    }
}

fn trial() -> Description {
    let input = |key, kind| Input { key, name: "Field", text: "What is needed.", kind };
    let options = &["copy", "measure", "wait", "refuse", "panic"];
    Description {
        name: "Trial",
        text: "Does as it is told.",
        inputs: vec![
            input("input_files", Kind::Fits { minimum: 1, maximum: 9, filters: &[], channels: false }),
            input("mode", Kind::Select { options, default: "copy" }),
        ],
    }
}

/// Sessions in a temporary folder.
pub(crate) struct Bench {
    pub(crate) sessions: Sessions,
    pub(crate) catalog: Catalog,
    pub(crate) blobs: Blobs,
    pub(crate) jobs: Jobs,
    pub(crate) clock: Arc<HandClock>,
    pub(crate) gate: Arc<Gate>,
    pub(crate) ann: Caller,
    pub(crate) folder: tempfile::TempDir,
    frames: Arc<Frames>,
    workers: Mutex<Option<CancellationToken>>,
    _database: Option<TestDatabase>,
}

impl Bench {
    pub(crate) async fn sqlite() -> Self {
        Self::make(None).await
    }

    pub(crate) async fn postgres() -> Self {
        Self::make(Some(postgres::database().await)).await
    }

    async fn make(database: Option<TestDatabase>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(HandClock::default());
        let url = match &database {
            Some(database) => CatalogUrl::parse(&database.url).unwrap(),
            None => CatalogUrl::from(folder.path().join("catalog.db").as_path()),
        };
        Catalog::initialise(&url, &*clock).await.unwrap();
        let catalog = Catalog::open(url, clock.clone()).await.unwrap();
        Jobs::setup(&catalog).await.unwrap();
        let store =
            Store::open(Location::Directory(folder.path().join("store")), folder.path().join("staging")).unwrap();
        let hour = Duration::from_secs(3_600);
        let options = BlobOptions { pin: hour, grace: hour, spool: folder.path().join("spool") };
        let blobs = Blobs::open(store, catalog.clone(), options).unwrap();
        let quick = Duration::from_millis(20);
        let jobs = Jobs::new(catalog.clone(), Options { flush: quick, poll: quick, ..Options::default() });
        let (frames, gate) = (Arc::new(Frames::default()), Arc::new(Gate::default()));
        let settings = Settings { scratch: folder.path().join("scratch"), time_limit: hour };
        let operations: Vec<Arc<dyn Operation>> = vec![Arc::new(Trial(trial(), Arc::clone(&gate)))];
        let source: Arc<dyn FrameSource> = Arc::clone(&frames) as _;
        let sessions = Sessions::new(catalog.clone(), blobs.clone(), jobs.clone(), source, operations, settings);
        let ann = user(&catalog, "ann").await;
        let (workers, database) = (Mutex::default(), database);
        Self { sessions, catalog, blobs, jobs, clock, gate, ann, folder, frames, workers, _database: database }
    }

    /// Works on jobs from now on.
    pub(crate) fn work(&self) {
        let (jobs, stop) = (self.jobs.clone(), CancellationToken::new());
        let handler = Arc::new(OperateHandler::new(self.sessions.clone()));
        *self.workers.lock().unwrap() = Some(stop.clone());
        tokio::spawn(async move { jobs.run_workers(vec![handler], 4, stop).await.unwrap() });
    }

    pub(crate) async fn user(&self, name: &str) -> Caller {
        user(&self.catalog, name).await
    }

    pub(crate) async fn frame(&self, name: &str, bytes: &[u8], owner: Option<&Caller>) -> Digest {
        let mut upload = self.blobs.begin();
        upload.write(bytes).await.unwrap();
        let held = upload.finish().await.unwrap();
        let digest = held.digest;
        self.frames.0.lock().unwrap().insert(name.to_owned(), (held, owner.map(|owner| owner.user)));
        digest
    }

    pub(crate) async fn session(&self, caller: &Caller) -> SessionId {
        let request = SessionRequest::read(&json!({ "name": "a night" })).unwrap();
        self.sessions.create(caller, caller.project, request).await.unwrap().id
    }

    pub(crate) async fn ask(
        &self,
        caller: &Caller,
        session: SessionId,
        names: &[&str],
        mode: &str,
    ) -> Result<OperationRecord, SessionError> {
        let files: Vec<Value> = names.iter().map(|name| json!({ "basename": name, "source": "archive" })).collect();
        let body = json!({ "name": "Trial", "input_data": { "input_files": files, "mode": mode } });
        self.sessions.operate(caller, session, &body).await
    }

    pub(crate) async fn look(&self, caller: &Caller, id: OperationId) -> OperationRecord {
        self.sessions.operation_record(caller, id).await.unwrap()
    }

    /// The operation once it is as wanted.
    pub(crate) async fn until(
        &self,
        caller: &Caller,
        id: OperationId,
        wanted: impl Fn(&OperationRecord) -> bool,
    ) -> OperationRecord {
        loop {
            let found = self.look(caller, id).await;
            if wanted(&found) {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    pub(crate) async fn ended(&self, caller: &Caller, id: OperationId) -> OperationRecord {
        self.until(caller, id, |found| matches!(found.status, Status::Completed | Status::Failed)).await
    }

    /// Executions that began so far.
    pub(crate) fn begun(&self) -> usize {
        self.gate.begun.load(Ordering::SeqCst)
    }

    /// What is left in scratch folders, once those that were in use are gone.
    pub(crate) async fn scratch_is_empty(&self) {
        let folder = self.folder.path().join("scratch");
        while std::fs::read_dir(&folder).is_ok_and(|mut entries| entries.next().is_some()) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        if let Some(stop) = &*self.workers.lock().unwrap() {
            stop.cancel();
        }
    }
}

async fn user(catalog: &Catalog, name: &str) -> Caller {
    let user = catalog.create_user(&Catalog::local_owner(), name, None, false).await.unwrap();
    let caller =
        Caller { user: user.id, name: name.to_owned(), token: None, project: ProjectId::DEFAULT, admin: false };
    let project = catalog.create_project(&caller, &format!("{name}'s")).await.unwrap().id;
    Caller { project, ..caller }
}
