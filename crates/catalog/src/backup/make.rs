//! Making a backup, and looking into one.

use std::collections::BTreeMap;
use std::io::{BufWriter, Write as _};
use std::path::Path;

use holotype_core::{Clock, Digest};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Connection as _};

use super::files::{self, Unfinished};
use super::{BLOBS, CATALOG, FORMAT, Manifest, ManifestBlobs, pump};
use crate::tables::{MIGRATIONS, TABLES, quoted};
use crate::tx::{Held, Tx};
use crate::url::{CatalogUrl, Place};
use crate::{CatalogError, Engine, migrate, sqlite, values};

/// How many blobs are listed at once.
const PAGE: i64 = 10_000;

/// Makes a backup of a catalog of whatever version.
pub(crate) async fn make(url: &CatalogUrl, clock: &dyn Clock, folder: &Path) -> Result<Manifest, CatalogError> {
    let unfinished = Unfinished::begin(folder)?;
    let file = unfinished.path().join(CATALOG);
    let engine = match url.place() {
        Place::Sqlite(source) => {
            let mut connection = sqlite::options(source).connect().await?;
            // One statement, so one snapshot.
            let target = file.to_str().ok_or_else(|| CatalogError::invalid("a backup's path is UTF-8"))?;
            let copy = sqlx::query("VACUUM INTO $1").bind(target.to_owned());
            copy.execute(&mut connection).await?;
            connection.close().await?;
            Engine::Sqlite
        }
        Place::Postgres(options) => {
            pump::from_postgres(options, clock, &file).await?;
            Engine::Postgres
        }
    };
    let manifest = describe(unfinished.path(), engine, clock).await?;
    unfinished.finish(&manifest)?;
    Ok(manifest)
}

/// Looks through the copy, proves it sound, and says what is in it.
async fn describe(folder: &Path, engine: Engine, clock: &dyn Clock) -> Result<Manifest, CatalogError> {
    let mut tx = open(folder, clock, false).await?;
    for table in tx.all_tables().await? {
        // The queue of jobs: what it holds follows from the activities.
        if table != MIGRATIONS && !TABLES.contains(&table.as_str()) {
            tx.drop_table(&table).await?;
        }
    }
    check(&mut tx, folder).await?;
    let (schema_version, tables) = (migrate::version_in(&mut tx).await?, count(&mut tx).await?);
    let (count, bytes) = list_blobs(&mut tx, folder).await?;
    tx.commit().await?;
    Ok(Manifest {
        format: FORMAT,
        schema_version,
        engine: engine.name().to_owned(),
        created_at: clock.now(),
        catalog: files::describe(folder, CATALOG).await?,
        blobs: ManifestBlobs { list: files::describe(folder, BLOBS).await?, count, bytes },
        tables,
    })
}

/// Opens the catalog in a backup's folder, in a transaction.
pub(super) async fn open(folder: &Path, clock: &dyn Clock, read_only: bool) -> Result<Tx, CatalogError> {
    let options = options(&folder.join(CATALOG)).read_only(read_only);
    let pool = SqlitePoolOptions::new().max_connections(1).connect_with(options).await?;
    Ok(Tx::new(Held::Sqlite(pool.begin().await?), clock.now()))
}

/// A backup is one file: no log beside it.
pub(super) fn options(file: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(file)
        .journal_mode(SqliteJournalMode::Delete)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(false)
}

/// Proves that the catalog in a verified backup is what the manifest says.
pub(super) async fn expect_sound(folder: &Path, manifest: &Manifest) -> Result<(), CatalogError> {
    let bad = |problem: String| CatalogError::BadBackup { folder: folder.to_owned(), problem };
    let mut tx = open(folder, &Then(manifest.created_at), true).await?;
    check(&mut tx, folder).await?;
    let version = migrate::version_in(&mut tx).await?;
    if version != manifest.schema_version {
        return Err(bad(format!("its catalog is at version {version}, not {}", manifest.schema_version)));
    }
    if count(&mut tx).await? != manifest.tables {
        return Err(bad("its tables have other numbers of rows than the manifest says".to_owned()));
    }
    Ok(())
}

/// The moment of a backup, for a transaction that needs none.
#[derive(Debug)]
struct Then(holotype_core::Instant);

impl Clock for Then {
    fn now(&self) -> holotype_core::Instant {
        self.0
    }
}

async fn check(tx: &mut Tx, folder: &Path) -> Result<(), CatalogError> {
    let bad = |problem: String| CatalogError::BadBackup { folder: folder.to_owned(), problem };
    let integrity = tx.row_sql("SELECT integrity_check FROM pragma_integrity_check LIMIT 1", values![]).await?;
    let integrity: String = integrity.map_or(Ok(String::new()), |row| row.get("integrity_check"))?;
    if integrity != "ok" {
        return Err(bad(integrity));
    }
    match migrate::broken_reference(tx).await? {
        None => Ok(()),
        Some(table) => Err(bad(format!("a row of {table} refers to one that is not there"))),
    }
}

async fn count(tx: &mut Tx) -> Result<BTreeMap<String, u64>, CatalogError> {
    let mut counts = BTreeMap::new();
    for table in tx.tables().await? {
        let select = format!("SELECT count(*) AS rows FROM {}", quoted(table));
        let rows = tx.rows_text(select, values![]).await?;
        let rows: i64 = rows.first().map_or(Ok(0), |row| row.get("rows"))?;
        counts.insert(table.to_owned(), rows.unsigned_abs());
    }
    Ok(counts)
}

/// Writes the list of blobs; how many they are, and how large.
async fn list_blobs(tx: &mut Tx, folder: &Path) -> Result<(u64, u64), CatalogError> {
    let path = folder.join(BLOBS);
    let failed = || CatalogError::file(&path);
    let mut file = BufWriter::new(std::fs::File::create(&path).map_err(failed())?);
    let (mut count, mut bytes, mut after) = (0, 0, Vec::new());
    loop {
        let select =
            "SELECT digest, size FROM blobs WHERE digest > $1 AND state <> 'deleting' ORDER BY digest LIMIT $2";
        let rows = tx.rows_sql(select, values![after, PAGE]).await?;
        for row in &rows {
            let (digest, size): (Digest, i64) = (row.get("digest")?, row.get("size")?);
            writeln!(file, "{digest} {size}").map_err(failed())?;
            count += 1;
            bytes += size.unsigned_abs();
            after = digest.as_bytes().to_vec();
        }
        if rows.is_empty() {
            file.flush().map_err(failed())?;
            return Ok((count, bytes));
        }
    }
}
