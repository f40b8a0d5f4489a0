//! Putting a backup into a database, all or nothing.

use std::path::Path;

use holotype_core::Clock;

use super::{Existing, Manifest, make, pump};
use crate::exclusive::exclusively;
use crate::tables::MIGRATIONS;
use crate::url::CatalogUrl;
use crate::{Catalog, CatalogError, Tx, migrate};

/// Restores a verified backup.
pub(super) async fn restore(
    folder: &Path,
    manifest: &Manifest,
    url: &CatalogUrl,
    clock: &dyn Clock,
    existing: Existing,
) -> Result<(), CatalogError> {
    let version = manifest.schema_version;
    if version > Catalog::EXPECTED_VERSION {
        let problem = format!(
            "it is at version {version}, and this program knows {} at most; install the newer program",
            Catalog::EXPECTED_VERSION
        );
        return Err(CatalogError::BadBackup { folder: folder.to_owned(), problem });
    }
    let mut source = make::open(folder, clock, true).await?;
    exclusively(url, clock, |target| {
        Box::pin(async move {
            make_room(target, existing).await?;
            migrate::make_tables(target, version).await?;
            pump::copy(&mut source, target).await
        })
    })
    .await
}

async fn make_room(target: &mut Tx, existing: Existing) -> Result<(), CatalogError> {
    if migrate::version_in(target).await? == 0 {
        return Ok(());
    }
    if existing == Existing::Keep {
        return Err(CatalogError::conflict(
            "there is a catalog already; say that it is to be replaced, or restore elsewhere",
        ));
    }
    for table in target.tables().await?.into_iter().rev() {
        target.drop_table(table).await?;
    }
    target.drop_table(MIGRATIONS).await
}
