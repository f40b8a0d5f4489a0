//! Blobs on their way out, from wherever their bytes are.

use std::ops::Range;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};
use holotype_catalog::{BlobInfo, BlobState, CatalogError};
use holotype_core::{Digest, Hasher};
use holotype_store::StoreError;
use tokio::io::AsyncWriteExt as _;

use crate::{BlobError, Blobs};

/// A blob, or part of one, being read.
pub struct Reading {
    /// The size of the whole blob in bytes.
    pub size: u64,
    /// Which bytes follow, the end excluded; within `0..size`.
    pub range: Range<u64>,
    /// The bytes. If fewer come than `range` says, the last item is an error.
    pub stream: BoxStream<'static, Result<Bytes, BlobError>>,
}

impl std::fmt::Debug for Reading {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reading").field("size", &self.size).field("range", &self.range).finish_non_exhaustive()
    }
}

impl From<holotype_store::Reading> for Reading {
    fn from(reading: holotype_store::Reading) -> Self {
        let stream = reading.stream.map_err(BlobError::from).boxed();
        Self { size: reading.size, range: reading.range, stream }
    }
}

impl Blobs {
    /// Reads a blob, or the bytes of it that `range` holds; a range that begins within the blob is cut at its end.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; [`StoreError::InvalidRange`]; [`BlobError::SpooledElsewhere`].
    pub async fn get(&self, digest: Digest, range: Option<Range<u64>>) -> Result<Reading, BlobError> {
        // The spool first: it is here, and the bucket may be far away or gone.
        if let Some(spool) = self.spool()
            && let Some(reading) = found(spool.get(digest, range.clone()).await)?
        {
            return Ok(reading.into());
        }
        match found(self.store().get(digest, range).await)? {
            Some(reading) => Ok(reading.into()),
            None => match self.info(digest).await? {
                Some(BlobInfo { state: BlobState::Spooled, .. }) => Err(BlobError::SpooledElsewhere { digest }),
                _ => Err(StoreError::NotFound { digest }.into()),
            },
        }
    }

    /// A blob as a file of this machine, only to be read: the store's own, or a copy that is made at `copy` and is the caller's to
    /// remove. Its bytes are compared with its name as they come over the network.
    ///
    /// # Errors
    /// As [`get`](Self::get), and if the copy cannot be written or arrives damaged.
    pub async fn file(&self, digest: Digest, copy: &Path) -> Result<PathBuf, BlobError> {
        if let Some(path) = self.store().path(digest)
            && tokio::fs::try_exists(&path).await.unwrap_or(false)
        {
            return Ok(path);
        }
        let unwritable = |error: std::io::Error| BlobError::Copy { path: copy.to_owned(), problem: error.to_string() };
        let mut reading = self.get(digest, None).await?;
        let mut file = tokio::fs::File::create(copy).await.map_err(unwritable)?;
        let mut hasher = Hasher::new();
        while let Some(bytes) = reading.stream.next().await {
            let bytes = bytes?;
            hasher.update(&bytes);
            file.write_all(&bytes).await.map_err(unwritable)?;
        }
        file.flush().await.map_err(unwritable)?;
        match hasher.finish() == digest {
            true => Ok(copy.to_owned()),
            false => Err(BlobError::Copy { path: copy.to_owned(), problem: "the bytes arrived damaged".to_owned() }),
        }
    }

    /// What the catalog knows of a blob.
    pub(crate) async fn info(&self, digest: Digest) -> Result<Option<BlobInfo>, CatalogError> {
        self.catalog().read(move |tx| Box::pin(tx.blob_info(digest))).await
    }
}

fn found<T>(result: Result<T, StoreError>) -> Result<Option<T>, StoreError> {
    match result {
        Err(StoreError::NotFound { .. }) => Ok(None),
        other => other.map(Some),
    }
}
