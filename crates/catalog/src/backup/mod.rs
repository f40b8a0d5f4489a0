//! Backups: the whole catalog at one moment, proven to be whole, in one format for both engines.
//!
//! A backup is a folder: the catalog as a SQLite file, whichever engine it came from, the list of the blobs it needs,
//! and a manifest with the size and SHA-256 of both. It is made while the catalog is in use, in one snapshot, and
//! appears under its name only when it is complete. docs/formats/backup.md describes it for those who read it with
//! other programs.

mod files;
mod make;
mod pump;
mod restore;

use std::collections::BTreeMap;
use std::path::Path;

use holotype_core::{Clock, Digest, Instant};
use serde::{Deserialize, Serialize};

pub use files::BlobList;

use crate::url::CatalogUrl;
use crate::{Catalog, CatalogError};

/// The version of the format; a reader refuses another one.
const FORMAT: u32 = 1;

/// The catalog's file in a backup.
const CATALOG: &str = "catalog.db";

/// The list of blobs in a backup.
const BLOBS: &str = "blobs.txt";

/// The manifest of a backup.
const MANIFEST: &str = "manifest.json";

/// What a backup holds: its `manifest.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The version of the format: 1.
    pub format: u32,
    /// The version of the tables.
    pub schema_version: i64,
    /// The engine the catalog was kept in: `sqlite` or `postgresql`.
    pub engine: String,
    /// When it was made.
    pub created_at: Instant,
    /// The catalog's file.
    pub catalog: ManifestFile,
    /// The list of blobs.
    pub blobs: ManifestBlobs,
    /// How many rows each table has.
    pub tables: BTreeMap<String, u64>,
}

/// A file of a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManifestFile {
    /// Its name in the folder.
    pub file: String,
    /// Bytes.
    pub size: u64,
    /// The SHA-256 of its bytes.
    pub sha256: Digest,
}

/// The list of the blobs that the catalog needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManifestBlobs {
    /// The list as a file: a line for each blob, in order, with its digest, a space and its size in bytes.
    #[serde(flatten)]
    pub list: ManifestFile,
    /// How many blobs.
    pub count: u64,
    /// The bytes of all of them.
    pub bytes: u64,
}

/// What a restore does with a catalog that is there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Existing {
    /// Refuse.
    Keep,
    /// Put the backup in its place, in one transaction: it is as it was if that fails.
    Replace,
}

impl Catalog {
    /// Makes a backup in `folder`, which must not exist, while the catalog is in use. It is verified when this answers.
    ///
    /// # Errors
    /// [`CatalogError::Conflict`] if the folder exists; [`CatalogError::File`] and [`CatalogError::Full`].
    pub async fn backup(&self, folder: &Path) -> Result<Manifest, CatalogError> {
        make(self.url(), self.clock(), folder).await
    }

    /// Proves that a backup is whole: its files are what the manifest says, and the catalog in it is sound.
    ///
    /// # Errors
    /// [`CatalogError::BadBackup`] says what is wrong.
    pub async fn verify_backup(folder: &Path) -> Result<Manifest, CatalogError> {
        let manifest = files::read_manifest(folder)?;
        files::verify(folder, &manifest).await?;
        make::expect_sound(folder, &manifest).await?;
        Ok(manifest)
    }

    /// What a backup says of itself.
    ///
    /// # Errors
    /// [`CatalogError::BadBackup`] if there is none in the folder, or it is of another format.
    pub fn read_backup(folder: &Path) -> Result<Manifest, CatalogError> {
        files::read_manifest(folder)
    }

    /// Reads the list of the blobs that a backup needs, one after the other.
    ///
    /// # Errors
    /// [`CatalogError::File`].
    pub fn backup_blobs(folder: &Path) -> Result<BlobList, CatalogError> {
        BlobList::open(folder)
    }

    /// Verifies a backup and puts it into the database at `url`, of either engine, in one transaction. The catalog is
    /// then at the backup's version; [`Catalog::migrate`] brings it to the present one.
    ///
    /// # Errors
    /// [`CatalogError::BadBackup`]; [`CatalogError::Conflict`] if a catalog is there that is to be kept.
    pub async fn restore(
        folder: &Path,
        url: &CatalogUrl,
        clock: &dyn Clock,
        existing: Existing,
    ) -> Result<Manifest, CatalogError> {
        let manifest = Self::verify_backup(folder).await?;
        restore::restore(folder, &manifest, url, clock, existing).await?;
        Ok(manifest)
    }
}

pub(crate) use make::make;
