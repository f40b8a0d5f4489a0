//! Who is at the other end of a request, as far as the transport can tell.

use std::net::{IpAddr, SocketAddr};

use axum::extract::Request;
use axum::http::{Extensions, HeaderMap};
use holotype_app::config::Network;

use crate::state::ServerState;

/// The other end of a connection. Requests carry it as an extension; one without it comes from a stranger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Peer {
    /// A TCP connection from this address.
    Tcp(SocketAddr),
    /// A Unix socket that only the owner of the home can open.
    Unix,
    /// This process itself.
    InProcess,
}

/// Whether the connection itself is encrypted.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Encrypted(pub(crate) bool);

/// Where a request comes from and how it came, after the proxies that are believed have been asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Remote {
    /// The peer, with the client's own address in place of a believed proxy's.
    pub(crate) peer: Option<Peer>,
    /// Whether the client's side of the conversation is encrypted.
    pub(crate) secure: bool,
    /// Whether anything on the way says that it forwarded the request: then a local peer is no proof of a local client.
    pub(crate) forwarded: bool,
}

const FORWARDING: [&str; 4] = ["forwarded", "x-forwarded-for", "x-real-ip", "via"];

impl Remote {
    /// Asks the believed proxies: from the nearest outwards, the first address that is not one of them is the client's.
    ///
    /// `X-Forwarded-For` and `X-Forwarded-Proto` are read from a believed peer only; anybody else may write there what
    /// they like. A request that a believed proxy forwards without saying for whom has no known address, so that nothing
    /// that a proxy hides passes for local.
    pub(crate) fn of(peer: Option<Peer>, secure: bool, headers: &HeaderMap, trusted: &[Network]) -> Self {
        let forwarded = FORWARDING.iter().any(|name| headers.contains_key(*name));
        let direct = Self { peer, secure, forwarded };
        let Some(Peer::Tcp(address)) = peer else { return direct };
        if !is_trusted(address.ip(), trusted) {
            return direct;
        }
        let client = forwarded_for(headers).rev().find(|ip| ip.is_none_or(|ip| !is_trusted(ip, trusted))).flatten();
        let secure = headers
            .get("x-forwarded-proto")
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.rsplit(',').next())
            .is_some_and(|scheme| scheme.trim().eq_ignore_ascii_case("https"));
        Self { peer: client.map(|ip| Peer::Tcp(SocketAddr::new(ip, 0))), secure, forwarded }
    }

    /// What [`locate`] noted; a stranger if nothing was.
    pub(crate) fn from_extensions(extensions: &Extensions) -> Self {
        let stranger = Self { peer: None, secure: false, forwarded: false };
        extensions.get::<Self>().copied().unwrap_or(stranger)
    }

    /// The same, in no way nearer to us than anybody else: who asks is not the local owner.
    pub(crate) fn as_a_stranger(self) -> Self {
        let peer = self.peer.filter(|peer| matches!(peer, Peer::Tcp(_)));
        Self { peer, forwarded: true, ..self }
    }

    /// The client's address, if it came over TCP and is known.
    pub(crate) fn address(&self) -> Option<IpAddr> {
        match self.peer {
            Some(Peer::Tcp(address)) => Some(address.ip().to_canonical()),
            Some(Peer::Unix | Peer::InProcess) | None => None,
        }
    }

    /// Whether the request comes from this machine, with nothing in between.
    pub(crate) fn is_loopback(&self) -> bool {
        !self.forwarded && self.address().is_some_and(|address| address.is_loopback())
    }

    /// Whether the request comes from who owns the home: only the owner can open its socket or run its process.
    pub(crate) fn is_owner(&self) -> bool {
        matches!(self.peer, Some(Peer::Unix | Peer::InProcess))
    }
}

/// Notes where the request comes from, for all that look at it later.
pub(crate) fn locate(state: &ServerState, request: &mut Request) {
    let peer = request.extensions().get::<Peer>().copied();
    let encrypted = request.extensions().get::<Encrypted>().is_some_and(|encrypted| encrypted.0);
    let remote = Remote::of(peer, encrypted, request.headers(), &state.options().config.behind_proxy);
    request.extensions_mut().insert(remote);
}

fn is_trusted(ip: IpAddr, trusted: &[Network]) -> bool {
    trusted.iter().any(|network| network.contains(ip))
}

/// Every entry of every `X-Forwarded-For`, in order; `None` for one that is not an address.
fn forwarded_for(headers: &HeaderMap) -> impl DoubleEndedIterator<Item = Option<IpAddr>> {
    let lines: Vec<_> = headers.get_all("x-forwarded-for").iter().collect();
    let entries: Vec<_> = lines
        .into_iter()
        .flat_map(|line| line.to_str().unwrap_or("?").split(','))
        .map(|entry| address(entry.trim()))
        .collect();
    entries.into_iter()
}

/// An address with or without a port.
fn address(entry: &str) -> Option<IpAddr> {
    entry.parse().ok().or_else(|| entry.parse::<SocketAddr>().ok().map(|address| address.ip()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(peer: &str, forwarded: &[&str]) -> Option<IpAddr> {
        let mut headers = HeaderMap::new();
        for line in forwarded {
            headers.append("x-forwarded-for", line.parse().unwrap());
        }
        let trusted = ["10.0.0.1".parse().unwrap(), "10.0.0.2".parse().unwrap()];
        Remote::of(Some(Peer::Tcp(peer.parse().unwrap())), false, &headers, &trusted).address()
    }

    #[test]
    fn a_stranger_cannot_choose_an_address() {
        assert_eq!(client("192.0.2.9:1", &["127.0.0.1"]), "192.0.2.9".parse().ok());
    }

    #[test]
    fn the_client_is_the_nearest_address_that_no_believed_proxy_has() {
        assert_eq!(client("10.0.0.1:1", &["127.0.0.1, 192.0.2.9, 10.0.0.2"]), "192.0.2.9".parse().ok());
        assert_eq!(client("10.0.0.1:1", &["127.0.0.1", "192.0.2.9:4711"]), "192.0.2.9".parse().ok());
        assert_eq!(client("10.0.0.1:1", &["[2001:db8::1]:80"]), "2001:db8::1".parse().ok());
    }

    #[test]
    fn what_a_proxy_hides_is_not_local() {
        for forwarded in [&[][..], &["nonsense"], &["127.0.0.1, unknown"], &["10.0.0.2"]] {
            assert_eq!(client("10.0.0.1:1", forwarded), None, "{forwarded:?}");
        }
    }

    #[test]
    fn a_local_peer_that_forwards_for_others_is_not_local() {
        let peer = Some(Peer::Tcp("127.0.0.1:1".parse().unwrap()));
        assert!(Remote::of(peer, false, &HeaderMap::new(), &[]).is_loopback());
        for name in FORWARDING {
            let headers = HeaderMap::from_iter([(name.parse().unwrap(), "127.0.0.1".parse().unwrap())]);
            assert!(!Remote::of(peer, false, &headers, &[]).is_loopback(), "{name}");
        }
    }

    #[test]
    fn a_believed_proxy_says_whether_the_client_came_encrypted() {
        let headers = HeaderMap::from_iter([("x-forwarded-proto".parse().unwrap(), "https".parse().unwrap())]);
        let peer = Some(Peer::Tcp("10.0.0.1:1".parse().unwrap()));
        assert!(Remote::of(peer, false, &headers, &["10.0.0.1".parse().unwrap()]).secure);
        assert!(!Remote::of(peer, false, &headers, &[]).secure);
        assert!(Remote::of(Some(Peer::Unix), true, &headers, &[]).secure);
    }
}
