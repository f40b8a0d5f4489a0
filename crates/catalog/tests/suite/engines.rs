//! An empty catalog of either engine, and a macro that makes each test run on both.

use std::path::PathBuf;
use std::sync::Arc;

use holotype_catalog::{Catalog, CatalogError, CatalogUrl};
use holotype_testkit::clock::HandClock;
use holotype_testkit::postgres::{self, TestDatabase};
use sea_query::Value;

/// A catalog of one test, on a clock that the test turns.
pub(crate) struct Bench {
    pub(crate) catalog: Catalog,
    pub(crate) clock: Arc<HandClock>,
    pub(crate) folder: tempfile::TempDir,
    database: Option<TestDatabase>,
}

impl Bench {
    pub(crate) async fn sqlite() -> Self {
        Self::make(None).await
    }

    pub(crate) async fn postgres() -> Self {
        Self::make(Some(postgres::database().await)).await
    }

    async fn make(database: Option<TestDatabase>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(HandClock::default());
        let url = match &database {
            Some(database) => CatalogUrl::parse(&database.url).unwrap(),
            None => CatalogUrl::from(folder.path().join("catalog.db").as_path()),
        };
        Catalog::initialise(&url, &*clock).await.unwrap();
        let catalog = Catalog::open(url, clock.clone()).await.unwrap();
        Self { catalog, clock, folder, database }
    }

    /// Runs one statement.
    pub(crate) async fn exec(&self, statement: &'static str, values: Vec<Value>) {
        let run = self.catalog.write(move |tx| {
            let values = values.clone();
            Box::pin(async move { tx.exec_sql(statement, values).await })
        });
        let run: Result<u64, CatalogError> = run.await;
        run.unwrap();
    }

    /// The same catalog as another process would open it.
    pub(crate) async fn again(&self) -> Catalog {
        Catalog::open(self.catalog.url().clone(), self.clock.clone()).await.unwrap()
    }

    pub(crate) fn is_postgres(&self) -> bool {
        self.database.is_some()
    }

    /// The URL of the PostgreSQL database, if it is one.
    pub(crate) fn database(&self) -> Option<&str> {
        self.database.as_ref().map(|database| database.url.as_str())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

/// Makes of each `async fn name(bench: Bench)` that is listed the tests `name::on_sqlite` and `name::on_postgres`.
macro_rules! on_both {
    ($($name:ident)*) => {$(
        mod $name {
            use crate::engines::Bench;

            #[tokio::test]
            async fn on_sqlite() {
                super::$name(Bench::sqlite().await).await;
            }

            #[tokio::test]
            async fn on_postgres() {
                super::$name(Bench::postgres().await).await;
            }
        }
    )*};
}

pub(crate) use on_both;
