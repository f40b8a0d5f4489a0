//! Archives as data: one adapter for all that can be described in a definition.
//!
//! A [`Definition`] says how an archive is asked, how its list comes in pages, how a row becomes a frame, how files come, and how
//! gently it is to be treated. The shipped ones are in `definitions/`; docs/guide/archive-sources.md says how to write another.

mod ask;
mod auth;
pub(crate) mod decode;
mod definition;
mod map;
mod path;
mod read;
mod template;
mod tree;
mod walk;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::stream::{self, BoxStream, StreamExt};
use holotype_core::Clock;
use secrecy::SecretString;
use serde_json::{Map, Value};
use url::Url;

use super::pages::stream_of;
use super::{ArchiveSource, Download, Limits, Listed, Query, SourceError};
use crate::http::{Http, Pace, Policy, Request};
use auth::Credentials;
use definition::Recipient;
use map::Mapped;
use template::Form;

pub use definition::{Definition, InvalidDefinition, Unpack};

/// The definitions that come with the program, by name.
const SHIPPED: &[(&str, &str)] = &[
    ("http-index", include_str!("../../../definitions/http-index.yaml")),
    ("s3-bucket", include_str!("../../../definitions/s3-bucket.yaml")),
    ("zenodo", include_str!("../../../definitions/zenodo.yaml")),
    ("eso-tap", include_str!("../../../definitions/eso-tap.yaml")),
    ("mast", include_str!("../../../definitions/mast.yaml")),
    ("checksum-manifest", include_str!("../../../definitions/checksum-manifest.yaml")),
];

/// The names of the definitions that come with the program.
pub fn shipped() -> impl Iterator<Item = &'static str> {
    SHIPPED.iter().map(|(name, _)| *name)
}

/// The text of a definition that comes with the program.
pub fn shipped_text(name: &str) -> Option<&'static str> {
    SHIPPED.iter().find(|(shipped, _)| *shipped == name).map(|(_, text)| *text)
}

/// An archive that a definition describes.
#[derive(Debug)]
pub struct Declared {
    definition: Definition,
    /// Values for the holes of every template.
    base: Map<String, Value>,
    home: Url,
    http: Http,
    credentials: Credentials,
    max_bytes: usize,
}

impl Declared {
    /// Makes a definition ready. `settings` are what it leaves open, `secrets` tells the values of environment variables, and
    /// `policy` is what holds where the definition does not say otherwise.
    ///
    /// # Errors
    /// If a setting is missing or unknown, a secret that is needed is not there, or the address is none.
    pub fn open(
        definition: Definition,
        settings: &BTreeMap<String, String>,
        secrets: &dyn Fn(&str) -> Option<SecretString>,
        policy: Policy,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, SourceError> {
        let base = walk::base(&definition, settings)?;
        let home = home(&definition, &base)?;
        // A setting that is not there would leave a condition out, and list more than was meant.
        let first = walk::first_scope(&base, &Query::default(), &definition);
        ask::request(&definition.request, &first).map_err(|problem| ask::unfilled("request", problem))?;
        let limits = &definition.limits;
        let policy = Policy {
            pace: Pace { connections: limits.connections, requests_per_second: limits.requests_per_second },
            tries: limits.tries.max(1),
            patience: Duration::from_secs(limits.patience_seconds),
            requests: limits.requests,
            redirects: definition.transfer.redirects,
            ..policy
        };
        let http = Http::new(&home, policy, clock)?;
        let credentials = Credentials::find(&definition.auth, &home, &Value::Object(base.clone()), secrets)?;
        let max_bytes = limits.answer_megabytes.saturating_mul(1024 * 1024);
        Ok(Self { definition, base, home, http, credentials, max_bytes })
    }

    /// The definition.
    pub fn definition(&self) -> &Definition {
        &self.definition
    }

    /// A download as the list tells it; nothing where it must be asked for when it is wanted.
    async fn authorized(&self, download: Option<Download>) -> Result<Option<Download>, SourceError> {
        match download {
            Some(download) if !self.credentials.are_fresh() => self.signed(download.url).await.map(Some),
            _ => Ok(None),
        }
    }

    async fn signed(&self, url: Url) -> Result<Download, SourceError> {
        let mut request = Request::get(url);
        self.credentials.sign(&self.http, &mut request, Recipient::Files).await?;
        let now = self.http.clock().now();
        let minutes = self.definition.transfer.expires_after_minutes;
        let listed = minutes.map(|minutes| now.after(Duration::from_secs(u64::from(minutes) * 60)));
        let expires = [listed, self.credentials.hold_until(now)].into_iter().flatten().min();
        Ok(Download { url: request.url, headers: request.headers, expires })
    }

    /// The address of a frame's file now.
    async fn address(&self, frame: &Listed) -> Result<Url, SourceError> {
        let scope = map::scope_of(&self.base, frame);
        let Some(link) = &self.definition.transfer.link else {
            return match map::mapped(&self.definition, &scope)? {
                Mapped::Frame(frame) => frame.download.map(|download| download.url),
                Mapped::LeftOut(_) => None,
            }
            .ok_or_else(|| map::refused(&frame.name, "it has no address"));
        };
        let unfilled = |problem| map::refused(&frame.name, &ask::unfilled("transfer.link", problem).to_string());
        let request = ask::request(&link.request, &scope).map_err(unfilled)?;
        let (_, decoded) = self.ask(request, &link.decode).await?;
        for row in decoded.rows {
            if map::holds(link.filter.as_ref(), &row, &frame.name)? {
                let mut scope = scope;
                scope["link"] = row;
                let text = link.url.fill(&scope, Form::Address);
                let text = text.map_err(unfilled)?;
                return ask::address(&text).map_err(|problem| map::refused(&frame.name, &problem));
            }
        }
        Err(map::refused(&frame.name, "the archive gives no link to its file"))
    }
}

/// The address that the administrator configured, whatever fills its other holes.
fn home(definition: &Definition, base: &Map<String, Value>) -> Result<Url, SourceError> {
    let query = Query { proposal: Some("x".to_owned()), target: Some("x".to_owned()), ..Query::default() };
    let mut scope = walk::first_scope(base, &query, definition);
    for name in ["start", "end", "cursor"] {
        scope[name] = "x".into();
    }
    let text = definition.request.url.fill(&scope, Form::Address);
    let text = text.map_err(|problem| ask::unfilled("request.url", problem))?;
    Url::parse(&text)
        .map_err(|error| SourceError::Definition { part: "request.url".to_owned(), problem: error.to_string() })
}

#[async_trait]
impl ArchiveSource for Declared {
    fn list<'a>(&'a self, query: &'a Query) -> BoxStream<'a, Result<Listed, SourceError>> {
        match walk::Walk::new(self, query) {
            Ok(walk) => stream_of(walk),
            Err(error) => stream::iter([Err(error)]).boxed(),
        }
    }

    async fn resolve(&self, frame: &Listed) -> Result<Download, SourceError> {
        let url = self.address(frame).await?;
        self.signed(url).await
    }

    fn limits(&self) -> Limits {
        let limits = &self.definition.limits;
        Limits {
            connections: limits.connections.max(1),
            requests_per_second: limits.requests_per_second,
            ranges: self.definition.transfer.ranges,
        }
    }

    fn http(&self) -> &Http {
        &self.http
    }
}
