//! One careful HTTP client, for queries and for transfers.
//!
//! - Redirects are followed by hand: never from HTTPS to HTTP, and what is secret goes to no other scheme, host or port.
//! - Each address is looked at before it is connected to: an archive on the public network does not send us to this machine.
//! - What fails for now is tried again, a bounded number of times over a bounded time, and `Retry-After` is honoured.
//! - Each host has its pace: so many requests at a time, so many in a second.
//! - Nothing is read without a bound, and nothing is waited for without one.

mod address;
mod exchange;
pub(crate) mod message;
mod pace;
mod request;
mod resolver;
mod response;
mod retry;

use std::collections::HashMap;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::StreamExt;
use holotype_core::Clock;
use reqwest::header::{HeaderMap, HeaderValue, IF_RANGE, RANGE};
use url::Url;

use crate::source::SourceError;
use pace::HostPace;
use resolver::Guard;
use retry::Retries;

pub use pace::Pace;
pub use request::{Body, Request};
pub use response::{Answer, ByteRange, ContentRange, Response};

/// How patient and how obedient the client is.
#[derive(Debug, Clone)]
pub struct Policy {
    /// How long a connection may take to be made.
    pub connect_timeout: Duration,
    /// How long the other side may be silent, before its answer and within it.
    pub read_timeout: Duration,
    /// How long an answer that is read as a whole may take to come, once it has begun.
    pub answer_timeout: Duration,
    /// How often one request is tried in all.
    pub tries: u32,
    /// The first pause between tries; each further one is about twice as long.
    pub first_pause: Duration,
    /// How long all pauses of one request may be together.
    pub patience: Duration,
    /// How fast each host is asked.
    pub pace: Pace,
    /// Where redirects may lead.
    pub redirects: Redirects,
    /// The most requests of this client in all; no bound if absent.
    pub requests: Option<u64>,
    /// The proxy through which everything goes, where the network has one. Then it is the proxy that finds the names' addresses.
    pub proxy: Option<Url>,
}

/// Where redirects may lead.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Redirects {
    /// To any host, within the rules of the client.
    #[default]
    Follow,
    /// To the same scheme, host and port only.
    SameOrigin,
    /// Nowhere.
    Refuse,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(10),
            read_timeout: Duration::from_secs(60),
            answer_timeout: Duration::from_secs(300),
            tries: 5,
            first_pause: Duration::from_millis(500),
            patience: Duration::from_secs(120),
            pace: Pace { connections: 32, requests_per_second: None },
            redirects: Redirects::Follow,
            requests: None,
            proxy: None,
        }
    }
}

/// A client for one archive and the hosts it refers to. Clones share connections, pace and counts.
#[derive(Debug, Clone)]
pub struct Http {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    client: reqwest::Client,
    guard: Guard,
    policy: Policy,
    clock: Arc<dyn Clock>,
    paces: Mutex<HashMap<String, Arc<HostPace>>>,
    requests: AtomicU64,
}

impl Http {
    /// A client for the archive at `home`, the address that an administrator configured.
    ///
    /// # Errors
    /// If `home` or the proxy is no HTTP address, or the system's certificates cannot be read.
    pub fn new(home: &Url, policy: Policy, clock: Arc<dyn Clock>) -> Result<Self, SourceError> {
        let host = exchange::host_of(home)?;
        let proxy = policy.proxy.as_ref().map(exchange::host_of).transpose()?;
        let guard = Guard::new(host, proxy);
        let unusable = |error: reqwest::Error| SourceError::Address {
            url: crate::source::shown(home),
            problem: format!("no client can be made for it: {}", exchange::cause(&error)),
        };
        // reqwest panics without a provider; one that the program chose stays.
        if rustls::crypto::CryptoProvider::get_default().is_none() {
            drop(rustls::crypto::ring::default_provider().install_default());
        }
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("holotype/", env!("CARGO_PKG_VERSION")))
            // Several connections carry more than the streams of one, and each is bounded by the pace.
            .http1_only()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .dns_resolver(guard.clone())
            .connect_timeout(policy.connect_timeout)
            .read_timeout(policy.read_timeout);
        if let Some(proxy) = &policy.proxy {
            builder = builder.proxy(reqwest::Proxy::all(proxy.as_str()).map_err(unusable)?);
        }
        let client = builder.build().map_err(unusable)?;
        let (paces, requests) = (Mutex::default(), AtomicU64::new(0));
        Ok(Self { inner: Arc::new(Inner { client, guard, policy, clock, paces, requests }) })
    }

    /// Asks for a file or a part of it. The answer's head is awaited here, its body streams.
    ///
    /// With `if_range`, an entity tag or date of an earlier answer, the part is sent only if the file is still the same, and else
    /// the whole file: [`Response::range`] says which of the two came.
    ///
    /// # Errors
    /// The last one, after what may pass by itself was tried again. Errors within the body are the caller's to go on from.
    pub async fn get(
        &self,
        request: impl Into<Request>,
        range: Option<ByteRange>,
        if_range: Option<&str>,
    ) -> Result<Response, SourceError> {
        let request = request.into();
        let mut headers = HeaderMap::new();
        if let Some(range) = range {
            headers.insert(RANGE, range.header());
            if let Some(Ok(tag)) = if_range.map(HeaderValue::from_str) {
                headers.insert(IF_RANGE, tag);
            }
        }
        let mut retries = Retries::new(&self.inner.policy);
        loop {
            let sent = self.send(&request, &headers, retries.patience()).await;
            match sent.and_then(|exchange| Response::of(exchange, range)) {
                Ok(response) => return Ok(response),
                Err(error) => retries.after(error).await?,
            }
        }
    }

    /// Asks for an answer that is read as a whole, of at most `limit` bytes.
    ///
    /// # Errors
    /// The last one, after what may pass by itself was tried again.
    pub async fn ask(&self, request: &Request, limit: usize) -> Result<Answer, SourceError> {
        let mut retries = Retries::new(&self.inner.policy);
        loop {
            match self.ask_once(request, limit, retries.patience()).await {
                Ok(answer) => return Ok(answer),
                Err(error) => retries.after(error).await?,
            }
        }
    }

    async fn ask_once(&self, request: &Request, limit: usize, patience: Duration) -> Result<Answer, SourceError> {
        let exchange = self.send(request, &HeaderMap::new(), patience).await?;
        let headers = exchange.response.headers().clone();
        let url = exchange.url.clone();
        let mut response = Response::of(exchange, None)?;
        let host = host_name(&url);
        let too_large = || SourceError::TooLarge { host: host.clone(), path: url.path().to_owned(), limit };
        if response.length.is_some_and(|length| length > limit as u64) {
            return Err(too_large());
        }
        let mut bytes = Vec::new();
        let read = async {
            while let Some(chunk) = response.body.next().await {
                let chunk = chunk?;
                if bytes.len() + chunk.len() > limit {
                    return Err(too_large());
                }
                bytes.extend_from_slice(&chunk);
            }
            Ok(())
        };
        // A byte now and then is no silence, and could go on for ever.
        match tokio::time::timeout(self.inner.policy.answer_timeout, read).await {
            Ok(read) => read?,
            Err(_) => return Err(SourceError::Silence { host }),
        }
        Ok(Answer { url, headers, bytes: bytes.into() })
    }

    /// What it was made with.
    pub fn policy(&self) -> &Policy {
        &self.inner.policy
    }

    /// The clock that was given.
    pub fn clock(&self) -> &dyn Clock {
        &*self.inner.clock
    }

    /// The pace of the host that `url` names.
    fn pace(&self, url: &Url) -> Arc<HostPace> {
        let mut paces = self.inner.paces.lock().unwrap_or_else(PoisonError::into_inner);
        let pace = || Arc::new(HostPace::new(&self.inner.policy.pace));
        Arc::clone(paces.entry(url.origin().ascii_serialization()).or_insert_with(pace))
    }
}

/// The host of an address, with its port where that is not the usual one, for messages.
pub(crate) fn host_name(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}
