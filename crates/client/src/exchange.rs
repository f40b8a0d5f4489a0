//! One call: build the request, send it, wait with patience, try again where that is safe, read the failure.

use std::time::Duration;

use holotype_api::Problem;
use reqwest::header::RETRY_AFTER;
use reqwest::{Method, Request, RequestBuilder, Response, StatusCode};
use serde::de::DeserializeOwned;

use crate::credentials::Credentials;
use crate::download::Download;
use crate::patience::{Motion, Watched};
use crate::{ClientError, Transport};

/// How long nothing may move before the server is given up.
const SILENCE: Duration = Duration::from_secs(120);
/// Pauses before the second, third and fourth attempt.
const PAUSES: [Duration; 3] = [Duration::from_millis(100), Duration::from_millis(300), Duration::from_millis(900)];
/// The longest pause a server may ask for.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// The header that makes a creation safe to repeat.
const IDEMPOTENCY_KEY: &str = "idempotency-key";
/// The most of a failed answer that is read.
const LARGEST_PROBLEM: usize = 1 << 20;

/// A client of one server's API. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Client {
    transport: Transport,
    credentials: Option<Credentials>,
    project: Option<String>,
    silence: Duration,
}

impl Client {
    /// A client that presents `credentials` with every call.
    pub fn new(transport: Transport, credentials: Option<Credentials>) -> Self {
        Self { transport, credentials, project: None, silence: SILENCE }
    }

    /// The same client speaking about this project, by name or id, instead of the caller's own.
    pub fn in_project(mut self, project: Option<String>) -> Self {
        self.project = project;
        self
    }

    /// The same client giving up after this much silence, instead of two minutes.
    pub fn with_patience(mut self, silence: Duration) -> Self {
        self.silence = silence;
        self
    }

    /// What is at the other end, for messages.
    pub fn target(&self) -> &str {
        self.transport.target()
    }

    /// A request to `/api/v1/` and these segments.
    pub(crate) fn request(&self, method: Method, segments: &[&str]) -> Result<RequestBuilder, ClientError> {
        let mut address = self.transport.base.clone();
        for segment in segments {
            check_segment(segment)?;
        }
        if let Ok(mut path) = address.path_segments_mut() {
            path.pop_if_empty().extend(["api", "v1"]).extend(segments);
        }
        let mut request = self.transport.http.request(method, address);
        if let Some(credentials) = &self.credentials {
            request = credentials.apply(request);
        }
        if let Some(project) = &self.project {
            request = request.query(&[("project", project)]);
        }
        Ok(request)
    }

    /// A request that creates something, safe to repeat because it carries a key of its own.
    pub(crate) fn creation(&self, segments: &[&str]) -> Result<RequestBuilder, ClientError> {
        let mut random = [0_u8; 16];
        getrandom::fill(&mut random).map_err(ClientError::Random)?;
        let key = format!("{:032x}", u128::from_be_bytes(random));
        Ok(self.request(Method::POST, segments)?.header(IDEMPOTENCY_KEY, key))
    }

    /// Sends a request and reads the whole answer as JSON.
    pub(crate) async fn json<T: DeserializeOwned>(&self, request: RequestBuilder) -> Result<T, ClientError> {
        self.open(request).await?.json().await
    }

    /// Sends a request whose answer has no body that matters.
    pub(crate) async fn done(&self, request: RequestBuilder) -> Result<(), ClientError> {
        self.open(request).await.map(drop)
    }

    /// Sends a request and hands out the answer as it streams.
    pub(crate) async fn open(&self, request: RequestBuilder) -> Result<Download, ClientError> {
        let mut request = request.build().map_err(|source| ClientError::Setup(source.without_url()))?;
        let call = format!("{} {}", request.method(), request.url().path());
        for pause in PAUSES {
            // A body that streams cannot be sent twice.
            let Some(again) = request.try_clone() else { break };
            let repeatable = is_repeatable(&request);
            let attempt = self.attempt(request).await;
            request = again;
            match retry_after(&attempt, repeatable) {
                None => return self.finish(attempt?, call).await,
                Some(asked) => tokio::time::sleep(asked.unwrap_or(pause)).await,
            }
        }
        let response = self.attempt(request).await?;
        self.finish(response, call).await
    }

    async fn attempt(&self, mut request: Request) -> Result<Response, ClientError> {
        let motion = Motion::new();
        if let Some(body) = request.body_mut().take() {
            *request.body_mut() = Some(reqwest::Body::wrap(Watched::new(body, motion.clone())));
        }
        tokio::select! {
            response = self.transport.exchange(request) => response,
            () = motion.stalled(self.silence) => {
                Err(ClientError::Stalled { target: self.target().to_owned(), limit: self.silence })
            }
        }
    }

    async fn finish(&self, response: Response, call: String) -> Result<Download, ClientError> {
        let status = response.status();
        let mut answer = Download::new(response, call, self.target().to_owned(), self.silence);
        if status.is_success() {
            return Ok(answer);
        }
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await? {
            body.extend_from_slice(&chunk);
            if body.len() > LARGEST_PROBLEM {
                break;
            }
        }
        Err(match serde_json::from_slice::<Problem>(&body) {
            Ok(problem) => ClientError::Problem(Box::new(problem)),
            Err(_) => ClientError::Foreign {
                target: self.target().to_owned(),
                status: status.as_u16(),
                start: String::from_utf8_lossy(&body).chars().take(200).collect(),
            },
        })
    }
}

/// Refuses what an address would not carry as it is: it would name another thing.
fn check_segment(segment: &str) -> Result<(), ClientError> {
    let reason = match segment {
        "" => "it is empty",
        "." | ".." => "an address would take it for a step in a path",
        _ => return Ok(()),
    };
    Err(ClientError::Name { name: segment.to_owned(), reason })
}

/// Whether doing it twice is the same as doing it once.
fn is_repeatable(request: &Request) -> bool {
    *request.method() != Method::POST || request.headers().contains_key(IDEMPOTENCY_KEY)
}

/// Whether to try again, and after how long if the server asked for a time.
fn retry_after(attempt: &Result<Response, ClientError>, repeatable: bool) -> Option<Option<Duration>> {
    match attempt {
        // Nothing was sent, so nothing can be done twice.
        Err(ClientError::Connect { .. }) => Some(None),
        Err(ClientError::Broken { .. }) => repeatable.then_some(None),
        Err(_) => None,
        Ok(response) => {
            let transient = matches!(
                response.status(),
                StatusCode::TOO_MANY_REQUESTS
                    | StatusCode::BAD_GATEWAY
                    | StatusCode::SERVICE_UNAVAILABLE
                    | StatusCode::GATEWAY_TIMEOUT
            );
            let asked = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
            (repeatable && transient).then_some(asked.map(|seconds| Duration::from_secs(seconds).min(LONGEST_PAUSE)))
        }
    }
}
