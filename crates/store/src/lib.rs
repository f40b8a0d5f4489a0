//! Blobs on disk or S3, named by SHA-256: put, get, list, verify, delete.
//!
//! A [`Store`] keeps immutable bytes under their [`Digest`] and knows nothing else about them: who refers to them, and when
//! they may be deleted, are facts for the catalog. A blob is whole or absent at every moment, and durable once
//! [`Staged::publish`] has returned.
//!
//! ```text
//!   begin() -> Upload --write*--> finish() -> Staged --publish()--> a blob
//!              hashes and writes a             rename on a disk (file and folders flushed)
//!              staging file as bytes pass      upload to a bucket (checksum sent, result looked at)
//! ```
//!
//! Memory is flat whatever the size of a blob, and no call stalls the runtime: everything that may wait for a disk runs on
//! blocking threads. A killed process leaves at most a staging file, which [`Store::stale_staging`] shows; in a bucket it may
//! also leave parts of an unfinished multipart upload, which a lifecycle rule of the bucket should end.
//!
//! ```
//! # use holotype_store::{Location, Store, StoreError};
//! # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let home = tempfile::tempdir()?;
//! let store = Store::open(Location::Directory(home.path().join("store")), home.path().join("unused"))?;
//! let mut upload = store.begin();
//! upload.write(b"3.14").await?;
//! let staged = upload.finish().await?;
//! let digest = staged.digest();
//! assert_eq!(store.head(digest).await?, None);
//! staged.publish().await?;
//! assert_eq!(store.head(digest).await?, Some(4));
//! # Ok(()) }
//! ```

mod bucket;
mod directory;
mod error;
mod file;
mod key;
mod location;
mod read;
mod staged;
mod staging;
mod upload;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use holotype_core::{Digest, Instant};
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt, PutPayload};

pub use error::StoreError;
pub use location::{InvalidLocation, Location, S3Key, S3Location};
pub use read::{Listed, Reading, Verdict};
pub use staged::{Staged, Unpublished};
pub use staging::StaleFile;
pub use upload::Upload;

use bucket::{Patience, Uploads};
use directory::Directory;
use key::Keys;
use staging::Staging;

/// Blobs in one place. Clones share it.
#[derive(Debug, Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    objects: Arc<dyn ObjectStore>,
    keys: Keys,
    staging: Arc<Staging>,
    publisher: Publisher,
    description: String,
    remote: bool,
}

/// How a staged file becomes a blob.
#[derive(Debug)]
enum Publisher {
    Rename(Directory),
    Upload(Uploads),
}

impl Store {
    /// Opens a store. A directory is made if it is absent; a bucket is not spoken to yet (see [`Store::probe`]).
    ///
    /// `staging` is where uploads to a bucket or to memory are kept until they are whole; a directory store keeps them within itself.
    /// Blocks for a moment: call it when a program starts.
    ///
    /// # Errors
    /// If a directory cannot be made or used, or the bucket's settings contradict each other.
    pub fn open(location: Location, staging: PathBuf) -> Result<Self, StoreError> {
        Self::open_with(location, staging, |objects| objects)
    }

    /// Opens a store whose every call passes through what `decorate` makes of it: a limit, a measurement, a fault.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub fn open_with(
        location: Location,
        staging: PathBuf,
        decorate: impl FnOnce(Arc<dyn ObjectStore>) -> Arc<dyn ObjectStore>,
    ) -> Result<Self, StoreError> {
        let description = describe(&location);
        let failed = |error: io::Error| StoreError::from_io(&description, &error);
        let remote = matches!(location, Location::S3(_));
        let (objects, publisher, staging, prefix): (Arc<dyn ObjectStore>, _, _, _) = match location {
            Location::Directory(root) => {
                let (directory, objects) = Directory::open(&root).map_err(failed)?;
                (Arc::new(objects), Publisher::Rename(directory), root.join(directory::STAGING), Path::default())
            }
            Location::S3(location) => {
                let unusable = |problem| StoreError::Unusable { place: description.clone(), problem };
                let prefix = Path::parse(&location.prefix).map_err(|error| unusable(error.to_string()))?;
                let objects = bucket::open(&location, Patience::USUAL).map_err(unusable)?;
                (Arc::new(objects), Publisher::Upload(Uploads::new()), staging, prefix)
            }
            Location::Memory => {
                (Arc::new(InMemory::new()), Publisher::Upload(Uploads::new()), staging, Path::default())
            }
        };
        let staging = Arc::new(Staging::open(staging).map_err(failed)?);
        let objects = decorate(objects);
        let inner = Inner { objects, keys: Keys::under(prefix), staging, publisher, description, remote };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// What the store is, for people: no secrets.
    pub fn describe(&self) -> &str {
        &self.inner.description
    }

    /// Whether a network lies between us and the blobs, so that they may be out of reach while this machine is well.
    pub fn is_remote(&self) -> bool {
        self.inner.remote
    }

    /// The file of this machine that a blob is, or would be, in; only to be read. A bucket has none.
    pub fn path(&self, digest: Digest) -> Option<PathBuf> {
        match &self.inner.publisher {
            Publisher::Rename(directory) if !self.inner.remote => Some(directory.path(digest)),
            Publisher::Rename(_) | Publisher::Upload(_) => None,
        }
    }

    /// Begins a new blob.
    pub fn begin(&self) -> Upload {
        Upload::new(self.clone())
    }

    /// Stages bytes that are in memory already.
    ///
    /// # Errors
    /// As [`Upload::finish`].
    pub async fn stage_bytes(&self, bytes: &[u8]) -> Result<Staged, StoreError> {
        let mut upload = self.begin();
        upload.write(bytes).await?;
        upload.finish().await
    }

    /// Removes a blob; one that is absent already is no error.
    ///
    /// # Errors
    /// If the store cannot be written.
    pub async fn delete(&self, digest: Digest) -> Result<(), StoreError> {
        match self.objects().delete(&self.keys().blob(&digest)).await {
            Err(object_store::Error::NotFound { .. }) => Ok(()),
            result => result.map_err(|error| self.object_error(Some(digest), &error)),
        }
    }

    /// Shows that the store can be reached and written, by writing a few bytes that are no blob.
    ///
    /// # Errors
    /// What a capture would meet now.
    pub async fn probe(&self) -> Result<(), StoreError> {
        let staging = Arc::clone(self.staging());
        file::blocking(move || staging.probe()).await.map_err(|error| self.io_error(&error))?;
        if self.is_remote() {
            let written = self.objects().put(&self.keys().probe(), PutPayload::from_static(b"holotype")).await;
            written.map_err(|error| self.object_error(None, &error))?;
        }
        Ok(())
    }

    /// Staging files last written to before an instant: what killed processes left behind, and uploads that stand still.
    ///
    /// # Errors
    /// If the staging directory cannot be read.
    pub async fn stale_staging(&self, before: Instant) -> Result<Vec<StaleFile>, StoreError> {
        let staging = Arc::clone(self.staging());
        file::blocking(move || staging.stale(before)).await.map_err(|error| self.io_error(&error))
    }

    /// Removes a stale staging file, and says whether it did: one that has been written to since it was found stays.
    ///
    /// # Errors
    /// If it is there and cannot be removed.
    pub async fn remove_staging(&self, stale: &StaleFile) -> Result<bool, StoreError> {
        let (staging, stale) = (Arc::clone(self.staging()), stale.clone());
        file::blocking(move || staging.remove(&stale)).await.map_err(|error| self.io_error(&error))
    }

    async fn publish(&self, staged: &Staged) -> Result<(), StoreError> {
        let (objects, keys) = (self.objects(), self.keys());
        let result = match &self.inner.publisher {
            Publisher::Rename(directory) => directory.publish(objects, keys, staged).await,
            Publisher::Upload(uploads) => {
                uploads.publish(objects, &keys.blob(&staged.digest()), staged, staged.open().await?).await
            }
        };
        result.map_err(|error| self.object_error(None, &error))
    }

    fn objects(&self) -> &dyn ObjectStore {
        &*self.inner.objects
    }

    fn keys(&self) -> &Keys {
        &self.inner.keys
    }

    fn staging(&self) -> &Arc<Staging> {
        &self.inner.staging
    }

    /// Whether a staged file is the blob itself, moved: then it must be on the disk before it has the blob's name.
    fn publishes_by_rename(&self) -> bool {
        matches!(self.inner.publisher, Publisher::Rename(_))
    }

    fn io_error(&self, error: &io::Error) -> StoreError {
        StoreError::from_io(self.describe(), error)
    }

    fn object_error(&self, digest: Option<Digest>, error: &object_store::Error) -> StoreError {
        StoreError::from_object(self.describe(), self.is_remote(), digest, error)
    }
}

fn describe(location: &Location) -> String {
    match location {
        Location::Directory(root) => format!("directory {}", root.display()),
        Location::Memory => "memory".to_owned(),
        Location::S3(S3Location { bucket, prefix, endpoint, .. }) => {
            let server = endpoint.as_ref().and_then(|endpoint| endpoint.host_str()).map(|host| format!(" at {host}"));
            format!("bucket s3://{bucket}/{prefix}{}", server.unwrap_or_default())
        }
    }
}
