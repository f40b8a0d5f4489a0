//! An installation of one test, on either engine, and what one does with it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use holotype_app::catalog::{Catalog, CatalogError};
use holotype_app::config::Overrides;
use holotype_app::datapoints::{NewFile, Submission, Value};
use holotype_app::jobs::{JobRecord, State};
use holotype_app::{App, AppError, Config, Environment, Home, SystemClock};
use holotype_core::{ActivityId, Caller, Clock, ProjectId};
use holotype_testkit::clock::HandClock;
use holotype_testkit::postgres::{self, TestDatabase};
use serde_json::json;
use tokio_util::sync::CancellationToken;

/// A home in a temporary directory. Its clock begins now, since files carry the system's time, and is turned by hand.
pub(crate) struct Installation {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) home: Home,
    pub(crate) clock: Arc<HandClock>,
    pub(crate) variables: Vec<(String, String)>,
    database: Option<TestDatabase>,
}

impl Installation {
    pub(crate) async fn sqlite() -> Self {
        Self::make(None).await
    }

    pub(crate) async fn postgres() -> Self {
        Self::make(Some(postgres::database().await)).await
    }

    async fn make(database: Option<TestDatabase>) -> Self {
        let installation = Self::bare(database);
        App::initialise(&installation.config(), installation.clock()).await.unwrap();
        installation
    }

    /// An installation that was not made yet.
    pub(crate) fn bare(database: Option<TestDatabase>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = database.as_ref().map(|database| ("HOLOTYPE_CATALOG_URL".to_owned(), database.url.clone()));
        Self {
            home: Home::at(folder.path().join("home")),
            clock: Arc::new(HandClock::at(SystemClock.now())),
            variables: url.into_iter().collect(),
            folder,
            database,
        }
    }

    /// Another place for the same data: a new home, and on a server a new database.
    pub(crate) async fn elsewhere(&self) -> Self {
        let database = if self.database.is_some() { Some(postgres::database().await) } else { None };
        Self::bare(database)
    }

    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.variables.push((name.to_owned(), value.to_owned()));
    }

    pub(crate) fn environment(&self) -> Environment {
        let home = ("HOME".to_owned(), self.folder.path().display().to_string());
        Environment::new(self.variables.iter().cloned().chain([home]), self.folder.path())
    }

    pub(crate) fn config(&self) -> Config {
        Config::load(self.home.clone(), &self.environment(), &Overrides::default()).unwrap()
    }

    pub(crate) fn clock(&self) -> Arc<dyn Clock> {
        self.clock.clone()
    }

    pub(crate) async fn try_open(&self) -> Result<App, AppError> {
        App::open(self.config(), self.clock()).await
    }

    pub(crate) async fn open(&self) -> App {
        self.try_open().await.unwrap()
    }

    /// The files below the home whose path has this part.
    pub(crate) fn files(&self, part: &str) -> Vec<PathBuf> {
        let mut found = Vec::new();
        let mut directories = vec![self.home.root().to_owned()];
        while let Some(directory) = directories.pop() {
            for entry in std::fs::read_dir(directory).unwrap() {
                let path = entry.unwrap().path();
                match path.is_dir() {
                    true => directories.push(path),
                    false if path.to_string_lossy().contains(part) => found.push(path),
                    false => {}
                }
            }
        }
        found
    }
}

pub(crate) fn owner() -> Caller {
    Catalog::local_owner()
}

pub(crate) async fn put_value(app: &App, id: &str, value: f64) {
    let datapoint = json!({ "_id": id, "label": "temperature", "data_type": "json", "value": value });
    let stored = app.datapoints().submit(&owner(), ProjectId::DEFAULT, parse(app, &datapoint), vec![]).await.unwrap();
    assert!(stored.created);
}

pub(crate) async fn put_file(app: &App, id: &str, bytes: &[u8]) {
    let datapoint = json!({ "_id": id, "label": "image", "data_type": "file", "path": "/lab/image.bin" });
    let mut upload = app.blobs().begin();
    upload.write(bytes).await.unwrap();
    let file = NewFile { name: "image.bin".to_owned(), held: upload.finish().await.unwrap() };
    app.datapoints().submit(&owner(), ProjectId::DEFAULT, parse(app, &datapoint), vec![file]).await.unwrap();
}

fn parse(app: &App, datapoint: &serde_json::Value) -> Submission {
    let settings = app.datapoints().settings();
    Submission::parse(datapoint.to_string().as_bytes(), &settings.limits.json, &settings.time_zone).unwrap()
}

/// The exact text of every datapoint, by id.
pub(crate) async fn documents(app: &App) -> Vec<(String, String)> {
    let ids = app.catalog().read::<_, CatalogError, _>(|tx| {
        Box::pin(async move {
            let rows = tx.rows_sql("SELECT id FROM datapoints WHERE deleted_at IS NULL ORDER BY id", vec![]).await?;
            rows.iter().map(|row| row.get::<String>("id")).collect::<Result<Vec<_>, _>>()
        })
    });
    let mut documents = Vec::new();
    for id in ids.await.unwrap() {
        let document = app.datapoints().get(&owner(), ProjectId::DEFAULT, &id).await.unwrap();
        documents.push((id, document.to_string()));
    }
    documents
}

pub(crate) async fn file_bytes(app: &App, id: &str) -> Vec<u8> {
    let Value::Bytes(content) = app.datapoints().value(&owner(), ProjectId::DEFAULT, id).await.unwrap() else {
        panic!("{id} is not a file");
    };
    let mut stream = content.open(None).await.unwrap().stream;
    let mut bytes = Vec::new();
    while let Some(part) = stream.next().await {
        bytes.extend_from_slice(&part.unwrap());
    }
    bytes
}

/// Works on jobs until this one has ended.
pub(crate) async fn finish(app: &App, id: ActivityId) -> JobRecord {
    let shutdown = CancellationToken::new();
    let worker = tokio::spawn({
        let (app, shutdown) = (app.clone(), shutdown.clone());
        async move { app.run_workers(shutdown).await }
    });
    let job = loop {
        let job = app.jobs().get(&owner(), id).await.unwrap();
        if matches!(job.state, State::Succeeded | State::Failed | State::Cancelled) {
            break job;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    shutdown.cancel();
    worker.await.unwrap().unwrap();
    job
}

pub(crate) async fn execute(app: &App, sql: &'static str) {
    let done =
        app.catalog().write::<_, CatalogError, _>(move |tx| Box::pin(async move { tx.exec_sql(sql, vec![]).await }));
    done.await.unwrap();
}

/// Changes one byte in the middle of a file.
pub(crate) fn damage(path: &Path) {
    let mut bytes = std::fs::read(path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0xff;
    std::fs::write(path, bytes).unwrap();
}
