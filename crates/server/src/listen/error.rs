//! Why a server does not start.

use std::net::SocketAddr;
use std::path::PathBuf;

use holotype_core::Category;

/// A server that cannot start.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// Everybody on the network could act as the owner of the home.
    #[error(
        "{address} can be reached from other machines, and nobody has to sign in yet. Create a user first \
         (`holotype user create NAME --admin`), or listen on 127.0.0.1"
    )]
    Exposed {
        /// The address that was asked for.
        address: SocketAddr,
    },
    /// The host to listen on is no address of this machine.
    #[error("there is no address to listen on for '{listen}': {source}")]
    Unresolved {
        /// What was asked for.
        listen: String,
        /// What the resolver says.
        source: std::io::Error,
    },
    /// Somebody else listens there, or this program may not.
    #[error("cannot listen on {address}: {source}. Choose another with --listen, or end what listens there")]
    Address {
        /// The address that was asked for.
        address: SocketAddr,
        /// What the system says.
        source: std::io::Error,
    },
    /// The socket of the home cannot be made.
    #[error("cannot make the socket {}: {source}", path.display())]
    Socket {
        /// Where it should be.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The certificate or its key is not usable.
    #[error("{} is not usable for HTTPS: {source}. A PEM file is needed", path.display())]
    Certificate {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A directory to serve is not there.
    #[error("cannot serve {}: {source}", directory.display())]
    Directory {
        /// The directory.
        directory: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// A directory would be served where a route of the API is.
    #[error("cannot serve a directory under {path}: the API has routes there. Choose another path")]
    PathTaken {
        /// The path that was asked for.
        path: String,
    },
    /// The catalog could not be asked whether there are users.
    #[error("{source}")]
    Catalog {
        /// What it says.
        source: holotype_app::catalog::CatalogError,
    },
}

impl ServeError {
    /// What kind of failure this is.
    pub fn category(&self) -> Category {
        match self {
            ServeError::Exposed { .. } => Category::Denied,
            ServeError::Unresolved { .. }
            | ServeError::Certificate { .. }
            | ServeError::Directory { .. }
            | ServeError::PathTaken { .. } => Category::Invalid,
            ServeError::Address { .. } => Category::Busy,
            ServeError::Socket { .. } => Category::Unavailable,
            ServeError::Catalog { source } => source.category(),
        }
    }
}
