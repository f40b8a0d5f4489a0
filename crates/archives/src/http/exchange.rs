//! One try of one request: redirects, secrets, turns, and what an unusable answer means.

use std::error::Error;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures::StreamExt;
use reqwest::header::{ACCEPT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderValue, LOCATION};
use reqwest::{Method, StatusCode};
use secrecy::ExposeSecret;
use tokio::sync::OwnedSemaphorePermit;
use url::{Host, Url};

use super::resolver::Forbidden;
use super::retry::retry_after;
use super::{Http, Redirects, Request, host_name, message};
use crate::source::{SourceError, shown};

/// Enough for every honest archive; a loop ends here.
const MAX_REDIRECTS: usize = 5;

/// An answer that says yes, with its body still to come.
pub(super) struct Exchange {
    pub(super) response: reqwest::Response,
    /// Where it came from, after redirects.
    pub(super) url: Url,
    /// The turn at the host, which lasts as long as the body.
    pub(super) turn: OwnedSemaphorePermit,
}

/// Where a request stands after some redirects.
struct Step<'r> {
    url: Url,
    /// Whether this is still the origin that the request's headers and body are for.
    home: bool,
    request: &'r Request,
    post: bool,
}

impl Http {
    /// Sends a request once and follows its redirects. `headers` are not secret and go along everywhere.
    pub(super) async fn send(
        &self,
        request: &Request,
        headers: &HeaderMap,
        patience: Duration,
    ) -> Result<Exchange, SourceError> {
        let mut step = Step { url: request.url.clone(), home: true, request, post: request.body.is_some() };
        for _ in 0..=MAX_REDIRECTS {
            host_of(&step.url)?;
            self.inner.guard.check(&step.url).await?;
            let pace = self.pace(&step.url);
            let host = host_name(&step.url);
            let waiting = |wait| SourceError::Waiting { host: host.clone(), wait };
            let turn = pace.turn(patience).await.map_err(waiting)?;
            self.count(&host)?;
            let response = self.once(&step, headers).await.map_err(|error| broken(&host, &error))?;
            if let Some(target) = self.redirect(&step, &response)? {
                step.follow(target, response.status());
                continue;
            }
            // Accepted is not yet done: the file is being brought from somewhere.
            if response.status().is_success() && response.status() != StatusCode::ACCEPTED {
                return Ok(Exchange { response, url: step.url, turn });
            }
            let wait = retry_after(response.headers(), self.clock());
            if let Some(wait) = wait {
                pace.hold(wait);
            }
            return Err(refusal(&step.url, response, wait).await);
        }
        let (host, to) = (host_name(&request.url), shown(&step.url));
        Err(SourceError::Redirect { host, to, problem: "it is one redirect too many" })
    }

    async fn once(&self, step: &Step<'_>, headers: &HeaderMap) -> reqwest::Result<reqwest::Response> {
        let method = if step.post { Method::POST } else { Method::GET };
        let mut request = self.inner.client.request(method, step.url.clone()).headers(headers.clone());
        // Bytes are wanted as they are stored: a digest is of those.
        request = request.header(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        if step.home {
            for (name, value) in &step.request.headers {
                request = request.header(name, sensitive(value.expose_secret()));
            }
        }
        if let Some(body) = step.request.body.as_ref().filter(|_| step.post) {
            request = request.header(CONTENT_TYPE, body.media_type).body(body.bytes.clone());
        }
        request.send().await
    }

    /// Counts a request, as long as there may be more.
    fn count(&self, host: &str) -> Result<(), SourceError> {
        let made = self.inner.requests.fetch_add(1, Ordering::Relaxed);
        match self.inner.policy.requests {
            Some(requests) if made >= requests => Err(SourceError::Quota { host: host.to_owned(), requests }),
            _ => Ok(()),
        }
    }

    /// Where an answer redirects to, if it does and we go there.
    fn redirect(&self, step: &Step<'_>, response: &reqwest::Response) -> Result<Option<Url>, SourceError> {
        if !matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
            return Ok(None);
        }
        let location = response.headers().get(LOCATION).and_then(|location| location.to_str().ok());
        let refused = |to: String, problem| SourceError::Redirect { host: host_name(&step.url), to, problem };
        let Some(target) = location.and_then(|location| step.url.join(location).ok()) else {
            return Err(refused("nowhere".to_owned(), "the answer holds no address"));
        };
        let reposts = step.post && keeps_method(response.status());
        match objection(&step.url, &target, self.inner.policy.redirects, reposts) {
            Some(problem) => Err(refused(shown(&target), problem)),
            None => Ok(Some(target)),
        }
    }
}

impl Step<'_> {
    fn follow(&mut self, target: Url, status: StatusCode) {
        // Once away, always away: a way back does not bring the secrets back.
        self.home &= target.origin() == self.request.url.origin();
        self.url = target;
        self.post &= self.home && keeps_method(status);
    }
}

/// Why a redirect is not followed, if so. `reposts` says that what was posted is to be posted again.
fn objection(from: &Url, to: &Url, redirects: Redirects, reposts: bool) -> Option<&'static str> {
    let other = to.origin() != from.origin();
    if !matches!(to.scheme(), "http" | "https") {
        Some("only http and https are spoken")
    } else if !to.username().is_empty() || to.password().is_some() {
        Some("it holds a user and a password")
    } else if from.scheme() == "https" && to.scheme() == "http" {
        Some("it gives up encryption")
    } else if redirects == Redirects::Refuse {
        Some("the archive's definition follows none")
    } else if other && redirects == Redirects::SameOrigin {
        Some("the archive's definition stays on one host")
    } else if other && reposts {
        Some("what was posted is for one host only")
    } else {
        None
    }
}

/// Whether what was posted is to be posted again at the new address.
fn keeps_method(status: StatusCode) -> bool {
    matches!(status, StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT)
}

/// The value of a header that no log shows. One that is not a header's value is sent as nothing, and refused by the server.
fn sensitive(text: &str) -> HeaderValue {
    let mut value = HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static(""));
    value.set_sensitive(true);
    value
}

/// The host of an address that can be asked.
pub(super) fn host_of(url: &Url) -> Result<Host, SourceError> {
    let unusable = |problem: &str| SourceError::Address { url: shown(url), problem: problem.to_owned() };
    if !matches!(url.scheme(), "http" | "https") {
        return Err(unusable("an http:// or https:// address is needed"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(unusable("a user or a password does not belong in an address, where it ends up in logs"));
    }
    Ok(url.host().ok_or_else(|| unusable("it names no host"))?.to_owned())
}

/// What a server that says no says.
async fn refusal(url: &Url, response: reqwest::Response, retry_after: Option<Duration>) -> SourceError {
    let status = response.status().as_u16();
    let mut body = Vec::new();
    let mut chunks = response.bytes_stream();
    while let Some(Ok(chunk)) = chunks.next().await {
        body.extend_from_slice(&chunk[..chunk.len().min(message::MAX_BYTES - body.len())]);
        if body.len() == message::MAX_BYTES {
            break;
        }
    }
    let (host, path) = (host_name(url), url.path().to_owned());
    SourceError::Status { host, path, status, message: message::of(&body), retry_after }
}

/// What went wrong on the way.
pub(super) fn broken(host: &str, error: &reqwest::Error) -> SourceError {
    let mut source: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(error) = source {
        if let Some(Forbidden { host, address }) = error.downcast_ref() {
            return SourceError::PrivateAddress { host: host.clone(), address: *address };
        }
        source = error.source();
    }
    let host = host.to_owned();
    if error.is_timeout() && error.is_connect() {
        return SourceError::Connection { host, problem: "no answer to the attempt to connect".to_owned() };
    }
    if error.is_timeout() {
        return SourceError::Silence { host };
    }
    SourceError::Connection { host, problem: cause(error) }
}

/// The innermost reason, which names no address.
pub(super) fn cause(error: &reqwest::Error) -> String {
    let mut source = error.source();
    let mut reason = "the request could not be made".to_owned();
    while let Some(error) = source {
        reason = error.to_string();
        source = error.source();
    }
    message::plain(&reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn objection_to(from: &str, to: &str, redirects: Redirects, reposts: bool) -> Option<&'static str> {
        objection(&from.parse().unwrap(), &to.parse().unwrap(), redirects, reposts)
    }

    #[test]
    fn encryption_once_there_is_not_given_up() {
        let follow = |from, to| objection_to(from, to, Redirects::Follow, false);
        assert_eq!(follow("https://a/", "http://a/"), Some("it gives up encryption"));
        assert_eq!(follow("https://a/", "https://b/"), None);
        assert_eq!(follow("http://a/", "https://a/"), None);
        assert_eq!(follow("http://a/", "http://b/"), None);
    }

    #[test]
    fn another_scheme_or_port_is_another_origin() {
        let same = |to| objection_to("https://a/", to, Redirects::SameOrigin, false);
        assert_eq!(same("https://a:443/x"), None);
        assert!(same("https://a:8443/x").is_some());
        assert!(objection_to("http://a/", "https://a/", Redirects::SameOrigin, false).is_some());
        assert!(objection_to("https://a/", "https://b/", Redirects::Follow, true).is_some());
    }
}
