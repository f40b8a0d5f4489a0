//! What happens while a bucket is out of reach: captures are kept on this machine, and brought to the bucket later.
//!
//! The spool is a store of its own in a directory. It belongs to one process at a time, like the home it lies in.

use std::ops::ControlFlow;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures::TryStreamExt;
use holotype_catalog::{BlobInfo, BlobState, CatalogError};
use holotype_core::Digest;
use holotype_store::{Store, StoreError, Unpublished};
use tokio::time::Instant;

use crate::{BlobError, Blobs, Progress};

/// How long captures go straight to the spool after the bucket did not answer: each try costs its client seconds.
const REST: Duration = Duration::from_secs(15);

/// Rows looked at together.
const PAGE: usize = 500;

/// What has been brought to the store.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Flushed {
    /// Blobs that were uploaded.
    pub uploaded: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Blobs that are in the spool still: not tried, damaged, or unknown to the catalog and left to the sweep.
    pub left: u64,
    /// Of them, those whose bytes are not what their names say; putting them again repairs them.
    pub damaged: u64,
}

/// What is known of a bucket's being in reach.
#[derive(Debug, Default)]
pub(crate) struct Reach(Mutex<Option<(Instant, StoreError)>>);

impl Reach {
    /// Why not to try at all, if the bucket did not answer a moment ago.
    pub(crate) fn refusal(&self) -> Option<StoreError> {
        match &*self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            Some((since, StoreError::Unreachable { place, cause })) if since.elapsed() < REST => {
                Some(StoreError::Unreachable { place: place.clone(), cause: cause.clone() })
            }
            _ => None,
        }
    }

    /// Takes note of how a try ended.
    pub(crate) fn learn(&self, failure: Option<&StoreError>) {
        let known = match failure {
            Some(StoreError::Unreachable { place, cause }) => {
                let error = StoreError::Unreachable { place: place.clone(), cause: cause.clone() };
                Some((Instant::now(), error))
            }
            _ => None,
        };
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = known;
    }
}

impl Blobs {
    /// Keeps a pinned blob here that could not be published; only if the bucket is out of reach, any other failure stays one.
    pub(crate) async fn keep_in_spool(&self, unpublished: Unpublished) -> Result<(), BlobError> {
        let Unpublished { staged, error } = unpublished;
        let Some(spool) = self.spool().filter(|_| matches!(error, StoreError::Unreachable { .. })) else {
            return Err(error.into());
        };
        let digest = staged.digest();
        tracing::warn!(%digest, %error, "kept in the spool");
        // Not while a flush is between looking at a row and removing the spooled copy.
        let _spooling = self.inner.spooling.read().await;
        copy(staged.read().await?, spool, digest).await?;
        let marked = self.catalog().write(move |tx| Box::pin(tx.mark_spooled(digest))).await?;
        if marked { Ok(()) } else { Err(CatalogError::BlobGone { digest }.into()) }
    }

    /// Brings what the spool has to the store. Call it from time to time; it does nothing if nothing waits.
    ///
    /// # Errors
    /// [`StoreError::Unreachable`] if the bucket is out of reach still; what was brought before that stays brought.
    pub async fn flush_spool(
        &self,
        tell: impl Fn(Progress) -> ControlFlow<()> + Send + Sync,
    ) -> Result<Flushed, BlobError> {
        let mut flushed = Flushed::default();
        let Some(spool) = self.spool() else { return Ok(flushed) };
        let waiting: Vec<_> = spool.list().try_collect().await?;
        flushed.left = waiting.len() as u64;
        let mut progress = Progress { total: flushed.left, ..Progress::default() };
        for blob in waiting {
            let Some(info) = self.info(blob.digest).await? else { continue };
            if info.state == BlobState::Deleting {
                continue;
            }
            match self.bring(spool, &info).await {
                Ok(uploaded) => {
                    flushed.uploaded += u64::from(uploaded);
                    flushed.bytes += if uploaded { blob.size } else { 0 };
                }
                // One that cannot be brought must not keep back those behind it.
                Err(BlobError::Store(error @ StoreError::Corrupt { .. })) => {
                    tracing::error!(%error, "a spooled blob cannot be brought to the store");
                    flushed.damaged += 1;
                    continue;
                }
                Err(error) => return Err(error),
            }
            flushed.left -= 1;
            if progress.advance(blob.size, &tell).is_break() {
                return Ok(flushed);
            }
        }
        self.settle_rows(spool).await?;
        Ok(flushed)
    }

    /// Uploads a blob if the store has not got it, says so, and removes the spooled copy. Whether it had to be uploaded.
    async fn bring(&self, spool: &Store, info: &BlobInfo) -> Result<bool, BlobError> {
        let digest = info.digest;
        let is_there = self.store().head(digest).await? == Some(info.size);
        if !is_there {
            let copied = copy_from(spool, self.store(), digest).await;
            self.inner.reach.learn(copied.as_ref().err());
            copied?;
        }
        self.catalog().write(move |tx| Box::pin(tx.mark_stored(digest))).await?;
        // A put may have spooled the same bytes again since; then the row says so, and they stay.
        let _alone = self.inner.spooling.write().await;
        if !self.info(digest).await?.is_some_and(|info| info.state == BlobState::Spooled) {
            spool.delete(digest).await?;
        }
        Ok(!is_there)
    }

    /// Rows that say `spooled` though the spool has nothing: another host's, or of bytes that have reached the store.
    async fn settle_rows(&self, spool: &Store) -> Result<(), BlobError> {
        let mut after: Option<Digest> = None;
        loop {
            let rows: Vec<BlobInfo> = self.catalog().read(move |tx| Box::pin(tx.list_spooled(after, PAGE))).await?;
            for BlobInfo { digest, size, .. } in &rows {
                if spool.head(*digest).await?.is_none() && self.store().head(*digest).await? == Some(*size) {
                    let digest = *digest;
                    self.catalog().write(move |tx| Box::pin(tx.mark_stored(digest))).await?;
                }
            }
            match rows.last() {
                Some(last) if rows.len() == PAGE => after = Some(last.digest),
                _ => return Ok(()),
            }
        }
    }
}

async fn copy_from(from: &Store, to: &Store, digest: Digest) -> Result<(), StoreError> {
    copy(from.get(digest, None).await?.stream, to, digest).await
}

/// Copies a blob, and trusts nothing but its digest.
async fn copy(
    bytes: futures::stream::BoxStream<'static, Result<bytes::Bytes, StoreError>>,
    to: &Store,
    digest: Digest,
) -> Result<(), StoreError> {
    let mut upload = to.begin();
    upload.write_stream(bytes).await?;
    let staged = upload.finish().await?;
    if staged.digest() != digest {
        return Err(StoreError::Corrupt { digest, problem: format!("the copy has the digest {}", staged.digest()) });
    }
    Ok(staged.publish().await?)
}
