//! How a server is to behave.

use std::path::PathBuf;
use std::time::Duration;

use holotype_app::Config;
use holotype_app::config::ServerConfig;
use holotype_app::madsci::RateLimits;

/// How a server is to behave: what is configured, and what the program decides.
#[derive(Debug, Clone)]
pub struct ServerOptions {
    /// What is configured: addresses, hosts, origins, proxies, TLS, directories, limits.
    pub config: ServerConfig,
    /// Whether to listen on the configured address at all.
    pub tcp: bool,
    /// Where to make the socket of the home, if there is to be one.
    pub unix_socket: Option<PathBuf>,
    /// How often one address may ask for datapoints; `None` is as often as it likes.
    pub rate_limits: Option<RateLimits>,
    /// Connections held at a time.
    pub max_connections: usize,
    /// How long the head of a request may take, and the pause between two requests.
    pub header_timeout: Duration,
    /// How long a client may neither send nor take anything in the middle of a request.
    pub idle_timeout: Duration,
    /// How long requests may go on after the shutdown has begun.
    pub drain: Duration,
}

impl ServerOptions {
    /// What the configuration of a home says, MADSci's own settings included, and our own defaults for the rest.
    pub fn new(config: &Config) -> Self {
        Self {
            config: config.server.clone(),
            tcp: true,
            unix_socket: None,
            rate_limits: config.madsci.rate_limits(),
            // Half of the descriptors that a process usually gets; blobs and the catalog need the others.
            max_connections: 512,
            header_timeout: Duration::from_secs(30),
            idle_timeout: Duration::from_secs(30),
            drain: Duration::from_secs(30),
        }
    }
}
