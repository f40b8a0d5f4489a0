//! A fetch from its beginning to its end.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs::File;
use std::num::NonZero;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::stream::{self, TryStreamExt};
use holotype_core::ActivityId;
use holotype_jobs::{Job, Level};
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;
use tokio_util::task::AbortOnDropHandle;

use super::config::{ArchiveConfig, FetchConfig, Window};
use super::configuration::Template;
use super::fields::Fields;
use super::files::{self, Claim};
use super::frame_list::FrameList;
use super::log_file::LogFile;
use super::model::{Fetch, FrameState};
use super::place::Settling;
use super::plan::{Judgement, Planned};
use super::report::Report;
use super::rules::Rules;
use super::table::{self, Shelf, Waiting};
use crate::source::declared::Unpack;
use crate::source::{ArchiveSource, Download, Listed};
use crate::{ArchiveError, Archives};

/// The list of every frame that was put in its place.
pub(super) const MAIN_LIST: &str = "main_data_list.txt";

/// Frames that are read from the plan at a time.
const PAGE: i64 = 100;

/// Addresses that are kept from the plan for the transfer; beyond them each is asked for again.
const ADDRESSES: usize = 5000;

/// Frames beyond those on the network that may be unpacked, or be ready and wait for one before them.
const AHEAD: usize = 16;

/// What is to be fetched, and how.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FetchRequest {
    /// What the configuration is called.
    pub name: String,
    /// The configuration.
    pub config: FetchConfig,
    /// Which frames are wanted, and where they go.
    pub rules: Rules,
    /// Rules that the definition of an archive brings along, by the archive's key.
    #[serde(default)]
    pub places: BTreeMap<String, Rules>,
    /// What such a definition says of packed files, by the archive's key and the end of their names.
    #[serde(default)]
    pub unpacking: BTreeMap<String, BTreeMap<String, Unpack>>,
    /// The texts of the definitions of archives that are not of the OCS kind, by their keys.
    #[serde(default)]
    pub definitions: BTreeMap<String, String>,
    /// The template of a dataset's configuration.
    pub template: Template,
    /// The observations to ask for.
    pub window: Window,
    /// What the user chose.
    pub options: FetchOptions,
}

/// What a user may choose about a fetch.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FetchOptions {
    /// Keep a `data_summary.txt` in every dataset's directory; without it only one that is there is added to.
    pub data_summary: bool,
    /// Let a frame that was reduced anew replace a file that was changed since it was placed.
    pub replace_amended: bool,
}

/// The archives of a configuration, in its order; nothing for one that is not active.
pub type Sources = Vec<Option<Arc<dyn ArchiveSource>>>;

/// A fetch under way.
pub(super) struct Run {
    pub archives: Archives,
    pub request: FetchRequest,
    pub sources: Sources,
    pub id: ActivityId,
    pub project: holotype_core::ProjectId,
    /// What the root of the sorted directories is called in the catalog.
    tree: String,
    log: LogFile,
    lists: Mutex<Lists>,
    addresses: Mutex<HashMap<i64, Download>>,
    /// Turns at making files: more at a time than the machine has cores would only keep it from those that arrive.
    pub making: Arc<Semaphore>,
    _claims: Vec<Claim>,
}

/// The lists that name every placed frame.
struct Lists {
    main: FrameList,
    /// The one that the configuration names, where it exists.
    named: Option<FrameList>,
}

impl Archives {
    /// Does a fetch as a job: plans, transfers, checks, unpacks, sorts, configures, and accounts for every frame.
    ///
    /// It may be begun again after any end, also that of its process: what was done is not done twice.
    ///
    /// # Errors
    /// What keeps the whole fetch from going on. What is wrong with one frame or one archive is in the report.
    pub async fn fetch(&self, job: &Job, request: FetchRequest, sources: Sources) -> Result<Report, ArchiveError> {
        let run = Arc::new(Run::open(self.clone(), job, request, sources)?);
        run.begin(job).await?;
        let planned = run.plan(job).await?;
        run.carry_out(job, &planned).await?;
        run.end(job, planned).await
    }
}

impl Run {
    fn open(archives: Archives, job: &Job, request: FetchRequest, sources: Sources) -> Result<Self, ArchiveError> {
        let config = &request.config;
        for directory in [&config.download_directory, &config.reduction_directory] {
            if !directory.is_dir() {
                return Err(ArchiveError::file(directory, "it is not there, or no directory: make it first"));
            }
        }
        let log = LogFile::open(&config.log_directory)?;
        let mut claims = vec![Claim::take(&config.reduction_directory)?];
        if !same_directory(&config.download_directory, &config.reduction_directory) {
            claims.push(Claim::take(&config.download_directory)?);
        }
        let main = FrameList::open_or_create(&config.log_directory.join(MAIN_LIST))?;
        let named = FrameList::open(&config.frame_list)?;
        let lists = Mutex::new(Lists { main, named });
        let tree = tree_of(config);
        let making = Arc::new(Semaphore::new(std::thread::available_parallelism().map_or(1, NonZero::get)));
        Ok(Self {
            archives,
            request,
            sources,
            id: job.id,
            project: job.project,
            tree,
            log,
            lists,
            addresses: Mutex::default(),
            making,
            _claims: claims,
        })
    }

    /// Writes down what is to be fetched. Whoever has the tree's lock knows that no other fetch of it runs, whatever is written.
    async fn begin(&self, job: &Job) -> Result<(), ArchiveError> {
        let Window { start, end } = self.request.window;
        self.say(job, "Process start with opening log for data_download");
        self.say(job, &format!("Searching for data taken between {start} and {end}"));
        let config = serde_json::to_string(&self.request.config).map_err(ArchiveError::internal)?;
        let fetch = Fetch {
            id: job.id,
            project: job.project,
            agent: job.agent,
            name: self.request.name.clone(),
            tree: self.tree.clone(),
            config: self.request.config.clone(),
            window: self.request.window,
            created_at: self.archives.catalog().clock().now(),
            report: None,
            undone_at: None,
        };
        let running = self
            .archives
            .catalog()
            .write({
                let job = job.clone();
                move |tx| {
                    let (job, fetch, config) = (job.clone(), fetch.clone(), config.clone());
                    Box::pin(async move {
                        job.fence(tx).await?;
                        table::insert_fetch(tx, &fetch, &config).await?;
                        table::forget_unfinished(tx, fetch.id).await?;
                        Ok::<_, ArchiveError>(table::running_in(tx, &fetch.tree).await?)
                    })
                }
            })
            .await?;
        for other in running.into_iter().filter(|other| *other != job.id) {
            self.archives.jobs().give_up(other).await?;
        }
        Ok(())
    }

    /// Fetches what is planned: several frames at a time, each put in its place in the archive's order.
    ///
    /// Each frame is made ready by a task of its own: what a task holds, a connection for example, is not held while nobody
    /// looks after it.
    async fn carry_out(self: &Arc<Self>, job: &Job, planned: &Planned) -> Result<(), ArchiveError> {
        let connections = self.sources.iter().flatten().map(|source| source.limits().connections).max().unwrap_or(1);
        let begin = |waiting| {
            let (run, job) = (Arc::clone(self), job.clone());
            let task = AbortOnDropHandle::new(tokio::spawn(async move { run.prepare(&job, waiting).await }));
            async move { task.await.map_err(ArchiveError::internal) }
        };
        let mut frames = std::pin::pin!(self.waiting().map_ok(begin).try_buffered(connections + AHEAD));
        let (mut settling, mut done) = (Settling::default(), 0_i64);
        loop {
            let next = tokio::select! {
                next = frames.try_next() => next?,
                () = job.cancellation() => {
                    self.settle(job, &mut settling).await?;
                    return Err(ArchiveError::Stopped);
                }
            };
            let Some(prepared) = next else { break };
            self.place(job, prepared, &mut settling).await?;
            done += 1;
            let share = done as f64 / planned.to_fetch.max(1) as f64;
            job.progress(share, format!("{done} of {} frames", planned.to_fetch));
        }
        self.settle(job, &mut settling).await
    }

    /// The planned frames, read page by page.
    fn waiting(&self) -> impl stream::Stream<Item = Result<Waiting, ArchiveError>> + '_ {
        let pages = stream::try_unfold(-1_i64, move |after| async move {
            let fetch = self.id;
            let page = self.archives.catalog().read(move |tx| Box::pin(table::waiting(tx, fetch, after, PAGE))).await?;
            let last = page.last().map(|waiting| waiting.position);
            Ok::<_, ArchiveError>(last.map(|last| (stream::iter(page.into_iter().map(Ok)), last)))
        });
        pages.try_flatten()
    }

    async fn end(&self, job: &Job, planned: Planned) -> Result<Report, ArchiveError> {
        self.lists().main.flush()?;
        let fetch = self.id;
        let tally = self.archives.catalog().read(move |tx| Box::pin(table::tally(tx, fetch))).await?;
        let report = Report::new(self.request.window, tally, planned);
        if report.is_complete() {
            self.remove_remains()?;
        }
        for line in report.lines() {
            self.say(job, &line);
        }
        let (text, job) = (serde_json::to_string(&report).map_err(ArchiveError::internal)?, job.clone());
        self.archives
            .catalog()
            .write(move |tx| {
                let (text, job) = (text.clone(), job.clone());
                Box::pin(async move {
                    job.fence(tx).await?;
                    Ok::<_, ArchiveError>(table::report(tx, fetch, &text).await?)
                })
            })
            .await?;
        self.note("Processing complete.");
        Ok(report)
    }

    /// Removes what earlier fetches that were killed left of frames that need it no more.
    fn remove_remains(&self) -> Result<(), ArchiveError> {
        for directory in self.directories() {
            let failed = |error| ArchiveError::io(&directory, "cannot be read", error);
            for entry in std::fs::read_dir(&directory).map_err(failed)? {
                let path = entry.map_err(failed)?.path();
                if files::is_hidden(&path) && !files::is_lock(&path) {
                    std::fs::remove_file(&path).map_err(|error| ArchiveError::io(&path, "cannot be removed", error))?;
                }
            }
        }
        Ok(())
    }

    /// Where frames arrive, and the root of the tree: one directory, or two.
    fn directories(&self) -> HashSet<PathBuf> {
        let config = &self.request.config;
        HashSet::from([config.reduction_directory.clone(), config.download_directory.clone()])
    }

    /// Says something in the job's log and in the pipeline's.
    pub(super) fn say(&self, job: &Job, text: &str) {
        job.log(Level::Info, text);
        self.note(text);
    }

    /// Says something in the pipeline's log only.
    pub(super) fn note(&self, text: &str) {
        self.log.say(self.archives.catalog().clock().now(), text);
    }

    /// Says of a listed frame what the pipeline says.
    pub(super) fn say_listed(
        &self,
        listed: &Listed,
        fields: Fields<'_>,
        archive: &ArchiveConfig,
        judgement: &Judgement,
    ) {
        let field = |name: &str| fields.text(name).unwrap_or_default();
        match (judgement.state, &judgement.reason) {
            (FrameState::Planned, _) => self.note(&format!(
                "{} archive entry: {} {} {} {} {}",
                archive.name,
                listed.name,
                field("observation_date"),
                field("site_id"),
                field("instrument_id"),
                field("primary_optical_element")
            )),
            (_, reason) => {
                let reason = reason.as_deref().unwrap_or_default();
                self.note(&format!("Not downloading file {} because {reason}", listed.name));
            }
        }
    }

    pub(super) fn shelf(&self, archive: &ArchiveConfig) -> Shelf {
        Shelf { project: self.project, tree: self.tree.clone(), archive: archive.url.to_string() }
    }

    /// Whether a list of frames names the file that is made of a frame.
    pub(super) fn is_listed(&self, archive: &ArchiveConfig, name: &str) -> bool {
        let (lists, file) = (self.lists(), self.request.packing_of(archive).of(name).0);
        let on = |list: &FrameList| list.contains(&file) || list.contains(name);
        on(&lists.main) || lists.named.as_ref().is_some_and(on)
    }

    pub(super) fn add_to_lists(&self, file: &str, line: &str) -> Result<(), ArchiveError> {
        let mut lists = self.lists();
        lists.main.add(file, line)?;
        match &mut lists.named {
            Some(named) => named.add(file, line),
            None => Ok(()),
        }
    }

    fn lists(&self) -> MutexGuard<'_, Lists> {
        self.lists.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn keep_address(&self, position: i64, address: &Download) {
        let mut addresses = self.addresses();
        if addresses.len() < ADDRESSES {
            addresses.insert(position, address.clone());
        }
    }

    pub(super) fn address(&self, position: i64) -> Option<Download> {
        self.addresses().get(&position).cloned()
    }

    pub(super) fn forget_address(&self, position: i64) {
        self.addresses().remove(&position);
    }

    fn addresses(&self) -> MutexGuard<'_, HashMap<i64, Download>> {
        self.addresses.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has all that was written to the tree, and to where frames arrive, outlast a crash of the machine.
    pub(super) async fn flush_disks(&self) -> Result<(), ArchiveError> {
        let directories = self.directories();
        super::transfer::blocking(move || {
            let mut devices = HashSet::new();
            for directory in directories {
                let failed = |error| ArchiveError::io(&directory, "cannot be flushed", error);
                let file = File::open(&directory).map_err(failed)?;
                let device = std::os::unix::fs::MetadataExt::dev(&file.metadata().map_err(failed)?);
                if devices.insert(device) {
                    rustix::fs::syncfs(&file).map_err(|error| failed(error.into()))?;
                }
            }
            Ok(())
        })
        .await
    }
}

/// What the root of a configuration's sorted directories is called in the catalog.
pub(super) fn tree_of(config: &FetchConfig) -> String {
    let directory = &config.reduction_directory;
    directory.canonicalize().unwrap_or_else(|_| directory.clone()).to_string_lossy().into_owned()
}

fn same_directory(a: &std::path::Path, b: &std::path::Path) -> bool {
    matches!((a.canonicalize(), b.canonicalize()), (Ok(a), Ok(b)) if a == b)
}
