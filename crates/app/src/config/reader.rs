//! Turns layers of text into checked values.

use std::path::{Path, PathBuf};

use holotype_catalog::CatalogUrl;
use holotype_store::{Location, S3Key, S3Location};
use jiff::tz::TimeZone;
use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

use super::layers::Layers;
use super::value::{self, WrongForm};
use super::{
    CatalogConfig, Config, ConfigError, DatapointsConfig, Explained, KEYS, Key, LogConfig, Mount, Origin, ServerConfig,
    SessionsConfig, StoreConfig, TlsFiles, UpkeepConfig, key, redacted,
};
use crate::madsci::Madsci;
use crate::{Environment, Home, clock};

/// What turns layers of text into checked values.
pub(super) struct Reader<'r> {
    pub(super) layers: Layers,
    pub(super) environment: &'r Environment,
    pub(super) home: &'r Home,
}

impl Reader<'_> {
    pub(super) fn config(self, madsci: Madsci) -> Result<Config, ConfigError> {
        let (server, listen) = self.server(&madsci)?;
        let (catalog, shown_catalog) = self.catalog()?;
        let (store, shown_store) = self.store()?;
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
            sessions: self.sessions()?,
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
            explained: self.explain(&server, listen, &shown_catalog, &shown_store),
            warnings: self.unknown_variables().chain(madsci.warnings().iter().cloned()).collect(),
            home: self.home.clone(),
            environment: self.environment.clone(),
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

    /// Where the catalog is, and how that may be shown.
    fn catalog(&self) -> Result<(CatalogConfig, String), ConfigError> {
        let key = &key::CATALOG_URL;
        let Some(text) = self.layers.text(key)? else {
            return Ok(catalog_file(self.home.catalog_file()));
        };
        if let Some(path) = text.strip_prefix("sqlite://").or_else(|| (!text.contains("://")).then_some(text)) {
            return Ok(catalog_file(self.based(key, Path::new(path))));
        }
        let shown = redacted(text);
        let parse = |text: &str| CatalogUrl::parse(text).map_err(|error| self.layers.invalid(key, Some(&shown), error));
        let origin = self.layers.origin(key);
        let mut url = Url::parse(text).map_err(|_| self.layers.invalid(key, None, "it is not a URL"))?;
        if url.password().is_some() && !matches!(origin, Origin::Variable(_)) {
            return Err(ConfigError::SecretInTheOpen {
                key: key.name,
                instead: key::CATALOG_PASSWORD_ENV.name,
                origin,
            });
        }
        let url = match self.secret(&key::CATALOG_PASSWORD_ENV)? {
            None => parse(text)?,
            Some(password) => {
                url.set_password(Some(password.expose_secret()))
                    .map_err(|()| self.layers.invalid(key, Some(&shown), "this URL cannot have a password"))?;
                parse(url.as_str())?
            }
        };
        Ok((CatalogConfig { url, file: None }, shown))
    }

    /// Where blobs are, and how that is shown.
    fn store(&self) -> Result<(StoreConfig, String), ConfigError> {
        let key = &key::STORE_URL;
        let text = match self.layers.text(key)? {
            None => self.home.store_directory().display().to_string(),
            Some(text) if text.contains("://") => text.to_owned(),
            Some(text) => self.based(key, Path::new(text)).display().to_string(),
        };
        let location = match Location::parse(&text).map_err(|error| self.layers.invalid(key, None, error))? {
            Location::S3(bucket) => Location::S3(self.bucket(bucket)?),
            other => other,
        };
        let grace = self.layers.required(&key::STORE_GRACE, value::duration)?;
        Ok((StoreConfig { location, grace }, text))
    }

    /// What is not part of a bucket's URL: the service, the region and the key.
    fn bucket(&self, bucket: S3Location) -> Result<S3Location, ConfigError> {
        let endpoint = self.layers.optional(&key::STORE_ENDPOINT, http_url)?;
        let region = self.layers.text(&key::STORE_REGION)?.map(str::to_owned);
        let keys = (self.secret(&key::STORE_ACCESS_KEY_ENV)?, self.secret(&key::STORE_SECRET_KEY_ENV)?);
        let key = match keys {
            (Some(id), Some(secret)) => Some(S3Key { id: id.expose_secret().to_owned(), secret }),
            // The identity that the machine has from its cloud.
            (None, None) => None,
            (Some(_), None) => return Err(self.missing(&key::STORE_SECRET_KEY_ENV)),
            (None, Some(_)) => return Err(self.missing(&key::STORE_ACCESS_KEY_ENV)),
        };
        Ok(S3Location { endpoint, region, key, ..bucket })
    }

    fn sessions(&self) -> Result<SessionsConfig, ConfigError> {
        let archive = self.layers.optional(&key::SESSIONS_ARCHIVE, http_url)?;
        let (gaia, gaia_tap) =
            (self.path(&key::SESSIONS_GAIA)?, self.layers.optional(&key::SESSIONS_GAIA_TAP, http_url)?);
        if gaia.is_some() && gaia_tap.is_some() {
            let problem = "sessions.gaia is set, too, and stars come from one of them: take the other out";
            return Err(self.layers.invalid(&key::SESSIONS_GAIA_TAP, None, problem));
        }
        Ok(SessionsConfig {
            archive,
            archive_keep: self.layers.required(&key::SESSIONS_ARCHIVE_KEEP, value::size)?,
            token_key: self.secret(&key::SESSIONS_TOKEN_KEY_ENV)?,
            token_key_variable: self.layers.shown(&key::SESSIONS_TOKEN_KEY_ENV),
            gaia,
            gaia_tap,
            server_key: self.secret(&key::SESSIONS_SERVER_KEY_ENV)?,
        })
    }

    fn time_zone(&self) -> Result<TimeZone, ConfigError> {
        let zone = self.layers.optional(&key::DATAPOINTS_TIME_ZONE, |name| {
            TimeZone::get(name)
                .map_err(|_| WrongForm("this time zone is not known; an IANA name is needed, for example UTC"))
        })?;
        Ok(zone.unwrap_or_else(clock::time_zone))
    }

    /// The secret in the environment variable that a key names. It may be absent if nobody chose the variable.
    fn secret(&self, key: &Key) -> Result<Option<SecretString>, ConfigError> {
        let Some(variable) = self.layers.text(key)? else { return Ok(None) };
        match self.environment.get(variable) {
            Some(secret) => Ok(Some(secret.to_owned().into())),
            None if self.layers.origin(key) == Origin::Default => Ok(None),
            None => Err(self.missing(key)),
        }
    }

    fn missing(&self, key: &Key) -> ConfigError {
        ConfigError::MissingSecret { key: key.name, variable: self.layers.shown(key) }
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
        if !path.starts_with('/') || path.contains("//") || path.contains(['{', '}', '?', '#']) || directory.is_empty()
        {
            return Err(wrong);
        }
        let path = path.strip_suffix('/').unwrap_or(path);
        Ok(Mount { path: path.to_owned(), directory: self.based(&key::STATIC, Path::new(directory)) })
    }

    fn explain(&self, server: &ServerConfig, listen: Origin, catalog: &str, store: &str) -> Vec<Explained> {
        let explained = |key: &'static Key| {
            let (value, origin) = match key.name {
                name if name == key::LISTEN.name => (server.listen.to_string(), listen.clone()),
                name if name == key::CATALOG_URL.name => (catalog.to_owned(), self.layers.origin(key)),
                name if name == key::STORE_URL.name => (store.to_owned(), self.layers.origin(key)),
                _ => (redacted(&self.layers.shown(key)), self.layers.origin(key)),
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

/// A catalog in a file.
fn catalog_file(path: PathBuf) -> (CatalogConfig, String) {
    let (url, shown) = (CatalogUrl::from(path.as_path()), path.display().to_string());
    (CatalogConfig { url, file: Some(path) }, shown)
}

/// The address of a service.
fn http_url(text: &str) -> Result<Url, WrongForm> {
    Url::parse(text)
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https"))
        .filter(|url| url.username().is_empty() && url.password().is_none())
        .ok_or(WrongForm("an http or https URL is needed, without user and password"))
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
