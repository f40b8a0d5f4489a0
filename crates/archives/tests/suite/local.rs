//! Servers on this machine that answer as a test wants.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::Request;
use axum::http::HeaderMap;
use axum::response::Response;
use futures::StreamExt;
use holotype_archives::http::{Http, Policy};
use holotype_archives::source::{ArchiveSource, Listed, Query, SourceError};
use holotype_testkit::clock::HandClock;
use url::Url;

/// A request that came in.
#[derive(Debug, Clone)]
pub(crate) struct Came {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: BTreeMap<String, String>,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Came {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        self.query.get(name).map(String::as_str)
    }

    /// The parameters of a posted form.
    pub(crate) fn form(&self) -> BTreeMap<String, String> {
        url::form_urlencoded::parse(&self.body).into_owned().collect()
    }
}

/// A server that answers by a function and remembers what it was asked. It ends with the test.
#[derive(Debug, Clone)]
pub(crate) struct Server {
    pub(crate) url: Url,
    came: Arc<Mutex<Vec<Came>>>,
}

impl Server {
    pub(crate) async fn start(answer: impl Fn(&Came) -> Response + Clone + Send + Sync + 'static) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap()).parse().unwrap();
        let came: Arc<Mutex<Vec<Came>>> = Arc::default();
        let kept = Arc::clone(&came);
        let router = Router::new().fallback(move |request: Request| {
            let (answer, kept) = (answer.clone(), Arc::clone(&kept));
            async move {
                let (parts, body) = request.into_parts();
                let query = parts.uri.query().unwrap_or_default();
                let request = Came {
                    method: parts.method.to_string(),
                    path: parts.uri.path().to_owned(),
                    query: url::form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
                    headers: parts.headers,
                    body: axum::body::to_bytes(body, 1 << 20).await.unwrap(),
                };
                kept.lock().unwrap().push(request.clone());
                answer(&request)
            }
        });
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, came }
    }

    /// What was asked so far.
    pub(crate) fn came(&self) -> Vec<Came> {
        self.came.lock().unwrap().clone()
    }

    /// An address of this server.
    pub(crate) fn at(&self, path: &str) -> Url {
        self.url.join(path).unwrap()
    }

    /// A client for this server that does not wait long.
    pub(crate) fn client(&self) -> Http {
        self.client_with(quick())
    }

    pub(crate) fn client_with(&self, policy: Policy) -> Http {
        Http::new(&self.url, policy, Arc::new(HandClock::default())).unwrap()
    }
}

/// A policy whose pauses are short.
pub(crate) fn quick() -> Policy {
    Policy { first_pause: std::time::Duration::from_millis(1), tries: 4, ..Policy::default() }
}

/// An answer with a status, headers and a body.
pub(crate) fn answer(status: u16, headers: &[(&str, &str)], body: impl Into<axum::body::Body>) -> Response {
    let mut response = Response::builder().status(status);
    for (name, value) in headers {
        response = response.header(*name, *value);
    }
    response.body(body.into()).unwrap()
}

/// All frames of a list, and the errors in between and at its end.
pub(crate) async fn all(source: &dyn ArchiveSource, query: &Query) -> (Vec<Listed>, Vec<SourceError>) {
    let (mut frames, mut errors) = (Vec::new(), Vec::new());
    let mut list = source.list(query);
    while let Some(item) = list.next().await {
        match item {
            Ok(frame) => frames.push(frame),
            Err(error) => errors.push(error),
        }
    }
    (frames, errors)
}
