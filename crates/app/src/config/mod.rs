//! The configuration: `holotype.toml` in the home, environment variables and flags, read once into one value.
//!
//! A flag wins over a variable, a variable over the file, the file over the default. [`Config::explain`] tells for each
//! value where it came from. Secrets are never in the file: it holds the name of the environment variable that has them.

mod error;
mod key;
mod layers;
mod network;
mod origin;
mod reader;
mod template;
mod value;

use std::path::PathBuf;
use std::time::Duration;

use holotype_catalog::CatalogUrl;
use holotype_store::Location;
use jiff::tz::TimeZone;
use secrecy::SecretString;
use url::Url;

pub use error::ConfigError;
pub use key::{KEYS, Key};
pub use layers::Overrides;
pub use network::Network;
pub use origin::Origin;
pub(crate) use template::template;
pub use value::{Listen, WrongForm};

use crate::madsci::Madsci;
use crate::{Environment, Home, files};
use layers::Layers;
use reader::Reader;

/// The largest `holotype.toml` that is read, in bytes.
const LARGEST_FILE: u64 = 1 << 20;

/// Everything that can be set, read and checked.
#[derive(Debug, Clone)]
pub struct Config {
    /// The directory that everything of this installation lies in.
    pub home: Home,
    /// What the HTTP server does.
    pub server: ServerConfig,
    /// Where the catalog is.
    pub catalog: CatalogConfig,
    /// Where blobs are.
    pub store: StoreConfig,
    /// How datapoints are read and kept.
    pub datapoints: DatapointsConfig,
    /// Where sessions find frames beside those that are held.
    pub sessions: SessionsConfig,
    /// How many jobs one process runs at a time.
    pub workers: usize,
    /// What is done by itself, and how often.
    pub upkeep: UpkeepConfig,
    /// What is logged.
    pub log: LogConfig,
    /// MADSci's own settings, as its Data Manager would have read them here.
    pub madsci: Madsci,
    /// What surrounds the process: tokens of archives are looked up there when they are needed, by the names that a fetch gives.
    pub environment: Environment,
    explained: Vec<Explained>,
    warnings: Vec<String>,
}

/// What the HTTP server does.
#[derive(Debug, Clone)]
pub struct ServerConfig {
    /// Where to listen.
    pub listen: Listen,
    /// Host names that are accepted besides loopback names, IP addresses and the host of `listen`.
    pub allowed_hosts: Vec<String>,
    /// Origins of pages that may call the API; each has a scheme and a host and nothing after the port.
    pub allowed_origins: Vec<Url>,
    /// Proxies whose forwarding headers are believed.
    pub behind_proxy: Vec<Network>,
    /// Certificate and key, if the server speaks HTTPS.
    pub tls: Option<TlsFiles>,
    /// Directories served as they are.
    pub mounts: Vec<Mount>,
    /// The largest request body, in bytes.
    pub upload_limit: u64,
    /// The largest JSON document, in bytes.
    pub document_limit: u64,
}

/// The PEM files that HTTPS needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate chain.
    pub certificate: PathBuf,
    /// The private key.
    pub key: PathBuf,
}

/// A directory served under a path, for a foreign front end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mount {
    /// Where it appears: begins with a slash and does not end with one; empty for the root.
    pub path: String,
    /// What is served.
    pub directory: PathBuf,
}

/// Where the catalog is.
#[derive(Debug, Clone)]
pub struct CatalogConfig {
    /// A file or a database, with the password if it needs one.
    pub url: CatalogUrl,
    /// The file, unless it is a database on a server.
    pub file: Option<PathBuf>,
}

/// Where blobs are.
#[derive(Debug, Clone)]
pub struct StoreConfig {
    /// A directory or a bucket, with its key if it needs one.
    pub location: Location,
    /// How long unreferenced bytes are kept.
    pub grace: Duration,
}

/// How datapoints are read and kept.
#[derive(Debug, Clone)]
pub struct DatapointsConfig {
    /// The zone of timestamps without an offset.
    pub time_zone: TimeZone,
    /// How long a deleted datapoint can be restored.
    pub undelete_for: Duration,
}

/// Where sessions find frames beside those that are held, and who may tell of users.
#[derive(Debug, Clone)]
pub struct SessionsConfig {
    /// The root of another archive.
    pub archive: Option<Url>,
    /// Most bytes of its frames that are kept.
    pub archive_keep: u64,
    /// The key under which users' tokens of it are encrypted.
    pub token_key: Option<SecretString>,
    /// The environment variable that holds the key.
    pub token_key_variable: String,
    /// A table of Gaia's stars.
    pub gaia: Option<PathBuf>,
    /// A TAP service that has Gaia's stars; there is not both.
    pub gaia_tap: Option<Url>,
    /// What an observatory's portal proves itself with.
    pub server_key: Option<SecretString>,
}

/// What is done by itself, and how often; `None` is never.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UpkeepConfig {
    /// Removing what nothing names.
    pub sweep_every: Option<Duration>,
    /// Comparing every blob with its digest.
    pub verify_every: Option<Duration>,
    /// Uploading what waits on the local disk.
    pub flush_every: Option<Duration>,
    /// Backing up the catalog.
    pub backup_every: Option<Duration>,
    /// Backups kept.
    pub backup_keep: usize,
}

/// What is logged, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogConfig {
    /// Directives of the filter.
    pub filter: String,
    /// JSON lines rather than text.
    pub json: bool,
}

/// One value, and where it came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explained {
    /// The key.
    pub key: &'static Key,
    /// The value as written, without secrets.
    pub value: String,
    /// Where it came from.
    pub origin: Origin,
}

impl Config {
    /// Reads the configuration of a home, whose directory need not exist yet: then only variables, flags and defaults count.
    ///
    /// # Errors
    /// What cannot be read or is wrong, by file and key. Nothing is repaired in silence.
    pub fn load(home: Home, environment: &Environment, overrides: &Overrides) -> Result<Self, ConfigError> {
        let path = home.config_file();
        let text = files::read_text(&path, LARGEST_FILE)
            .map_err(|source| ConfigError::Unreadable { path: path.clone(), source })?;
        let layers = Layers::gather(text.as_deref().map(|text| (path.as_path(), text)), environment, overrides)?;
        let madsci = Madsci::load(environment)?;
        Reader { layers, environment, home: &home }.config(madsci)
    }

    /// Each value, and where it came from, in the order of [`KEYS`].
    pub fn explain(&self) -> &[Explained] {
        &self.explained
    }

    /// What looks like a mistake and has no effect: variables that begin like ours and name no key, lines that were skipped.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }
}

/// A value without the secret that it may hold.
fn redacted(value: &str) -> String {
    match Url::parse(value) {
        Ok(mut url) if url.password().is_some() => {
            // Fails only for URLs that cannot have a password; this one has one.
            match url.set_password(Some("***")) {
                Ok(()) => url.to_string(),
                Err(()) => "***".to_owned(),
            }
        }
        _ => value.to_owned(),
    }
}

#[cfg(test)]
mod tests;
