//! The three ways to a server: over the network, over the Unix socket of a home, and to a router in this process.

use std::error::Error;
use std::io;
use std::path::Path;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderValue, Request as Http, Uri, header};
use reqwest::{Request, Response};
use tower::ServiceExt;
use url::{Host, Url};

use crate::ClientError;
use crate::paced::Paced;

/// What a server without a host name of its own is called.
const LOCAL_HOST: &str = "localhost";
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// A way to one server. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Transport {
    /// Where requests go; also what builds them when no socket is involved.
    pub(crate) http: reqwest::Client,
    /// What routes are joined to, with a trailing slash and without credentials.
    pub(crate) base: Url,
    router: Option<Router>,
    target: String,
}

impl Transport {
    /// To a server on the network. `certificates` (PEM) are trusted beside the system's, for a server with a
    /// certificate of the laboratory's own. Redirects are not followed: the API has none, and credentials stay put.
    pub fn network(mut address: Url, certificates: Option<&[u8]>) -> Result<Self, ClientError> {
        if !matches!(address.scheme(), "http" | "https") || address.host_str().is_none() {
            let reason = "an http:// or https:// address with a host is needed".to_owned();
            return Err(ClientError::Address { address: address.scheme().to_owned(), reason });
        }
        if !address.path().ends_with('/') {
            address.set_path(&format!("{}/", address.path()));
        }
        address.set_query(None);
        address.set_fragment(None);
        let mut builder = builder();
        if is_loopback(&address) {
            builder = builder.no_proxy();
        }
        if let Some(pem) = certificates {
            let certificates = reqwest::Certificate::from_pem_bundle(pem).map_err(ClientError::Setup)?;
            builder = builder.tls_certs_merge(certificates);
        }
        let target = address.to_string();
        Ok(Self { http: builder.build().map_err(ClientError::Setup)?, base: address, router: None, target })
    }

    /// To the server that listens on a Unix socket.
    pub fn socket(path: &Path) -> Result<Self, ClientError> {
        let http = builder().unix_socket(path).build().map_err(ClientError::Setup)?;
        Ok(Self { http, base: local_base()?, router: None, target: path.display().to_string() })
    }

    /// To a router in this process, without a socket.
    pub fn in_process(router: Router) -> Result<Self, ClientError> {
        let http = builder().no_proxy().build().map_err(ClientError::Setup)?;
        Ok(Self { http, base: local_base()?, router: Some(router), target: "this process".to_owned() })
    }

    /// What is at the other end, for messages.
    pub fn target(&self) -> &str {
        &self.target
    }

    /// Sends one request and returns the answer's head; its body streams.
    pub(crate) async fn exchange(&self, request: Request) -> Result<Response, ClientError> {
        let Some(router) = &self.router else {
            return self.http.execute(request).await.map_err(|source| self.broken(source));
        };
        let mut request = Http::<reqwest::Body>::try_from(request).map_err(ClientError::Setup)?;
        // As a server reads it from a socket: the path alone, and the host in its header.
        *request.uri_mut() = request.uri().path_and_query().cloned().map(Uri::from).unwrap_or_default();
        request.headers_mut().insert(header::HOST, HeaderValue::from_static(LOCAL_HOST));
        let Ok(answer) = router.clone().oneshot(request.map(|body| Body::new(Paced::new(body)))).await;
        Ok(answer.map(|body| reqwest::Body::wrap_stream(body.into_data_stream())).into())
    }

    /// The error for a connection that could not be made or did not hold.
    fn broken(&self, source: reqwest::Error) -> ClientError {
        let target = self.target.clone();
        // The address may be long and says nothing that `target` does not.
        let source = source.without_url();
        if is_untrusted(&source) {
            ClientError::Untrusted { target, source }
        } else if source.is_connect() {
            ClientError::Connect { target, source }
        } else {
            ClientError::Broken { target, source }
        }
    }
}

fn builder() -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .user_agent(concat!("holotype/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(CONNECT_TIMEOUT)
        .redirect(reqwest::redirect::Policy::none())
}

/// Whether the server's certificate is what keeps the connection from being made.
fn is_untrusted(error: &(dyn Error + 'static)) -> bool {
    if let Some(error) = error.downcast_ref::<rustls::Error>() {
        return matches!(error, rustls::Error::InvalidCertificate(_));
    }
    // An IO error does not name what it wraps as its source, but as itself.
    let inner = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
    match inner {
        Some(inner) => is_untrusted(inner),
        None => error.source().is_some_and(is_untrusted),
    }
}

fn local_base() -> Result<Url, ClientError> {
    Url::parse(&format!("http://{LOCAL_HOST}/"))
        .map_err(|error| ClientError::Address { address: LOCAL_HOST.to_owned(), reason: error.to_string() })
}

/// Whether an address names this machine, which no proxy can reach for us.
fn is_loopback(address: &Url) -> bool {
    match address.host() {
        Some(Host::Domain(name)) => name == LOCAL_HOST || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn install_provider() {
        // Another test of this process may have been first.
        drop(rustls::crypto::ring::default_provider().install_default());
    }

    #[test]
    fn a_base_address_ends_in_a_slash_and_keeps_its_path() {
        install_provider();
        let transport = Transport::network("http://lab.example/data?x=1".parse().unwrap(), None).unwrap();
        assert_eq!(transport.base.join("api/v1/jobs").unwrap().as_str(), "http://lab.example/data/api/v1/jobs");
    }

    #[test]
    fn only_http_addresses_are_taken() {
        let error = Transport::network("ftp://lab.example/".parse().unwrap(), None).unwrap_err();
        assert!(error.to_string().contains("http://"), "{error}");
    }

    #[test]
    fn loopback_is_known_by_name_and_number() {
        for (text, expected) in [
            ("http://localhost:1/", true),
            ("http://127.0.0.2/", true),
            ("http://[::1]/", true),
            ("http://10.0.0.1/", false),
        ] {
            assert_eq!(is_loopback(&text.parse().unwrap()), expected, "{text}");
        }
    }
}
