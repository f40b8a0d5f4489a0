//! What the doctor finds.

use std::time::Duration;

use holotype_app::config::Overrides;
use holotype_app::doctor::{Finding, Severity, examine};
use holotype_app::upkeep::{BackupRequest, back_up};
use holotype_core::Clock;
use holotype_testkit::on_both_engines;

use crate::installation::{Installation, execute, owner, put_file};

async fn findings(installation: &Installation) -> Vec<Finding> {
    examine(&installation.home, &installation.environment(), &Overrides::default(), installation.clock()).await
}

async fn of(installation: &Installation, check: &str) -> Finding {
    let found = findings(installation).await;
    let of_check = found.iter().filter(|finding| finding.check == check).max_by_key(|finding| finding.severity);
    of_check.unwrap_or_else(|| panic!("{check} is not in {found:?}")).clone()
}

on_both_engines! {
    async fn a_sound_installation_has_nothing_bad(installation: Installation) {
        let app = installation.open().await;
        put_file(&app, "one", b"pixels").await;
        back_up(&app, BackupRequest::default(), |_| std::ops::ControlFlow::Continue(())).await.unwrap();
        app.close().await;
        let found = findings(&installation).await;
        // The machine that runs this may have a slow or full disk, and its PostgreSQL may not flush: no fault of the installation.
        let of_the_machine = |finding: &&Finding| {
            ["disk", "flush"].contains(&finding.check) || finding.detail.contains("fsync off")
        };
        let serious: Vec<_> = found.iter().filter(|finding| finding.severity > Severity::Good && !of_the_machine(finding)).collect();
        assert!(serious.is_empty(), "{serious:?}");
        for check in ["clock", "home", "disk", "flush", "configuration", "catalog", "blobs", "users", "store", "backups"] {
            assert!(found.iter().any(|finding| finding.check == check), "{check} is missing");
        }
    }

    async fn whether_commits_are_flushed_is_told(installation: Installation) {
        let finding = of(&installation, "catalog").await;
        let flushed = ["journal_mode wal, synchronous 2", "fsync on, synchronous_commit"];
        let is_flushed = flushed.iter().any(|setting| finding.detail.contains(setting));
        assert_eq!(finding.severity == Severity::Good, is_flushed, "{finding:?}");
    }

    async fn a_wrong_count_of_references_is_found(installation: Installation) {
        let app = installation.open().await;
        put_file(&app, "one", b"pixels").await;
        execute(&app, "UPDATE blobs SET reference_count = 7").await;
        app.close().await;
        let finding = of(&installation, "blobs").await;
        assert_eq!(finding.severity, Severity::Bad);
        assert!(finding.advice.unwrap().contains("do not sweep"));
    }

    async fn a_clock_that_was_set_back_is_found(installation: Installation) {
        let app = installation.open().await;
        app.catalog().create_project(&owner(), "spectra").await.unwrap();
        app.close().await;
        installation.clock.set(installation.clock.now().before(Duration::from_secs(86_400)));
        assert_eq!(of(&installation, "clock").await.severity, Severity::Bad);
    }
}

#[tokio::test]
async fn a_home_that_is_not_there_is_the_only_thing_to_look_at() {
    let found = findings(&Installation::bare(None)).await;
    let last = found.last().unwrap();
    assert_eq!((last.check, last.severity), ("home", Severity::Bad));
    assert!(last.advice.as_ref().unwrap().contains("init"));
}

#[tokio::test]
async fn a_public_address_without_users_is_bad() {
    let mut installation = Installation::sqlite().await;
    installation.set("HOLOTYPE_LISTEN", "0.0.0.0:8004");
    let finding = of(&installation, "users").await;
    assert_eq!(finding.severity, Severity::Bad);
    assert!(finding.advice.unwrap().contains("holotype user create"));
}

#[tokio::test]
async fn a_configuration_that_cannot_be_used_ends_the_examination() {
    let mut installation = Installation::sqlite().await;
    installation.set("HOLOTYPE_JOBS_WORKERS", "many");
    let found = findings(&installation).await;
    let last = found.last().unwrap();
    assert_eq!((last.check, last.severity), ("configuration", Severity::Bad));
    assert!(last.detail.contains("HOLOTYPE_JOBS_WORKERS"), "{last:?}");
}

#[tokio::test]
async fn a_mistyped_variable_and_a_missing_backup_are_worth_a_warning() {
    let mut installation = Installation::sqlite().await;
    installation.set("HOLOTYPE_LISTN", "x");
    assert_eq!(of(&installation, "configuration").await.severity, Severity::Warning);
    assert_eq!(of(&installation, "backups").await.severity, Severity::Warning);
}

#[tokio::test]
async fn who_works_on_the_home_is_told() {
    let installation = Installation::sqlite().await;
    let _lock = installation.home.lock("serve", installation.clock.now()).unwrap();
    let finding = of(&installation, "lock").await;
    assert!(finding.detail.contains("holotype serve"), "{finding:?}");
}
