//! The science archive of the Observatory Control System, as Las Cumbres Observatory and others run it.
//!
//! Its lists are asked for by cursor. Its counts and links to a next page may be estimates of the database's planner, which
//! would end a list early: a server that knows no cursors is asked window by window, each to its true end.

mod paging;
mod query;
mod record;

use async_trait::async_trait;
use futures::stream::{self, BoxStream, StreamExt};
use reqwest::header::AUTHORIZATION;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value};
use url::Url;

use super::pages::stream_of;
use super::{ArchiveSource, Download, Limits, Listed, Query, SourceError};
use crate::http::{Http, Request, host_name};

/// A page of a thousand frames with their versions has about three million bytes.
const MAX_BYTES: usize = 64 * 1024 * 1024;

/// An archive of the Observatory Control System.
#[derive(Debug, Clone)]
pub struct Ocs {
    http: Http,
    base: Url,
    token: Option<SecretString>,
    page_size: usize,
    limits: Limits,
}

impl Ocs {
    /// The archive whose root is `base`, with or without a slash at its end. Without a token only public frames are seen.
    pub fn new(http: Http, mut base: Url, token: Option<SecretString>) -> Self {
        if !base.path().ends_with('/') {
            base.set_path(&format!("{}/", base.path()));
        }
        base.set_query(None);
        base.set_fragment(None);
        let limits = Limits {
            connections: http.policy().pace.connections,
            requests_per_second: http.policy().pace.requests_per_second,
            ranges: true,
        };
        Self { http, base, token, page_size: paging::LARGEST_PAGE, limits }
    }

    /// Lists by pages of so many frames, at most 1,000.
    #[must_use]
    pub fn with_page_size(self, page_size: usize) -> Self {
        Self { page_size: page_size.clamp(1, paging::LARGEST_PAGE), ..self }
    }

    /// The header of a frame's first image, by keyword: enough to plan where it goes before it is fetched.
    ///
    /// # Errors
    /// If the archive has no such frame, or answers otherwise than it should.
    pub async fn headers(&self, frame: &Listed) -> Result<Map<String, Value>, SourceError> {
        match self.ask(self.frame_url(frame, Some("headers"))).await? {
            Value::Object(mut answer) => match answer.remove("data") {
                Some(Value::Object(header)) => Ok(header),
                _ => Err(self.unexpected("a header", "it holds no 'data'")),
            },
            _ => Err(self.unexpected("a header", "it is no object")),
        }
    }

    /// The frames that a frame was made from or with: calibrations, the raw frame, catalogues, bundles.
    ///
    /// # Errors
    /// If the archive has no such frame, or answers otherwise than it should.
    pub async fn related(&self, frame: &Listed) -> Result<Vec<Result<Listed, SourceError>>, SourceError> {
        match self.ask(self.frame_url(frame, Some("related"))).await? {
            Value::Array(rows) => Ok(rows.into_iter().map(|row| self.record(row)).collect()),
            _ => Err(self.unexpected("a list of frames", "it is no list")),
        }
    }

    async fn ask(&self, url: Url) -> Result<Value, SourceError> {
        let request = Request { headers: self.credentials(), ..Request::get(url) };
        self.http.ask(&request, MAX_BYTES).await?.json()
    }

    fn credentials(&self) -> Vec<(reqwest::header::HeaderName, SecretString)> {
        let header = |token: &SecretString| (AUTHORIZATION, format!("Token {}", token.expose_secret()).into());
        self.token.iter().map(header).collect()
    }

    fn record(&self, row: Value) -> Result<Listed, SourceError> {
        let mut listed = record::listed(row)?;
        if let Some(download) = &mut listed.download {
            *download = self.authorized(download.url.clone());
        }
        Ok(listed)
    }

    /// A signed address says by itself who may read it, and another host is not told our token.
    fn authorized(&self, url: Url) -> Download {
        let expires = record::expiry(&url);
        let ours = url.origin() == self.base.origin() && !record::is_signed(&url);
        let headers = if ours { self.credentials() } else { Vec::new() };
        Download { url, headers, expires }
    }

    /// `{base}frames/`
    fn frames_url(&self) -> Url {
        let mut url = self.base.clone();
        url.set_path(&format!("{}frames/", self.base.path()));
        url
    }

    /// `{base}frames/{id}/` or `{base}frames/{id}/{part}/`
    fn frame_url(&self, frame: &Listed, part: Option<&str>) -> Url {
        let mut url = self.frames_url();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().push(&frame.id);
            if let Some(part) = part {
                segments.push(part);
            }
            segments.push("");
        }
        url
    }

    fn unexpected(&self, expected: &'static str, problem: &str) -> SourceError {
        SourceError::Answer { host: host_name(&self.base), expected, problem: problem.to_owned() }
    }
}

#[async_trait]
impl ArchiveSource for Ocs {
    fn list<'a>(&'a self, query: &'a Query) -> BoxStream<'a, Result<Listed, SourceError>> {
        match query::parameters(query) {
            Ok(parameters) => stream_of(paging::Walk::new(self, query, parameters)),
            Err(error) => stream::iter([Err(error)]).boxed(),
        }
    }

    async fn resolve(&self, frame: &Listed) -> Result<Download, SourceError> {
        let answer = self.ask(self.frame_url(frame, None)).await?;
        let url = record::address(&answer, frame).ok_or_else(|| SourceError::Replaced { frame: frame.name.clone() })?;
        Ok(self.authorized(url))
    }

    fn limits(&self) -> Limits {
        self.limits
    }

    fn http(&self) -> &Http {
        &self.http
    }
}
