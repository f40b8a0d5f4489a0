//! The places a store is tested in.

use std::sync::Arc;
use std::time::Duration;

use holotype_store::{Location, S3Key, S3Location, Store};
use holotype_testkit::fault::{Fault, Faults};
use holotype_testkit::s3::{self, LocalS3, Moto};
use object_store::ObjectStore;
use tempfile::TempDir;

/// A store and what it stands on, which ends with it.
pub(crate) struct Place {
    pub(crate) store: Store,
    /// Faults that the store can be made to meet.
    pub(crate) faults: Faults,
    /// Where its staging files are, and its blobs if it is on disk.
    pub(crate) folder: TempDir,
    pub(crate) local_s3: Option<LocalS3>,
    _moto: Option<Moto>,
}

impl Place {
    fn open(folder: TempDir, location: Location, local_s3: Option<LocalS3>, moto: Option<Moto>) -> Self {
        let faults = Faults::new();
        let wrap = |inner: Arc<dyn ObjectStore>| faults.wrap(inner);
        let store = Store::open_with(location, folder.path().join("staging"), wrap).unwrap();
        Self { store, faults, folder, local_s3, _moto: moto }
    }

    pub(crate) fn staged_files(&self) -> usize {
        std::fs::read_dir(self.folder.path().join("staging")).unwrap().count()
    }
}

pub(crate) async fn memory() -> Place {
    Place::open(tempfile::tempdir().unwrap(), Location::Memory, None, None)
}

pub(crate) async fn disk() -> Place {
    let folder = tempfile::tempdir().unwrap();
    let location = Location::Directory(folder.path().to_owned());
    Place::open(folder, location, None, None)
}

/// A disk that takes its time.
pub(crate) async fn slow_disk() -> Place {
    let place = disk().await;
    place.faults.always(Fault::Delay(Duration::from_millis(1)));
    place
}

pub(crate) async fn local_s3() -> Place {
    let server = LocalS3::start().await;
    let location = Location::S3(bucket(&server.endpoint(), "some/prefix"));
    Place::open(tempfile::tempdir().unwrap(), location, Some(server), None)
}

pub(crate) async fn moto() -> Option<Place> {
    let server = Moto::start().await?;
    let location = Location::S3(bucket(&server.endpoint(), ""));
    Some(Place::open(tempfile::tempdir().unwrap(), location, None, Some(server)))
}

pub(crate) fn bucket(endpoint: &str, prefix: &str) -> S3Location {
    S3Location {
        bucket: s3::BUCKET.into(),
        prefix: prefix.into(),
        endpoint: Some(endpoint.parse().unwrap()),
        region: None,
        key: Some(S3Key { id: s3::KEY_ID.into(), secret: s3::SECRET.into() }),
    }
}
