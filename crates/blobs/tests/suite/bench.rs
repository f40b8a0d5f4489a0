//! A store, a catalog and a clock that is turned by hand.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use futures::TryStreamExt;
use holotype_blobs::{BlobError, BlobOptions, BlobReference, Blobs, Held, Progress, SweepReport};
use holotype_catalog::{BlobInfo, Catalog, CatalogError, CatalogUrl};
use holotype_core::{Digest, Instant, ProjectId};
use holotype_store::{Location, S3Key, S3Location, Store};
use holotype_testkit::clock::HandClock;
use holotype_testkit::fault::Faults;
use holotype_testkit::postgres::{self, TestDatabase};
use holotype_testkit::s3::{self, LocalS3};
use tempfile::TempDir;

pub(crate) const PIN: Duration = Duration::from_secs(3_600);
pub(crate) const GRACE: Duration = Duration::from_secs(86_400);
pub(crate) const KIND: &str = "datapoint";

pub(crate) struct Bench {
    pub(crate) blobs: Blobs,
    pub(crate) store: Store,
    pub(crate) catalog: Catalog,
    pub(crate) clock: Arc<HandClock>,
    pub(crate) faults: Faults,
    pub(crate) folder: TempDir,
    pub(crate) server: Option<LocalS3>,
    _database: Option<TestDatabase>,
}

impl Bench {
    pub(crate) async fn in_memory() -> Self {
        Self::open(tempfile::tempdir().unwrap(), Location::Memory, None, None).await
    }

    pub(crate) async fn on_disk() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let location = Location::Directory(folder.path().join("store"));
        Self::open(folder, location, None, None).await
    }

    pub(crate) async fn on_s3() -> Self {
        let server = LocalS3::start().await;
        let location = Location::S3(S3Location {
            bucket: s3::BUCKET.into(),
            prefix: String::new(),
            endpoint: Some(server.endpoint().parse().unwrap()),
            region: None,
            key: Some(S3Key { id: s3::KEY_ID.into(), secret: s3::SECRET.into() }),
        });
        Self::open(tempfile::tempdir().unwrap(), location, Some(server), None).await
    }

    /// Bytes in memory, facts in PostgreSQL.
    pub(crate) async fn on_postgres() -> Self {
        let database = postgres::database().await;
        Self::open(tempfile::tempdir().unwrap(), Location::Memory, None, Some(database)).await
    }

    async fn open(
        folder: TempDir,
        location: Location,
        server: Option<LocalS3>,
        database: Option<TestDatabase>,
    ) -> Self {
        // Files and objects carry the system's time, so the clock begins there.
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
        let clock = Arc::new(HandClock::at(Instant::from_micros(i64::try_from(now.as_micros()).unwrap())));
        let url = match &database {
            Some(database) => CatalogUrl::parse(&database.url).unwrap(),
            None => CatalogUrl::from(folder.path().join("catalog.db").as_path()),
        };
        Catalog::initialise(&url, &*clock).await.unwrap();
        let catalog = Catalog::open(url, clock.clone()).await.unwrap();
        let faults = Faults::new();
        let store = Store::open_with(location, folder.path().join("staging"), |inner| faults.wrap(inner)).unwrap();
        let blobs = Blobs::open(store.clone(), catalog.clone(), options(&folder, "spool")).unwrap();
        Self { blobs, store, catalog, clock, faults, folder, server, _database: database }
    }

    /// What another process would open: with the same spool after a restart, or with one of its own on another host.
    pub(crate) fn again(&self, spool: &str) -> Blobs {
        Blobs::open(self.store.clone(), self.catalog.clone(), options(&self.folder, spool)).unwrap()
    }

    pub(crate) async fn put(&self, bytes: &[u8]) -> Held {
        put(&self.blobs, bytes).await.unwrap()
    }

    pub(crate) async fn info(&self, digest: Digest) -> Option<BlobInfo> {
        self.catalog.read::<_, CatalogError, _>(move |tx| Box::pin(tx.blob_info(digest))).await.unwrap()
    }

    pub(crate) async fn release(&self, record: &str) {
        release(&self.catalog, record).await;
    }

    /// Plans and sweeps at once.
    pub(crate) async fn sweep(&self) -> SweepReport {
        let plan = self.blobs.sweep_plan().await.unwrap();
        self.blobs.sweep(&plan, on).await.unwrap()
    }

    /// Lets so much time pass that nothing is pinned or in its grace any more.
    pub(crate) fn let_everything_expire(&self) {
        self.clock.advance(PIN + GRACE + Duration::from_secs(1));
    }
}

fn options(folder: &TempDir, spool: &str) -> BlobOptions {
    BlobOptions { pin: PIN, grace: GRACE, spool: folder.path().join(spool) }
}

/// Someone who never stops the work.
pub(crate) fn on(_: Progress) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

pub(crate) async fn put(blobs: &Blobs, bytes: &[u8]) -> Result<Held, BlobError> {
    let mut upload = blobs.begin();
    upload.write(bytes).await?;
    upload.finish().await
}

pub(crate) async fn reference(catalog: &Catalog, held: &Held, record: &str) -> Result<(), CatalogError> {
    let (held, record) = (held.clone(), record.to_owned());
    catalog
        .write(move |tx| {
            let (held, record) = (held.clone(), record.clone());
            let name = "file".to_owned();
            let reference = BlobReference { project: ProjectId::DEFAULT, kind: KIND, record, name };
            Box::pin(async move { held.reference(tx, reference).await })
        })
        .await
}

pub(crate) async fn release(catalog: &Catalog, record: &str) {
    let record = record.to_owned();
    let work = catalog.write::<_, CatalogError, _>(move |tx| {
        let record = record.clone();
        Box::pin(async move { tx.release_blobs(KIND, ProjectId::DEFAULT, &record).await })
    });
    assert_eq!(work.await.unwrap(), 1);
}

pub(crate) async fn read(blobs: &Blobs, digest: Digest) -> Result<Vec<u8>, BlobError> {
    let chunks: Vec<Bytes> = blobs.get(digest, None).await?.stream.try_collect().await?;
    Ok(chunks.concat())
}
