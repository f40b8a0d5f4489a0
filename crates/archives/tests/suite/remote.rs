//! Another archive: each user's own rights there, their tokens, and bytes that are fetched once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::response::Response;
use holotype_archives::ArchiveError;
use holotype_archives::remote::{Remote, RemoteOptions};
use holotype_core::{Category, Instant, UserId};
use holotype_testkit::on_both_engines;
use md5::{Digest as _, Md5};
use secrecy::SecretString;
use serde_json::json;

use crate::bench::Bench;
use crate::local::{Came, Server, answer};

const BYTES: &[u8] = b"SIMPLE  =                    T and so on";

/// The bytes of another frame, as many.
const OTHERS: &[u8] = b"SIMPLE  =                    T and so ON";

fn user(number: u128) -> UserId {
    UserId::from_parts(Instant::from_micros(0), number)
}

fn secret(text: &str) -> SecretString {
    SecretString::from(text)
}

fn md5(bytes: &[u8]) -> String {
    Md5::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// An archive with a frame that the owner of one token may have, and one that everybody may.
fn archive(came: &Came, bytes: &'static [u8]) -> Response {
    let host = came.header("host").unwrap();
    if came.path.starts_with("/file/") {
        return answer(200, &[], if came.path.ends_with("other") { OTHERS } else { bytes });
    }
    let token = came.header("authorization");
    if token.is_some_and(|token| token != "Token of-ada" && token != "Token of-bob") {
        return answer(401, &[("content-type", "application/json")], json!({"detail": "Invalid token."}).to_string());
    }
    let row = |name: &str| {
        let url = format!("http://{host}/file/{name}");
        json!({"id": 1, "basename": name, "version_set": [{"key": "k1", "md5": md5(if name == "other" { OTHERS } else { BYTES }), "extension": ".fits.fz", "url": url}]})
    };
    let rows: Vec<_> = match came.parameter("basename_exact") {
        Some(name @ ("open" | "other")) => vec![row(name)],
        Some("private") if token == Some("Token of-ada") => vec![row("private")],
        _ => Vec::new(),
    };
    let body = json!({"next": null, "previous": null, "results": rows}).to_string();
    answer(200, &[("content-type", "application/json")], body)
}

fn options(server: &Server, keep: u64) -> RemoteOptions {
    RemoteOptions {
        url: server.url.clone(),
        token_key: Some(secret(&"ab".repeat(32))),
        token_key_variable: "A_KEY".to_owned(),
        keep,
    }
}

fn remote(bench: &Bench, options: RemoteOptions) -> Result<Remote, ArchiveError> {
    Remote::new(bench.catalog.clone(), bench.blobs.clone(), options, bench.clock.clone())
}

async fn open(bench: &Bench) -> (Server, Remote) {
    let server = Server::start(|came| archive(came, BYTES)).await;
    let remote = remote(bench, options(&server, 1 << 20)).unwrap();
    (server, remote)
}

on_both_engines! {
    async fn a_user_has_the_rights_that_they_have_there_and_no_others(bench: Bench) {
        let (server, remote) = open(&bench).await;
        let (ada, bob, stranger) = (user(1), user(2), user(3));
        remote.set_token(&bench.owner, ada, &secret("of-ada")).await.unwrap();
        remote.set_token(&bench.owner, bob, &secret("of-bob")).await.unwrap();
        let found = remote.find(ada, "private").await.unwrap().unwrap();
        assert_eq!((found.file_name.as_str(), found.held), ("private.fits.fz", None));
        assert_eq!(found.version, format!("md5:{}@{}", md5(BYTES), remote.host()));
        let wanted = remote.wanted("private", &found);
        let (digest, size) = remote.bring(ada, &wanted).await.unwrap();
        assert_eq!(size, BYTES.len() as u64);
        assert_eq!(remote.find(ada, "private").await.unwrap().unwrap().held, Some((digest, size)));

        // The bytes are here now, and still nobody has them whom the archive does not answer.
        for other in [bob, stranger] {
            assert_eq!(remote.find(other, "private").await.unwrap(), None);
            assert!(matches!(remote.bring(other, &wanted).await.unwrap_err(), ArchiveError::NoFrame));
        }
        assert!(remote.find(stranger, "open").await.unwrap().is_some(), "what is public needs no token");
        assert!(server.came().iter().any(|came| came.header("authorization").is_none()));
    }

    async fn an_answer_counts_for_a_while_and_not_after_the_token_has_changed(bench: Bench) {
        let (server, remote) = open(&bench).await;
        let asked = || server.came().len();
        remote.set_token(&bench.owner, user(1), &secret("of-ada")).await.unwrap();
        remote.find(user(1), "private").await.unwrap().unwrap();
        let once = asked();
        remote.find(user(1), "private").await.unwrap().unwrap();
        assert_eq!(asked(), once, "the archive is not asked again at once");
        bench.clock.advance(Duration::from_secs(601));
        remote.find(user(1), "private").await.unwrap().unwrap();
        assert!(asked() > once);
        assert!(remote.remove_token(&bench.owner, user(1)).await.unwrap());
        assert_eq!(remote.find(user(1), "private").await.unwrap(), None);
        assert!(!remote.remove_token(&bench.owner, user(1)).await.unwrap());
    }

    async fn the_same_bytes_come_once_for_all_who_may_have_them(bench: Bench) {
        let (server, remote) = open(&bench).await;
        let found = remote.find(user(1), "open").await.unwrap().unwrap();
        let wanted = remote.wanted("open", &found);
        let (one, other) = (user(1), user(2));
        let first = remote.bring(one, &wanted).await.unwrap();
        assert_eq!(remote.bring(other, &wanted).await.unwrap(), first);
        assert_eq!(server.came().iter().filter(|came| came.path.starts_with("/file/")).count(), 1);
    }

    async fn what_was_used_longest_ago_makes_room(bench: Bench) {
        let server = Server::start(|came| archive(came, BYTES)).await;
        let remote = remote(&bench, options(&server, BYTES.len() as u64)).unwrap();
        let bring = async |name: &str| {
            let found = remote.find(user(1), name).await.unwrap().unwrap();
            bench.clock.advance(Duration::from_secs(1));
            remote.bring(user(1), &remote.wanted(name, &found)).await.unwrap()
        };
        let held = async |name: &str| remote.find(user(1), name).await.unwrap().unwrap().held;
        let open = bring("open").await;
        assert_eq!(held("open").await, Some(open));
        let other = bring("other").await;
        assert_eq!((held("open").await, held("other").await), (None, Some(other)), "there is room for one");
        assert_eq!(bring("open").await, open, "it comes again");
        assert_eq!(held("other").await, None);
    }

    async fn tokens_are_kept_encrypted_and_only_where_there_is_a_key(bench: Bench) {
        let (server, remote) = open(&bench).await;
        assert_eq!(remote.token_set_at(user(1)).await.unwrap(), None);
        remote.set_token(&bench.owner, user(1), &secret("of-ada")).await.unwrap();
        assert_eq!(remote.token_set_at(user(1)).await.unwrap(), Some(holotype_core::Clock::now(&*bench.clock)));
        assert_eq!(remote.token_set_at(user(2)).await.unwrap(), None);
        assert!(!format!("{remote:?}").contains("of-ada"));

        let another = RemoteOptions { token_key: Some(secret(&"cd".repeat(32))), ..options(&server, 1) };
        let error = self::remote(&bench, another).unwrap().find(user(1), "open").await.unwrap_err();
        assert!(matches!(error, ArchiveError::SealedToken { .. }) && error.to_string().contains("A_KEY"), "{error}");

        let keyless = self::remote(&bench, RemoteOptions { token_key: None, ..options(&server, 1) }).unwrap();
        let error = keyless.set_token(&bench.owner, user(1), &secret("of-ada")).await.unwrap_err();
        assert!(matches!(error, ArchiveError::NoTokenKey { .. }), "{error}");
        assert!(keyless.find(user(2), "open").await.unwrap().is_some(), "who has no token needs no key");
        let wrong = RemoteOptions { token_key: Some(secret("short")), ..options(&server, 1) };
        assert!(self::remote(&bench, wrong).is_err());
        for token in ["", "a b", "a\nb", "é", &"x".repeat(1_025)] {
            assert!(matches!(remote.set_token(&bench.owner, user(1), &secret(token)).await, Err(ArchiveError::Token)), "{token}");
        }
    }
}

#[tokio::test]
async fn a_token_that_the_archive_does_not_take_is_told_without_it() {
    let bench = Bench::sqlite().await;
    let (_server, remote) = open(&bench).await;
    remote.set_token(&bench.owner, user(1), &secret("of-nobody")).await.unwrap();
    let error = remote.find(user(1), "open").await.unwrap_err();
    assert_eq!(error.category(), Category::Denied);
    assert!(!error.to_string().contains("of-nobody"), "{error}");
}

#[tokio::test]
async fn a_dead_archive_is_told_as_such_and_may_come_back() {
    let bench = Bench::sqlite().await;
    let dead = Arc::new(AtomicBool::new(true));
    let answers = Arc::clone(&dead);
    let server = Server::start(move |came| match answers.load(Ordering::Relaxed) {
        true => answer(503, &[], "down"),
        false => archive(came, BYTES),
    })
    .await;
    let remote = remote(&bench, options(&server, 1 << 20)).unwrap();
    let error = remote.find(user(1), "open").await.unwrap_err();
    assert_eq!(error.category(), Category::Unavailable, "{error}");
    assert!(server.came().len() <= 2, "nobody waits for what is dead");
    dead.store(false, Ordering::Relaxed);
    assert!(remote.find(user(1), "open").await.unwrap().is_some());
}

#[tokio::test]
async fn bytes_that_are_not_those_listed_are_not_kept() {
    let bench = Bench::sqlite().await;
    let server = Server::start(|came| archive(came, b"something else")).await;
    let remote = remote(&bench, options(&server, 1 << 20)).unwrap();
    let found = remote.find(user(1), "open").await.unwrap().unwrap();
    let error = remote.bring(user(1), &remote.wanted("open", &found)).await.unwrap_err();
    assert!(matches!(error, ArchiveError::Damaged { .. }), "{error}");
    assert_eq!(remote.find(user(1), "open").await.unwrap().unwrap().held, None);
}
