//! Answers with bytes: whole or in part, streamed, or not at all if the client holds them.

use std::ops::Range;

use axum::body::Body;
use axum::http::header::{
    ACCEPT_RANGES, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, LAST_MODIFIED,
    X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};
use holotype_app::archives::frames::FrameContent;
use holotype_app::datapoints::Content;
use holotype_core::{Category, Instant};

use crate::content::{self, Selection};
use crate::problem::Failure;

/// What an instrument sent may be a page with a script in it: opened in a browser, it must not act as a page of ours.
const SANDBOX: HeaderValue = HeaderValue::from_static("sandbox; default-src 'none'");

/// Bytes that can be answered.
pub(crate) trait Answerable {
    /// What is said of them.
    fn about(&self) -> About;

    /// Begins to read the whole, or a range of it: the range, and the bytes.
    async fn open(&self, range: Option<Range<u64>>) -> Result<(Range<u64>, Pieces), Failure>;
}

/// What is said of bytes.
#[derive(Debug)]
pub(crate) struct About {
    /// Bytes of the whole.
    pub(crate) size: u64,
    /// A strong entity tag, with its quotation marks.
    pub(crate) etag: String,
    pub(crate) media_type: String,
    pub(crate) modified_at: Instant,
}

/// Bytes on their way.
pub(crate) type Pieces = BoxStream<'static, Result<Bytes, Box<dyn std::error::Error + Send + Sync>>>;

impl Answerable for Content {
    fn about(&self) -> About {
        let (etag, media_type) = (self.etag.clone(), self.media_type.clone());
        About { size: self.size, etag, media_type, modified_at: self.modified_at }
    }

    async fn open(&self, range: Option<Range<u64>>) -> Result<(Range<u64>, Pieces), Failure> {
        let opened = Content::open(self, range).await?;
        Ok((opened.range, opened.stream.map_err(Into::into).boxed()))
    }
}

impl Answerable for FrameContent {
    fn about(&self) -> About {
        let media_type = if self.file_name.ends_with(".jpg") {
            "image/jpeg"
        } else if self.file_name.ends_with(".fits") {
            "application/fits"
        } else {
            "application/octet-stream"
        };
        let etag = format!("\"{}\"", self.md5);
        About { size: self.size, etag, media_type: media_type.to_owned(), modified_at: self.modified_at }
    }

    async fn open(&self, range: Option<Range<u64>>) -> Result<(Range<u64>, Pieces), Failure> {
        let opened = FrameContent::open(self, range).await?;
        Ok((opened.range, opened.stream.map_err(Into::into).boxed()))
    }
}

/// Answers a request with what it wants of some content.
pub(crate) async fn answer(content: &impl Answerable, asked: &HeaderMap) -> Result<Response, Failure> {
    let about = content.about();
    let mut headers = HeaderMap::new();
    headers.insert(ETAG, value(&about.etag)?);
    headers.insert(LAST_MODIFIED, value(&http_date(about.modified_at))?);
    headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    if content::is_held(asked, &about.etag) {
        return Ok((StatusCode::NOT_MODIFIED, headers).into_response());
    }
    let range = match content::select(asked, about.size, &about.etag) {
        Selection::Whole => None,
        Selection::Part(range) => Some(range),
        Selection::Unsatisfiable => {
            let detail = format!("The range holds none of the {} bytes there are.", about.size);
            return Err(Failure::with_status(StatusCode::RANGE_NOT_SATISFIABLE, Category::Invalid, detail)
                .with_header(CONTENT_RANGE, value(&format!("bytes */{}", about.size))?));
        }
    };
    let status = if range.is_some() { StatusCode::PARTIAL_CONTENT } else { StatusCode::OK };
    let (range, stream) = content.open(range).await?;
    if status == StatusCode::PARTIAL_CONTENT {
        let last = range.end.saturating_sub(1);
        headers.insert(CONTENT_RANGE, value(&format!("bytes {}-{last}/{}", range.start, about.size))?);
    }
    headers.insert(CONTENT_LENGTH, HeaderValue::from(range.end - range.start));
    // A media type comes from a file's name; one that is no header is no media type.
    let media_type = value(&about.media_type).unwrap_or(HeaderValue::from_static("application/octet-stream"));
    headers.insert(CONTENT_TYPE, media_type);
    headers.insert(CONTENT_SECURITY_POLICY, SANDBOX);
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    let stream = stream.inspect_err(|error| {
        // The status is already sent: breaking the connection off is all that tells the client.
        tracing::error!(%error, cause = error.source().map(tracing::field::display), "an answer broke off");
    });
    Ok((status, headers, Body::from_stream(stream)).into_response())
}

fn value(text: &str) -> Result<HeaderValue, Failure> {
    HeaderValue::from_str(text).map_err(Failure::internal)
}

/// An instant as HTTP writes it, in whole seconds.
fn http_date(at: Instant) -> String {
    at.timestamp().strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_is_written_as_http_does() {
        assert_eq!(http_date("2026-11-20T13:13:43.9Z".parse().unwrap()), "Fri, 20 Nov 2026 13:13:43 GMT");
    }
}
