//! The proof that every blob a backup needs is there.

use std::path::Path;

use futures::{TryStreamExt, stream};
use holotype_blobs::Blobs;
use holotype_catalog::{BlobState, Catalog, CatalogError};
use holotype_core::{Category, Digest};
use holotype_store::{Location, Store, StoreError, Verdict};

use super::backup;
use super::trial::Trial;
use crate::{App, AppError};

/// Blobs asked for at the same time: a bucket answers each in some hundredth of a second.
const CONCURRENT: usize = 16;

/// Missing blobs that are listed; those beyond are counted.
const LISTED: usize = 1000;

/// What was looked at, and what was not found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Proof {
    /// Blobs that are there with the right size; those inside a backup also with the right bytes.
    pub present: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Blobs that records name and that are nowhere.
    pub missing: u64,
    /// The first of them, at most 1000.
    pub digests: Vec<Digest>,
}

/// Where blobs may be.
pub(super) struct Places<'p> {
    /// The store.
    pub(super) store: &'p Store,
    /// The spool, behind what is known of blobs.
    pub(super) blobs: &'p Blobs,
    /// The copies inside the backup, if it has any.
    pub(super) copies: Option<Store>,
}

impl Places<'_> {
    /// Whether a blob of this size is in any of them; what is only in the backup is read to know.
    async fn have(&self, digest: Digest, size: u64) -> Result<bool, AppError> {
        if self.store.head(digest).await? == Some(size) {
            return Ok(true);
        }
        if let Some(copies) = &self.copies
            && copies.verify(digest).await? == (Verdict::Intact { size })
        {
            return Ok(true);
        }
        match self.blobs.get(digest, None).await {
            Ok(reading) => Ok(reading.size == size),
            Err(error) if error.category() == Category::NotFound => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Looks for every blob that the backup lists; `catalog` says of a missing one whether a record names it.
    pub(super) async fn prove(&self, folder: &Path, catalog: &Catalog) -> Result<Proof, AppError> {
        let listed = stream::iter(Catalog::backup_blobs(folder)?).map_err(AppError::from);
        let looked = listed.map_ok(|(digest, size)| async move {
            let is_there = self.have(digest, size).await?;
            let is_lost = !is_there && is_named(catalog, digest).await?;
            Ok::<_, AppError>((digest, size, is_there, is_lost))
        });
        let mut looked = std::pin::pin!(looked.try_buffered(CONCURRENT));
        let mut proof = Proof::default();
        while let Some((digest, size, is_there, is_lost)) = looked.try_next().await? {
            if is_there {
                proof.present += 1;
                proof.bytes += size;
            } else if is_lost {
                proof.missing += 1;
                if proof.digests.len() < LISTED {
                    proof.digests.push(digest);
                }
            }
        }
        Ok(proof)
    }
}

/// Whether a record names the blob. What no record names may have been on its way in or out when the backup was made.
async fn is_named(catalog: &Catalog, digest: Digest) -> Result<bool, AppError> {
    let info = catalog.read::<_, CatalogError, _>(move |tx| Box::pin(tx.blob_info(digest))).await?;
    Ok(info.is_some_and(|info| info.references > 0 && info.state != BlobState::Deleting))
}

/// The copies of blobs inside a backup's folder, if it has any.
pub(super) fn copies(folder: &Path) -> Result<Option<Store>, StoreError> {
    if !folder.join(backup::BLOBS).is_dir() {
        return Ok(None);
    }
    Store::open(Location::Directory(folder.to_owned()), folder.to_owned()).map(Some)
}

/// Proves that a backup is whole, that it can be restored, and that every blob its records name is in it or in the store.
///
/// # Errors
/// [`CatalogError::BadBackup`] if its files are not what its manifest says. Missing blobs are part of the answer.
pub async fn verify_backup(app: &App, folder: &Path) -> Result<Proof, AppError> {
    let trial = Trial::restore(&app.config().home, folder, app.shared_clock()).await?;
    let places = Places { store: app.store(), blobs: app.blobs(), copies: copies(folder)? };
    let proof = places.prove(folder, trial.catalog()).await;
    trial.close().await;
    proof
}
