//! The application: every room, opened and joined.

use std::sync::Arc;
use std::time::Duration;

use holotype_archives::fetch::FetchHandler;
use holotype_archives::remote::{Remote, RemoteOptions};
use holotype_archives::{ArchiveError, Archives};
use holotype_blobs::{BlobOptions, Blobs};
use holotype_catalog::Catalog;
use holotype_core::{Clock, json};
use holotype_datapoints::{Datapoints, Limits, Settings};
use holotype_jobs::{Handler, Jobs};
use holotype_sessions::{FrameSource, OperateHandler, Sessions};
use holotype_store::Store;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::config::{Config, Origin, SessionsConfig};
use crate::fetching::Variables;
use crate::home::{Manager, SigningKey};
use crate::inputs::Inputs;
use crate::madsci::SettingsQuery;
use crate::{AppError, gaia, upkeep};

/// How long an upload is kept for the record that is to name it. A client that sends the record later uploads again.
const PIN: Duration = Duration::from_secs(3600);

/// How long an operation on frames may take.
const TIME_LIMIT: Duration = Duration::from_secs(3600);

/// An open application. Clones share it.
#[derive(Debug, Clone)]
pub struct App(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    config: Config,
    clock: Arc<dyn Clock>,
    catalog: Catalog,
    store: Store,
    blobs: Blobs,
    jobs: Jobs,
    datapoints: Datapoints,
    archives: Archives,
    remote: Option<Remote>,
    sessions: Sessions,
    manager: Manager,
    signing_key: SigningKey,
}

impl App {
    /// Opens the application that a configuration describes, in a home that [`App::initialise`] made.
    ///
    /// # Errors
    /// No home, a catalog of another schema version (the message names the command), a disk or server out of reach.
    pub async fn open(config: Config, clock: Arc<dyn Clock>) -> Result<Self, AppError> {
        config.home.require()?;
        let catalog = Catalog::open(config.catalog.url.clone(), Arc::clone(&clock)).await?;
        let spool = config.home.spool_directory();
        let store = Store::open(config.store.location.clone(), spool.clone())?;
        let options = BlobOptions { pin: PIN, grace: config.store.grace, spool };
        let blobs = Blobs::open(store.clone(), catalog.clone(), options)?;
        let jobs = Jobs::new(catalog.clone(), upkeep::job_options());
        let manager = config.home.manager(&config.madsci, clock.now())?;
        let datapoints = Datapoints::new(catalog.clone(), blobs.clone(), datapoint_settings(&config, &manager))?;
        let signing_key = config.home.signing_key()?;
        let archives = Archives::new(catalog.clone(), blobs.clone(), jobs.clone());
        let remote = remote(&config, &catalog, &blobs, &clock)?;
        let frames: Arc<dyn FrameSource> = Arc::new(Inputs { archives: archives.clone(), remote: remote.clone() });
        let settings = holotype_sessions::Settings { scratch: config.home.scratch_directory(), time_limit: TIME_LIMIT };
        let operations = holotype_sessions::operations::all(gaia::stars(&config, &clock)?);
        let sessions = Sessions::new(catalog.clone(), blobs.clone(), jobs.clone(), frames, operations, settings);
        let inner = Inner {
            config,
            clock,
            catalog,
            store,
            blobs,
            jobs,
            datapoints,
            archives,
            remote,
            sessions,
            manager,
            signing_key,
        };
        Ok(Self(Arc::new(inner)))
    }

    /// Makes the home and the tables of an empty catalog, and leaves alone what is there already.
    ///
    /// # Errors
    /// A disk that cannot be written, a database that cannot be reached or that holds a catalog of another version.
    pub async fn initialise(config: &Config, clock: Arc<dyn Clock>) -> Result<(), AppError> {
        config.home.create()?;
        Catalog::initialise(&config.catalog.url, &*clock).await?;
        let catalog = Catalog::open(config.catalog.url.clone(), Arc::clone(&clock)).await?;
        let prepared = Jobs::setup(&catalog).await;
        catalog.close().await;
        prepared?;
        config.home.manager(&config.madsci, clock.now())?;
        Ok(())
    }

    /// Finishes what was handed over, and closes the catalog; every clone is closed with it.
    pub async fn close(&self) {
        self.0.catalog.close().await;
    }

    /// The configuration.
    pub fn config(&self) -> &Config {
        &self.0.config
    }

    /// The clock.
    pub fn clock(&self) -> &dyn Clock {
        &*self.0.clock
    }

    /// The clock, to hand on.
    pub(crate) fn shared_clock(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.0.clock)
    }

    /// The database.
    pub fn catalog(&self) -> &Catalog {
        &self.0.catalog
    }

    /// The bytes.
    pub fn store(&self) -> &Store {
        &self.0.store
    }

    /// The bytes and the facts about them, joined.
    pub fn blobs(&self) -> &Blobs {
        &self.0.blobs
    }

    /// Work in the background.
    pub fn jobs(&self) -> &Jobs {
        &self.0.jobs
    }

    /// Values and files from instruments.
    pub fn datapoints(&self) -> &Datapoints {
        &self.0.datapoints
    }

    /// Frames of observations.
    pub fn archives(&self) -> &Archives {
        &self.0.archives
    }

    /// The other archive whose frames sessions may work on, if one is configured.
    pub fn remote(&self) -> Option<&Remote> {
        self.0.remote.as_ref()
    }

    /// Frames that are worked on together.
    pub fn sessions(&self) -> &Sessions {
        &self.0.sessions
    }

    /// Who this Data Manager is.
    pub fn manager(&self) -> &Manager {
        &self.0.manager
    }

    /// Signs links to what is held here.
    pub fn signing_key(&self) -> &SigningKey {
        &self.0.signing_key
    }

    /// The body of the contract's `GET /settings`.
    pub fn settings(&self, query: SettingsQuery) -> Value {
        let config = self.config();
        let unset = config.explain().iter().any(|value| value.key.name == "listen" && value.origin == Origin::Default);
        let scheme = if config.server.tls.is_some() { "https" } else { "http" };
        let address = if unset { "localhost:8004".to_owned() } else { config.server.listen.to_string() };
        config.madsci.answer(query, &self.manager().id, &format!("{scheme}://{address}/"))
    }

    /// What does the work of every kind of job there is.
    pub fn handlers(&self) -> Vec<Arc<dyn Handler>> {
        let mut handlers = upkeep::handlers(self);
        handlers.push(self.fetch_handler());
        handlers.push(Arc::new(OperateHandler::new(self.sessions().clone())));
        handlers
    }

    /// What does fetches.
    pub(crate) fn fetch_handler(&self) -> Arc<dyn Handler> {
        let secrets = Arc::new(Variables(self.config().environment.clone()));
        Arc::new(FetchHandler::new(self.archives().clone(), secrets, self.shared_clock()))
    }

    /// Works on jobs until `shutdown`; then those that run are given time to stop.
    ///
    /// # Errors
    /// The queue's, if it cannot be repaired.
    pub async fn run_workers(&self, shutdown: CancellationToken) -> Result<(), AppError> {
        match self.sessions().clear_scratch() {
            Ok(0) => {}
            Ok(folders) => tracing::info!(folders, "removed scratch folders that a killed program had left"),
            Err(error) => tracing::warn!(%error, "scratch folders were not cleared"),
        }
        Ok(self.jobs().run_workers(self.handlers(), self.config().workers, shutdown).await?)
    }

    /// Asks for the periodic upkeep whenever it is due, until `shutdown`.
    pub async fn run_upkeep(&self, shutdown: CancellationToken) {
        upkeep::schedule(self, shutdown).await;
    }
}

/// The other archive that the configuration names.
fn remote(
    config: &Config,
    catalog: &Catalog,
    blobs: &Blobs,
    clock: &Arc<dyn Clock>,
) -> Result<Option<Remote>, ArchiveError> {
    let SessionsConfig { archive, archive_keep, token_key, token_key_variable, .. } = config.sessions.clone();
    let Some(url) = archive else { return Ok(None) };
    let options = RemoteOptions { url, token_key, token_key_variable, keep: archive_keep };
    Remote::new(catalog.clone(), blobs.clone(), options, Arc::clone(clock)).map(Some)
}

/// What the configuration, MADSci's settings included, says about datapoints.
fn datapoint_settings(config: &Config, manager: &Manager) -> Settings {
    let bytes = usize::try_from(config.server.document_limit).unwrap_or(usize::MAX);
    Settings {
        storage_root: config.madsci.storage_root().to_owned(),
        manager_id: manager.id.clone(),
        time_zone: config.datapoints.time_zone.clone(),
        object_storage: config.madsci.object_storage(),
        limits: Limits { json: json::Limits { bytes, ..json::Limits::default() }, ..Limits::default() },
    }
}
