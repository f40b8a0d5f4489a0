//! Is the catalog at the version of this program, and the way there.

use std::sync::Arc;

use holotype_catalog::{Catalog, Migrated};
use holotype_core::Clock;
use holotype_jobs::Jobs;

use crate::AppError;
use crate::config::Config;

/// The version of a catalog, beside the one that this program works with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemaCheck {
    /// The database, without user and password.
    pub database: String,
    /// The version that is there; 0 is an empty database.
    pub found: i64,
    /// The version that is needed.
    pub expected: i64,
}

impl SchemaCheck {
    /// Whether `holotype db migrate` has something to do.
    pub fn needs_migration(&self) -> bool {
        self.found < self.expected
    }

    /// Whether this program can work with it.
    pub fn is_current(&self) -> bool {
        self.found == self.expected
    }
}

/// Looks at the catalog's version, and changes nothing.
///
/// # Errors
/// If the database cannot be reached.
pub async fn check(config: &Config) -> Result<SchemaCheck, AppError> {
    let url = &config.catalog.url;
    let found = Catalog::schema_version(url).await?;
    Ok(SchemaCheck { database: url.to_string(), found, expected: Catalog::EXPECTED_VERSION })
}

/// Brings the catalog to the version of this program, after a verified backup. Nobody else may work on the home meanwhile.
///
/// # Errors
/// If the home is in use, or a migration fails: then the catalog is as it was, and the message says so.
pub async fn migrate(config: &Config, clock: Arc<dyn Clock>) -> Result<Migrated, AppError> {
    config.home.require()?;
    let _lock = config.home.lock("db migrate", clock.now())?;
    let migrated = Catalog::migrate(&config.catalog.url, &*clock, &config.home.backups_directory()).await?;
    set_up_queue(config, clock).await?;
    Ok(migrated)
}

/// Makes the tables of the job queue, which are not the catalog's own.
pub(crate) async fn set_up_queue(config: &Config, clock: Arc<dyn Clock>) -> Result<(), AppError> {
    let catalog = Catalog::open(config.catalog.url.clone(), clock).await?;
    let made = Jobs::setup(&catalog).await;
    catalog.close().await;
    Ok(made?)
}
