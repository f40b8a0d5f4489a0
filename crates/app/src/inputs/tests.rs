use holotype_catalog::Catalog;
use holotype_core::Digest;
use holotype_sessions::Place;
use tempfile::TempDir;

use super::*;
use crate::config::Overrides;
use crate::{App, AppError, Config, Environment, Home, SystemClock};

fn owner() -> Caller {
    Catalog::local_owner()
}

/// An application in a temporary folder, with these variables set.
async fn try_open(variables: &[(&str, &str)]) -> Result<(TempDir, App, Inputs), AppError> {
    let folder = tempfile::tempdir().unwrap();
    let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let environment = Environment::new(variables, folder.path());
    let config = Config::load(Home::at(folder.path().join("home")), &environment, &Overrides::default())?;
    App::initialise(&config, SystemClock::shared()).await?;
    let app = App::open(config, SystemClock::shared()).await?;
    let inputs = Inputs { archives: app.archives().clone(), remote: app.remote().cloned() };
    Ok((folder, app, inputs))
}

/// A file with nothing but a header, and a few bytes to tell it from others.
fn file(fill: u8) -> Vec<u8> {
    let cards = [
        "SIMPLE  =                    T",
        "BITPIX  =                    8",
        "NAXIS   =                    1",
        "NAXIS1  =                   10",
    ];
    let text: String = cards.iter().chain(&["END"]).map(|card| format!("{card:<80}")).collect();
    let mut bytes = format!("{text:<2880}").into_bytes();
    bytes.extend([fill; 2880]);
    bytes
}

async fn ingest(app: &App, caller: &Caller, name: &str, bytes: &[u8]) -> i64 {
    let mut upload = app.blobs().begin();
    upload.write(bytes).await.unwrap();
    let held = upload.finish().await.unwrap();
    app.archives().ingest(caller, caller.project, name, held).await.unwrap().recorded.frame.0
}

async fn user(app: &App, name: &str) -> Caller {
    app.catalog().create_user(&owner(), name, Some("a password".into()), false).await.unwrap();
    app.catalog().authenticate_password(name, &"a password".into()).await.unwrap().unwrap()
}

fn item(value: Value) -> InputItem {
    InputItem::read(&value).unwrap()
}

#[tokio::test]
async fn a_frame_that_is_held_is_found_in_its_newest_version_by_who_sees_it() {
    let (_folder, app, source) = try_open(&[]).await.unwrap();
    user(&app, "admin").await;
    let (ann, bob) = (user(&app, "ann").await, user(&app, "bob").await);
    ingest(&app, &ann, "a.fits", &file(0)).await;
    ingest(&app, &ann, "a.fits", &file(1)).await;
    let found = source.resolve(&ann, &item(json!({"basename": "a-small"}))).await.unwrap();
    let digest = Digest::of(&file(1));
    assert_eq!((found.version.as_str(), found.file_name.as_str()), (format!("sha256:{digest}").as_str(), "a.fits"));
    assert_eq!(found.place, Place::Held { digest, size: 5760 });
    for (caller, name) in [(&bob, "a"), (&ann, "b")] {
        let error = source.resolve(caller, &item(json!({"basename": name}))).await.unwrap_err();
        assert!(matches!(error, InputError::Absent { .. }), "{error}");
    }
}

#[tokio::test]
async fn of_two_frames_of_one_name_the_one_whose_number_is_given_is_meant() {
    let (_folder, app, source) = try_open(&[]).await.unwrap();
    let admin = user(&app, "admin").await;
    let ann = user(&app, "ann").await;
    let numbers = [ingest(&app, &admin, "a.fits", &file(0)).await, ingest(&app, &ann, "a.fits", &file(1)).await];
    for (number, fill) in numbers.into_iter().zip([0, 1]) {
        let found = source.resolve(&admin, &item(json!({"basename": "a", "id": number}))).await.unwrap();
        assert_eq!(found.version, format!("sha256:{}", Digest::of(&file(fill))));
    }
    // A number that is none of hers does not lead there.
    let found = source.resolve(&ann, &item(json!({"basename": "a", "id": numbers[0]}))).await.unwrap();
    assert_eq!(found.version, format!("sha256:{}", Digest::of(&file(1))));
}

#[tokio::test]
async fn an_archive_that_is_away_is_told_at_once_and_what_is_held_is_found_all_the_same() {
    // Nobody listens there.
    let variables = [("HOLOTYPE_SESSIONS_ARCHIVE", "http://127.0.0.1:1/")];
    let (_folder, app, source) = try_open(&variables).await.unwrap();
    ingest(&app, &owner(), "a.fits", &file(0)).await;
    source.resolve(&owner(), &item(json!({"basename": "a"}))).await.unwrap();
    let error = source.resolve(&owner(), &item(json!({"basename": "b"}))).await.unwrap_err();
    assert!(matches!(&error, InputError::Unavailable { problem } if problem.contains("127.0.0.1:1")), "{error}");
    let reference = json!({"archive": "http://127.0.0.1:1/", "basename": "b", "version": "md5:0@127.0.0.1:1"});
    let error = source.bring(owner().user, owner().project, &reference).await.unwrap_err();
    assert!(error.category().is_transient(), "{error}");
    let elsewhere = json!({"archive": "http://other.example/", "basename": "b", "version": "x"});
    let error = source.bring(owner().user, owner().project, &elsewhere).await.unwrap_err();
    assert!(
        matches!(error, InputError::Absent { .. }),
        "no token goes to an archive that is no longer configured: {error}"
    );
    assert!(matches!(source.bring(owner().user, owner().project, &json!({})).await, Err(InputError::Internal { .. })));
}

#[tokio::test]
async fn a_key_that_is_none_stops_the_program_and_is_not_shown() {
    let key = ("HOLOTYPE_ARCHIVE_TOKEN_KEY", "too short to be a key");
    let opened = try_open(&[("HOLOTYPE_SESSIONS_ARCHIVE", "https://archive.example/"), key]).await;
    let error = opened.unwrap_err().to_string();
    assert!(error.contains("HOLOTYPE_ARCHIVE_TOKEN_KEY") && !error.contains("too short"), "{error}");
}
