//! A TAP service, as it should answer and as it does on a bad day.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::response::Response;
use futures::stream;
use holotype_archives::http::Policy;
use holotype_archives::source::SourceError;
use holotype_archives::tap::Tap;
use holotype_core::Category;
use holotype_testkit::clock::HandClock;

use crate::local::{Came, Server, answer, quick};

const TABLE: &str = "ra,dec\n1,2\n3,4\n";

fn tap(server: &Server, path: &str, policy: Policy) -> Tap {
    Tap::new(&server.at(path), policy, Arc::new(HandClock::default())).unwrap()
}

/// What becomes of a query that is answered so.
async fn asked(respond: impl Fn(&Came) -> Response + Clone + Send + Sync + 'static) -> Result<Bytes, SourceError> {
    let server = Server::start(respond).await;
    tap(&server, "/tap", quick()).csv("SELECT 1", 10, 1000).await
}

fn refusal(status: u16, reason: &str) -> Response {
    let body = format!(
        "<?xml version=\"1.0\"?>\n<VOTABLE version=\"1.3\" xmlns=\"http://www.ivoa.net/xml/VOTable/v1.3\"><RESOURCE type=\"results\">\
         <INFO name=\"QUERY_STATUS\" value=\"ERROR\">{reason}</INFO></RESOURCE></VOTABLE>"
    );
    answer(status, &[("content-type", "application/x-votable+xml")], body)
}

#[tokio::test]
async fn a_query_is_posted_to_the_services_own_address_and_its_table_comes_as_it_is() {
    let server = Server::start(|_| answer(200, &[("content-type", "text/csv")], TABLE)).await;
    for path in ["/some/tap", "/some/tap/", "/some/tap?x=y#z"] {
        let tap = tap(&server, path, quick());
        assert_eq!(tap.address(), server.at("/some/tap/sync").as_str());
        assert_eq!(tap.csv("SELECT a+b FROM c WHERE d = 'é&f'", 25, 1000).await.unwrap(), TABLE);
    }
    let came = &server.came()[0];
    assert_eq!((came.method.as_str(), came.path.as_str(), came.query.len()), ("POST", "/some/tap/sync", 0));
    assert_eq!(came.header("content-type"), Some("application/x-www-form-urlencoded"));
    let form = came.form();
    let told: Vec<_> = form.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let query = ("QUERY", "SELECT a+b FROM c WHERE d = 'é&f'");
    assert_eq!(told, [("FORMAT", "csv"), ("LANG", "ADQL"), ("MAXREC", "25"), query, ("REQUEST", "doQuery")]);
}

#[tokio::test]
async fn a_refusal_is_told_with_its_reason_whatever_its_status() {
    let error = asked(|_| refusal(200, "no table &lt;x>")).await.unwrap_err();
    assert!(error.to_string().contains("the service refuses the query: no table <x>"), "{error}");
    assert!(error.is_transient(), "so do services that are overloaded answer");
    let error = asked(|_| refusal(400, "no table &lt;x>")).await.unwrap_err();
    assert!(error.to_string().contains("answered 400") && error.to_string().contains("no table <x>"), "{error}");
    assert_eq!(error.category(), Category::Invalid);
}

#[tokio::test]
async fn a_service_that_is_overloaded_is_asked_again_and_then_given_up() {
    let count = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&count);
    let busy_twice = move |_: &Came| match counted.fetch_add(1, Ordering::SeqCst) {
        0 | 1 => refusal(503, "too many queries"),
        _ => answer(200, &[], TABLE),
    };
    assert_eq!(asked(busy_twice).await.unwrap(), TABLE);
    let error = asked(|_| refusal(503, "too many queries")).await.unwrap_err();
    assert!(error.is_transient() && error.to_string().contains("too many queries"), "{error}");
}

#[tokio::test]
async fn a_table_that_is_cut_is_never_taken_for_a_whole_one() {
    let cut_on_its_way = |_: &Came| {
        let half = [Ok(Bytes::from_static(b"ra,dec\n1,2\n")), Err(std::io::Error::other("cut"))];
        answer(200, &[], Body::from_stream(stream::iter(half)))
    };
    let error = asked(cut_on_its_way).await.unwrap_err();
    assert!(matches!(error, SourceError::Connection { .. }), "{error}");
    for whole_by_its_length in ["ra,dec\n1,2\n3", "", " \n", "<html>Log in</html>"] {
        let error = asked(move |_| answer(200, &[], whole_by_its_length)).await.unwrap_err();
        assert!(matches!(error, SourceError::Answer { .. }) && error.is_transient(), "{error}");
    }
    let error = asked(|_| answer(200, &[], "ra,dec\n".repeat(200))).await.unwrap_err();
    assert!(matches!(error, SourceError::TooLarge { limit: 1000, .. }), "{error}");
}

#[tokio::test]
async fn an_answer_that_only_ends_with_its_connection_must_end_with_a_line() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    for (body, is_whole) in [("ra,dec\n1,2\n3,45\n", true), ("ra,dec\n1,2\n3,4", false)] {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/tap", listener.local_addr().unwrap()).parse().unwrap();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut request = Vec::new();
                while !request.ends_with(b"QUERY=SELECT+1") {
                    assert!(stream.read_buf(&mut request).await.unwrap() > 0);
                }
                stream.write_all(format!("HTTP/1.1 200 OK\r\n\r\n{body}").as_bytes()).await.unwrap();
                stream.shutdown().await.unwrap();
            }
        });
        let tap = Tap::new(&url, quick(), Arc::new(HandClock::default())).unwrap();
        assert_eq!(tap.csv("SELECT 1", 10, 1000).await.is_ok(), is_whole, "{body}");
    }
}

#[tokio::test]
async fn a_service_that_is_stuck_is_given_up() {
    let server = Server::start(|_| {
        let silent = stream::pending::<Result<Bytes, std::io::Error>>();
        answer(200, &[], Body::from_stream(silent))
    })
    .await;
    let policy = Policy { read_timeout: Duration::from_millis(100), tries: 2, ..quick() };
    let error = tap(&server, "/tap", policy).csv("SELECT 1", 10, 1000).await.unwrap_err();
    assert!(matches!(error, SourceError::Silence { .. }) && error.is_transient(), "{error}");
    assert_eq!(server.came().len(), 2);
}
