//! Versions of the tables: what is opened, refused, made.

use std::collections::BTreeSet;

use holotype_catalog::{Catalog, CatalogError, CatalogUrl, Pools, Tx, values};
use sqlx::Row as _;

use crate::engines::{Bench, on_both};

on_both! {
    a_catalog_is_made_once_and_kept_the_second_time
    another_version_is_refused_with_the_command_that_helps
    an_altered_migration_is_noticed
    the_queues_own_migrations_do_not_meet_ours
}

async fn a_catalog_is_made_once_and_kept_the_second_time(bench: Bench) {
    let url = bench.catalog.url();
    assert_eq!(Catalog::schema_version(url).await.unwrap(), Catalog::EXPECTED_VERSION);
    bench.catalog.create_project(&Catalog::local_owner(), "kept").await.unwrap();
    let again = Catalog::initialise(url, &*bench.clock).await.unwrap();
    assert_eq!((again.from, again.to), (Catalog::EXPECTED_VERSION, Catalog::EXPECTED_VERSION));
    assert_eq!(bench.catalog.list_projects(&Catalog::local_owner()).await.unwrap().len(), 2);
}

async fn another_version_is_refused_with_the_command_that_helps(bench: Bench) {
    let url = bench.catalog.url().clone();
    for (found, command) in [(1_i64, "holotype db migrate"), (99, "install the newer program"), (0, "holotype init")] {
        if found == 0 {
            bench.exec("DROP TABLE holotype_migrations", values![]).await;
        } else {
            bench.exec("DELETE FROM holotype_migrations WHERE version <> 1 AND version <> 99", values![]).await;
            bench.exec("UPDATE holotype_migrations SET version = $1", values![found]).await;
        }
        let error = Catalog::open(url.clone(), bench.clock.clone()).await.unwrap_err();
        assert!(matches!(error, CatalogError::SchemaMismatch { found: at, .. } if at == found), "{error:?}");
        assert!(error.to_string().contains(command), "{error}");
    }
}

async fn an_altered_migration_is_noticed(bench: Bench) {
    bench.exec("UPDATE holotype_migrations SET checksum = $1 WHERE version = 1", values![vec![0_u8]]).await;
    let error = Catalog::initialise(bench.catalog.url(), &*bench.clock).await.unwrap_err();
    assert!(matches!(error, CatalogError::Migration { version: Catalog::EXPECTED_VERSION, .. }), "{error:?}");
}

async fn the_queues_own_migrations_do_not_meet_ours(bench: Bench) {
    bench.exec("CREATE TABLE _sqlx_migrations (x int)", values![]).await;
    Catalog::initialise(bench.catalog.url(), &*bench.clock).await.unwrap();
    bench.again().await;
}

/// The columns of every table of ours, as `table.column`.
async fn columns(bench: &Bench) -> BTreeSet<String> {
    match bench.catalog.pools() {
        Pools::Sqlite(pool) => {
            let select = "SELECT t.name, c.name FROM pragma_table_list t, pragma_table_info(t.name) c
                WHERE t.schema = 'main' AND t.name NOT LIKE 'sqlite%'";
            let rows = sqlx::query(select).fetch_all(&pool).await.unwrap();
            rows.iter().map(|row| format!("{}.{}", row.get::<String, _>(0), row.get::<String, _>(1))).collect()
        }
        Pools::Postgres(pool) => {
            let select = "SELECT table_name::text, column_name::text
                FROM information_schema.columns WHERE table_schema = 'public'";
            let rows = sqlx::query(select).fetch_all(&pool).await.unwrap();
            rows.iter().map(|row| format!("{}.{}", row.get::<String, _>(0), row.get::<String, _>(1))).collect()
        }
    }
}

#[tokio::test]
async fn both_engines_have_the_same_columns() {
    let (sqlite, postgres) = (columns(&Bench::sqlite().await).await, columns(&Bench::postgres().await).await);
    assert!(sqlite.len() > 100, "{sqlite:?}");
    assert_eq!(sqlite, postgres);
}

#[tokio::test]
async fn every_text_of_postgres_sorts_by_its_bytes() {
    let bench = Bench::postgres().await;
    let Pools::Postgres(pool) = bench.catalog.pools() else { panic!("not PostgreSQL") };
    let select = "SELECT i.relname || '.' || a.attname FROM pg_index x
        JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_attribute a ON a.attrelid = i.oid
        JOIN pg_namespace n ON n.oid = i.relnamespace AND n.nspname = 'public'
        WHERE a.atttypid = 'text'::regtype AND a.attcollation <> '\"C\"'::regcollation";
    let others: Vec<String> = sqlx::query_scalar(select).fetch_all(&pool).await.unwrap();
    assert_eq!(others, ["holotype_migrations_pkey"; 0], "these indexed texts have another order than in SQLite");
}

#[tokio::test]
async fn a_place_without_a_catalog_is_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("catalog.db");
    let url = CatalogUrl::from(file.as_path());
    let clock = std::sync::Arc::new(holotype_testkit::clock::HandClock::default());
    let error = Catalog::open(url.clone(), clock.clone()).await.unwrap_err();
    assert!(matches!(error, CatalogError::SchemaMismatch { found: 0, .. }), "{error:?}");
    assert!(!file.exists());
    std::fs::write(
        &file,
        "this is not a database, but long enough to be taken for one if nobody looks at its first bytes",
    )
    .unwrap();
    let error = Catalog::open(url, clock).await.unwrap_err();
    assert!(matches!(error, CatalogError::Damaged { .. }), "{error:?}");
}

#[tokio::test]
async fn a_server_that_is_not_there_is_unreachable() {
    let url = CatalogUrl::parse("postgres://nobody:hush@127.0.0.1:1/lab").unwrap();
    let error = Catalog::schema_version(&url).await.unwrap_err();
    assert!(matches!(error, CatalogError::Unreachable { .. }), "{error:?}");
    assert!(!error.to_string().contains("hush"));
}

const SETTINGS: &str = "SELECT journal_mode || ' ' || synchronous || ' ' || foreign_keys || ' ' || timeout AS settings
    FROM pragma_journal_mode, pragma_synchronous, pragma_foreign_keys, pragma_busy_timeout";

async fn settings(tx: &mut Tx) -> Result<String, CatalogError> {
    tx.row_sql(SETTINGS, values![]).await?.unwrap().get("settings")
}

#[tokio::test]
async fn every_connection_to_sqlite_is_durable() {
    let bench = Bench::sqlite().await;
    assert_eq!(bench.catalog.write(|tx| Box::pin(settings(tx))).await.unwrap(), "wal 2 1 30000");
    assert_eq!(bench.catalog.read(|tx| Box::pin(settings(tx))).await.unwrap(), "wal 2 1 30000");
    let Pools::Sqlite(pool) = bench.catalog.pools() else { panic!("not SQLite") };
    let shared: String = sqlx::query_scalar(SETTINGS).fetch_one(&pool).await.unwrap();
    assert_eq!(shared, "wal 2 1 30000");
}
