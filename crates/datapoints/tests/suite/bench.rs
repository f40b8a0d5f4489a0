//! An empty laboratory on either engine, and a macro that makes each test run on both.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures::TryStreamExt;
use holotype_blobs::{BlobOptions, Blobs, Held};
use holotype_catalog::{Catalog, CatalogUrl};
use holotype_core::{Caller, ProjectId};
use holotype_datapoints::{
    Content, DatapointError, Datapoints, Limits, NewFile, ObjectStorage, Record, Records, Selection, Settings, Stored,
    Submission, Value as Found,
};
use holotype_store::{Location, Store};
use holotype_testkit::clock::HandClock;
use holotype_testkit::postgres::{self, TestDatabase};
use jiff::tz::TimeZone;
use serde_json::Value;

/// The id of the server of every test.
pub(crate) const MANAGER: &str = "01M7WHEJCMGV6B9J0D4H1XDJTZ";

/// Some other ULID.
pub(crate) const ULID: &str = "01M7WHETCQB7WPQGFM195VD84M";

/// The project of every test that does not say another.
pub(crate) const PROJECT: ProjectId = ProjectId::DEFAULT;

/// Datapoints of one test, on a clock that the test turns.
pub(crate) struct Bench {
    pub(crate) datapoints: Datapoints,
    pub(crate) catalog: Catalog,
    pub(crate) blobs: Blobs,
    pub(crate) clock: Arc<HandClock>,
    pub(crate) owner: Caller,
    pub(crate) folder: tempfile::TempDir,
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
        let location = Location::Directory(folder.path().join("store"));
        let store = Store::open(location, folder.path().join("staging")).unwrap();
        let hour = Duration::from_secs(3_600);
        let options = BlobOptions { pin: hour, grace: hour, spool: folder.path().join("spool") };
        let blobs = Blobs::open(store, catalog.clone(), options).unwrap();
        let datapoints = Datapoints::new(catalog.clone(), blobs.clone(), settings(None)).unwrap();
        Self { datapoints, catalog, blobs, clock, owner: Catalog::local_owner(), folder, _database: database }
    }

    /// The same datapoints as another process would open them.
    pub(crate) async fn another_process(&self) -> Datapoints {
        let catalog = Catalog::open(self.catalog.url().clone(), self.clock.clone()).await.unwrap();
        Datapoints::new(catalog, self.blobs.clone(), settings(None)).unwrap()
    }

    /// The same datapoints, of which one request may ask little.
    pub(crate) fn with_steps(&self, query_steps: u64) -> Datapoints {
        let limits = Limits { query_steps, ..Limits::default() };
        Datapoints::new(self.catalog.clone(), self.blobs.clone(), Settings { limits, ..settings(None) }).unwrap()
    }

    /// The same datapoints with an object storage.
    pub(crate) fn with_bucket(&self, storage: ObjectStorage) -> Datapoints {
        Datapoints::new(self.catalog.clone(), self.blobs.clone(), settings(Some(storage))).unwrap()
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) async fn submit(&self, document: Value) -> Result<Stored, DatapointError> {
        self.submit_with(document, Vec::new()).await
    }

    pub(crate) async fn submit_with(&self, document: Value, files: Vec<NewFile>) -> Result<Stored, DatapointError> {
        self.datapoints.submit(&self.owner, PROJECT, submission(&document), files).await
    }

    /// Stores a value under an id, everything else said.
    pub(crate) async fn keep(&self, id: &str, members: Value) -> Stored {
        self.submit(value(id, members)).await.unwrap()
    }

    pub(crate) async fn hold(&self, bytes: &[u8]) -> Held {
        let mut upload = self.blobs.begin();
        upload.write(bytes).await.unwrap();
        upload.finish().await.unwrap()
    }

    pub(crate) async fn file(&self, name: &str, bytes: &[u8]) -> NewFile {
        NewFile { name: name.to_owned(), held: self.hold(bytes).await }
    }

    pub(crate) async fn get(&self, id: &str) -> Result<Value, DatapointError> {
        let document = self.datapoints.get(&self.owner, PROJECT, id).await?;
        Ok(serde_json::from_str(&document).unwrap())
    }

    pub(crate) async fn get_owned(&self, id: String) -> Value {
        self.get(&id).await.unwrap()
    }

    /// The ids of what a filter means, in their order.
    pub(crate) async fn query(&self, filter: Value) -> Vec<String> {
        let selection = Selection::parse(&filter).unwrap();
        ids(self.datapoints.query(&self.owner, PROJECT, selection).await.unwrap()).await
    }

    pub(crate) async fn value(&self, id: &str) -> Result<Found, DatapointError> {
        self.datapoints.value(&self.owner, PROJECT, id).await
    }
}

fn settings(object_storage: Option<ObjectStorage>) -> Settings {
    Settings {
        storage_root: "/srv/datapoints".into(),
        manager_id: MANAGER.to_owned(),
        time_zone: TimeZone::fixed(jiff::tz::offset(2)),
        object_storage,
        limits: Limits::default(),
    }
}

pub(crate) fn submission(document: &Value) -> Submission {
    let limits = Limits::default().json;
    Submission::parse(document.to_string().as_bytes(), &limits, &TimeZone::fixed(jiff::tz::offset(2))).unwrap()
}

/// A `json` datapoint that says everything itself, with further or other members.
pub(crate) fn value(id: &str, members: Value) -> Value {
    let mut document = serde_json::json!({
        "label": "l", "ownership_info": {}, "data_type": "json", "_id": id, "data_timestamp": "2026-01-01T00:00:00", "value": 1
    });
    document.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    document
}

pub(crate) async fn records(records: Records) -> Vec<Record> {
    records.try_collect().await.unwrap()
}

pub(crate) async fn ids(found: Records) -> Vec<String> {
    records(found).await.into_iter().map(|record| record.id).collect()
}

pub(crate) async fn read(content: &Content, range: Option<std::ops::Range<u64>>) -> Vec<u8> {
    let parts: Vec<bytes::Bytes> = content.open(range).await.unwrap().stream.try_collect().await.unwrap();
    parts.concat()
}

/// The bytes of a value that has some.
pub(crate) fn bytes_of(value: Found) -> Content {
    match value {
        Found::Bytes(content) => content,
        Found::Json(text) => panic!("bytes were expected, not {text}"),
    }
}
