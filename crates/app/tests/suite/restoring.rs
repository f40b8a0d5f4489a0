//! Bringing backups back, and what stays when that fails.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::Duration;

use holotype_app::upkeep::{BackupRequest, Old, RestoreRequest, Restored, back_up, restore};
use holotype_app::{App, AppError};
use holotype_core::{Category, Clock, Digest};
use holotype_testkit::on_both_engines;

use crate::installation::{Installation, damage, documents, file_bytes, put_file, put_value};

/// A backup of an installation with a value and a file, and the documents in it.
async fn backed_up(installation: &Installation, with_blobs: bool) -> (PathBuf, Vec<(String, String)>) {
    let app = installation.open().await;
    put_value(&app, "one", 1.0).await;
    put_file(&app, "two", b"pixels").await;
    let request = BackupRequest { with_blobs, suffix: None };
    let made = back_up(&app, request, |_| ControlFlow::Continue(())).await.unwrap();
    let documents = documents(&app).await;
    app.close().await;
    installation.clock.advance(Duration::from_secs(60));
    (made.info.folder, documents)
}

async fn bring_back(installation: &Installation, folder: &Path, replace: bool) -> Result<Restored, AppError> {
    let request = RestoreRequest { folder: folder.to_owned(), replace, without_blobs: false };
    restore(&installation.config(), &request, installation.clock()).await
}

on_both_engines! {
    async fn a_backup_with_blobs_becomes_a_new_home_anywhere(installation: Installation) {
        let (folder, before) = backed_up(&installation, true).await;
        let manager = installation.open().await.manager().clone();
        let other = installation.elsewhere().await;
        let restored = bring_back(&other, &folder, false).await.unwrap();
        assert_eq!((restored.copied, restored.proof.missing, restored.replaced), (1, 0, None));
        let app = other.open().await;
        assert_eq!(documents(&app).await, before);
        assert_eq!(file_bytes(&app, "two").await, b"pixels");
        assert_eq!(*app.manager(), manager);
        put_value(&app, "three", 3.0).await;
        app.close().await;
    }

    async fn a_backup_takes_the_place_of_a_later_catalog_which_is_kept(installation: Installation) {
        let (folder, before) = backed_up(&installation, false).await;
        let app = installation.open().await;
        put_value(&app, "later", 2.0).await;
        let later = documents(&app).await;
        app.close().await;

        let refused = bring_back(&installation, &folder, false).await.unwrap_err();
        assert_eq!(refused.category(), Category::Conflict);
        let restored = bring_back(&installation, &folder, true).await.unwrap();
        let app = installation.open().await;
        assert_eq!(documents(&app).await, before);
        app.close().await;

        let Some(Old::BackedUp(kept)) = restored.replaced else { panic!("{restored:?}") };
        installation.clock.advance(Duration::from_secs(60));
        bring_back(&installation, &kept, true).await.unwrap();
        let app = installation.open().await;
        assert_eq!(documents(&app).await, later);
        app.close().await;
    }

    async fn a_damaged_backup_leaves_the_catalog_that_is_there(installation: Installation) {
        let (folder, _) = backed_up(&installation, false).await;
        let app = installation.open().await;
        put_value(&app, "later", 2.0).await;
        let later = documents(&app).await;
        app.close().await;
        damage(&folder.join("catalog.db"));
        let error = bring_back(&installation, &folder, true).await.unwrap_err();
        assert!(error.to_string().contains("catalog.db"), "{error}");
        let app = installation.open().await;
        assert_eq!(documents(&app).await, later);
        app.close().await;
        assert!(installation.files("trial").is_empty());
    }
}

#[tokio::test]
async fn a_home_is_not_made_of_a_backup_whose_bytes_are_missing() {
    let installation = Installation::sqlite().await;
    let (folder, before) = backed_up(&installation, false).await;
    let other = Installation::bare(None);
    let error = bring_back(&other, &folder, false).await.unwrap_err();
    let said = error.to_string();
    assert!(said.contains("1 blobs") && said.contains(&Digest::of(b"pixels").to_string()), "{said}");
    assert!(!other.home.root().exists());

    let request = RestoreRequest { folder, replace: false, without_blobs: true };
    let restored = restore(&other.config(), &request, other.clock()).await.unwrap();
    assert_eq!(restored.proof.missing, 1);
    let app = other.open().await;
    assert_eq!(documents(&app).await, before);
    app.close().await;
}

#[tokio::test]
async fn bytes_that_only_the_backup_has_come_back_into_the_store() {
    let installation = Installation::sqlite().await;
    let (folder, _) = backed_up(&installation, true).await;
    let app = installation.open().await;
    app.store().delete(Digest::of(b"pixels")).await.unwrap();
    app.close().await;
    assert_eq!(bring_back(&installation, &folder, true).await.unwrap().copied, 1);
    let app = installation.open().await;
    assert_eq!(file_bytes(&app, "two").await, b"pixels");
    app.close().await;
}

#[tokio::test]
async fn a_home_in_use_is_left_alone() {
    let installation = Installation::sqlite().await;
    let (folder, _) = backed_up(&installation, false).await;
    let _serving = installation.home.lock("serve", installation.clock.now()).unwrap();
    let error = bring_back(&installation, &folder, true).await.unwrap_err();
    assert_eq!(error.category(), Category::Busy);
    assert!(error.to_string().contains("holotype serve"), "{error}");
}

#[tokio::test]
async fn a_damaged_catalog_is_set_aside_for_the_backup() {
    let installation = Installation::sqlite().await;
    let (folder, before) = backed_up(&installation, false).await;
    std::fs::write(installation.home.catalog_file(), vec![0x5a; 8192]).unwrap();
    installation.try_open().await.unwrap_err();
    let restored = bring_back(&installation, &folder, true).await.unwrap();
    let Some(Old::SetAside(aside)) = restored.replaced else { panic!("{restored:?}") };
    assert_eq!(std::fs::read(aside).unwrap(), vec![0x5a; 8192]);
    let app = installation.open().await;
    assert_eq!(documents(&app).await, before);
    app.close().await;
}

#[tokio::test]
async fn what_waits_to_be_done_is_done_after_a_restore() {
    let installation = Installation::sqlite().await;
    let app = installation.open().await;
    let task = holotype_app::upkeep::Task::Verify;
    let id = holotype_app::upkeep::request(&app, &crate::installation::owner(), task).await.unwrap();
    let made = back_up(&app, BackupRequest::default(), |_| ControlFlow::Continue(())).await.unwrap();
    app.close().await;
    let other = Installation::bare(None);
    bring_back(&other, &made.info.folder, false).await.unwrap();
    let app: App = other.open().await;
    // The queue is not in a backup; the reconciler puts the job into it again.
    other.clock.advance(Duration::from_secs(60));
    let job = crate::installation::finish(&app, id).await;
    assert_eq!(job.state, holotype_app::jobs::State::Succeeded);
    app.close().await;
}
