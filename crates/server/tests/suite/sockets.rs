//! The server on real sockets: TCP, TLS, the Unix socket, slow clients, shutdown.
//!
//! The certificate in `tests/fixtures` was made for these tests alone; nobody trusts it.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use holotype_app::config::TlsFiles;
use holotype_server::{Bound, ServeError, ServerOptions};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::support::{Lab, multipart};

/// A server that runs until it is stopped.
struct Running {
    addresses: Vec<String>,
    shutdown: CancellationToken,
    task: JoinHandle<()>,
}

async fn start(lab: &Lab, change: impl FnOnce(&mut ServerOptions)) -> Running {
    let mut options = options(lab);
    change(&mut options);
    let bound = Bound::bind(&lab.app, options).await.unwrap();
    let (addresses, shutdown) = (bound.addresses(), CancellationToken::new());
    let task = tokio::spawn(bound.serve(lab.app.clone(), shutdown.clone()));
    Running { addresses, shutdown, task }
}

fn options(lab: &Lab) -> ServerOptions {
    let mut options = ServerOptions::new(lab.app.config());
    options.config.listen = "127.0.0.1:0".parse().unwrap();
    options
}

impl Running {
    fn address(&self) -> SocketAddr {
        self.addresses[0].split("//").nth(1).unwrap().trim_end_matches('/').parse().unwrap()
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address()).await.unwrap()
    }

    async fn stop(self) {
        self.shutdown.cancel();
        self.task.await.unwrap();
    }
}

/// Sends text and reads one answer: head and as much body as its `content-length` says.
async fn exchange(stream: &mut (impl AsyncRead + AsyncWrite + Unpin), request: &[u8]) -> String {
    stream.write_all(request).await.unwrap();
    let mut answer = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&answer).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .to_lowercase()
                .lines()
                .find_map(|line| line.strip_prefix("content-length: ")?.parse::<usize>().ok());
            if length.is_none_or(|length| body.len() >= length) {
                return text;
            }
        }
        assert!(stream.read_buf(&mut answer).await.unwrap() > 0, "the connection ended: {text}");
    }
}

fn get(path: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n").into_bytes()
}

#[tokio::test]
async fn a_server_answers_on_its_address_and_stops_when_told() {
    let lab = Lab::new().await;
    let running = start(&lab, |_| {}).await;
    let mut stream = running.connect().await;
    for _ in 0..2 {
        let answer = exchange(&mut stream, &get("/health")).await;
        assert!(answer.starts_with("HTTP/1.1 200 OK") && answer.contains("\"healthy\":true"), "{answer}");
        assert!(
            answer.contains("\r\nvary: Origin\r\n") && answer.contains("\r\ncontent-type: application/json\r\n"),
            "{answer}"
        );
    }
    running.stop().await;
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).await.unwrap();
    assert!(rest.is_empty());
}

#[tokio::test]
async fn an_address_that_others_can_reach_is_refused_until_there_is_a_user() {
    let lab = Lab::new().await;
    let open = || {
        let mut options = options(&lab);
        options.config.listen = "0.0.0.0:0".parse().unwrap();
        options
    };
    let refused = Bound::bind(&lab.app, open()).await.unwrap_err();
    assert!(
        matches!(refused, ServeError::Exposed { .. }) && refused.to_string().contains("holotype user create"),
        "{refused}"
    );
    lab.user("ann").await;
    Bound::bind(&lab.app, open()).await.unwrap();
}

#[tokio::test]
async fn an_address_that_is_taken_is_named() {
    let lab = Lab::new().await;
    let running = start(&lab, |_| {}).await;
    let mut options = options(&lab);
    options.config.listen = running.address().to_string().parse().unwrap();
    let refused = Bound::bind(&lab.app, options).await.unwrap_err();
    assert!(refused.to_string().contains(&running.address().to_string()), "{refused}");
    running.stop().await;
}

#[tokio::test]
async fn over_the_socket_of_the_home_the_owner_needs_no_token() {
    let lab = Lab::new().await;
    lab.user("ann").await;
    let path = lab.folder.path().join("holotype.sock");
    let running = start(&lab, |options| {
        options.tcp = false;
        options.unix_socket = Some(path.clone());
    })
    .await;
    assert_eq!(running.addresses, [format!("unix:{}", path.display())]);
    let mut stream = UnixStream::connect(&path).await.unwrap();
    let answer = exchange(&mut stream, &get("/api/v1/whoami")).await;
    assert!(answer.contains("\"name\":\"local\""), "{answer}");
    running.stop().await;
    assert!(!path.exists());
}

#[tokio::test]
async fn with_a_certificate_it_speaks_https() {
    let lab = Lab::new().await;
    let fixtures = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let certificate = fixtures.join("tls-certificate.pem");
    let running = start(&lab, |options| {
        options.config.tls = Some(TlsFiles { certificate: certificate.clone(), key: fixtures.join("tls-key.pem") });
    })
    .await;
    assert!(running.addresses[0].starts_with("https://"), "{:?}", running.addresses);
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(&certificate).unwrap()).unwrap();
    let config = rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
    let name = ServerName::try_from("localhost").unwrap();
    let mut stream = connector.connect(name, running.connect().await).await.unwrap();
    let answer = exchange(&mut stream, &get("/datapoints/")).await;
    assert!(answer.contains("\r\nlocation: https://localhost/datapoints\r\n"), "{answer}");
    // Whoever speaks no TLS is let go, and others are served.
    let mut plain = running.connect().await;
    plain.write_all(&get("/health")).await.unwrap();
    let mut rest = Vec::new();
    drop(plain.read_to_end(&mut rest).await);
    assert!(!rest.starts_with(b"HTTP"));
    assert!(exchange(&mut stream, &get("/health")).await.starts_with("HTTP/1.1 200"));
    running.stop().await;
}

#[tokio::test]
async fn a_certificate_that_is_none_is_named() {
    let lab = Lab::new().await;
    let file = lab.folder.path().join("nonsense.pem");
    std::fs::write(&file, "nonsense").unwrap();
    let mut options = options(&lab);
    options.config.tls = Some(TlsFiles { certificate: file.clone(), key: file.clone() });
    let refused = Bound::bind(&lab.app, options).await.unwrap_err();
    assert!(refused.to_string().contains("nonsense.pem"), "{refused}");
}

#[tokio::test]
async fn a_client_that_does_not_finish_its_head_is_let_go() {
    let lab = Lab::new().await;
    let running = start(&lab, |options| options.header_timeout = Duration::from_millis(100)).await;
    let mut stream = running.connect().await;
    stream.write_all(b"POST /datapoint HTTP/1.1\r\nhost: localhost\r\n").await.unwrap();
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).await.unwrap();
    assert!(!rest.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&rest));
    running.stop().await;
}

#[tokio::test]
async fn a_client_that_stops_in_the_middle_of_a_form_stores_nothing() {
    let lab = Lab::new().await;
    let running = start(&lab, |options| options.idle_timeout = Duration::from_millis(200)).await;
    let form = multipart(r#"{"data_type":"file","_id":"cut","path":"x"}"#, &[("a.bin", &[7; 10_000])]);
    let head = format!(
        "POST /datapoint HTTP/1.1\r\nhost: localhost\r\ncontent-type: multipart/form-data; boundary=B\r\ncontent-length: {}\r\n\r\n",
        form.len()
    );
    let mut stalled = running.connect().await;
    let answer = exchange(&mut stalled, &[head.as_bytes(), &form[..5_000]].concat()).await;
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
    let mut gone = running.connect().await;
    gone.write_all(&[head.as_bytes(), &form[..5_000]].concat()).await.unwrap();
    drop(gone);
    let mut stream = running.connect().await;
    let absent = exchange(&mut stream, &get("/datapoint/cut")).await;
    assert!(absent.starts_with("HTTP/1.1 404"), "{absent}");
    running.stop().await;
}

#[tokio::test]
async fn after_a_form_that_ends_too_early_the_connection_goes_on() {
    let lab = Lab::new().await;
    let running = start(&lab, |_| {}).await;
    let form = multipart(r#"{"data_type":"file","_id":"cut","path":"x"}"#, &[("a.bin", &[7; 100_000])]);
    let form = &form[..form.len() - 9];
    let head = format!(
        "POST /datapoint HTTP/1.1\r\nhost: localhost\r\ncontent-type: multipart/form-data; boundary=B\r\ncontent-length: {}\r\n\r\n",
        form.len()
    );
    let mut stream = running.connect().await;
    for _ in 0..2 {
        let answer = exchange(&mut stream, &[head.as_bytes(), form].concat()).await;
        assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
    }
    assert!(exchange(&mut stream, &get("/health")).await.contains("\"total_datapoints\":0"));
    running.stop().await;
}

#[tokio::test]
async fn a_client_that_is_still_sending_learns_why_it_is_refused() {
    let lab = Lab::new().await;
    lab.user("ann").await;
    let running = start(&lab, |_| {}).await;
    let form = multipart(r#"{"data_type":"file","_id":"F","path":"x"}"#, &[("a.bin", &vec![7; 20_000_000])]);
    let head = format!(
        "POST /datapoint HTTP/1.1\r\nhost: localhost\r\ncontent-type: multipart/form-data; boundary=B\r\ncontent-length: {}\r\n\r\n",
        form.len()
    );
    let mut stream = running.connect().await;
    for _ in 0..2 {
        let answer = exchange(&mut stream, &[head.as_bytes(), &form].concat()).await;
        assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
    }
    assert!(exchange(&mut stream, &get("/health")).await.starts_with("HTTP/1.1 200"), "the connection goes on");
    running.stop().await;
}

#[tokio::test]
async fn whoever_comes_when_all_places_are_taken_waits_for_one() {
    let lab = Lab::new().await;
    let running = start(&lab, |options| options.max_connections = 1).await;
    let mut first = running.connect().await;
    assert!(exchange(&mut first, &get("/health")).await.starts_with("HTTP/1.1 200"));
    let mut second = running.connect().await;
    second.write_all(&get("/health")).await.unwrap();
    drop(first);
    assert!(exchange(&mut second, b"").await.starts_with("HTTP/1.1 200"));
    running.stop().await;
}

#[tokio::test]
async fn streams_that_never_end_do_not_hold_up_a_shutdown() {
    let lab = Lab::new().await;
    let running = start(&lab, |_| {}).await;
    let mut stream = running.connect().await;
    stream.write_all(&get("/api/v1/datapoints/tail")).await.unwrap();
    let mut head = [0; 15];
    stream.read_exact(&mut head).await.unwrap();
    assert_eq!(&head, b"HTTP/1.1 200 OK");
    running.stop().await;
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).await.unwrap();
    assert!(rest.ends_with(b"0\r\n\r\n"), "the stream ends in order");
}

#[tokio::test]
async fn a_request_under_way_is_finished_before_the_server_ends() {
    let lab = Lab::new().await;
    let running = start(&lab, |_| {}).await;
    let body = crate::support::encoded(r#"{"data_type":"json","_id":"late","value":1}"#);
    let head = format!(
        "POST /datapoint HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    let mut stream = running.connect().await;
    stream.write_all(&[head.as_bytes(), &body.as_bytes()[..10]].concat()).await.unwrap();
    // The server has taken the request in once another one on the same listener was answered.
    assert!(exchange(&mut running.connect().await, &get("/health")).await.starts_with("HTTP/1.1 200"));
    running.shutdown.cancel();
    let answer = exchange(&mut stream, &body.as_bytes()[10..]).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    running.task.await.unwrap();
    lab.get("/datapoint/late").await.expect(200);
}
