//! Bringing a backup back: into a new home, or in place of the catalog that is there.
//!
//! Everything that can fail is tried beside first: the backup is verified, restored into a file of its own and brought to the
//! present version, and every blob that its records name is found. Only then the catalog is replaced, in one transaction. A
//! catalog that was there is backed up before, and is back in its place if anything still fails.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures::StreamExt;
use holotype_blobs::{BlobOptions, Blobs};
use holotype_catalog::{Catalog, CatalogError, Existing, Manifest};
use holotype_core::{Clock, Digest};
use holotype_store::{Store, StoreError};

use super::backup;
use super::proof::{self, Places, Proof};
use super::trial::{self, Trial};
use super::{BackupError, schema};
use crate::config::Config;
use crate::{AppError, Home, files};

/// What to bring back, and on which terms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RestoreRequest {
    /// The folder of the backup.
    pub folder: PathBuf,
    /// Whether a catalog that is there may be replaced.
    pub replace: bool,
    /// Whether to go on although bytes that records name are nowhere.
    pub without_blobs: bool,
}

/// What was brought back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// What the backup says of itself.
    pub manifest: Manifest,
    /// Blobs that were copied out of the backup into the store.
    pub copied: u64,
    /// What is there and what is missing.
    pub proof: Proof,
    /// The catalog that was there before.
    pub replaced: Option<Old>,
}

/// Brings a backup back into the home, the catalog and the store of a configuration. The home is made if it is not there.
///
/// # Errors
/// If the home is in use, the backup is not whole, bytes are missing, or a catalog is there that may not be replaced.
/// Whatever fails, a catalog that was there stays, and a home that was not there is not made.
pub async fn restore(config: &Config, request: &RestoreRequest, clock: Arc<dyn Clock>) -> Result<Restored, AppError> {
    // A home that holds a broken half would be taken for one.
    let made = MadeHome::prepare(&config.home)?;
    let _lock = config.home.lock("db restore", clock.now())?;
    let restored = in_locked_home(config, request, clock).await?;
    made.keep();
    Ok(restored)
}

async fn in_locked_home(
    config: &Config,
    request: &RestoreRequest,
    clock: Arc<dyn Clock>,
) -> Result<Restored, AppError> {
    let folder = request.folder.as_path();
    trial::remove_abandoned(&config.home)?;
    let trial = Trial::restore(&config.home, folder, Arc::clone(&clock)).await?;
    let store = Store::open(config.store.location.clone(), config.home.spool_directory())?;
    let ready = bring_blobs(config, request, &store, &trial).await;
    trial.close().await;
    let (proof, copied) = ready?;
    let (manifest, replaced) = replace_catalog(config, request, clock).await?;
    let registry = folder.join("registry.json");
    if let Some(text) = files::read_text(&registry, 16 << 20).map_err(BackupError::file(&registry))? {
        let target = config.home.registry_file();
        files::write_text(&target, &text).map_err(BackupError::file(target))?;
    }
    Ok(Restored { manifest, copied, proof, replaced })
}

/// Finds every blob that the backup needs, and copies those into the store that only the backup has.
async fn bring_blobs(
    config: &Config,
    request: &RestoreRequest,
    store: &Store,
    trial: &Trial,
) -> Result<(Proof, u64), AppError> {
    // Blobs that wait in the spool of this home are as good as those in the store.
    let options =
        BlobOptions { pin: std::time::Duration::ZERO, grace: config.store.grace, spool: config.home.spool_directory() };
    let blobs = Blobs::open(store.clone(), trial.catalog().clone(), options)?;
    let places = Places { store, blobs: &blobs, copies: proof::copies(&request.folder)? };
    let proof = places.prove(&request.folder, trial.catalog()).await?;
    if let (false, Some(first)) = (request.without_blobs, proof.digests.first()) {
        let (folder, first) = (request.folder.clone(), *first);
        return Err(BackupError::MissingBlobs { folder, count: proof.missing, first }.into());
    }
    let copied = match &places.copies {
        Some(copies) => copy_blobs(&request.folder, copies, store).await?,
        None => 0,
    };
    Ok((proof, copied))
}

/// Copies what the store has not got; gives how many blobs.
async fn copy_blobs(folder: &Path, copies: &Store, store: &Store) -> Result<u64, AppError> {
    let mut copied = 0;
    for listed in Catalog::backup_blobs(folder)? {
        let (digest, size) = listed?;
        if store.head(digest).await? != Some(size) && copies.head(digest).await? == Some(size) {
            copy(copies, store, digest).await?;
            copied += 1;
        }
    }
    Ok(copied)
}

/// Copies a blob, and trusts nothing but its digest.
async fn copy(from: &Store, to: &Store, digest: Digest) -> Result<(), AppError> {
    let mut stream = from.get(digest, None).await?.stream;
    let mut upload = to.begin();
    while let Some(bytes) = stream.next().await {
        upload.write(&bytes?).await?;
    }
    let staged = upload.finish().await?;
    if staged.digest() != digest {
        let problem = format!("the copy in the backup has the digest {}", staged.digest());
        return Err(StoreError::Corrupt { digest, problem }.into());
    }
    staged.publish().await.map_err(|unpublished| unpublished.error)?;
    Ok(())
}

/// Puts the backup in the catalog's place, and the old catalog back if that fails.
async fn replace_catalog(
    config: &Config,
    request: &RestoreRequest,
    clock: Arc<dyn Clock>,
) -> Result<(Manifest, Option<Old>), AppError> {
    let url = &config.catalog.url;
    let old = if request.replace { Old::keep(config, Arc::clone(&clock)).await? } else { None };
    let existing = if matches!(old, Some(Old::BackedUp(_))) { Existing::Replace } else { Existing::Keep };
    let manifest = Catalog::restore(&request.folder, url, &*clock, existing).await;
    let outcome = match manifest {
        Ok(manifest) => make_current(config, Arc::clone(&clock)).await.map(|()| manifest),
        Err(error) => Err(error.into()),
    };
    match (outcome, old) {
        (Ok(manifest), old) => Ok((manifest, old)),
        (Err(cause), None) => Err(cause),
        (Err(cause), Some(old)) => match old.put_back(config, &*clock).await {
            Ok(()) => Err(cause),
            Err(then) => {
                let (cause, then) = (cause.to_string(), then.to_string());
                Err(BackupError::NotPutBack { cause, then, kept: old.path().to_owned() }.into())
            }
        },
    }
}

async fn make_current(config: &Config, clock: Arc<dyn Clock>) -> Result<(), AppError> {
    Catalog::migrate(&config.catalog.url, &*clock, &config.home.backups_directory()).await?;
    schema::set_up_queue(config, clock).await
}

/// The catalog that was there before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Old {
    /// In this backup.
    BackedUp(PathBuf),
    /// Its file was damaged, and was moved here.
    SetAside(PathBuf),
}

impl Old {
    /// Where it is now.
    pub fn path(&self) -> &Path {
        match self {
            Old::BackedUp(path) | Old::SetAside(path) => path,
        }
    }

    /// Keeps the catalog that is about to be replaced, if there is one. It must be at the version of this program, or damaged.
    async fn keep(config: &Config, clock: Arc<dyn Clock>) -> Result<Option<Self>, AppError> {
        let kept = Self::back_up(config, Arc::clone(&clock)).await;
        let Err(AppError::Catalog(CatalogError::Damaged { .. })) = &kept else { return kept };
        let Some(file) = &config.catalog.file else { return kept };
        let aside = with_ending(file, &format!(".damaged-{}", backup::name(clock.now(), None)));
        move_database(file, &aside)?;
        Ok(Some(Self::SetAside(aside)))
    }

    async fn back_up(config: &Config, clock: Arc<dyn Clock>) -> Result<Option<Self>, AppError> {
        let url = &config.catalog.url;
        if Catalog::schema_version(url).await? == 0 {
            return Ok(None);
        }
        let folder = config.home.backups_directory().join(backup::name(clock.now(), Some("before-restore")));
        let catalog = Catalog::open(url.clone(), clock).await?;
        let made = catalog.backup(&folder).await;
        catalog.close().await;
        made?;
        Ok(Some(Self::BackedUp(folder)))
    }

    async fn put_back(&self, config: &Config, clock: &dyn Clock) -> Result<(), AppError> {
        match (self, &config.catalog.file) {
            (Old::BackedUp(folder), _) => {
                Catalog::restore(folder, &config.catalog.url, clock, Existing::Replace).await?;
            }
            (Old::SetAside(aside), Some(file)) => move_database(aside, file)?,
            (Old::SetAside(_), None) => {}
        }
        Ok(())
    }
}

/// Gives a SQLite database another name, with the files beside it that belong to it.
fn move_database(from: &Path, to: &Path) -> Result<(), BackupError> {
    for ending in ["-wal", "-shm", ""] {
        match fs::rename(with_ending(from, ending), with_ending(to, ending)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(BackupError::file(from)(error)),
            _ => {}
        }
    }
    files::sync_directory(to.parent().unwrap_or(Path::new("."))).map_err(BackupError::file(to))
}

fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut path = path.as_os_str().to_owned();
    path.push(ending);
    PathBuf::from(path)
}

/// A home that is made for a restore, and removed again unless the restore succeeds.
struct MadeHome<'h> {
    /// The directory to remove, if it was not there before.
    remove: Option<&'h Path>,
}

impl<'h> MadeHome<'h> {
    fn prepare(home: &'h Home) -> Result<Self, AppError> {
        let made = Self { remove: (!home.root().exists()).then(|| home.root()) };
        home.create()?;
        Ok(made)
    }

    fn keep(mut self) {
        self.remove = None;
    }
}

impl Drop for MadeHome<'_> {
    fn drop(&mut self) {
        if let Some(root) = self.remove
            && let Err(error) = fs::remove_dir_all(root)
        {
            tracing::warn!(%error, home = %root.display(), "a home that was begun for a restore was not removed");
        }
    }
}
