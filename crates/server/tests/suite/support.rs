//! A laboratory in a temporary folder, and requests to its router.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, Request, StatusCode, request};
use holotype_api::Secret;
use holotype_app::config::Overrides;
use holotype_app::{App, Config, Environment, Home};
use holotype_server::{Peer, ServerOptions};
use holotype_testkit::clock::HandClock;
use serde_json::Value;
use tempfile::TempDir;
use tower::ServiceExt;

/// An application with a router, a hand-turned clock and a home of its own.
pub(crate) struct Lab {
    pub(crate) folder: TempDir,
    pub(crate) app: App,
    pub(crate) clock: Arc<HandClock>,
    pub(crate) router: Router,
    peer: Option<Peer>,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// A home on a disk of this machine, in UTC, with these variables set.
pub(crate) fn config(folder: &Path, variables: &[(&str, &str)]) -> Config {
    let ours = [("HOLOTYPE_DATAPOINTS_TIME_ZONE", "UTC")];
    let variables = ours.iter().chain(variables).map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let environment = Environment::new(variables, folder);
    Config::load(Home::at(folder.join("home")), &environment, &Overrides::default()).unwrap()
}

impl Lab {
    pub(crate) async fn new() -> Self {
        Self::with(&[], |_| {}).await
    }

    /// A laboratory with these environment variables and changed options, asked from this machine.
    pub(crate) async fn with(variables: &[(&str, &str)], change: impl FnOnce(&mut ServerOptions)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(HandClock::at("2026-11-20T13:13:43Z".parse().unwrap()));
        let config = config(folder.path(), variables);
        App::initialise(&config, clock.clone()).await.unwrap();
        let app = App::open(config, clock.clone()).await.unwrap();
        let mut options = ServerOptions::new(app.config());
        change(&mut options);
        let router = holotype_server::router(app.clone(), options);
        let peer = Some(Peer::Tcp(SocketAddr::from(([127, 0, 0, 1], 50_000))));
        Self { folder, app, clock, router, peer }
    }

    /// The same laboratory asked from somewhere else; `None` is a stranger of whom nothing is known.
    pub(crate) fn from(mut self, peer: Option<&str>) -> Self {
        self.peer = peer.map(|address| Peer::Tcp(address.parse().unwrap()));
        self
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        send(&self.router, self.peer, request).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(ask("GET", path).body(Body::empty()).unwrap()).await
    }

    pub(crate) async fn get_as(&self, token: &str, path: &str) -> Answer {
        self.send(ask("GET", path).header("authorization", format!("Bearer {token}")).body(Body::empty()).unwrap())
            .await
    }

    pub(crate) async fn json(&self, method: &str, path: &str, body: &Value) -> Answer {
        let request = ask(method, path).header("content-type", "application/json");
        self.send(request.body(Body::from(body.to_string())).unwrap()).await
    }

    /// Submits a datapoint as the contract's clients do.
    pub(crate) async fn submit(&self, datapoint: &str) -> Answer {
        self.send(form().body(Body::from(encoded(datapoint))).unwrap()).await
    }

    /// Submits a datapoint with files as the contract's clients do.
    pub(crate) async fn submit_files(&self, datapoint: &str, files: &[(&str, &[u8])]) -> Answer {
        let request = ask("POST", "/datapoint").header("content-type", "multipart/form-data; boundary=B");
        self.send(request.body(Body::from(multipart(datapoint, files))).unwrap()).await
    }

    /// Creates a user with a token; the first one runs the service.
    pub(crate) async fn user(&self, name: &str) -> String {
        let owner = holotype_app::catalog::Catalog::local_owner();
        self.app.catalog().create_user(&owner, name, None, false).await.unwrap();
        let (_, secret) = self.app.catalog().create_token(&owner, name, "test", None).await.unwrap();
        Secret::from(secret).expose().to_owned()
    }
}

pub(crate) async fn send(router: &Router, peer: Option<Peer>, mut request: Request<Body>) -> Answer {
    if let Some(peer) = peer {
        request.extensions_mut().insert(peer);
    }
    let response = router.clone().oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    Answer { status: parts.status, headers: parts.headers, body }
}

/// A request to this machine.
pub(crate) fn ask(method: &str, path: &str) -> request::Builder {
    Request::builder().method(method).uri(path).header("host", "127.0.0.1:8004")
}

pub(crate) fn form() -> request::Builder {
    ask("POST", "/datapoint").header("content-type", "application/x-www-form-urlencoded")
}

pub(crate) fn encoded(datapoint: &str) -> String {
    url::form_urlencoded::Serializer::new(String::new()).append_pair("datapoint", datapoint).finish()
}

/// A multipart form with the boundary `B`.
pub(crate) fn multipart(datapoint: &str, files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut form =
        format!("--B\r\nContent-Disposition: form-data; name=\"datapoint\"\r\n\r\n{datapoint}\r\n").into_bytes();
    for (name, content) in files {
        form.extend(
            format!("--B\r\nContent-Disposition: form-data; name=\"files\"; filename=\"{name}\"\r\n\r\n").into_bytes(),
        );
        form.extend_from_slice(content);
        form.extend_from_slice(b"\r\n");
    }
    form.extend_from_slice(b"--B--\r\n");
    form
}

impl Answer {
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The answer, if it has this status; else the test ends with what it says.
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{}", String::from_utf8_lossy(&self.body));
        self
    }
}
