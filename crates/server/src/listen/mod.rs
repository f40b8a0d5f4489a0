//! Where requests come in: TCP with or without TLS, and a Unix socket that only the owner of the home can open.
//!
//! A client that says nothing, or takes nothing, loses its connection after a while, and no more than a certain number of
//! connections are held: whoever comes later waits in the system's queue. HTTP/1.1 alone is spoken; every client of the
//! contracts speaks it, and a proxy in front can offer more.

mod connection;
mod error;
mod linger;
mod stall;
mod tls;
mod unix;

use std::io;
use std::net::{SocketAddr, TcpListener as StdListener};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use holotype_app::App;
use holotype_app::config::Listen;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use crate::options::ServerOptions;
use crate::peer::Peer;
use connection::{Connection, Limits};

pub use error::ServeError;

/// Rest after an accept that failed for lack of descriptors or memory, which do not come back at once.
const BREATHER: Duration = Duration::from_millis(100);

/// A server that listens and does not answer yet: clients that connect now are served once it does.
pub struct Bound {
    tcp: Vec<TcpListener>,
    tls: Option<TlsAcceptor>,
    unix: Option<(UnixListener, PathBuf)>,
    options: ServerOptions,
}

impl std::fmt::Debug for Bound {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Bound").field("addresses", &self.addresses()).finish_non_exhaustive()
    }
}

impl Bound {
    /// Listens where the options say.
    ///
    /// # Errors
    /// [`ServeError::Exposed`] for an address that other machines can reach while no user exists; otherwise what cannot be
    /// listened on, read or served.
    pub async fn bind(app: &App, options: ServerOptions) -> Result<Self, ServeError> {
        crate::static_files::check(&options.config.mounts)?;
        let tls = options.config.tls.as_ref().map(tls::acceptor).transpose()?;
        let mut tcp = Vec::new();
        if options.tcp {
            let addresses = resolve(&options.config.listen).await?;
            let users = app.catalog().users_exist().await.map_err(|source| ServeError::Catalog { source })?;
            check_exposure(&addresses, users)?;
            for address in addresses {
                tcp.push(listen(address)?);
            }
        }
        let unix = options.unix_socket.clone().map(unix::listen).transpose()?;
        Ok(Self { tcp, tls, unix, options })
    }

    /// Where it listens: URLs, and `unix:PATH` for the socket.
    pub fn addresses(&self) -> Vec<String> {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        let tcp = self.tcp.iter().filter_map(|listener| listener.local_addr().ok());
        let unix = self.unix.iter().map(|(_, path)| format!("unix:{}", path.display()));
        tcp.map(|address| format!("{scheme}://{address}/")).chain(unix).collect()
    }

    /// Answers until `shutdown` is cancelled; then lets what is under way finish, for as long as
    /// [`ServerOptions::drain`] says.
    pub async fn serve(self, app: App, shutdown: CancellationToken) {
        let router = crate::router_until(app, self.options.clone(), shutdown.clone());
        let limits = Limits::of(&self.options);
        let slots = Arc::new(Semaphore::new(self.options.max_connections));
        let graceful = GracefulShutdown::new();
        let tls = self.tls;
        let tcp = self.tcp.into_iter().map(|listener| {
            let accept = Accept { router: &router, limits, slots: &slots, graceful: &graceful, shutdown: &shutdown };
            accept.tcp(listener, tls.clone())
        });
        let accept = Accept { router: &router, limits, slots: &slots, graceful: &graceful, shutdown: &shutdown };
        let unix = async {
            if let Some((listener, path)) = self.unix {
                accept.unix(listener).await;
                unix::remove(&path);
            }
        };
        futures::future::join(futures::future::join_all(tcp), unix).await;
        if tokio::time::timeout(self.options.drain, graceful.shutdown()).await.is_err() {
            tracing::warn!("some requests did not finish in time and were cut off");
        }
    }
}

/// What every listener needs to take connections in.
struct Accept<'s> {
    router: &'s Router,
    limits: Limits,
    slots: &'s Arc<Semaphore>,
    graceful: &'s GracefulShutdown,
    shutdown: &'s CancellationToken,
}

impl Accept<'_> {
    async fn tcp(self, listener: TcpListener, tls: Option<TlsAcceptor>) {
        while let Some((stream, connection, address)) = self.next(|| listener.accept()).await {
            let connection = Connection { peer: Peer::Tcp(address), ..connection };
            // Answers are written whole; waiting to fill a packet would only delay the last one.
            if let Err(error) = stream.set_nodelay(true) {
                tracing::debug!(%error, "cannot set TCP_NODELAY");
            }
            match tls.clone() {
                Some(acceptor) => drop(tokio::spawn(connection.serve_encrypted(stream, acceptor))),
                None => drop(tokio::spawn(connection.serve(stream))),
            }
        }
    }

    async fn unix(self, listener: UnixListener) {
        while let Some((stream, connection, _)) = self.next(|| listener.accept()).await {
            drop(tokio::spawn(connection.serve(stream)));
        }
    }

    /// The next connection, once there is room for it; `None` after the shutdown.
    async fn next<S, A, F>(&self, accept: impl Fn() -> F) -> Option<(S, Connection, A)>
    where
        F: Future<Output = io::Result<(S, A)>>,
    {
        loop {
            let next = async {
                let slot = Arc::clone(self.slots).acquire_owned().await;
                (slot, accept().await)
            };
            let (slot, accepted) = self.shutdown.run_until_cancelled(next).await?;
            match accepted {
                Ok((stream, address)) => {
                    let connection = Connection {
                        router: self.router.clone(),
                        peer: Peer::Unix,
                        limits: self.limits,
                        watcher: self.graceful.watcher(),
                        // The semaphore is never closed, so there is always a slot.
                        _slot: slot.ok()?,
                    };
                    return Some((stream, connection, address));
                }
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be taken in");
                    tokio::time::sleep(BREATHER).await;
                }
            }
        }
    }
}

/// Every address that the host stands for; for a port of the system's choice only the first, for each would get another.
async fn resolve(listen: &Listen) -> Result<Vec<SocketAddr>, ServeError> {
    let unresolved = |source| ServeError::Unresolved { listen: listen.to_string(), source };
    let mut addresses: Vec<_> =
        tokio::net::lookup_host((listen.host.as_str(), listen.port)).await.map_err(unresolved)?.collect();
    addresses.dedup();
    if listen.port == 0 {
        addresses.truncate(1);
    }
    match addresses.is_empty() {
        true => Err(unresolved(io::Error::from(io::ErrorKind::AddrNotAvailable))),
        false => Ok(addresses),
    }
}

/// Refuses addresses that other machines can reach while nobody has to sign in.
fn check_exposure(addresses: &[SocketAddr], users_exist: bool) -> Result<(), ServeError> {
    match addresses.iter().find(|address| !users_exist && !address.ip().to_canonical().is_loopback()) {
        Some(address) => Err(ServeError::Exposed { address: *address }),
        None => Ok(()),
    }
}

fn listen(address: SocketAddr) -> Result<TcpListener, ServeError> {
    let bind = || {
        let listener = StdListener::bind(address)?;
        listener.set_nonblocking(true)?;
        TcpListener::from_std(listener)
    };
    bind().map_err(|source| ServeError::Address { address, source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_others_can_reach_needs_users() {
        for (address, users, allowed) in [
            ("127.0.0.1:1", false, true),
            ("[::1]:1", false, true),
            ("[::ffff:127.0.0.1]:1", false, true),
            ("0.0.0.0:1", false, false),
            ("[::]:1", false, false),
            ("192.0.2.1:1", false, false),
            ("192.0.2.1:1", true, true),
        ] {
            assert_eq!(check_exposure(&[address.parse().unwrap()], users).is_ok(), allowed, "{address} {users}");
        }
    }

    #[tokio::test]
    async fn a_port_of_the_systems_choice_is_one_port() {
        let addresses = resolve(&"localhost:0".parse().unwrap()).await.unwrap();
        assert_eq!(addresses.len(), 1);
        assert!(resolve(&"no-such-host.invalid:1".parse().unwrap()).await.is_err());
    }
}
