//! The configuration: `holotype.toml` in the home, environment variables and flags, read once into one value.
//!
//! A flag wins over a variable, a variable over the file, the file over the default. [`Config::explain`] tells for each
//! value where it came from. Secrets are never in the file: it holds the name of the environment variable that has them.

mod error;
mod key;
mod layers;
mod network;
mod origin;
mod template;
mod value;

use std::path::{Path, PathBuf};
use std::time::Duration;

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
use crate::{Environment, Home, clock};
use layers::Layers;

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
    /// How many jobs one process runs at a time.
    pub workers: usize,
    /// What is done by itself, and how often.
    pub upkeep: UpkeepConfig,
    /// What is logged.
    pub log: LogConfig,
    /// MADSci's own settings, as its Data Manager would have read them here.
    pub madsci: Madsci,
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
    /// Where it appears: begins with a slash and does not end with one.
    pub path: String,
    /// What is served.
    pub directory: PathBuf,
}

/// Where the catalog is.
#[derive(Debug, Clone)]
pub struct CatalogConfig {
    /// The URL or path, with the password if it needs one.
    pub url: SecretString,
}

/// Where blobs are.
#[derive(Debug, Clone)]
pub struct StoreConfig {
    /// A path, `file://` or `s3://bucket/prefix`.
    pub url: String,
    /// The S3 service, when it is not Amazon's.
    pub endpoint: Option<Url>,
    /// The bucket's region.
    pub region: Option<String>,
    /// The key pair of the bucket, if the URL names one.
    pub keys: Option<(SecretString, SecretString)>,
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
        let text = crate::files::read_text(&path, LARGEST_FILE)
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

/// What turns layers of text into checked values.
struct Reader<'r> {
    layers: Layers,
    environment: &'r Environment,
    home: &'r Home,
}

impl Reader<'_> {
    fn config(self, madsci: Madsci) -> Result<Config, ConfigError> {
        let (server, listen) = self.server(&madsci)?;
        let (catalog, shown_catalog) = self.catalog()?;
        let store = self.store()?;
        let log_format = self.layers.required(&key::LOG_FORMAT, |text| match text {
            "text" => Ok(false),
            "json" => Ok(true),
            _ => Err(WrongForm("text or json is needed")),
        })?;
        let number = |text: &str| text.parse().ok().filter(|number| *number > 0);
        let positive = |text: &str| number(text).ok_or(WrongForm("a whole number above zero is needed"));
        let config = Config {
            datapoints: DatapointsConfig {
                time_zone: self.time_zone()?,
                undelete_for: self.layers.required(&key::DATAPOINTS_UNDELETE_FOR, value::duration)?,
            },
            workers: self.layers.required(&key::JOBS_WORKERS, positive)?,
            upkeep: UpkeepConfig {
                sweep_every: self.layers.required(&key::UPKEEP_SWEEP_EVERY, value::period)?,
                verify_every: self.layers.required(&key::UPKEEP_VERIFY_EVERY, value::period)?,
                flush_every: self.layers.required(&key::UPKEEP_FLUSH_EVERY, value::period)?,
                backup_every: self.layers.required(&key::UPKEEP_BACKUP_EVERY, value::period)?,
                backup_keep: self.layers.required(&key::UPKEEP_BACKUP_KEEP, positive)?,
            },
            log: LogConfig {
                filter: self.layers.required(&key::LOG_FILTER, |text| Ok(text.to_owned()))?,
                json: log_format,
            },
            explained: self.explain(&server, listen, shown_catalog, &store),
            warnings: self.unknown_variables().chain(madsci.warnings().iter().cloned()).collect(),
            home: self.home.clone(),
            server,
            catalog,
            store,
            madsci,
        };
        Ok(config)
    }

    fn server(&self, madsci: &Madsci) -> Result<(ServerConfig, Origin), ConfigError> {
        let layers = &self.layers;
        let (listen, origin) = match layers.optional(&key::LISTEN, str::parse)? {
            Some(listen) => (listen, layers.origin(&key::LISTEN)),
            None => madsci.listen(),
        };
        let tls = match (self.path(&key::TLS_CERTIFICATE)?, self.path(&key::TLS_KEY)?) {
            (Some(certificate), Some(key)) => Some(TlsFiles { certificate, key }),
            (None, None) => None,
            (Some(_), None) => {
                return Err(layers.invalid(&key::TLS_KEY, None, "tls_certificate is set, so this is needed too"));
            }
            (None, Some(_)) => {
                return Err(layers.invalid(&key::TLS_CERTIFICATE, None, "tls_key is set, so this is needed too"));
            }
        };
        let server = ServerConfig {
            listen,
            allowed_hosts: layers.list(&key::ALLOWED_HOSTS, |text| Ok(text.to_ascii_lowercase()))?,
            allowed_origins: layers.list(&key::ALLOWED_ORIGINS, origin_url)?,
            behind_proxy: layers.list(&key::BEHIND_PROXY, str::parse)?,
            tls,
            mounts: layers.list(&key::STATIC, |text| self.mount(text))?,
            upload_limit: layers.required(&key::UPLOAD_LIMIT, value::size)?,
            document_limit: layers.required(&key::DOCUMENT_LIMIT, value::size)?,
        };
        Ok((server, origin))
    }

    /// The catalog's URL with its password, and as it may be shown.
    fn catalog(&self) -> Result<(CatalogConfig, String), ConfigError> {
        let key = &key::CATALOG_URL;
        let Some(text) = self.layers.text(key)? else {
            let path = self.home.catalog_file().display().to_string();
            return Ok((CatalogConfig { url: path.clone().into() }, path));
        };
        let Ok(mut url) = Url::parse(text) else {
            let path = self.based(key, Path::new(text)).display().to_string();
            return Ok((CatalogConfig { url: path.clone().into() }, path));
        };
        let origin = self.layers.origin(key);
        if url.password().is_some() && !matches!(origin, Origin::Variable(_)) {
            return Err(ConfigError::SecretInTheOpen {
                key: key.name,
                instead: key::CATALOG_PASSWORD_ENV.name,
                origin,
            });
        }
        let shown = redacted(key, text);
        if let Some(password) = self.secret(&key::CATALOG_PASSWORD_ENV)? {
            use secrecy::ExposeSecret as _;
            url.set_password(Some(password.expose_secret()))
                .map_err(|()| self.layers.invalid(key, Some(text), "this URL cannot have a password"))?;
            return Ok((CatalogConfig { url: url.to_string().into() }, shown));
        }
        Ok((CatalogConfig { url: text.to_owned().into() }, shown))
    }

    fn store(&self) -> Result<StoreConfig, ConfigError> {
        let key = &key::STORE_URL;
        let url = match self.layers.text(key)? {
            None => self.home.store_directory().display().to_string(),
            Some(text) if text.contains("://") => text.to_owned(),
            Some(text) => self.based(key, Path::new(text)).display().to_string(),
        };
        let keys = if url.starts_with("s3://") {
            let needed = |key: &Key| {
                self.secret(key)?.ok_or_else(|| self.layers.invalid(key, Some(""), "an s3:// store needs its keys"))
            };
            Some((needed(&key::STORE_ACCESS_KEY_ENV)?, needed(&key::STORE_SECRET_KEY_ENV)?))
        } else {
            None
        };
        let endpoint = self.layers.optional(&key::STORE_ENDPOINT, |text| {
            Url::parse(text)
                .ok()
                .filter(|url| matches!(url.scheme(), "http" | "https"))
                .ok_or(WrongForm("an http or https URL is needed"))
        })?;
        let region = self.layers.text(&key::STORE_REGION)?.map(str::to_owned);
        Ok(StoreConfig {
            url,
            endpoint,
            region,
            keys,
            grace: self.layers.required(&key::STORE_GRACE, value::duration)?,
        })
    }

    fn time_zone(&self) -> Result<TimeZone, ConfigError> {
        let zone = self.layers.optional(&key::DATAPOINTS_TIME_ZONE, |name| {
            TimeZone::get(name)
                .map_err(|_| WrongForm("this time zone is not known; an IANA name is needed, for example UTC"))
        })?;
        Ok(zone.unwrap_or_else(clock::time_zone))
    }

    /// The secret in the environment variable that a key names.
    fn secret(&self, key: &Key) -> Result<Option<SecretString>, ConfigError> {
        let Some(variable) = self.layers.text(key)? else { return Ok(None) };
        match self.environment.get(variable) {
            Some(secret) => Ok(Some(secret.to_owned().into())),
            None => Err(ConfigError::MissingSecret { key: key.name, variable: variable.to_owned() }),
        }
    }

    fn path(&self, key: &Key) -> Result<Option<PathBuf>, ConfigError> {
        Ok(self.layers.text(key)?.map(|text| self.based(key, Path::new(text))))
    }

    /// A path of the file starts at the home; one of a variable or a flag at the working directory.
    fn based(&self, key: &Key, path: &Path) -> PathBuf {
        match self.layers.origin(key) {
            Origin::File(_) if !path.starts_with("~") => self.environment.absolute(&self.home.root().join(path)),
            _ => self.environment.absolute(path),
        }
    }

    fn mount(&self, text: &str) -> Result<Mount, WrongForm> {
        let wrong = WrongForm("a path and a directory are needed, for example /app=/srv/app/dist");
        let (path, directory) = text.split_once('=').ok_or(wrong)?;
        let path = path.strip_suffix('/').unwrap_or(path);
        if !path.starts_with('/') || path.contains("//") || path.contains(['{', '}', '?', '#']) || directory.is_empty()
        {
            return Err(wrong);
        }
        Ok(Mount { path: path.to_owned(), directory: self.based(&key::STATIC, Path::new(directory)) })
    }

    fn explain(&self, server: &ServerConfig, listen: Origin, catalog: String, store: &StoreConfig) -> Vec<Explained> {
        let explained = |key: &'static Key| {
            let (value, origin) = match key.name {
                name if name == key::LISTEN.name => (server.listen.to_string(), listen.clone()),
                name if name == key::CATALOG_URL.name => (catalog.clone(), self.layers.origin(key)),
                name if name == key::STORE_URL.name => (store.url.clone(), self.layers.origin(key)),
                _ => (redacted(key, &self.layers.shown(key)), self.layers.origin(key)),
            };
            Explained { key, value, origin }
        };
        KEYS.iter().map(explained).collect()
    }

    fn unknown_variables(&self) -> impl Iterator<Item = String> {
        // Read by the command line, or named by a key as the place of a secret.
        let mut known: Vec<String> = ["HOLOTYPE_HOME", "HOLOTYPE_SERVER", "HOLOTYPE_TOKEN"].map(str::to_owned).to_vec();
        known.extend(KEYS.iter().map(Key::variable));
        known.extend(KEYS.iter().filter(|key| key.name.ends_with("_env")).map(|key| self.layers.shown(key)));
        self.environment.names_with("HOLOTYPE_").filter(move |name| !known.iter().any(|known| known == name)).map(
            |name| {
                format!("the environment variable {name} sets nothing: `holotype config show` lists what can be set")
            },
        )
    }
}

/// An origin as browsers send it.
fn origin_url(text: &str) -> Result<Url, WrongForm> {
    Url::parse(text)
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
        .filter(|url| {
            url.path() == "/" && url.query().is_none() && url.fragment().is_none() && url.username().is_empty()
        })
        .ok_or(WrongForm("an origin is needed: scheme, host and port, for example http://localhost:5173"))
}

/// A value without the secret that it may hold.
fn redacted(key: &Key, value: &str) -> String {
    match Url::parse(value) {
        Ok(mut url) if key.name.ends_with("url") && url.password().is_some() => {
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
