//! Making and opening an installation.

use holotype_app::madsci::SettingsQuery;
use holotype_core::Category;

use crate::installation::{Installation, documents, execute, put_value};
use holotype_app::App;
use holotype_testkit::on_both_engines;

on_both_engines! {
    async fn what_is_stored_is_there_when_it_is_opened_again(installation: Installation) {
        let app = installation.open().await;
        put_value(&app, "one", 21.5).await;
        let (before, manager) = (documents(&app).await, app.manager().clone());
        app.close().await;

        App::initialise(&installation.config(), installation.clock()).await.unwrap();
        let app = installation.open().await;
        assert_eq!(documents(&app).await, before);
        assert_eq!(*app.manager(), manager);
        assert!(before[0].1.contains(&format!(r#""manager_id":"{}""#, manager.id)), "{before:?}");
        app.close().await;
    }

    async fn a_catalog_of_another_version_is_refused_with_the_command(installation: Installation) {
        let app = installation.open().await;
        execute(&app, "DELETE FROM holotype_migrations WHERE version > 1").await;
        app.close().await;
        let error = installation.try_open().await.unwrap_err();
        assert!(error.to_string().contains("holotype db migrate"), "{error}");
    }
}

#[tokio::test]
async fn a_home_that_was_never_made_is_refused_with_the_command() {
    let installation = Installation::bare(None);
    let error = installation.try_open().await.unwrap_err();
    assert_eq!(error.category(), Category::NotFound);
    assert!(error.to_string().contains("init"), "{error}");
    assert!(!installation.home.root().exists());
}

#[tokio::test]
async fn the_settings_tell_where_the_server_listens() {
    let mut installation = Installation::sqlite().await;
    let query = SettingsQuery { include_defaults: true, include_schema: false };
    let app = installation.open().await;
    assert_eq!(app.settings(query)["settings"]["server_url"], "http://localhost:8004/");
    assert_eq!(app.settings(query)["settings"]["manager_id"], app.manager().id);
    app.close().await;

    installation.set("HOLOTYPE_LISTEN", "127.0.0.1:18041");
    let app = installation.open().await;
    assert_eq!(app.settings(query)["settings"]["server_url"], "http://127.0.0.1:18041/");
    app.close().await;
}
