//! Small servers for the tests: a router in this process, or behind a socket.

use axum::Router;
use holotype_client::{Client, Credentials, Transport};
use tempfile::TempDir;
use url::Url;

pub(crate) fn install_provider() {
    // Another test of this process may have been first.
    drop(rustls::crypto::ring::default_provider().install_default());
}

/// A client of a router in this process.
pub(crate) fn in_process(router: Router) -> Client {
    install_provider();
    Client::new(Transport::in_process(router).unwrap(), None)
}

/// A client of a router behind a TCP socket.
pub(crate) async fn over_tcp(router: Router, credentials: Option<Credentials>) -> Client {
    Client::new(Transport::network(listen(router).await, None).unwrap(), credentials)
}

/// The address of a router behind a TCP socket.
pub(crate) async fn listen(router: Router) -> Url {
    install_provider();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    format!("http://{address}/").parse().unwrap()
}

/// A client of a router behind a Unix socket, and the directory the socket lies in.
pub(crate) async fn over_unix(router: Router) -> (Client, TempDir) {
    install_provider();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("holotype.sock");
    let listener = tokio::net::UnixListener::bind(&path).unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    (Client::new(Transport::socket(&path).unwrap(), None), folder)
}
