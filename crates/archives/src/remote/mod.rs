//! Another archive, whose frames users work on here with the rights that they have there.
//!
//! ```text
//!   find ─▶ granted a moment ago? ──yes──▶ version
//!             └─no─▶ ask the archive with the user's own token ─▶ version, granted for ten minutes
//!   bring ─▶ ask again ─▶ in the store already? ──▶ bytes, compared with their checksum, into the store, once for all users
//! ```
//!
//! Bytes are kept under what the archive names them by, and are given to nobody whom the archive has not answered. Tokens are
//! stored encrypted, bound to the archive's address: a token goes to no archive but the one for which it was given.

mod frames;
mod table;
mod tokens;
mod vault;

use std::sync::Arc;
use std::time::Duration;

use holotype_blobs::Blobs;
use holotype_catalog::Catalog;
use holotype_core::Clock;
use secrecy::SecretString;
use url::Url;

use crate::ArchiveError;
use crate::http::{Http, Policy, host_name};

pub use frames::{RemoteFrame, Wanted};
use vault::Vault;

/// How patient the client is: somebody waits for the answer.
const POLICY: Policy = Policy {
    connect_timeout: Duration::from_secs(5),
    read_timeout: Duration::from_secs(20),
    answer_timeout: Duration::from_secs(30),
    tries: 2,
    first_pause: Duration::from_millis(300),
    patience: Duration::from_secs(3),
    pace: crate::http::Pace { connections: 8, requests_per_second: None },
    redirects: crate::http::Redirects::Follow,
    requests: None,
    proxy: None,
};

/// Where it is, and how its frames are kept.
#[derive(Debug, Clone)]
pub struct RemoteOptions {
    /// The root of the archive.
    pub url: Url,
    /// The key under which users' tokens are encrypted: 64 hexadecimal digits. Without one, no token is kept.
    pub token_key: Option<SecretString>,
    /// The environment variable that it comes from, for messages.
    pub token_key_variable: String,
    /// Most bytes of its frames that are kept. What was used longest ago goes first.
    pub keep: u64,
}

/// Another archive. Clones share it.
#[derive(Debug, Clone)]
pub struct Remote(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    catalog: Catalog,
    blobs: Blobs,
    http: Http,
    url: Url,
    vault: Option<Vault>,
    token_key_variable: String,
    keep: u64,
}

impl Remote {
    /// Makes ready to ask an archive. Nothing is asked yet.
    ///
    /// # Errors
    /// An address that is none, a key that is none.
    pub fn new(
        catalog: Catalog,
        blobs: Blobs,
        options: RemoteOptions,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, ArchiveError> {
        let RemoteOptions { mut url, token_key, token_key_variable, keep } = options;
        if !url.path().ends_with('/') {
            url.set_path(&format!("{}/", url.path()));
        }
        url.set_query(None);
        url.set_fragment(None);
        let http = Http::new(&url, POLICY, clock)?;
        let unusable = || ArchiveError::NoTokenKey { variable: token_key_variable.clone() };
        let vault = token_key.map(|key| Vault::of(&key).ok_or_else(unusable)).transpose()?;
        Ok(Self(Arc::new(Inner { catalog, blobs, http, url, vault, token_key_variable, keep })))
    }

    /// Its address, for people and as its name in the catalog.
    pub fn address(&self) -> &str {
        self.0.url.as_str()
    }

    /// Its host, for messages.
    pub fn host(&self) -> String {
        host_name(&self.0.url)
    }
}
