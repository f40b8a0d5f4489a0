//! Upkeep as jobs: asked for, done, and due by itself.

use std::time::Duration;

use holotype_app::App;
use holotype_app::jobs::{JobFilter, State};
use holotype_app::upkeep::{Task, list_backups, request};
use holotype_core::{Category, Digest, ProjectId};
use holotype_testkit::on_both_engines;
use holotype_testkit::s3::{self, LocalS3};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::installation::{Installation, finish, owner, put_file, put_value};

async fn run(app: &App, task: Task) -> holotype_app::jobs::JobRecord {
    let id = request(app, &owner(), task).await.unwrap();
    finish(app, id).await
}

on_both_engines! {
    async fn a_verification_reads_every_blob(installation: Installation) {
        let app = installation.open().await;
        put_file(&app, "one", b"pixels").await;
        let job = run(&app, Task::Verify).await;
        assert_eq!((job.state, job.result), (State::Succeeded, Some(json!({ "intact": 1, "bytes": 6 }))));
        app.close().await;
    }

    async fn a_sweep_removes_what_was_deleted_long_ago_and_nothing_else(installation: Installation) {
        let app = installation.open().await;
        put_file(&app, "kept", b"kept").await;
        put_file(&app, "gone", b"gone").await;
        put_value(&app, "undone", 1.0).await;
        for id in ["gone", "undone"] {
            app.datapoints().delete(&owner(), ProjectId::DEFAULT, id).await.unwrap();
        }
        let early = run(&app, Task::Sweep).await.result.unwrap();
        assert_eq!((&early["datapoints"], &early["blobs"]), (&json!(0), &json!(0)));
        app.datapoints().restore(&owner(), ProjectId::DEFAULT, "undone").await.unwrap();

        installation.clock.advance(Duration::from_secs(31 * 86_400));
        assert_eq!(run(&app, Task::Sweep).await.result.unwrap()["datapoints"], 1);
        installation.clock.advance(Duration::from_secs(2 * 86_400));
        assert_eq!(run(&app, Task::Sweep).await.result.unwrap()["blobs"], 1);
        assert_eq!(app.store().head(Digest::of(b"gone")).await.unwrap(), None);
        assert_eq!(app.store().head(Digest::of(b"kept")).await.unwrap(), Some(4));
        app.close().await;
    }

    async fn a_backup_is_made_as_a_job(installation: Installation) {
        let app = installation.open().await;
        put_file(&app, "one", b"pixels").await;
        let job = run(&app, Task::Backup { with_blobs: true }).await;
        assert_eq!(job.state, State::Succeeded, "{:?}", job.error);
        let backups = list_backups(&installation.home).unwrap();
        assert_eq!(job.result.unwrap()["name"], backups[0].name);
        assert!(backups[0].with_blobs);
        app.close().await;
    }

    async fn what_is_due_is_asked_for_once(installation: Installation) {
        let app = installation.open().await;
        let shutdown = CancellationToken::new();
        let scheduler = tokio::spawn({
            let (app, shutdown) = (app.clone(), shutdown.clone());
            async move { app.run_upkeep(shutdown).await }
        });
        let kinds = || async {
            let page = app.jobs().list(&owner(), JobFilter::default(), None, 100).await.unwrap();
            let mut kinds: Vec<_> = page.items.into_iter().map(|job| job.kind).collect();
            kinds.sort();
            kinds
        };
        while kinds().await.len() < 3 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        shutdown.cancel();
        scheduler.await.unwrap();
        // Nothing waits in a spool, so no flush.
        assert_eq!(kinds().await, ["db.backup", "store.sweep", "store.verify"]);
        app.close().await;
    }
}

#[tokio::test]
async fn lost_bytes_fail_the_verification_and_are_named_in_its_log() {
    let installation = Installation::sqlite().await;
    let app = installation.open().await;
    put_file(&app, "one", b"pixels").await;
    put_file(&app, "two", b"others").await;
    app.store().delete(Digest::of(b"pixels")).await.unwrap();
    let job = run(&app, Task::Verify).await;
    assert_eq!(job.state, State::Failed);
    assert!(job.error.unwrap().starts_with("1 blobs are damaged or missing (1 are intact)"));
    let log = app.jobs().log(&owner(), job.id, 0).await.unwrap();
    let named = format!("{} is missing; 1 references name it", Digest::of(b"pixels"));
    assert!(log.iter().any(|line| line.text == named), "{log:?}");
    app.close().await;
}

#[tokio::test]
async fn only_an_administrator_may_ask_for_upkeep() {
    let installation = Installation::sqlite().await;
    let app = installation.open().await;
    let caller = holotype_core::Caller { admin: false, ..owner() };
    let error = request(&app, &caller, Task::Sweep).await.unwrap_err();
    assert_eq!(error.category(), Category::Denied);
    app.close().await;
}

#[tokio::test]
async fn what_was_captured_without_the_bucket_is_brought_there_later() {
    let mut server = LocalS3::start().await;
    let mut installation = Installation::bare(None);
    installation.set("HOLOTYPE_STORE_URL", &format!("s3://{}/lab", s3::BUCKET));
    installation.set("HOLOTYPE_STORE_ENDPOINT", &server.endpoint());
    installation.set("AWS_ACCESS_KEY_ID", s3::KEY_ID);
    installation.set("AWS_SECRET_ACCESS_KEY", s3::SECRET);
    App::initialise(&installation.config(), installation.clock()).await.unwrap();
    let app = installation.open().await;
    put_file(&app, "before", b"before").await;
    server.stop().await;
    put_file(&app, "meanwhile", b"meanwhile").await;
    assert_eq!(crate::installation::file_bytes(&app, "meanwhile").await, b"meanwhile");

    server.resume().await;
    let job = run(&app, Task::Flush).await;
    assert_eq!(job.result, Some(json!({ "uploaded": 1, "bytes": 9, "left": 0 })), "{:?}", job.error);
    assert_eq!(app.store().head(Digest::of(b"meanwhile")).await.unwrap(), Some(9));
    assert_eq!(run(&app, Task::Backup { with_blobs: true }).await.state, State::Succeeded);
    app.close().await;
}
