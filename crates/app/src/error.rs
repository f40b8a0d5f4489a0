//! What can keep an application from being opened, made or looked after.

use holotype_archives::ArchiveError;
use holotype_blobs::BlobError;
use holotype_catalog::CatalogError;
use holotype_core::Category;
use holotype_datapoints::DatapointError;
use holotype_jobs::JobError;
use holotype_store::StoreError;

use crate::config::ConfigError;
use crate::home::HomeError;
use crate::upkeep::BackupError;

/// A failure of the composition root, or of a room below it.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// The configuration cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The home cannot be used.
    #[error(transparent)]
    Home(#[from] HomeError),
    /// The catalog refuses.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// The store refuses.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The joint of catalog and store refuses.
    #[error(transparent)]
    Blobs(#[from] BlobError),
    /// The jobs refuse.
    #[error(transparent)]
    Jobs(#[from] JobError),
    /// The datapoints refuse.
    #[error(transparent)]
    Datapoints(#[from] DatapointError),
    /// The archives refuse.
    #[error(transparent)]
    Archives(#[from] ArchiveError),
    /// A backup cannot be made, checked or brought back.
    #[error(transparent)]
    Backup(#[from] BackupError),
}

impl AppError {
    /// What kind of failure this is.
    pub fn category(&self) -> Category {
        match self {
            AppError::Config(error) => error.category(),
            AppError::Home(error) => error.category(),
            AppError::Catalog(error) => error.category(),
            AppError::Store(error) => error.category(),
            AppError::Blobs(error) => error.category(),
            AppError::Jobs(error) => error.category(),
            AppError::Datapoints(error) => error.category(),
            AppError::Archives(error) => error.category(),
            AppError::Backup(error) => error.category(),
        }
    }
}
