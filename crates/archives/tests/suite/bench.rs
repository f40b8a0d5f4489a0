//! A catalog with a store, and small frames to put there.

use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;

use holotype_archives::frames::{Filter, Frame, FrameQuery, Ingested, PageRequest, Shape, Viewer};
use holotype_archives::{ArchiveError, Archives};
use holotype_blobs::{BlobOptions, Blobs, Held};
use holotype_catalog::{Catalog, CatalogUrl};
use holotype_core::{Caller, ProjectId};
use holotype_fits::{Card, Header, Image, Pixels, Value, write};
use holotype_jobs::{Jobs, Options};
use holotype_store::{Location, Store};
use holotype_testkit::clock::HandClock;
use holotype_testkit::postgres::{self, TestDatabase};

/// An archive in a temporary folder.
pub(crate) struct Bench {
    pub(crate) archives: Archives,
    pub(crate) catalog: Catalog,
    pub(crate) blobs: Blobs,
    pub(crate) clock: Arc<HandClock>,
    pub(crate) owner: Caller,
    pub(crate) folder: tempfile::TempDir,
    url: CatalogUrl,
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
        let catalog = Catalog::open(url.clone(), clock.clone()).await.unwrap();
        Jobs::setup(&catalog).await.unwrap();
        let store =
            Store::open(Location::Directory(folder.path().join("store")), folder.path().join("staging")).unwrap();
        let hour = Duration::from_secs(3_600);
        let options = BlobOptions { pin: hour, grace: hour, spool: folder.path().join("spool") };
        let blobs = Blobs::open(store, catalog.clone(), options).unwrap();
        let jobs = Jobs::new(catalog.clone(), Options::default());
        let archives = Archives::new(catalog.clone(), blobs.clone(), jobs);
        let owner = Catalog::local_owner();
        Self { archives, catalog, blobs, clock, owner, folder, url, _database: database }
    }

    /// The same archive as another process would open it.
    pub(crate) async fn opened_again(&self) -> Archives {
        let catalog = Catalog::open(self.url.clone(), self.clock.clone()).await.unwrap();
        let jobs = Jobs::new(catalog.clone(), Options::default());
        Archives::new(catalog, self.blobs.clone(), jobs)
    }

    pub(crate) async fn hold(&self, bytes: &[u8]) -> Held {
        let mut upload = self.blobs.begin();
        upload.write(bytes).await.unwrap();
        upload.finish().await.unwrap()
    }

    pub(crate) async fn try_ingest(&self, name: &str, bytes: &[u8]) -> Result<Ingested, ArchiveError> {
        let held = self.hold(bytes).await;
        self.archives.ingest(&self.owner, ProjectId::DEFAULT, name, held).await
    }

    pub(crate) async fn ingest(&self, name: &str, bytes: &[u8]) -> Ingested {
        self.try_ingest(name, bytes).await.unwrap()
    }

    /// The names of what everybody who sees everything finds.
    pub(crate) async fn find(&self, filters: Vec<Filter>) -> Vec<String> {
        self.find_as(Viewer::Everything, filters).await
    }

    pub(crate) async fn find_as(&self, viewer: Viewer, filters: Vec<Filter>) -> Vec<String> {
        let query = FrameQuery { filters, ..FrameQuery::default() };
        let page = PageRequest::Numbered { limit: 1000, offset: 0 };
        let page = self.archives.frames(viewer, query, page, Shape::default()).await.unwrap();
        assert_eq!(page.count, Some(page.frames.len() as u64), "counts are exact");
        names(&page.frames)
    }
}

pub(crate) fn names(frames: &[Frame]) -> Vec<String> {
    frames.iter().map(|frame| frame.facts.basename.clone()).collect()
}

pub(crate) fn text(value: &str) -> Value {
    Value::Text(value.to_owned())
}

pub(crate) fn header(cards: &[(&str, Value)]) -> Header {
    let mut header = Header::default();
    for (keyword, value) in cards {
        header.push(Card::new(keyword, value.clone(), "").unwrap());
    }
    header
}

/// A small image with these cards, as a file.
pub(crate) fn fits(cards: &[(&str, Value)], seed: u8) -> Vec<u8> {
    let mut bytes = Vec::new();
    let pixels = Pixels::I16((0..32 * 48).map(|number| number % 300 + i16::from(seed)).collect());
    let image = Image { shape: vec![32, 48], pixels };
    write::image(&mut bytes, write::Position::Primary, &header(cards), &image).unwrap();
    bytes
}

/// The same, packed.
pub(crate) fn packed(cards: &[(&str, Value)], seed: u8) -> Vec<u8> {
    let mut bytes = Vec::new();
    write::empty_primary(&mut bytes, &Header::default()).unwrap();
    let pixels = Pixels::I16((0..32 * 48).map(|number| number % 300 + i16::from(seed)).collect());
    let image = Image { shape: vec![32, 48], pixels };
    let lossless = write::Quantisation { level: 16.0, dither: false };
    write::rice(&mut bytes, &header(cards), &image, lossless).unwrap();
    bytes
}

pub(crate) fn gzipped(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Cards of a frame of an OCS observatory, observed at a minute past midnight of 2024-07-15, at a place on the sky.
pub(crate) fn observed(minute: u32, proposal: &str, target: &str, (ra, dec): (f64, f64)) -> Vec<(&'static str, Value)> {
    vec![
        ("DATE-OBS", text(&format!("2024-07-15T{:02}:{:02}:00.000", minute / 60, minute % 60))),
        ("DAY-OBS", text("20240714")),
        ("PROPID", text(proposal)),
        ("OBJECT", text(target)),
        ("INSTRUME", text("fa15")),
        ("SITEID", text("lsc")),
        ("TELID", text("1m0a")),
        ("FILTER", text("ip")),
        ("OBSTYPE", text("EXPOSE")),
        ("RLEVEL", Value::Integer(91)),
        ("EXPTIME", Value::Real(60.0)),
        ("BLKUID", Value::Integer(900_000)),
        ("REQNUM", text("0003600001")),
        ("L1PUBDAT", text("2025-07-15T00:00:00")),
        ("CTYPE1", text("RA---TAN")),
        ("CTYPE2", text("DEC--TAN")),
        ("CRPIX1", Value::Real(24.0)),
        ("CRPIX2", Value::Real(16.0)),
        ("CRVAL1", Value::Real(ra)),
        ("CRVAL2", Value::Real(dec)),
        ("CD1_1", Value::Real(-0.01)),
        ("CD1_2", Value::Real(0.0)),
        ("CD2_1", Value::Real(0.0)),
        ("CD2_2", Value::Real(0.01)),
    ]
}
