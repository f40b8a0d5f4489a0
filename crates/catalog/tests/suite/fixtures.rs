//! Every released schema, as a dump of a catalog with something in it, is brought to the present one.
//!
//! The dumps are made by this program at the time of the release, with the engines' own tools, and never changed
//! afterwards:
//! `HOLOTYPE_WRITE_FIXTURES=1 cargo nextest run -p holotype-catalog --test suite fixtures`. They hold the checksums of
//! the migrations that made them, so a migration that is changed after its release is noticed here.

use std::path::{Path, PathBuf};
use std::process::Command;

use holotype_catalog::{Catalog, CatalogError, CatalogUrl, values};
use holotype_core::{Caller, Digest, ProjectId};
use holotype_testkit::clock::HandClock;
use holotype_testkit::postgres;
use secrecy::SecretString;

use crate::backups::fill;
use crate::engines::Bench;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}

/// The dumps of an engine, with their versions, oldest first.
fn fixtures(engine: &str) -> Vec<(i64, String)> {
    let mut fixtures = Vec::new();
    for entry in std::fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if let Some(version) =
            name.strip_prefix("schema-").and_then(|name| name.strip_suffix(&format!("-{engine}.sql")))
        {
            fixtures.push((version.parse().unwrap(), std::fs::read_to_string(&path).unwrap()));
        }
    }
    fixtures.sort_unstable();
    fixtures
}

/// Brings the dumped catalog to the present, and finds what was put into it.
async fn upgrade(url: &CatalogUrl, from: i64) {
    let (backups, clock) = (tempfile::tempdir().unwrap(), std::sync::Arc::new(HandClock::default()));
    let migrated = Catalog::migrate(url, &*clock, backups.path()).await.unwrap();
    assert_eq!((migrated.from, migrated.to), (from, Catalog::EXPECTED_VERSION));
    assert_eq!(migrated.backup.is_some(), from < Catalog::EXPECTED_VERSION);
    let catalog = Catalog::open(url.clone(), clock).await.unwrap();
    let right = SecretString::from("correct horse");
    let ada: Caller = catalog.authenticate_password("ada", &right).await.unwrap().expect("ada's password still works");
    assert_eq!(ada.project, ProjectId::DEFAULT);
    let (document, references, jobs): (String, u64, i64) = catalog
        .read(|tx| {
            Box::pin(async move {
                let document = tx.row_sql("SELECT document FROM datapoints WHERE id = 'dp'", values![]).await?;
                let blob = tx.blob_info(Digest::of(b"abc")).await?;
                let jobs = tx.row_sql("SELECT count(*) AS jobs FROM activities", values![]).await?;
                let (document, jobs) = (document.unwrap().get("document")?, jobs.unwrap().get("jobs")?);
                Ok::<_, CatalogError>((document, blob.unwrap().references, jobs))
            })
        })
        .await
        .unwrap();
    assert_eq!(document, r#"{"value": 123456789012345678901234567890, "nul": "\u0000"}"#);
    assert_eq!((references, jobs), (1, 1));
    catalog.close().await;
}

#[tokio::test]
async fn every_released_schema_of_sqlite_is_brought_to_the_present() {
    for (version, dump) in fixtures("sqlite") {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("catalog.db");
        let pool = sqlx::SqlitePool::connect(&format!("sqlite://{}?mode=rwc", file.display())).await.unwrap();
        sqlx::raw_sql(sqlx::AssertSqlSafe(dump)).execute(&pool).await.unwrap();
        pool.close().await;
        upgrade(&CatalogUrl::from(file.as_path()), version).await;
    }
}

#[tokio::test]
async fn every_released_schema_of_postgres_is_brought_to_the_present() {
    for (version, dump) in fixtures("postgres") {
        let database = postgres::database().await;
        let pool = sqlx::PgPool::connect(&database.url).await.unwrap();
        sqlx::raw_sql(sqlx::AssertSqlSafe(dump)).execute(&pool).await.unwrap();
        pool.close().await;
        upgrade(&CatalogUrl::parse(&database.url).unwrap(), version).await;
    }
}

#[tokio::test]
async fn the_present_schema_is_among_the_fixtures() {
    if std::env::var_os("HOLOTYPE_WRITE_FIXTURES").is_some() {
        write().await;
    }
    for engine in ["sqlite", "postgres"] {
        let last = fixtures(engine).last().map(|(version, _)| *version);
        let make = "`HOLOTYPE_WRITE_FIXTURES=1 cargo nextest run -p holotype-catalog --test suite fixtures` makes it";
        assert_eq!(last, Some(Catalog::EXPECTED_VERSION), "the fixture of {engine} is missing; {make}");
    }
}

/// Dumps a catalog of the present schema, on each engine.
async fn write() {
    let bench = Bench::sqlite().await;
    fill(&bench).await;
    bench.catalog.close().await;
    let mut dump = Command::new("sqlite3");
    dump.arg(bench.path("catalog.db")).arg(".dump");
    save("sqlite", &mut dump);

    let bench = Bench::postgres().await;
    fill(&bench).await;
    let Some(database) = bench.database() else { panic!("not PostgreSQL") };
    let mut dump = Command::new("pg_dump");
    dump.args(["--inserts", "--no-owner", "--no-privileges", database]);
    save("postgres", &mut dump);
}

fn save(engine: &str, dump: &mut Command) {
    let output = dump.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    // What begins with a backslash is for psql; comments name versions of tools.
    let text = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with('\\') && !line.starts_with("--")).collect();
    let name = format!("schema-{:04}-{engine}.sql", Catalog::EXPECTED_VERSION);
    std::fs::write(folder().join(name), lines.join("\n") + "\n").unwrap();
}
