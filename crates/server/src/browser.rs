//! What a web page may do to this server.
//!
//! A browser runs pages of strangers on machines that this server takes for local, so three things are asked of every
//! request before anything else looks at it:
//!
//! - **Host** must be an IP address, a loopback name, or listed in `allowed_hosts`. A page whose name a stranger points
//!   at 127.0.0.1 (DNS rebinding) names itself here.
//! - **Origin**, when there is one, must be our own or listed in `allowed_origins`; a listed one must also carry a token
//!   in a header, so that no page can act for the local owner or with a password that the browser remembers. Without one it
//!   is a stranger like any other where strangers are answered: it may sign in, and look a name up.
//! - **Sec-Fetch-Site** must not tell of a foreign page that embeds an answer without an `Origin`, but for bytes whose address
//!   is signed: who has it may have them, and they say so to browsers that isolate their pages.
//!
//! The earlier system answers `access-control-allow-origin: *` to every page, which its contract lists among the faults
//! not to repeat: here only a listed origin is answered, by its name. Programs send no `Origin`, so the unmodified
//! clients notice nothing; they get the contract's `vary: Origin`.

use std::net::IpAddr;

use axum::extract::Request;
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_HEADERS,
    ACCESS_CONTROL_REQUEST_METHOD, AUTHORIZATION, HOST, ORIGIN, VARY,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use holotype_core::Category;
use url::Url;

use crate::peer::Remote;
use crate::problem::Failure;
use crate::routes::frames::is_signed_download;
use crate::routes::sessions::is_signed_output;
use crate::state::ServerState;

/// Headers of ours that a page may read.
const EXPOSED: HeaderValue =
    HeaderValue::from_static("etag, content-range, last-modified, retry-after, x-request-id, x-ratelimit-remaining");

/// Hosts and origins that are let in.
#[derive(Debug, Clone, Default)]
pub(crate) struct BrowserRules {
    hosts: Vec<String>,
    origins: Vec<String>,
}

/// Where a request comes from, as a browser tells it.
#[derive(Debug, PartialEq, Eq)]
enum Source {
    /// A program, or a page of our own.
    Own,
    /// A page of this listed origin.
    Listed(HeaderValue),
}

impl BrowserRules {
    pub(crate) fn new(hosts: impl IntoIterator<Item = String>, origins: &[Url]) -> Self {
        Self {
            hosts: hosts.into_iter().map(|host| host.to_ascii_lowercase()).collect(),
            origins: origins.iter().map(|origin| origin.origin().ascii_serialization()).collect(),
        }
    }

    fn check_host(&self, authority: Option<&str>) -> Result<(), Failure> {
        let refuse = |status, detail| Err(Failure::with_status(status, Category::Invalid, detail));
        let Some(authority) = authority else {
            return refuse(StatusCode::BAD_REQUEST, "The request names no host.".to_owned());
        };
        let host = host_of(authority).to_ascii_lowercase();
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let is_loopback_name = host == "localhost" || host.ends_with(".localhost");
        if is_loopback_name || bare.parse::<IpAddr>().is_ok() || self.hosts.contains(&host) {
            return Ok(());
        }
        let shown: String = host.chars().take(80).collect();
        let detail =
            format!("This server does not answer for the host '{shown}'. If it should, add it to allowed_hosts.");
        refuse(StatusCode::MISDIRECTED_REQUEST, detail)
    }

    fn source(&self, headers: &HeaderMap, authority: Option<&str>, signed: bool) -> Result<Source, Failure> {
        let refuse = |what: &str| {
            let detail = format!("{what} may not use this server. If it should, add its origin to allowed_origins.");
            Err(Failure::new(Category::Denied, detail))
        };
        let Some(origin) = headers.get(ORIGIN) else {
            let told = |name| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
            let foreign = matches!(told("sec-fetch-site"), "cross-site" | "same-site");
            // A link that somebody follows shows the answer to them alone.
            return match foreign && !signed && told("sec-fetch-mode") != "navigate" {
                true => refuse("A page of another origin"),
                false => Ok(Source::Own),
            };
        };
        let text = origin.to_str().unwrap_or_default();
        if self.origins.iter().any(|listed| listed == text) {
            return Ok(Source::Listed(origin.clone()));
        }
        let own =
            text.split_once("://").is_some_and(|(_, host)| authority.is_some_and(|own| own.eq_ignore_ascii_case(host)));
        match own {
            true => Ok(Source::Own),
            false => refuse(&format!("A page of the origin '{}'", text.chars().take(80).collect::<String>())),
        }
    }
}

/// The part of an authority before its port.
fn host_of(authority: &str) -> &str {
    match authority.rfind(':') {
        Some(colon) if !authority.ends_with(']') => authority.get(..colon).unwrap_or(authority),
        _ => authority,
    }
}

/// Whether a page of a listed origin may ask without a token: what it is answered is the same for everybody.
fn is_for_strangers(path: &str) -> bool {
    path == "/api-token-auth/" || path.starts_with("/names/")
}

/// Lets requests in by the rules above, and tells browsers what came of it.
pub(crate) async fn guard(state: &ServerState, mut request: Request, next: Next) -> Response {
    let remote = Remote::from_extensions(request.extensions());
    let authority = request
        .uri()
        .authority()
        .map(|authority| authority.as_str().to_owned())
        .or_else(|| request.headers().get(HOST).and_then(|host| host.to_str().ok()).map(str::to_owned));
    let rules = state.browser();
    let admitted = match remote.is_owner() {
        true => Ok(()),
        false => rules.check_host(authority.as_deref()),
    };
    // A signature in the address is no less than a token: no browser sends it by itself, and it is checked.
    let signed = is_signed_download(request.uri()) || is_signed_output(request.uri());
    let source = admitted.and_then(|()| rules.source(request.headers(), authority.as_deref(), signed));
    let mut response = match &source {
        Err(failure) => failure.clone().into_response(),
        Ok(Source::Own) => next.run(request).await,
        Ok(Source::Listed(_)) if is_preflight(&request) => preflight(request.headers()),
        Ok(Source::Listed(_)) if signed || has_header_token(request.headers()) => next.run(request).await,
        Ok(Source::Listed(_)) if is_for_strangers(request.uri().path()) => {
            request.headers_mut().remove(AUTHORIZATION);
            request.extensions_mut().insert(remote.as_a_stranger());
            next.run(request).await
        }
        Ok(Source::Listed(_)) => {
            Failure::unauthenticated("A page of another origin must send a token: `Authorization: Bearer TOKEN`.")
                .into_response()
        }
    };
    let headers = response.headers_mut();
    if signed {
        headers
            .insert(HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("cross-origin"));
    }
    headers.append(VARY, HeaderValue::from_static("Origin"));
    if let Ok(Source::Listed(origin)) = source {
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
    }
    response
}

fn has_header_token(headers: &HeaderMap) -> bool {
    let scheme = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).and_then(|text| text.split_once(' '));
    scheme.is_some_and(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer") || scheme.eq_ignore_ascii_case("token"))
}

fn is_preflight(request: &Request) -> bool {
    request.method() == Method::OPTIONS && request.headers().contains_key(ACCESS_CONTROL_REQUEST_METHOD)
}

fn preflight(asked: &HeaderMap) -> Response {
    let mut response = StatusCode::OK.into_response();
    let headers = response.headers_mut();
    headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
    for (question, answer) in [
        (ACCESS_CONTROL_REQUEST_METHOD, ACCESS_CONTROL_ALLOW_METHODS),
        (ACCESS_CONTROL_REQUEST_HEADERS, ACCESS_CONTROL_ALLOW_HEADERS),
    ] {
        if let Some(value) = asked.get(question) {
            headers.insert(answer, value.clone());
        }
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules() -> BrowserRules {
        BrowserRules::new(["Lab.Example".to_owned()], &["https://app.example:8443".parse().unwrap()])
    }

    fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    #[test]
    fn addresses_loopback_names_and_listed_hosts_are_answered() {
        let hosts =
            ["127.0.0.1:8004", "[::1]:8004", "[::1]", "localhost", "x.localhost:1", "10.0.0.7", "LAB.example:80"];
        for host in hosts {
            assert_eq!(rules().check_host(Some(host)), Ok(()), "{host}");
        }
    }

    #[test]
    fn a_name_that_somebody_points_here_is_not_answered() {
        for host in ["evil.example", "evil.example:8004", "localhost.evil.example", "127.0.0.1.evil.example", ""] {
            assert!(rules().check_host(Some(host)).is_err(), "{host}");
        }
        assert!(rules().check_host(None).is_err());
    }

    #[test]
    fn programs_and_our_own_pages_pass() {
        let own = |pairs: &[(&str, &str)]| rules().source(&headers(pairs), Some("lab.example:8004"), false);
        assert_eq!(own(&[]), Ok(Source::Own));
        assert_eq!(own(&[("origin", "http://lab.example:8004")]), Ok(Source::Own));
        assert_eq!(own(&[("sec-fetch-site", "same-origin")]), Ok(Source::Own));
        assert_eq!(own(&[("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate")]), Ok(Source::Own));
    }

    #[test]
    fn a_listed_origin_is_known_and_any_other_refused() {
        let source = |origin: &str| rules().source(&headers(&[("origin", origin)]), Some("lab.example:8004"), false);
        assert_eq!(
            source("https://app.example:8443"),
            Ok(Source::Listed(HeaderValue::from_static("https://app.example:8443")))
        );
        for origin in
            ["null", "https://app.example", "http://app.example:8443", "http://lab.example", "lab.example:8004"]
        {
            assert!(source(origin).is_err(), "{origin}");
        }
        let embedded = headers(&[("sec-fetch-site", "cross-site")]);
        assert!(rules().source(&embedded, Some("lab.example"), false).is_err());
        assert_eq!(
            rules().source(&embedded, Some("lab.example"), true),
            Ok(Source::Own),
            "who has the address may have it"
        );
    }

    #[test]
    fn only_a_header_that_no_browser_sends_by_itself_is_a_header_token() {
        for (value, expected) in [("Bearer x", true), ("Token x", true), ("Basic eDp5", false), ("Bearer", false)] {
            assert_eq!(has_header_token(&headers(&[("authorization", value)])), expected, "{value}");
        }
    }
}
