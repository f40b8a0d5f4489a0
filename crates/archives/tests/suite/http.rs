//! The client against servers that lie, stall, redirect and refuse.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::response::Response;
use futures::{StreamExt, TryStreamExt, stream};
use holotype_archives::http::{self, ByteRange, Http, Pace, Policy, Redirects, Request};
use holotype_archives::source::{Download, SourceError};
use holotype_core::Category;
use holotype_testkit::clock::HandClock;
use reqwest::header::{AUTHORIZATION, COOKIE};
use url::Url;

use crate::local::{Server, answer, quick};

const FILE: &[u8] = b"SIMPLE  =                    T";

async fn body(response: http::Response) -> Result<Vec<u8>, SourceError> {
    let chunks: Vec<Bytes> = response.body.try_collect().await?;
    Ok(chunks.concat())
}

fn secret(url: Url) -> Download {
    let headers = vec![(AUTHORIZATION, "Token topsecret".into()), (COOKIE, "session=topsecret".into())];
    Download { url, headers, expires: None }
}

/// A server that redirects `/go` to `target`, and serves a file elsewhere.
async fn redirecting(status: u16, target: String) -> Server {
    Server::start(move |came| match came.path.as_str() {
        "/go" => answer(status, &[("location", &target)], ""),
        _ => answer(200, &[], FILE),
    })
    .await
}

#[tokio::test]
async fn a_file_comes_with_what_its_server_says_of_it() {
    let server = Server::start(|_| {
        answer(200, &[("etag", "\"abc\""), ("last-modified", "Sun, 06 Nov 1994 08:49:37 GMT")], FILE)
    })
    .await;
    let response = server.client().get(secret(server.at("/a.fits")), None, None).await.unwrap();
    assert_eq!((response.status, response.range, response.length), (200, None, Some(FILE.len() as u64)));
    assert_eq!(response.etag.as_deref(), Some("\"abc\""));
    assert_eq!(body(response).await.unwrap(), FILE);
    let came = &server.came()[0];
    assert_eq!(came.header("authorization"), Some("Token topsecret"));
    assert_eq!(came.header("accept-encoding"), Some("identity"));
}

#[tokio::test]
async fn a_part_is_asked_for_under_the_condition_that_the_file_is_the_same() {
    let server = Server::start(|came| match came.header("range") {
        Some("bytes=10-19") => answer(206, &[("content-range", "bytes 10-19/30")], &FILE[10..20]),
        Some("bytes=20-") => answer(200, &[], FILE),
        Some("bytes=5-") => answer(206, &[("content-range", "bytes 0-29/30")], FILE),
        _ => answer(416, &[("content-range", "bytes */30")], ""),
    })
    .await;
    let http = server.client();
    let part = |start, end| {
        let range = ByteRange { start, end };
        http.get(Request::get(server.at("/a.fits")), Some(range), Some("\"abc\""))
    };
    let first = part(10, Some(20)).await.unwrap();
    assert_eq!(first.range.unwrap().total, Some(30));
    assert_eq!(body(first).await.unwrap(), &FILE[10..20]);
    assert_eq!(server.came()[0].header("if-range"), Some("\"abc\""));
    // The file is another one by now, and comes whole.
    assert_eq!(part(20, None).await.unwrap().range, None);
    assert!(matches!(part(5, None).await, Err(SourceError::Answer { .. })), "another part than asked for");
    assert_eq!(part(100, None).await.unwrap_err().category(), Category::Conflict);
}

#[tokio::test]
async fn secrets_stay_with_the_scheme_host_and_port_they_are_for() {
    let other = Server::start(|_| answer(200, &[], FILE)).await;
    for status in [301, 302, 303, 307, 308] {
        let server = redirecting(status, other.at("/file").to_string()).await;
        let response = server.client().get(secret(server.at("/go")), None, None).await.unwrap();
        assert_eq!(body(response).await.unwrap(), FILE);
    }
    assert_eq!(other.came().len(), 5);
    for came in other.came() {
        assert_eq!((came.header("authorization"), came.header("cookie")), (None, None));
        assert!(came.headers.values().all(|value| !value.to_str().unwrap().contains("topsecret")));
    }
}

#[tokio::test]
async fn secrets_go_along_on_the_same_host_and_do_not_come_back_from_another() {
    let server = redirecting(302, "/file".to_owned()).await;
    server.client().get(secret(server.at("/go")), None, None).await.unwrap();
    assert_eq!(server.came()[1].header("authorization"), Some("Token topsecret"));

    let home = Arc::new(std::sync::OnceLock::<Url>::new());
    let known = Arc::clone(&home);
    let back = Server::start(move |_| answer(302, &[("location", known.get().unwrap().as_str())], "")).await;
    let away = redirecting(302, back.at("/").to_string()).await;
    home.set(away.at("/file")).unwrap();
    away.client().get(secret(away.at("/go")), None, None).await.unwrap();
    assert_eq!(away.came()[1].path, "/file");
    assert_eq!(away.came()[1].header("authorization"), None);
}

#[tokio::test]
async fn a_redirect_that_is_not_honest_is_not_followed() {
    for (target, problem) in [
        ("ftp://127.0.0.1/a", "http"),
        ("file:///etc/passwd", "http"),
        ("http://user:pass@127.0.0.1/a", "password"),
        ("/go", "too many"),
    ] {
        let server = redirecting(302, target.to_owned()).await;
        let error = server.client().get(Request::get(server.at("/go")), None, None).await.unwrap_err();
        assert!(error.to_string().contains(problem), "{target}: {error}");
        assert!(!error.to_string().contains("pass@"), "{error}");
        assert_eq!(error.category(), Category::Denied);
    }
    let other = Server::start(|_| answer(200, &[], FILE)).await;
    for (redirects, target) in
        [(Redirects::Refuse, "/file".to_owned()), (Redirects::SameOrigin, other.at("/").to_string())]
    {
        let server = redirecting(302, target).await;
        let http = server.client_with(Policy { redirects, ..quick() });
        assert!(http.get(Request::get(server.at("/go")), None, None).await.is_err());
    }
    assert_eq!(other.came().len(), 0);
}

#[tokio::test]
async fn a_public_archive_cannot_make_us_ask_this_machine() {
    let here = Server::start(|_| answer(200, &[], "secrets of this machine")).await;
    let public: Url = "http://93.184.215.14/".parse().unwrap();
    let http = Http::new(&public, quick(), Arc::new(HandClock::default())).unwrap();
    let port = here.url.port().unwrap();
    for host in ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "2130706433", "0x7f.1", "0.0.0.0", "169.254.169.254"] {
        let url = format!("http://{host}:{port}/").parse().unwrap();
        let error = http.get(Request::get(url), None, None).await.unwrap_err();
        assert!(matches!(error, SourceError::PrivateAddress { .. }), "{host}: {error}");
    }
    assert_eq!(here.came().len(), 0);
}

#[tokio::test]
async fn an_archive_on_this_machine_is_reached_by_its_name_and_may_send_us_to_its_neighbour() {
    let files = Server::start(|_| answer(200, &[], FILE)).await;
    let archive = redirecting(302, files.at("/file").to_string()).await;
    let mut home = archive.at("/go");
    home.set_host(Some("localhost")).unwrap();
    let http = Http::new(&home, quick(), Arc::new(HandClock::default())).unwrap();
    assert_eq!(body(http.get(secret(home), None, None).await.unwrap()).await.unwrap(), FILE);
    assert_eq!(archive.came()[0].header("authorization"), Some("Token topsecret"));
    assert_eq!(files.came()[0].header("authorization"), None);
}

#[tokio::test]
async fn what_fails_for_now_is_tried_again_and_what_is_refused_is_not() {
    let server = |statuses: &'static [u16]| {
        let number = Arc::new(AtomicUsize::new(0));
        Server::start(move |_| {
            let status = statuses[number.fetch_add(1, Ordering::SeqCst).min(statuses.len() - 1)];
            answer(status, &[("retry-after", "0")], FILE)
        })
    };
    let passing = server(&[503, 429, 202, 200]).await;
    let response = passing.client().get(Request::get(passing.at("/a")), None, None).await.unwrap();
    assert_eq!(body(response).await.unwrap(), FILE);
    assert_eq!(passing.came().len(), 4);
    for (statuses, requests) in [(&[500_u16][..], 4), (&[404][..], 1), (&[401][..], 1), (&[501][..], 1)] {
        let failing = server(statuses).await;
        let error = failing.client().get(Request::get(failing.at("/a")), None, None).await.unwrap_err();
        assert!(matches!(error, SourceError::Status { status, .. } if status == statuses[0]), "{error}");
        assert_eq!(failing.came().len(), requests, "{error}");
    }
}

#[tokio::test]
async fn a_host_that_asks_for_hours_is_not_asked_again() {
    let server =
        Server::start(|_| answer(429, &[("retry-after", "40000")], "{\"detail\":\"Request was throttled.\"}")).await;
    let http = server.client();
    let error = http.get(Request::get(server.at("/a")), None, None).await.unwrap_err();
    assert_eq!(error.retry_after(), Some(Duration::from_secs(40_000)));
    assert!(error.to_string().contains("Request was throttled."), "{error}");
    let next = http.get(Request::get(server.at("/b")), None, None).await.unwrap_err();
    assert!(matches!(next, SourceError::Waiting { .. }), "{next}");
    assert_eq!((next.category(), server.came().len()), (Category::Busy, 1));
}

#[tokio::test]
async fn an_answer_is_read_no_further_than_its_bound() {
    let endless = Server::start(|_| {
        let chunks = stream::repeat_with(|| Ok::<_, std::io::Error>(Bytes::from(vec![b' '; 1000])));
        Response::new(Body::from_stream(chunks))
    })
    .await;
    let error = endless.client().ask(&Request::get(endless.at("/a")), 100_000).await.unwrap_err();
    assert!(matches!(error, SourceError::TooLarge { limit: 100_000, .. }), "{error}");
    let announced = Server::start(|_| answer(200, &[], vec![0; 1001])).await;
    assert!(announced.client().ask(&Request::get(announced.at("/a")), 1000).await.is_err());
}

#[tokio::test]
async fn an_answer_that_is_cut_is_asked_for_again_and_a_file_that_is_cut_ends_in_an_error() {
    let times = Arc::new(AtomicUsize::new(0));
    let server = Server::start(move |_| {
        if times.fetch_add(1, Ordering::SeqCst) < 2 {
            let half = [Ok(Bytes::from_static(&FILE[..10])), Err(std::io::Error::other("cut"))];
            // What was written goes out before the connection breaks.
            let half = stream::iter(half).then(|part| async {
                tokio::task::yield_now().await;
                part
            });
            return Response::builder().header("content-length", FILE.len()).body(Body::from_stream(half)).unwrap();
        }
        answer(200, &[], FILE)
    })
    .await;
    let http = server.client();
    let cut = http.get(Request::get(server.at("/a")), None, None).await.unwrap();
    let read: Vec<_> = cut.body.collect().await;
    assert!(matches!(read.last(), Some(Err(SourceError::Connection { .. }))), "{read:?}");
    assert_eq!(&http.ask(&Request::get(server.at("/a")), 1000).await.unwrap().bytes[..], FILE);
    assert_eq!(server.came().len(), 3);
}

#[tokio::test]
async fn a_host_that_falls_silent_is_given_up() {
    let silent = Server::start(|_| {
        let pending = stream::iter([Ok::<_, std::io::Error>(Bytes::from_static(b"x"))]).chain(stream::pending());
        Response::new(Body::from_stream(pending))
    })
    .await;
    let http = silent.client_with(Policy { read_timeout: Duration::from_millis(50), ..quick() });
    let response = http.get(Request::get(silent.at("/a")), None, None).await.unwrap();
    assert!(matches!(body(response).await, Err(SourceError::Silence { .. })));
}

#[tokio::test]
async fn an_answer_that_only_drips_is_given_up() {
    let dripping = Server::start(|_| {
        let drops = stream::repeat(()).then(|()| async {
            tokio::time::sleep(Duration::from_millis(1)).await;
            Ok::<_, std::io::Error>(Bytes::from_static(b" "))
        });
        Response::new(Body::from_stream(drops))
    })
    .await;
    let http = dripping.client_with(Policy { answer_timeout: Duration::from_millis(100), tries: 2, ..quick() });
    let error = http.ask(&Request::get(dripping.at("/a")), 1 << 30).await.unwrap_err();
    assert!(matches!(error, SourceError::Silence { .. }), "{error}");
    assert_eq!(dripping.came().len(), 2);
}

#[tokio::test]
async fn no_more_transfers_run_at_a_time_than_the_pace_allows() {
    let server = Server::start(|_| answer(200, &[], FILE)).await;
    let pace = Pace { connections: 2, requests_per_second: None };
    let http = server.client_with(Policy { pace, ..quick() });
    let get = || http.get(Request::get(server.at("/a")), None, None);
    let first = get().await.unwrap();
    let _second = get().await.unwrap();
    let third = get();
    tokio::pin!(third);
    assert!(futures::poll!(&mut third).is_pending());
    assert_eq!(server.came().len(), 2, "the third has not been sent");
    drop(first);
    third.await.unwrap();
}

#[tokio::test]
async fn no_more_requests_are_made_than_are_allowed() {
    let server = Server::start(|_| answer(200, &[], FILE)).await;
    let http = server.client_with(Policy { requests: Some(2), ..quick() });
    for _ in 0..2 {
        http.get(Request::get(server.at("/a")), None, None).await.unwrap();
    }
    let error = http.get(Request::get(server.at("/a")), None, None).await.unwrap_err();
    assert!(matches!(error, SourceError::Quota { requests: 2, .. }), "{error}");
    assert_eq!(server.came().len(), 2);
}

#[tokio::test]
async fn an_address_with_a_password_and_a_host_that_is_not_there_are_told_without_secrets() {
    let error =
        Http::new(&"http://user:pass@h/".parse().unwrap(), quick(), Arc::new(HandClock::default())).unwrap_err();
    assert!(!error.to_string().contains("pass@"), "{error}");
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let gone: Url = format!("http://{}/a?token=topsecret", listener.local_addr().unwrap()).parse().unwrap();
    drop(listener);
    let http = Http::new(&gone, Policy { tries: 1, ..quick() }, Arc::new(HandClock::default())).unwrap();
    let error = http.get(Request::get(gone), None, None).await.unwrap_err();
    assert!(matches!(error, SourceError::Connection { .. }), "{error}");
    assert!(!format!("{error} {error:?}").contains("topsecret"), "{error:?}");
}

#[tokio::test]
async fn through_a_proxy_names_are_the_proxys_to_find() {
    let proxy = Server::start(|_| answer(200, &[], FILE)).await;
    let home: Url = "http://archive.invalid/".parse().unwrap();
    let policy = Policy { proxy: Some(proxy.url.clone()), ..quick() };
    let http = Http::new(&home, policy, Arc::new(HandClock::default())).unwrap();
    let response = http.get(Request::get(home.join("/a.fits").unwrap()), None, None).await.unwrap();
    assert_eq!(body(response).await.unwrap(), FILE);
    assert_eq!(proxy.came()[0].header("host"), Some("archive.invalid"));
    let here = Request::get(proxy.at("/b"));
    assert!(matches!(http.get(here, None, None).await, Err(SourceError::PrivateAddress { .. })));
}
