//! From one version of the catalog to the next, and back if it fails.

use holotype_app::catalog::Catalog;
use holotype_app::upkeep::{check, list_backups, migrate};
use holotype_core::{Category, Clock};
use holotype_testkit::on_both_engines;

use crate::installation::{Installation, execute, put_value};

/// Takes the catalog back to the version before the datapoints, as an earlier program left it.
async fn take_back(installation: &Installation) {
    let app = installation.open().await;
    for statement in [
        "DROP TABLE input_grants",
        "DROP TABLE input_cache",
        "DROP TABLE profiles",
        "DROP TABLE archive_tokens",
        "DROP TABLE operations",
        "DROP TABLE result_files",
        "DROP TABLE results",
        "DROP TABLE sessions",
        "DROP TABLE fetch_schedules",
        "DROP TABLE held_frames",
        "DROP TABLE fetch_frames",
        "DROP TABLE fetches",
        "DROP TABLE frame_thumbnails",
        "DROP TABLE frame_relations",
        "DROP TABLE frame_versions",
        "DROP TABLE frame_headers",
        "DROP TABLE frames",
        "DROP TABLE datapoint_schemas",
        "DROP TABLE datapoint_files",
        "DROP TABLE datapoint_owners",
        "DROP TABLE datapoints",
        "DELETE FROM holotype_migrations WHERE version > 1",
    ] {
        execute(&app, statement).await;
    }
    app.close().await;
}

on_both_engines! {
    async fn an_older_catalog_is_backed_up_and_brought_forward(installation: Installation) {
        take_back(&installation).await;
        let config = installation.config();
        assert!(check(&config).await.unwrap().needs_migration());

        let migrated = migrate(&config, installation.clock()).await.unwrap();
        assert_eq!((migrated.from, migrated.to), (1, Catalog::EXPECTED_VERSION));
        let backups = list_backups(&installation.home).unwrap();
        assert_eq!((backups.len(), backups[0].schema_version), (1, 1));
        assert_eq!(migrated.backup.as_ref(), Some(&backups[0].folder));

        assert!(check(&config).await.unwrap().is_current());
        let app = installation.open().await;
        put_value(&app, "one", 1.0).await;
        app.close().await;
        assert_eq!(migrate(&config, installation.clock()).await.unwrap().backup, None);
    }

    async fn a_migration_that_fails_leaves_the_catalog_as_it_was(installation: Installation) {
        let app = installation.open().await;
        put_value(&app, "one", 1.0).await;
        // The tables are there already, so the migration cannot make them.
        execute(&app, "DELETE FROM holotype_migrations WHERE version > 1").await;
        app.close().await;
        let config = installation.config();
        let error = migrate(&config, installation.clock()).await.unwrap_err();
        assert!(error.to_string().contains("as it was"), "{error}");
        assert_eq!(check(&config).await.unwrap().found, 1);
        assert_eq!(list_backups(&installation.home).unwrap().len(), 1);
    }
}

#[tokio::test]
async fn nothing_is_migrated_under_a_running_server() {
    let installation = Installation::sqlite().await;
    let _serving = installation.home.lock("serve", installation.clock.now()).unwrap();
    let error = migrate(&installation.config(), installation.clock()).await.unwrap_err();
    assert_eq!(error.category(), Category::Busy);
}

#[tokio::test]
async fn an_empty_database_is_at_version_zero() {
    let found = check(&Installation::bare(None).config()).await.unwrap();
    assert_eq!(found.found, 0);
    assert!(found.needs_migration() && !found.is_current());
}
