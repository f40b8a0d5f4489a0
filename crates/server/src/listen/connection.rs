//! One connection, from its first byte to its last.

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::Watcher;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::OwnedSemaphorePermit;
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt;
use tower_http::timeout::TimeoutBody;

use super::linger::Lingering;
use super::stall::Impatient;
use crate::options::ServerOptions;
use crate::peer::{Encrypted, Peer};

/// Longest head of a request, in bytes; a filter may stand in a URL.
const HEAD: usize = 64 * 1024;

/// How long a client may take.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// For the head of a request, and between requests.
    header: Duration,
    /// Without sending or taking anything in the middle of one.
    idle: Duration,
}

impl Limits {
    pub(super) fn of(options: &ServerOptions) -> Self {
        Self { header: options.header_timeout, idle: options.idle_timeout }
    }
}

/// What it takes to serve one connection.
pub(super) struct Connection {
    pub(super) router: Router,
    pub(super) peer: Peer,
    pub(super) limits: Limits,
    pub(super) watcher: Watcher,
    /// Given back when the connection ends.
    pub(super) _slot: OwnedSemaphorePermit,
}

impl Connection {
    /// Shakes hands first; whoever does not within the time for a head is let go.
    pub(super) async fn serve_encrypted(
        self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        acceptor: TlsAcceptor,
    ) {
        match tokio::time::timeout(self.limits.header, acceptor.accept(stream)).await {
            Ok(Ok(stream)) => self.answer(stream, true).await,
            Ok(Err(error)) => tracing::debug!(%error, "TLS handshake failed"),
            Err(_) => tracing::debug!("TLS handshake took too long"),
        }
    }

    pub(super) async fn serve(self, stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) {
        self.answer(stream, false).await;
    }

    async fn answer(self, stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, encrypted: bool) {
        let Self { router, peer, limits, watcher, _slot } = self;
        let service = service_fn(move |request: Request<Incoming>| {
            let mut request =
                request.map(|body| Body::new(Lingering::new(Body::new(TimeoutBody::new(limits.idle, body)))));
            request.extensions_mut().insert(peer);
            request.extensions_mut().insert(Encrypted(encrypted));
            router.clone().oneshot(request)
        });
        let stream = TokioIo::new(Impatient::new(stream, limits.idle));
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(limits.header)
            .max_header_size(HEAD)
            .serve_connection(stream, service);
        if let Err(error) = watcher.watch(connection).await {
            tracing::debug!(%error, ?peer, "connection ended early");
        }
    }
}
