//! Blobs on their way in: staged, pinned, published; then a record may name them.

use std::time::Duration;

use bytes::Bytes;
use futures::{Stream, StreamExt};
use holotype_catalog::{CatalogError, PinOutcome, Tx};
use holotype_core::{Digest, Instant, ProjectId};
use holotype_store::{Staged, Unpublished};

use crate::{BlobError, Blobs};

/// How long a put waits for a deletion of the same bytes to end. A deletion that works takes less than a second.
const PATIENCE: Duration = Duration::from_secs(30);

/// Between two looks whether it has ended.
const POLL: Duration = Duration::from_millis(50);

/// The least time between two renewals of a pin, however short pins are.
const RENEWAL: Duration = Duration::from_millis(10);

/// A blob that is being written. Dropping it leaves nothing behind.
#[derive(Debug)]
pub struct Upload {
    blobs: Blobs,
    upload: holotype_store::Upload,
}

/// A blob that is kept, whole and durable, until its pin ends or a record names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// Its name.
    pub digest: Digest,
    /// Its size in bytes.
    pub size: u64,
    /// Its MD5.
    pub md5: [u8; 16],
    /// Whether it waits in the spool of this machine, because the bucket is out of reach.
    pub spooled: bool,
    /// When the row that was pinned came: a later row of the same digest does not vouch for these bytes.
    row: Instant,
}

/// Who names a blob.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlobReference {
    /// The record's project.
    pub project: ProjectId,
    /// The kind of record, as in `datapoint`.
    pub kind: &'static str,
    /// The record's id.
    pub record: String,
    /// What the blob is in the record: a file's name or place.
    pub name: String,
}

impl Held {
    /// Lets a record name the blob, in the transaction that stores the record.
    ///
    /// # Errors
    /// [`CatalogError::BlobGone`] if the pin ended before and a sweep took the blob: then it must be uploaded again, and the
    /// transaction must not be committed.
    pub async fn reference(&self, tx: &mut Tx, reference: BlobReference) -> Result<(), CatalogError> {
        let BlobReference { project, kind, record, name } = reference;
        let (digest, kind) = (self.digest, kind.to_owned());
        tx.reference_blob(&holotype_catalog::BlobReference { digest, project, kind, record, name }).await?;
        // Swept, and pinned again by somebody whose bytes have not come yet: the row is another, and says nothing of ours.
        match tx.blob_info(digest).await? {
            Some(info) if info.created_at == self.row => Ok(()),
            _ => Err(CatalogError::BlobGone { digest }),
        }
    }
}

impl Upload {
    /// Takes the next bytes. A write that is cancelled may have taken some of them: drop the upload then.
    ///
    /// # Errors
    /// If the disk is full or fails; the upload is of no use then.
    pub async fn write(&mut self, bytes: &[u8]) -> Result<(), BlobError> {
        Ok(self.upload.write(bytes).await?)
    }

    /// Takes the next bytes, without copying them if they are many.
    ///
    /// # Errors
    /// As [`Upload::write`].
    pub async fn write_whole(&mut self, bytes: Bytes) -> Result<(), BlobError> {
        Ok(self.upload.write_whole(bytes).await?)
    }

    /// Takes all bytes of a stream.
    ///
    /// # Errors
    /// The stream's first error, or ours.
    pub async fn write_stream<E: From<BlobError>>(
        &mut self,
        stream: impl Stream<Item = Result<Bytes, E>>,
    ) -> Result<(), E> {
        let mut stream = std::pin::pin!(stream);
        while let Some(bytes) = stream.next().await {
            self.write(&bytes?).await?;
        }
        Ok(())
    }

    /// Ends the upload: the blob is durable and pinned when this returns, and waits to be named.
    ///
    /// # Errors
    /// If the disk is full or the bucket refuses; [`BlobError::BeingDeleted`] if the same bytes are being removed for too long.
    pub async fn finish(self) -> Result<Held, BlobError> {
        let staged = self.upload.finish().await?;
        self.blobs.hold(staged).await
    }
}

impl Blobs {
    /// Begins a new blob.
    pub fn begin(&self) -> Upload {
        Upload { blobs: self.clone(), upload: self.store().begin() }
    }

    async fn hold(&self, staged: Staged) -> Result<Held, BlobError> {
        let (digest, size, md5) = (staged.digest(), staged.size(), staged.md5());
        let mut held = Held { digest, size, md5, spooled: false, row: Instant::from_micros(0) };
        held.row = self.pin_when_free(&held).await?;
        match self.publish(staged, &held).await {
            Ok(()) => Ok(held),
            Err(unpublished) => {
                self.keep_in_spool(*unpublished).await?;
                held.spooled = true;
                Ok(held)
            }
        }
    }

    /// Pins a blob, once nobody is removing it. Gives when its row came.
    async fn pin_when_free(&self, held: &Held) -> Result<Instant, BlobError> {
        let mut waited = Duration::ZERO;
        loop {
            if let Some(row) = self.pin(held).await? {
                return Ok(row);
            }
            if waited >= PATIENCE {
                return Err(BlobError::BeingDeleted { digest: held.digest });
            }
            tokio::time::sleep(POLL).await;
            waited += POLL;
        }
    }

    /// Pins a blob and gives when its row came; `None` if it is being removed.
    async fn pin(&self, held: &Held) -> Result<Option<Instant>, CatalogError> {
        let (held, pin) = (held.clone(), self.inner.options.pin);
        self.catalog()
            .write(move |tx| {
                let held = held.clone();
                Box::pin(async move {
                    let until = tx.now().after(pin);
                    let outcome = tx.pin_blob(held.digest, held.size, held.md5, until).await?;
                    if outcome == PinOutcome::Deleting
                        && !tx.take_over_blob(held.digest, held.size, held.md5, until).await?
                    {
                        return Ok(None);
                    }
                    Ok(tx.blob_info(held.digest).await?.map(|info| info.created_at))
                })
            })
            .await
    }

    /// Brings the bytes to the store. They are brought even if the blob is known: whoever pinned it before may not have come so far.
    async fn publish(&self, staged: Staged, held: &Held) -> Result<(), Box<Unpublished>> {
        if let Some(error) = self.inner.reach.refusal() {
            return Err(Box::new(Unpublished { staged, error }));
        }
        let renewal = RENEWAL.max(self.inner.options.pin / 3);
        let mut publishing = std::pin::pin!(staged.publish());
        loop {
            tokio::select! {
                outcome = &mut publishing => {
                    self.inner.reach.learn(outcome.as_ref().map_err(|unpublished| &unpublished.error).err());
                    return outcome;
                }
                () = tokio::time::sleep(renewal) => {
                    // A large upload over a slow line may outlast a pin. If this one fails, the reference will say so.
                    if let Err(error) = self.pin(held).await {
                        tracing::warn!(digest = %held.digest, %error, "the pin of a blob under way was not renewed");
                    }
                }
            }
        }
    }
}
