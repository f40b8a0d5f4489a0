//! A backup restored beside everything else, to know that it can be, and to look into it.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use holotype_catalog::{Catalog, CatalogUrl, Existing, random};
use holotype_core::Clock;

use super::BackupError;
use crate::{AppError, Home, home};

/// What the names of the directories begin with.
const PREFIX: &str = "trial-";

/// Removes what killed processes left behind. Nobody else may work on the home meanwhile.
pub(super) fn remove_abandoned(home: &Home) -> Result<(), BackupError> {
    for entry in fs::read_dir(home.root()).map_err(BackupError::file(home.root()))? {
        let entry = entry.map_err(BackupError::file(home.root()))?;
        if entry.file_name().to_string_lossy().starts_with(PREFIX) {
            fs::remove_dir_all(entry.path()).map_err(BackupError::file(entry.path()))?;
        }
    }
    Ok(())
}

/// The catalog of a backup in a file of its own, at the version of this program. The file goes with this value.
#[derive(Debug)]
pub(super) struct Trial {
    catalog: Catalog,
    _directory: Directory,
}

/// A directory that is removed when nobody needs it any more.
#[derive(Debug)]
struct Directory(PathBuf);

impl Trial {
    /// Restores a backup into a new directory of the home, and brings it to the present version.
    pub(super) async fn restore(home: &Home, folder: &Path, clock: Arc<dyn Clock>) -> Result<Self, AppError> {
        let path = home.root().join(format!("{PREFIX}{:032x}", random::bits()?));
        home::private_directory(&path).map_err(BackupError::file(&path))?;
        let directory = Directory(path);
        let url = CatalogUrl::from(directory.0.join("catalog.db").as_path());
        Catalog::restore(folder, &url, &*clock, Existing::Keep).await?;
        Catalog::migrate(&url, &*clock, &directory.0.join("backups")).await?;
        let catalog = Catalog::open(url, clock).await?;
        Ok(Self { catalog, _directory: directory })
    }

    pub(super) fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    pub(super) async fn close(self) {
        self.catalog.close().await;
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.0) {
            tracing::warn!(%error, directory = %self.0.display(), "a trial restore was not removed");
        }
    }
}
