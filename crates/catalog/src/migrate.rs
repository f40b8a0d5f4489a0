//! The versions of the tables, and the way from one to the next.
//!
//! `migrations/sqlite` and `migrations/postgres` are numbered alike. All that is needed runs in one transaction, on
//! either engine, so a migration that fails leaves the catalog as it was.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use holotype_core::{Clock, ProjectId, Role, UserId};
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::{ConnectOptions as _, Connection as _};

use crate::exclusive::exclusively;
use crate::tables::MIGRATIONS;
use crate::tx::{Connection, Tx};
use crate::url::{CatalogUrl, Place};
use crate::{Catalog, CatalogError, Engine, backup, sqlite, values};

/// What [`Catalog::migrate`] did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Migrated {
    /// The version before; 0 was an empty database.
    pub from: i64,
    /// The version now.
    pub to: i64,
    /// The backup that was made before, if there was something to lose.
    pub backup: Option<PathBuf>,
}

impl Catalog {
    /// The version of the tables that this program works with.
    pub const EXPECTED_VERSION: i64 = 5;

    /// The version of the tables at `url`: 0 if there is no file, or no catalog in the database.
    ///
    /// # Errors
    /// [`CatalogError::Unreachable`] and its like.
    pub async fn schema_version(url: &CatalogUrl) -> Result<i64, CatalogError> {
        version(url).await
    }

    /// Makes the tables in an empty database, which may be a file that does not exist yet. A catalog that is there
    /// already stays.
    ///
    /// # Errors
    /// [`CatalogError::SchemaMismatch`] if a catalog of another version is there.
    pub async fn initialise(url: &CatalogUrl, clock: &dyn Clock) -> Result<Migrated, CatalogError> {
        let found = version(url).await?;
        if found != 0 {
            expect_version(url, found)?;
        }
        upgrade(url, clock, &migrator).await
    }

    /// Brings the catalog at `url` to the version that this program works with, after a verified backup in a new folder
    /// under
    /// `backups`. An empty database gets its tables.
    ///
    /// # Errors
    /// [`CatalogError::SchemaMismatch`] for a newer catalog; [`CatalogError::Migration`] if a migration fails, with
    /// nothing changed.
    pub async fn migrate(url: &CatalogUrl, clock: &dyn Clock, backups: &Path) -> Result<Migrated, CatalogError> {
        let found = version(url).await?;
        if found >= Self::EXPECTED_VERSION {
            expect_version(url, found)?;
        }
        let mut kept = None;
        if (1..Self::EXPECTED_VERSION).contains(&found) {
            // Without colons and fractions, which not every file system or eye likes.
            let time: String = clock.now().to_string().chars().filter(char::is_ascii_alphanumeric).collect();
            let folder = backups.join(format!("before-version-{}-{time}", Self::EXPECTED_VERSION));
            backup::make(url, clock, &folder).await?;
            kept = Some(folder);
        }
        let migrated = upgrade(url, clock, &migrator).await?;
        Ok(Migrated { backup: kept, ..migrated })
    }
}

/// Refuses every version but the one this program works with.
pub(crate) fn expect_version(url: &CatalogUrl, found: i64) -> Result<(), CatalogError> {
    if found == Catalog::EXPECTED_VERSION {
        return Ok(());
    }
    Err(CatalogError::SchemaMismatch { database: url.to_string(), found, expected: Catalog::EXPECTED_VERSION })
}

/// Brings the catalog to the last version that `migrations` knows for its engine, all or nothing.
async fn upgrade(
    url: &CatalogUrl,
    clock: &dyn Clock,
    migrations: &(impl Fn(Engine) -> Migrator + Sync),
) -> Result<Migrated, CatalogError> {
    let migrator = migrations(match url.place() {
        Place::Sqlite(_) => Engine::Sqlite,
        Place::Postgres(_) => Engine::Postgres,
    });
    exclusively(url, clock, |tx| {
        Box::pin(async move {
            let from = version_in(tx).await?;
            apply(tx, &migrator).await.map_err(|error| failed(from, error))?;
            expect_references(tx, from).await?;
            if from == 0 {
                found(tx).await?;
            }
            Ok(Migrated { from, to: version_in(tx).await?, backup: None })
        })
    })
    .await
}

/// Makes the tables as they are at `version`, in a transaction in which there are none.
pub(crate) async fn make_tables(tx: &mut Tx, version: i64) -> Result<(), CatalogError> {
    let mut migrator = migrator(tx.engine());
    migrator.migrations.to_mut().retain(|migration| migration.version <= version);
    apply(tx, &migrator).await.map_err(|error| failed(0, error))
}

async fn apply(tx: &mut Tx, migrator: &Migrator) -> Result<(), MigrateError> {
    // Not `run`: its bound is not general enough for a future that is to be sent.
    match tx.connection().await.map_err(|error| MigrateError::Source(error.into()))? {
        Connection::Sqlite(connection) => migrator.run_direct(None, connection, false).await,
        Connection::Postgres(connection) => migrator.run_direct(None, connection, false).await,
    }
}

/// SQLite does not enforce references while tables are made again, so they are checked at the end.
async fn expect_references(tx: &mut Tx, from: i64) -> Result<(), CatalogError> {
    if tx.engine() == Engine::Postgres {
        return Ok(());
    }
    match broken_reference(tx).await? {
        None => Ok(()),
        Some(table) => {
            let problem = format!("a row of {table} refers to one that is not there");
            Err(failed(from, MigrateError::Source(problem.into())))
        }
    }
}

/// A table of a SQLite catalog in which a row refers to one that is not there.
pub(crate) async fn broken_reference(tx: &mut Tx) -> Result<Option<String>, CatalogError> {
    let check = r#"SELECT "table" AS broken FROM pragma_foreign_key_check LIMIT 1"#;
    tx.row_sql(check, values![]).await?.map(|row| row.get("broken")).transpose()
}

fn failed(version: i64, error: MigrateError) -> CatalogError {
    CatalogError::Migration { version, source: Arc::new(error) }
}

/// The project that every catalog starts with, and who owns it until the first user is created.
async fn found(tx: &mut Tx) -> Result<(), CatalogError> {
    let project = "INSERT INTO projects (id, name, created_at) VALUES ($1, $2, $3)";
    tx.exec_sql(project, values![ProjectId::DEFAULT, "default", tx.now()]).await?;
    let member = "INSERT INTO members (project, user_id, role) VALUES ($1, $2, $3)";
    tx.exec_sql(member, values![ProjectId::DEFAULT, UserId::LOCAL, Role::Owner]).await?;
    Ok(())
}

fn migrator(engine: Engine) -> Migrator {
    let mut migrator = match engine {
        Engine::Sqlite => sqlx::migrate!("migrations/sqlite"),
        Engine::Postgres => sqlx::migrate!("migrations/postgres"),
    };
    // The queue of jobs keeps its own migrations in a table of sqlx's usual name.
    migrator.dangerous_set_table_name(MIGRATIONS);
    // The transaction around it locks.
    migrator.set_locking(false);
    migrator
}

/// Looks at a database without making or changing anything.
pub(crate) async fn version(url: &CatalogUrl) -> Result<i64, CatalogError> {
    match url.place() {
        Place::Sqlite(file) => {
            if !file.try_exists().map_err(CatalogError::file(file))? {
                return Ok(0);
            }
            let mut connection = sqlite::options(file).connect().await?;
            let version = version_over(Connection::Sqlite(&mut connection)).await;
            connection.close().await?;
            version
        }
        Place::Postgres(options) => {
            let mut connection = options.connect().await?;
            let version = version_over(Connection::Postgres(&mut connection)).await;
            connection.close().await?;
            version
        }
    }
}

pub(crate) async fn version_in(tx: &mut Tx) -> Result<i64, CatalogError> {
    version_over(tx.connection().await?).await
}

async fn version_over(connection: Connection<'_>) -> Result<i64, CatalogError> {
    let version = "SELECT coalesce(max(version), 0) FROM holotype_migrations WHERE success";
    let version = match connection {
        Connection::Sqlite(connection) => {
            let exists = "SELECT count(*) > 0 FROM sqlite_schema WHERE name = 'holotype_migrations'";
            if !sqlx::query_scalar(exists).fetch_one(&mut *connection).await? {
                return Ok(0);
            }
            sqlx::query_scalar(version).fetch_one(connection).await?
        }
        Connection::Postgres(connection) => {
            let exists = "SELECT to_regclass('holotype_migrations') IS NOT NULL";
            if !sqlx::query_scalar(exists).fetch_one(&mut *connection).await? {
                return Ok(0);
            }
            sqlx::query_scalar(version).fetch_one(connection).await?
        }
    };
    Ok(version)
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use holotype_testkit::clock::HandClock;
    use holotype_testkit::postgres;
    use sqlx::SqlSafeStr as _;
    use sqlx::migrate::{Migration, MigrationType};

    use super::*;

    /// A catalog as it is at `version`, on a clock that stands still.
    async fn catalog_at(url: &CatalogUrl, version: i64) {
        let clock = HandClock::default();
        let made = exclusively(url, &clock, |tx| {
            Box::pin(async move {
                make_tables(tx, version).await?;
                found(tx).await
            })
        });
        made.await.unwrap();
    }

    /// The migrations there are, and one more.
    fn with_one_more(statements: &'static str) -> impl Fn(Engine) -> Migrator + Sync {
        move |engine| {
            let mut migrator = migrator(engine);
            let (version, kind) = (Catalog::EXPECTED_VERSION + 1, MigrationType::Simple);
            let one_more = Migration::new(version, Cow::Borrowed("one more"), kind, statements.into_sql_str(), false);
            migrator.migrations.to_mut().push(one_more);
            migrator
        }
    }

    async fn has_table(url: &CatalogUrl, name: &'static str) -> bool {
        let tables = exclusively(url, &HandClock::default(), |tx| Box::pin(tx.all_tables())).await.unwrap();
        tables.iter().any(|table| table == name)
    }

    async fn an_older_catalog_is_backed_up_and_brought_to_the_present(url: &CatalogUrl) {
        let (folder, clock) = (tempfile::tempdir().unwrap(), HandClock::default());
        catalog_at(url, 1).await;
        assert!(!has_table(url, "datapoints").await);
        let migrated = Catalog::migrate(url, &clock, folder.path()).await.unwrap();
        let expected = Catalog::EXPECTED_VERSION;
        let backup = folder.path().join(format!("before-version-{expected}-20260101T000000Z"));
        assert_eq!(migrated, Migrated { from: 1, to: expected, backup: Some(backup.clone()) });
        assert!(has_table(url, "datapoints").await);
        assert_eq!(Catalog::verify_backup(&backup).await.unwrap().schema_version, 1);
        let again = Catalog::migrate(url, &clock, folder.path()).await.unwrap();
        assert_eq!(again, Migrated { from: expected, to: expected, backup: None });
        // And back: the backup is a catalog of the older version.
        Catalog::restore(&backup, url, &clock, crate::Existing::Replace).await.unwrap();
        assert_eq!(version(url).await.unwrap(), 1);
        assert!(!has_table(url, "datapoints").await);
    }

    async fn a_migration_that_fails_changes_nothing(url: &CatalogUrl) {
        catalog_at(url, 1).await;
        let broken = with_one_more("CREATE TABLE more (x bigint); INSERT INTO nowhere VALUES (1)");
        let error = upgrade(url, &HandClock::default(), &broken).await.unwrap_err();
        assert!(matches!(error, CatalogError::Migration { version: 1, .. }), "{error:?}");
        assert!(error.to_string().contains("as it was, at version 1"), "{error}");
        assert_eq!(version(url).await.unwrap(), 1);
        // Neither what the broken one did before it failed, nor the good one before it.
        assert!(!has_table(url, "more").await && !has_table(url, "datapoints").await);
    }

    async fn a_migration_that_loses_a_row_others_need_changes_nothing(url: &CatalogUrl) {
        catalog_at(url, Catalog::EXPECTED_VERSION).await;
        let user = "INSERT INTO users (id, name, admin, default_project, created_at) VALUES ('u', 'u', $1, $2, 0)";
        let clock = HandClock::default();
        let added = exclusively(url, &clock, |tx| {
            Box::pin(async move { tx.exec_sql(user, values![false, ProjectId::DEFAULT]).await })
        });
        added.await.unwrap();
        let careless = with_one_more("DELETE FROM members; DELETE FROM projects");
        let error = upgrade(url, &clock, &careless).await.unwrap_err();
        assert!(matches!(error, CatalogError::Migration { version: Catalog::EXPECTED_VERSION, .. }), "{error:?}");
        assert_eq!(version(url).await.unwrap(), Catalog::EXPECTED_VERSION);
    }

    async fn an_empty_database_gets_its_tables_and_no_backup(url: &CatalogUrl) {
        let folder = tempfile::tempdir().unwrap();
        let migrated = Catalog::migrate(url, &HandClock::default(), folder.path()).await.unwrap();
        assert_eq!(migrated, Migrated { from: 0, to: Catalog::EXPECTED_VERSION, backup: None });
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    async fn two_that_migrate_at_once_do_it_once(url: &CatalogUrl) {
        let clock = HandClock::default();
        let (one, other) = tokio::join!(Catalog::initialise(url, &clock), Catalog::initialise(url, &clock));
        let mut from = [one.unwrap().from, other.unwrap().from];
        from.sort_unstable();
        assert_eq!(from, [0, Catalog::EXPECTED_VERSION]);
    }

    macro_rules! on_both {
        ($($name:ident)*) => {
            mod on_sqlite {
                use super::*;
                $(#[tokio::test]
                async fn $name() {
                    let folder = tempfile::tempdir().unwrap();
                    super::$name(&CatalogUrl::from(folder.path().join("catalog.db").as_path())).await;
                })*
            }

            mod on_postgres {
                use super::*;
                $(#[tokio::test]
                async fn $name() {
                    let database = postgres::database().await;
                    super::$name(&CatalogUrl::parse(&database.url).unwrap()).await;
                })*
            }
        };
    }

    on_both! {
        an_older_catalog_is_backed_up_and_brought_to_the_present
        a_migration_that_fails_changes_nothing
        a_migration_that_loses_a_row_others_need_changes_nothing
        an_empty_database_gets_its_tables_and_no_backup
        two_that_migrate_at_once_do_it_once
    }

    #[test]
    fn both_engines_have_the_same_versions_and_the_last_is_the_expected_one() {
        let versions = |engine| migrator(engine).iter().map(|migration| migration.version).collect::<Vec<_>>();
        assert_eq!(versions(Engine::Sqlite), versions(Engine::Postgres));
        assert_eq!(versions(Engine::Sqlite).last(), Some(&Catalog::EXPECTED_VERSION));
    }
}
