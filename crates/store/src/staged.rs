//! Bytes that have arrived and have a digest, but are not a blob yet.

use std::fs::File;

use bytes::Bytes;
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};
use holotype_core::Digest;

use crate::staging::StagedFile;
use crate::{Store, StoreError, file};

/// A whole file, waiting to become the blob its digest names. Dropping it removes it.
#[derive(Debug)]
pub struct Staged {
    store: Store,
    file: StagedFile,
    digest: Digest,
    size: u64,
    md5: [u8; 16],
}

/// A file that could not become a blob now, with the reason. It may be tried again, or kept elsewhere.
#[derive(Debug, thiserror::Error)]
#[error("{error}")]
pub struct Unpublished {
    /// The file, still whole.
    pub staged: Staged,
    /// Why it is not a blob.
    #[source]
    pub error: StoreError,
}

impl From<Box<Unpublished>> for StoreError {
    fn from(unpublished: Box<Unpublished>) -> Self {
        unpublished.error
    }
}

impl Staged {
    pub(crate) fn new(store: Store, file: StagedFile, digest: Digest, size: u64, md5: [u8; 16]) -> Self {
        Self { store, file, digest, size, md5 }
    }

    /// The SHA-256 of the bytes.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// How many bytes there are.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The MD5 of the bytes, as S3 and astronomical archives know them.
    pub fn md5(&self) -> [u8; 16] {
        self.md5
    }

    /// Makes the bytes a blob: whole and durable when this returns. A blob that is there already is replaced by the same bytes,
    /// which repairs it if it was damaged.
    ///
    /// # Errors
    /// If the disk or the bucket is full, refuses or cannot be reached; the blob is then absent, or whole if only the answer was lost.
    pub async fn publish(self) -> Result<(), Box<Unpublished>> {
        match self.store.publish(&self).await {
            Ok(()) => Ok(()),
            Err(error) => Err(Box::new(Unpublished { staged: self, error })),
        }
    }

    /// The bytes, to keep them elsewhere.
    ///
    /// # Errors
    /// If the staged file cannot be opened; in the stream, if it cannot be read.
    pub async fn read(&self) -> Result<BoxStream<'static, Result<Bytes, StoreError>>, StoreError> {
        let store = self.store.clone();
        let file = self.open().await?;
        Ok(file::chunks(file, 0..self.size).map_err(move |error| store.io_error(&error)).boxed())
    }

    pub(crate) async fn open(&self) -> Result<File, StoreError> {
        let path = self.file.path().to_owned();
        file::blocking(move || File::open(path)).await.map_err(|error| self.store.io_error(&error))
    }

    pub(crate) fn file(&self) -> &StagedFile {
        &self.file
    }
}
