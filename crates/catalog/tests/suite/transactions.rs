//! Transactions: whole or not at all, each caller's own, durable when answered.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures::FutureExt as _;
use futures::future::join_all;
use holotype_catalog::{Catalog, CatalogError, Connection, Engine, Tx, values};
use holotype_core::ProjectId;

use crate::engines::{Bench, on_both};

async fn add(tx: &mut Tx, name: &str) -> Result<u64, CatalogError> {
    let id = ProjectId::from_parts(tx.now(), holotype_catalog::random::bits()?);
    tx.exec_sql("INSERT INTO projects (id, name, created_at) VALUES ($1, $2, $3)", values![id, name, tx.now()]).await
}

async fn names(catalog: &Catalog) -> Vec<String> {
    catalog
        .read(|tx| {
            Box::pin(async move {
                let rows =
                    tx.rows_sql("SELECT name FROM projects WHERE name <> 'default' ORDER BY name", values![]).await?;
                rows.iter().map(|row| row.get("name")).collect::<Result<Vec<String>, CatalogError>>()
            })
        })
        .await
        .unwrap()
}

on_both! {
    what_many_callers_write_at_once_is_all_there
    one_callers_failure_is_its_own
    a_failed_statement_makes_the_commit_fail
    a_failure_on_the_lent_connection_makes_the_commit_fail
    a_panic_stores_nothing_and_hurts_nobody_else
    hooks_run_after_the_commit_and_only_then
    a_write_inside_a_write_is_refused
    a_reader_sees_one_state_and_changes_nothing
    two_processes_write_the_same_catalog
    a_closed_catalog_says_so_and_holds_what_was_written
    work_that_collides_is_run_again
}

async fn what_many_callers_write_at_once_is_all_there(bench: Bench) {
    let catalog = &bench.catalog;
    let writes = (0..100)
        .map(|number| catalog.write(move |tx| Box::pin(async move { add(tx, &format!("p{number:03}")).await })));
    for written in join_all(writes).await {
        assert_eq!(written.unwrap(), 1);
    }
    assert_eq!(names(catalog).await, (0..100).map(|number| format!("p{number:03}")).collect::<Vec<_>>());
}

async fn one_callers_failure_is_its_own(bench: Bench) {
    let catalog = &bench.catalog;
    let writes = (0..30).map(|number| {
        catalog.write(move |tx| {
            Box::pin(async move {
                add(tx, &format!("p{number:02}")).await?;
                if number % 3 == 0 {
                    return Err(CatalogError::Invalid { problem: "not this one".into() });
                }
                Ok(())
            })
        })
    });
    let failed = join_all(writes).await.into_iter().filter(Result::is_err).count();
    assert_eq!(failed, 10);
    let kept = names(catalog).await;
    assert_eq!(kept.len(), 20, "{kept:?}");
    assert!(!kept.contains(&"p03".to_owned()));
}

async fn a_failed_statement_makes_the_commit_fail(bench: Bench) {
    let written: Result<(), CatalogError> = bench
        .catalog
        .write(|tx| {
            Box::pin(async move {
                add(tx, "kept").await?;
                // The work passes over the failure, as PostgreSQL's commit does.
                assert!(matches!(add(tx, "kept").await, Err(CatalogError::Constraint { .. })));
                assert!(matches!(add(tx, "other").await, Err(CatalogError::AlreadyFailed { .. })));
                Ok(())
            })
        })
        .await;
    assert!(matches!(written, Err(CatalogError::AlreadyFailed { .. })), "{written:?}");
    assert!(names(&bench.catalog).await.is_empty());
}

async fn a_failure_on_the_lent_connection_makes_the_commit_fail(bench: Bench) {
    let written: Result<(), CatalogError> = bench
        .catalog
        .write(|tx| {
            Box::pin(async move {
                add(tx, "kept").await?;
                if let Connection::Postgres(connection) = tx.connection().await? {
                    sqlx::query("SELECT nothing FROM nowhere").execute(connection).await.unwrap_err();
                } else {
                    add(tx, "kept").await?;
                }
                Ok(())
            })
        })
        .await;
    assert!(written.is_err());
    assert!(names(&bench.catalog).await.is_empty());
}

async fn a_panic_stores_nothing_and_hurts_nobody_else(bench: Bench) {
    let catalog = &bench.catalog;
    let writes = (0..6).map(|number| {
        catalog.write(move |tx| {
            Box::pin(async move {
                add(tx, &format!("p{number}")).await?;
                assert!(number != 3, "this one panics");
                Ok::<_, CatalogError>(())
            })
        })
    });
    let answers = join_all(writes).await;
    assert!(matches!(answers[3], Err(CatalogError::Panicked)));
    assert_eq!(names(catalog).await, ["p0", "p1", "p2", "p4", "p5"]);
}

async fn hooks_run_after_the_commit_and_only_then(bench: Bench) {
    let ran = Arc::new(AtomicUsize::new(0));
    let writes = (0..8).map(|number| {
        let ran = Arc::clone(&ran);
        bench.catalog.write(move |tx| {
            let ran = Arc::clone(&ran);
            Box::pin(async move {
                add(tx, &format!("p{number}")).await?;
                tx.after_commit(Box::new(move || {
                    ran.fetch_add(1, Ordering::SeqCst);
                    assert!(number != 1, "a hook that panics");
                }));
                if number % 2 == 0 || number == 1 {
                    Ok(())
                } else {
                    Err(CatalogError::Invalid { problem: "rolled back".into() })
                }
            })
        })
    });
    join_all(writes).await;
    assert_eq!(ran.load(Ordering::SeqCst), 5);
    assert_eq!(names(&bench.catalog).await.len(), 5);
}

async fn a_write_inside_a_write_is_refused(bench: Bench) {
    let catalog = bench.catalog.clone();
    let written: Result<(), CatalogError> = bench
        .catalog
        .write(move |_| {
            let catalog = catalog.clone();
            Box::pin(async move { catalog.write(|tx| Box::pin(async move { add(tx, "inner").await.map(drop) })).await })
        })
        .await;
    assert!(matches!(written, Err(CatalogError::Nested)));
}

async fn a_reader_sees_one_state_and_changes_nothing(bench: Bench) {
    let catalog = bench.catalog.clone();
    let other = bench.again().await;
    let counts: (i64, i64) = catalog
        .read(move |tx| {
            let other = other.clone();
            Box::pin(async move {
                let count = "SELECT count(*) AS n FROM projects";
                let before = tx.row_sql(count, values![]).await?.unwrap().get("n")?;
                other.write(|tx| Box::pin(async move { add(tx, "meanwhile").await })).await?;
                let after = tx.row_sql(count, values![]).await?.unwrap().get("n")?;
                Ok::<_, CatalogError>((before, after))
            })
        })
        .await
        .unwrap();
    assert_eq!(counts.0, counts.1);
    let refused = catalog.read(|tx| Box::pin(async move { add(tx, "by a reader").await })).await;
    assert!(matches!(refused, Err(CatalogError::ReadOnly { .. })), "{refused:?}");
    assert_eq!(names(&catalog).await, ["meanwhile"]);
}

async fn two_processes_write_the_same_catalog(bench: Bench) {
    let other = bench.again().await;
    let writes = (0..40).map(|number| {
        let catalog = if number % 2 == 0 { &bench.catalog } else { &other };
        catalog.write(move |tx| Box::pin(async move { add(tx, &format!("p{number:02}")).await }))
    });
    for written in join_all(writes).await {
        written.unwrap();
    }
    assert_eq!(names(&other).await.len(), 40);
}

async fn a_closed_catalog_says_so_and_holds_what_was_written(bench: Bench) {
    let again = bench.again().await;
    bench.catalog.write(|tx| Box::pin(async move { add(tx, "before").await })).await.unwrap();
    bench.catalog.close().await;
    let refused = bench.catalog.write(|tx| Box::pin(async move { add(tx, "after").await })).await;
    assert!(matches!(refused, Err(CatalogError::Closed)), "{refused:?}");
    let refused = bench.catalog.read(|tx| Box::pin(async move { add(tx, "after").await })).await;
    assert!(matches!(refused, Err(CatalogError::Closed)), "{refused:?}");
    assert_eq!(names(&again).await, ["before"]);
}

async fn work_that_collides_is_run_again(bench: Bench) {
    let catalog = &bench.catalog;
    for name in ["a", "b"] {
        catalog.write(move |tx| Box::pin(async move { add(tx, name).await })).await.unwrap();
    }
    // Two rows, changed in opposite order: a deadlock wherever two transactions run at the same time.
    let meeting = Arc::new(tokio::sync::Barrier::new(2));
    let runs = Arc::new(AtomicUsize::new(0));
    let change = |first: &'static str, second: &'static str| {
        let (meeting, runs) = (Arc::clone(&meeting), Arc::clone(&runs));
        catalog.write(move |tx| {
            let (meeting, runs) = (Arc::clone(&meeting), Arc::clone(&runs));
            Box::pin(async move {
                let update = "UPDATE projects SET created_at = created_at + 1 WHERE name = $1";
                tx.exec_sql(update, values![first]).await?;
                if runs.fetch_add(1, Ordering::SeqCst) < 2 && tx.engine() == Engine::Postgres {
                    meeting.wait().await;
                }
                tx.exec_sql(update, values![second]).await
            })
        })
    };
    let (one, other): (Result<u64, CatalogError>, Result<u64, CatalogError>) =
        tokio::join!(change("a", "b"), change("b", "a"));
    assert_eq!((one.unwrap(), other.unwrap()), (1, 1));
    assert_eq!(runs.load(Ordering::SeqCst), if bench.is_postgres() { 3 } else { 2 });
}

/// What only SQLite can be made to do here: run out of room in the middle of a group.
#[tokio::test]
async fn a_full_disk_is_told_to_everybody_in_the_group_and_the_next_group_is_written() {
    let bench = Bench::sqlite().await;
    let catalog = &bench.catalog;
    limit_pages(catalog, "PRAGMA max_page_count = 1").await;
    let large = |name: &'static str| {
        catalog.write(move |tx| {
            Box::pin(async move {
                add(tx, name).await?;
                let fill = "UPDATE projects SET name = $1 WHERE name = $2";
                tx.exec_sql(fill, values![format!("{name}{}", "x".repeat(1_000_000)), name]).await
            })
        })
    };
    let small = |name: &'static str| catalog.write(move |tx| Box::pin(async move { add(tx, name).await }));
    let (before, full, after) = tokio::join!(small("before"), large("large"), small("after"));
    assert!(matches!(full, Err(CatalogError::Full { .. })), "{full:?}");
    // SQLite gave up the whole transaction, or only the statement; either way nobody is told anything that is not so.
    let mut told = Vec::new();
    for (name, answer) in [("after", after), ("before", before)] {
        match answer {
            Ok(_) => told.push(name.to_owned()),
            Err(error) => assert!(matches!(error, CatalogError::Full { .. }), "{error:?}"),
        }
    }
    assert_eq!(names(catalog).await, told);
    limit_pages(catalog, "PRAGMA max_page_count = 1000000").await;
    large("large").await.unwrap();
    assert_eq!(names(catalog).await.len(), told.len() + 1);
}

async fn limit_pages(catalog: &Catalog, pragma: &'static str) {
    let limited = catalog.write(move |tx| {
        Box::pin(async move {
            let Connection::Sqlite(connection) = tx.connection().await? else { panic!("not SQLite") };
            sqlx::query(pragma).execute(connection).await.map(drop).map_err(CatalogError::from)
        })
    });
    limited.await.unwrap();
}

#[tokio::test]
async fn a_caller_that_goes_away_does_not_take_its_work_back() {
    let bench = Bench::sqlite().await;
    // Asked once, so that the work is handed over, and then dropped.
    let gone = bench.catalog.write(|tx| Box::pin(async move { add(tx, "gone").await })).now_or_never();
    assert!(gone.is_none());
    bench.catalog.write(|tx| Box::pin(async move { add(tx, "stayed").await })).await.unwrap();
    assert_eq!(names(&bench.catalog).await, ["gone", "stayed"]);
}
