//! What came back.

use std::fmt;

use bytes::Bytes;
use futures::StreamExt;
use futures::stream::BoxStream;
use reqwest::header::{
    CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG, HeaderMap, HeaderName, HeaderValue, LAST_MODIFIED,
};
use tokio::sync::OwnedSemaphorePermit;
use url::Url;

use super::exchange::{Exchange, broken};
use super::host_name;
use crate::source::SourceError;

/// A part of a file to ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ByteRange {
    /// The first byte.
    pub start: u64,
    /// The byte after the last one; to the end of the file if absent.
    pub end: Option<u64>,
}

impl ByteRange {
    pub(super) fn header(self) -> HeaderValue {
        let Self { start, end } = self;
        let text = match end {
            Some(end) => format!("bytes={start}-{}", end.saturating_sub(1)),
            None => format!("bytes={start}-"),
        };
        // Digits and a dash are always a header's value.
        HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static("bytes=0-"))
    }
}

/// The part of a file that an answer holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ContentRange {
    /// The first byte.
    pub start: u64,
    /// The byte after the last one.
    pub end: u64,
    /// The length of the whole file, where the server knows it.
    pub total: Option<u64>,
}

impl ContentRange {
    /// Reads `bytes 10-19/100` or `bytes 10-19/*`.
    fn parse(text: &str) -> Option<Self> {
        let (span, total) = text.strip_prefix("bytes ")?.split_once('/')?;
        let (first, last) = span.split_once('-')?;
        let (start, last): (u64, u64) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
        let total = match total.trim() {
            "*" => None,
            total => Some(total.parse().ok()?),
        };
        let end = last.checked_add(1)?;
        (start < end && total.is_none_or(|total| end <= total)).then_some(Self { start, end, total })
    }
}

/// A file on its way. Its host counts it as a request under way until the body is dropped.
pub struct Response {
    /// The HTTP status: 200, or 206 for a part.
    pub status: u16,
    /// The part that came, if it is one; nothing means the whole file, whatever was asked for.
    pub range: Option<ContentRange>,
    /// How many bytes the body has, where the server says it.
    pub length: Option<u64>,
    /// The entity tag, as sent.
    pub etag: Option<String>,
    /// The date of modification, as sent.
    pub last_modified: Option<String>,
    /// The media type, as sent.
    pub media_type: Option<String>,
    /// The bytes. A body that ends early ends in an error.
    pub body: BoxStream<'static, Result<Bytes, SourceError>>,
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("status", &self.status)
            .field("range", &self.range)
            .field("length", &self.length)
            .field("etag", &self.etag)
            .finish_non_exhaustive()
    }
}

impl Response {
    /// Takes the head apart. A part that is not the one that was asked for is an error.
    pub(super) fn of(exchange: Exchange, asked: Option<ByteRange>) -> Result<Self, SourceError> {
        let Exchange { response, url, turn } = exchange;
        let headers = response.headers();
        let status = response.status().as_u16();
        let range = text(headers, CONTENT_RANGE).as_deref().and_then(ContentRange::parse);
        let fits = match (status, asked, range) {
            (206, Some(asked), Some(range)) => {
                range.start == asked.start && asked.end.is_none_or(|end| range.end <= end)
            }
            (206, ..) => false,
            _ => true,
        };
        let host = host_name(&url);
        if !fits {
            let problem = "it holds another part than the one asked for".to_owned();
            return Err(SourceError::Answer { host, expected: "the part of the file that was asked for", problem });
        }
        Ok(Self {
            status,
            range: range.filter(|_| status == 206),
            length: text(headers, CONTENT_LENGTH).and_then(|length| length.parse().ok()),
            etag: text(headers, ETAG),
            last_modified: text(headers, LAST_MODIFIED),
            media_type: text(headers, CONTENT_TYPE),
            body: response
                .bytes_stream()
                .map(move |chunk| {
                    // The turn at the host ends with the body.
                    let _kept: &OwnedSemaphorePermit = &turn;
                    chunk.map_err(|error| broken(&host, &error))
                })
                .boxed(),
        })
    }
}

/// An answer that was read as a whole.
#[derive(Clone)]
pub struct Answer {
    /// Where it came from, after redirects.
    pub url: Url,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub bytes: Bytes,
}

impl Answer {
    /// The host it came from, for messages.
    pub fn host(&self) -> String {
        host_name(&self.url)
    }

    /// The body as JSON.
    ///
    /// # Errors
    /// If it is something else, for example a page that asks to log in, or is cut.
    pub fn json(&self) -> Result<serde_json::Value, SourceError> {
        let limits = holotype_core::json::Limits { bytes: self.bytes.len(), ..Default::default() };
        holotype_core::json::parse(&self.bytes, &limits).map_err(|error| {
            let page = self.bytes.trim_ascii_start().starts_with(b"<");
            let problem = if page { "it is a web page or XML".to_owned() } else { error.to_string() };
            SourceError::Answer { host: self.host(), expected: "JSON", problem }
        })
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer").field("host", &self.host()).field("bytes", &self.bytes.len()).finish_non_exhaustive()
    }
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<String> {
    headers.get(name)?.to_str().ok().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_asked_for_with_its_last_byte() {
        assert_eq!(ByteRange { start: 10, end: Some(20) }.header(), "bytes=10-19");
        assert_eq!(ByteRange { start: 10, end: None }.header(), "bytes=10-");
    }

    #[test]
    fn a_part_is_read_from_its_header_and_nonsense_is_not() {
        let part = ContentRange { start: 10, end: 20, total: Some(100) };
        assert_eq!(ContentRange::parse("bytes 10-19/100"), Some(part));
        assert_eq!(ContentRange::parse("bytes 10-19/*"), Some(ContentRange { total: None, ..part }));
        for wrong in
            ["bytes */100", "10-19/100", "bytes 19-10/100", "bytes 10-100/100", "bytes 0-18446744073709551615/*"]
        {
            assert_eq!(ContentRange::parse(wrong), None, "{wrong}");
        }
    }
}
