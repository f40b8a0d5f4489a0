//! What is asked for.

use std::fmt;

use bytes::Bytes;
use reqwest::header::HeaderName;
use secrecy::SecretString;
use url::Url;

use crate::source::{Download, shown};

/// A request. Its headers go to the origin of its address only.
#[derive(Clone)]
pub struct Request {
    /// The address.
    pub url: Url,
    /// Headers, each of which may be secret.
    pub headers: Vec<(HeaderName, SecretString)>,
    /// What is posted; without it the request is a GET.
    pub body: Option<Body>,
}

/// What is posted.
#[derive(Clone)]
pub struct Body {
    /// Its media type.
    pub media_type: &'static str,
    /// Its bytes; they may be secret.
    pub bytes: Bytes,
}

impl Request {
    /// A GET without further headers.
    pub fn get(url: Url) -> Self {
        Self { url, headers: Vec::new(), body: None }
    }
}

impl From<&Download> for Request {
    fn from(download: &Download) -> Self {
        Self { url: download.url.clone(), headers: download.headers.clone(), body: None }
    }
}

impl From<Download> for Request {
    fn from(download: Download) -> Self {
        Self { url: download.url, headers: download.headers, body: None }
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request").field("url", &shown(&self.url)).finish_non_exhaustive()
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Body").field("media_type", &self.media_type).finish_non_exhaustive()
    }
}
