//! Backups: whole, proven, rotated.

use std::ops::ControlFlow;
use std::time::Duration;

use holotype_app::App;
use holotype_app::upkeep::{BackupMade, BackupRequest, back_up, list_backups, verify_backup};
use holotype_core::{Category, Digest};
use holotype_testkit::on_both_engines;

use crate::installation::{Installation, damage, put_file, put_value};

const PLAIN: BackupRequest = BackupRequest { with_blobs: false, suffix: None };
const WITH_BLOBS: BackupRequest = BackupRequest { with_blobs: true, suffix: None };

async fn make(app: &App, request: BackupRequest) -> BackupMade {
    back_up(app, request, |_| ControlFlow::Continue(())).await.unwrap()
}

on_both_engines! {
    async fn a_backup_holds_the_catalog_and_proves_its_blobs(installation: Installation) {
        let app = installation.open().await;
        put_value(&app, "one", 1.0).await;
        put_file(&app, "two", b"pixels").await;
        let made = make(&app, PLAIN).await;
        assert_eq!((made.proof.present, made.proof.bytes, made.proof.missing), (1, 6, 0));
        assert_eq!(made.info.schema_version, holotype_app::catalog::Catalog::EXPECTED_VERSION);
        assert!(!made.info.with_blobs && made.info.size > 0);
        assert_eq!(list_backups(&installation.home).unwrap(), std::slice::from_ref(&made.info));
        assert_eq!(verify_backup(&app, &made.info.folder).await.unwrap(), made.proof);
        assert!(installation.files("trial").is_empty());
        app.close().await;
    }

    async fn a_backup_of_lost_bytes_says_which(installation: Installation) {
        let app = installation.open().await;
        put_file(&app, "two", b"pixels").await;
        put_file(&app, "three", b"others").await;
        app.store().delete(Digest::of(b"pixels")).await.unwrap();
        for request in [PLAIN, WITH_BLOBS] {
            let made = make(&app, request).await;
            assert_eq!((made.proof.present, made.proof.missing), (1, 1));
            assert_eq!(made.proof.digests, [Digest::of(b"pixels")]);
            installation.clock.advance(Duration::from_secs(1));
        }
        app.close().await;
    }

    async fn the_oldest_backups_go_when_there_are_enough(installation: Installation) {
        let mut installation = installation;
        installation.set("HOLOTYPE_UPKEEP_BACKUP_KEEP", "2");
        let app = installation.open().await;
        let special = BackupRequest { with_blobs: false, suffix: Some("before-something") };
        let mut names = Vec::new();
        for request in [special, PLAIN, PLAIN, PLAIN] {
            names.push(make(&app, request).await);
            installation.clock.advance(Duration::from_secs(60));
        }
        let kept: Vec<_> = list_backups(&installation.home).unwrap().into_iter().map(|backup| backup.name).collect();
        let expected: Vec<_> = [0, 2, 3].map(|place: usize| names[place].info.name.clone()).to_vec();
        assert_eq!(kept, expected);
        assert_eq!(names[3].rotated, [names[1].info.name.clone()]);
        app.close().await;
    }
}

#[tokio::test]
async fn a_backup_with_its_blobs_has_a_copy_of_each() {
    let installation = Installation::sqlite().await;
    let app = installation.open().await;
    put_file(&app, "two", b"pixels").await;
    let made = make(&app, WITH_BLOBS).await;
    assert!(made.info.with_blobs);
    let name = Digest::of(b"pixels").to_string();
    let copies: Vec<_> =
        installation.files(&name).into_iter().filter(|path| path.starts_with(&made.info.folder)).collect();
    assert_eq!(copies.len(), 1);
    assert_eq!(std::fs::read(&copies[0]).unwrap(), b"pixels");

    damage(&copies[0]);
    assert_eq!(verify_backup(&app, &made.info.folder).await.unwrap().missing, 0, "the store has it still");
    app.store().delete(Digest::of(b"pixels")).await.unwrap();
    assert_eq!(verify_backup(&app, &made.info.folder).await.unwrap().missing, 1);
    app.close().await;
}

#[tokio::test]
async fn a_backup_that_is_stopped_leaves_nothing() {
    let installation = Installation::sqlite().await;
    let app = installation.open().await;
    put_file(&app, "two", b"pixels").await;
    let error = back_up(&app, WITH_BLOBS, |_| ControlFlow::Break(())).await.unwrap_err();
    assert_eq!(error.category(), Category::Conflict);
    assert_eq!(std::fs::read_dir(installation.home.backups_directory()).unwrap().count(), 0);
    app.close().await;
}

#[tokio::test]
async fn backups_of_the_same_second_do_not_hinder_each_other() {
    let installation = Installation::sqlite().await;
    let app = installation.open().await;
    put_file(&app, "two", b"pixels").await;
    let (one, other) = tokio::join!(make(&app, WITH_BLOBS), make(&app, PLAIN));
    assert_ne!(one.info.name, other.info.name);
    assert_eq!(list_backups(&installation.home).unwrap().len(), 2);
    assert_eq!(std::fs::read_dir(installation.home.backups_directory()).unwrap().count(), 2);
    app.close().await;
}

#[tokio::test]
async fn a_backup_that_was_changed_is_not_believed() {
    let installation = Installation::sqlite().await;
    let app = installation.open().await;
    put_value(&app, "one", 1.0).await;
    let made = make(&app, PLAIN).await;
    damage(&made.info.folder.join("catalog.db"));
    let error = verify_backup(&app, &made.info.folder).await.unwrap_err();
    assert!(error.to_string().contains("catalog.db"), "{error}");
    app.close().await;
}

#[tokio::test]
async fn what_is_no_backup_is_not_listed() {
    let installation = Installation::sqlite().await;
    let backups = installation.home.backups_directory();
    std::fs::create_dir_all(backups.join("notes")).unwrap();
    std::fs::write(backups.join("readme"), "text").unwrap();
    assert_eq!(list_backups(&installation.home).unwrap(), []);
    assert_eq!(list_backups(&Installation::bare(None).home).unwrap(), []);
}
