//! The settings of the MADSci Data Manager that this program takes the place of: read where MADSci reads them, so that
//! a lab changes nothing, and answered at `GET /settings`.
//!
//! Environment variables win over `.env` files, these over `settings.json`, `.toml` and `.yaml`. One table lists every
//! setting, and whether it changes what happens here or is only shown.

mod answer;
mod dotenv;
mod sources;
mod table;
mod value;

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use holotype_core::Category;
use holotype_datapoints::ObjectStorage;
use secrecy::SecretString;
use serde_json::Value;
use url::Url;

use crate::Environment;
use crate::config::{Listen, Origin};
pub use answer::SettingsQuery;
use sources::{Found, Search};
use table::{DATA, Group, OBJECT_STORAGE, Setting};

/// What is answered in place of a secret.
const REDACTED: &str = "***REDACTED***";

/// The name of a manager that has none.
const DEFAULT_NAME: &str = "DataManager";

/// MADSci's settings, every one with a value and the place it came from.
#[derive(Clone)]
pub struct Madsci {
    data: Vec<Resolved>,
    object_storage: Vec<Resolved>,
    /// Where records say that files are.
    storage_root: PathBuf,
    /// MADSci's own registry of names and ids.
    registry: Option<PathBuf>,
    warnings: Vec<String>,
}

/// A setting with its value.
#[derive(Clone)]
struct Resolved {
    setting: &'static Setting,
    value: Value,
    origin: Origin,
}

/// A file or value of MADSci's that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum MadsciError {
    /// A settings file is there and cannot be read.
    #[error("MADSci's settings in {path} cannot be read: {source}", path = .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// A settings file is not what its name says.
    #[error("MADSci's settings in {path} cannot be read: {problem}", path = .path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// Where and why.
        problem: String,
    },
    /// A value that does not fit its setting.
    #[error("MADSci's setting {setting} cannot be used (from: {origin}): {problem}")]
    Invalid {
        /// The setting.
        setting: &'static str,
        /// Where it came from.
        origin: Origin,
        /// What is needed.
        problem: String,
    },
}

impl MadsciError {
    /// What kind of failure this is.
    pub fn category(&self) -> Category {
        match self {
            MadsciError::Unreadable { .. } => Category::Unavailable,
            MadsciError::Syntax { .. } | MadsciError::Invalid { .. } => Category::Invalid,
        }
    }
}

/// One of MADSci's settings, for `holotype config show`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExplainedSetting {
    /// The environment variable that sets it.
    pub variable: String,
    /// The value as JSON, without secrets.
    pub value: String,
    /// Where it came from.
    pub origin: Origin,
    /// Whether it changes what Holotype does, or is only shown to clients.
    pub used: bool,
    /// What it says.
    pub help: &'static str,
}

/// How many requests one address may make: so many in a long window, and so many in a short one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RateLimits {
    /// The long window.
    pub long: RateLimit,
    /// The short window, which keeps bursts away.
    pub short: Option<RateLimit>,
    /// How often addresses that fell silent are forgotten.
    pub cleanup_interval: Duration,
    /// Addresses that are not limited.
    pub exempt: Vec<IpAddr>,
}

/// So many requests in any window of so long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimit {
    /// Requests.
    pub requests: u32,
    /// The length of the window.
    pub window: Duration,
}

impl Madsci {
    /// Reads the settings of the Data Manager that would run in this environment.
    ///
    /// # Errors
    /// A file that is there and cannot be read, or a value that does not fit.
    pub fn load(environment: &Environment) -> Result<Self, MadsciError> {
        let search = Search::new(environment);
        let mut warnings = Vec::new();
        let data = resolve(&DATA, &search, environment, &mut warnings)?;
        let object_storage = resolve(&OBJECT_STORAGE, &search, environment, &mut warnings)?;
        let directory = search.madsci_directory();
        let named = environment.get("MADSCI_REGISTRY_PATH").map(|path| environment.absolute(Path::new(path)));
        let registry = named.or_else(|| directory.as_ref().map(|directory| directory.join("registry.json")));
        let mut settings = Self { data, object_storage, storage_root: PathBuf::new(), registry, warnings };
        settings.storage_root =
            storage_root(settings.text("file_storage_path").unwrap_or_default(), directory, environment);
        settings.check()?;
        Ok(settings)
    }

    /// What fits its kind and still cannot be meant.
    fn check(&self) -> Result<(), MadsciError> {
        let invalid = |name, problem: &str| {
            let origin = self.resolved(name).map_or(Origin::Default, |resolved| resolved.origin.clone());
            MadsciError::Invalid { setting: name, origin, problem: problem.to_owned() }
        };
        if self.server_url().is_none_or(|url| !matches!(url.scheme(), "http" | "https")) {
            return Err(invalid("server_url", "an http or https URL is needed"));
        }
        let exempt = self.value("rate_limit_exempt_ips").as_array().into_iter().flatten();
        if exempt.filter_map(Value::as_str).any(|text| text.parse::<IpAddr>().is_err()) {
            return Err(invalid("rate_limit_exempt_ips", "a list of IP addresses is needed"));
        }
        Ok(())
    }

    fn resolved(&self, name: &str) -> Option<&Resolved> {
        self.data.iter().chain(&self.object_storage).find(|resolved| resolved.setting.name == name)
    }

    fn value(&self, name: &str) -> &Value {
        self.resolved(name).map_or(&Value::Null, |resolved| &resolved.value)
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.value(name).as_str()
    }

    /// Text that says something.
    fn filled(&self, name: &str) -> Option<&str> {
        self.text(name).filter(|text| !text.is_empty())
    }

    fn server_url(&self) -> Option<Url> {
        Url::parse(self.text("server_url")?).ok()
    }

    /// Where the Data Manager would listen: the host and port of its `server_url`, with 127.0.0.1 for `localhost`.
    pub(crate) fn listen(&self) -> (Listen, Origin) {
        let url = self.server_url();
        let host = url.as_ref().and_then(Url::host_str).unwrap_or("localhost");
        let port = url.as_ref().and_then(Url::port_or_known_default).unwrap_or(8004);
        // `localhost` may mean ::1 first, where clients that ask for 127.0.0.1 find nobody.
        let host = if host == "localhost" { "127.0.0.1" } else { host.trim_matches(['[', ']']) };
        let origin = match self.resolved("server_url").map(|resolved| &resolved.origin) {
            None | Some(Origin::Default) => Origin::Default,
            Some(origin) => Origin::Madsci("server_url", Box::new(origin.clone())),
        };
        (Listen { host: host.to_owned(), port }, origin)
    }

    /// The manager's name, as everybody is told it.
    pub fn manager_name(&self) -> &str {
        self.filled("manager_name").unwrap_or(DEFAULT_NAME)
    }

    /// The configured identity.
    pub(crate) fn manager_id(&self) -> Option<&str> {
        self.filled("manager_id")
    }

    /// The configured sentence about the manager.
    pub(crate) fn manager_description(&self) -> Option<&str> {
        self.filled("manager_description")
    }

    /// MADSci's registry, if the identity may come from it.
    pub(crate) fn registry_file(&self) -> Option<&Path> {
        let enabled = self.value("enable_registry_resolution").as_bool().unwrap_or(true);
        self.registry.as_deref().filter(|_| enabled)
    }

    /// What the paths of file datapoints begin with. Nothing is kept there.
    pub fn storage_root(&self) -> &Path {
        &self.storage_root
    }

    /// The limits on requests, unless they are off.
    pub fn rate_limits(&self) -> Option<RateLimits> {
        if self.value("rate_limit_enabled").as_bool() == Some(false) {
            return None;
        }
        let seconds = |name| self.value(name).as_u64().map(Duration::from_secs);
        let limit = |requests, window| {
            let requests = u32::try_from(self.value(requests).as_u64()?).unwrap_or(u32::MAX);
            Some(RateLimit { requests, window: seconds(window)? })
        };
        let exempt = match self.value("rate_limit_exempt_ips").as_array() {
            Some(listed) => listed.iter().filter_map(|item| item.as_str()?.parse().ok()).collect(),
            None => vec![IpAddr::from([127, 0, 0, 1]), IpAddr::from([0, 0, 0, 0, 0, 0, 0, 1])],
        };
        Some(RateLimits {
            long: limit("rate_limit_requests", "rate_limit_window")?,
            short: limit("rate_limit_short_requests", "rate_limit_short_window"),
            cleanup_interval: seconds("rate_limit_cleanup_interval")?,
            exempt,
        })
    }

    /// The bucket that file datapoints are also put into, so that clients can read them there, if one is configured.
    pub fn object_storage(&self) -> Option<ObjectStorage> {
        let secret = |name| SecretString::from(self.text(name).unwrap_or_default());
        Some(ObjectStorage {
            endpoint: self.filled("endpoint")?.to_owned(),
            access_key: secret("access_key"),
            secret_key: secret("secret_key"),
            secure: self.value("secure").as_bool() == Some(true),
            default_bucket: self.text("default_bucket").unwrap_or_default().to_owned(),
            region: self.filled("region").map(str::to_owned),
            public_endpoint: self.filled("public_endpoint").map(str::to_owned),
        })
    }

    /// Every setting that somebody set or that changes what happens here, and where it came from.
    pub fn explain(&self) -> Vec<ExplainedSetting> {
        let of = |group: &Group, resolved: &Resolved| ExplainedSetting {
            variable: format!("{}{}", group.prefix, resolved.setting.name.to_ascii_uppercase()),
            value: if resolved.setting.secret { REDACTED.to_owned() } else { resolved.value.to_string() },
            origin: resolved.origin.clone(),
            used: resolved.setting.used,
            help: resolved.setting.help,
        };
        let data = self.data.iter().map(|resolved| of(&DATA, resolved));
        let object_storage = self.object_storage.iter().map(|resolved| of(&OBJECT_STORAGE, resolved));
        data.chain(object_storage).filter(|setting| setting.used || setting.origin != Origin::Default).collect()
    }

    /// What was skipped while reading.
    pub(crate) fn warnings(&self) -> &[String] {
        &self.warnings
    }
}

/// Keys and passwords may be among the values, so none is shown.
impl std::fmt::Debug for Madsci {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let set = self.data.iter().chain(&self.object_storage).filter(|resolved| resolved.origin != Origin::Default);
        f.debug_struct("Madsci")
            .field("set", &set.map(|resolved| resolved.setting.name).collect::<Vec<_>>())
            .field("storage_root", &self.storage_root)
            .finish_non_exhaustive()
    }
}

fn resolve(
    group: &'static Group,
    search: &Search,
    environment: &Environment,
    warnings: &mut Vec<String>,
) -> Result<Vec<Resolved>, MadsciError> {
    let found = Found::gather(group, search, environment, warnings)?;
    let resolved = group.settings.iter().map(|setting| {
        let (value, origin) = match found.value(setting) {
            None => (setting.default.value(), Origin::Default),
            Some((written, origin)) => match value::read(setting, &written) {
                Ok(value) => (value, origin),
                Err(problem) => return Err(MadsciError::Invalid { setting: setting.name, origin, problem }),
            },
        };
        Ok(Resolved { setting, value, origin })
    });
    resolved.collect()
}

/// A path that begins with `.madsci` lies beside MADSci's directory; any other starts at the working directory.
fn storage_root(configured: &str, madsci_directory: Option<PathBuf>, environment: &Environment) -> PathBuf {
    match (configured.strip_prefix(".madsci"), madsci_directory) {
        (Some(""), Some(directory)) => directory,
        (Some(rest), Some(directory)) if rest.starts_with('/') => directory.join(rest.trim_start_matches('/')),
        _ => environment.absolute(Path::new(configured)),
    }
}

#[cfg(test)]
mod tests;
