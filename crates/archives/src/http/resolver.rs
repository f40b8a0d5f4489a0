//! Names to addresses, each looked at before a connection is made to it.
//!
//! The connection goes to the address that was looked at, so that a name that changes its meaning in between gains nothing.

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tokio::sync::OnceCell;
use url::{Host, Url};

use super::address::Reach;
use crate::source::SourceError;

/// Decides about addresses, for requests that begin at one configured host.
#[derive(Debug, Clone)]
pub(super) struct Guard {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    home: Host,
    /// A proxy is configured too, so it may be anywhere.
    proxy: Option<Host>,
    reach: OnceCell<Reach>,
}

/// An address that may not be connected to.
#[derive(Debug)]
pub(super) struct Forbidden {
    pub(super) host: String,
    pub(super) address: IpAddr,
}

impl fmt::Display for Forbidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is {}, which may not be connected to", self.host, self.address)
    }
}

impl std::error::Error for Forbidden {}

impl From<Forbidden> for SourceError {
    fn from(forbidden: Forbidden) -> Self {
        Self::PrivateAddress { host: forbidden.host, address: forbidden.address }
    }
}

impl Guard {
    pub(super) fn new(home: Host, proxy: Option<Host>) -> Self {
        Self { inner: Arc::new(Inner { home, proxy, reach: OnceCell::new() }) }
    }

    /// Whether an address that is written as a number may be connected to. Names are looked at when they are resolved.
    pub(super) async fn check(&self, url: &Url) -> Result<(), Forbidden> {
        let address = match url.host() {
            Some(Host::Ipv4(address)) => IpAddr::V4(address),
            Some(Host::Ipv6(address)) => IpAddr::V6(address),
            Some(Host::Domain(_)) | None => return Ok(()),
        };
        if is(&self.inner.home, address) || self.reach().await.covers(address) {
            return Ok(());
        }
        Err(Forbidden { host: address.to_string(), address })
    }

    async fn addresses(&self, name: &str) -> Result<Vec<SocketAddr>, Box<dyn std::error::Error + Send + Sync>> {
        let found = lookup(name).await?;
        let configured = |host: &Host| matches!(host, Host::Domain(domain) if domain.eq_ignore_ascii_case(name));
        if configured(&self.inner.home) || self.inner.proxy.as_ref().is_some_and(configured) {
            return Ok(found);
        }
        let reach = self.reach().await;
        match found.iter().find(|address| !reach.covers(address.ip())) {
            Some(address) => Err(Box::new(Forbidden { host: name.to_owned(), address: address.ip() })),
            None => Ok(found),
        }
    }

    /// How near the configured host is. One that cannot be found is nowhere near.
    async fn reach(&self) -> Reach {
        let reach = || async {
            match &self.inner.home {
                Host::Ipv4(address) => Reach::of([IpAddr::V4(*address)]),
                Host::Ipv6(address) => Reach::of([IpAddr::V6(*address)]),
                Host::Domain(name) => {
                    Reach::of(lookup(name).await.unwrap_or_default().into_iter().map(|address| address.ip()))
                }
            }
        };
        *self.inner.reach.get_or_init(reach).await
    }
}

fn is(host: &Host, address: IpAddr) -> bool {
    match host {
        Host::Ipv4(home) => IpAddr::V4(*home) == address,
        Host::Ipv6(home) => IpAddr::V6(*home) == address,
        Host::Domain(_) => false,
    }
}

/// The system's answer. The port is put in by whoever connects.
async fn lookup(name: &str) -> io::Result<Vec<SocketAddr>> {
    Ok(tokio::net::lookup_host((name, 0)).await?.collect())
}

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let guard = self.clone();
        Box::pin(async move {
            let addresses = guard.addresses(name.as_str()).await?;
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guard(home: &str) -> Guard {
        Guard::new(Url::parse(home).unwrap().host().unwrap().to_owned(), None)
    }

    #[tokio::test]
    async fn a_public_archive_may_not_name_this_machine() {
        let public = guard("http://1.1.1.1/");
        let error = public.addresses("localhost").await.unwrap_err();
        assert!(error.downcast_ref::<Forbidden>().unwrap().address.is_loopback());
        let literal = public.check(&"http://[::ffff:127.0.0.1]/x".parse().unwrap()).await.unwrap_err();
        assert_eq!(literal.address.to_string(), "::ffff:127.0.0.1");
    }

    #[tokio::test]
    async fn an_archive_on_this_machine_may_name_it_by_any_of_its_names() {
        for home in ["http://localhost:8004/", "http://127.0.0.1:8004/"] {
            let local = guard(home);
            assert!(!local.addresses("localhost").await.unwrap().is_empty());
            local.check(&"http://127.0.0.2/".parse().unwrap()).await.unwrap();
            let error = local.check(&"http://169.254.169.254/".parse().unwrap()).await.unwrap_err();
            assert_eq!(error.address.to_string(), "169.254.169.254");
        }
    }
}
