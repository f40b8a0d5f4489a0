//! `/api/outputs/{name}`: the files of results, by signed addresses that stay the same for a day.

use std::ops::Range;

use axum::extract::{FromRequestParts as _, Path, Request, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, REFERRER_POLICY};
use axum::http::{HeaderName, HeaderValue, Uri};
use axum::response::Response;
use bytes::Bytes;
use futures::{StreamExt as _, TryStreamExt as _};
use holotype_app::sessions::{AnalysisError, FileName, ResultContent, SessionError};
use holotype_core::{Category, Digest, Instant};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use url::form_urlencoded;

use super::asker::Asker;
use super::refusal::Refusal;
use crate::download::{self, About, Answerable, Pieces};
use crate::problem::Failure;
use crate::routes::frames::Links;
use crate::state::ServerState;

/// What the addresses begin with.
const PREFIX: &str = "/api/outputs/";

/// A day, in seconds.
const DAY: i64 = 86_400;

/// How many days an address works at least: that of the day on which it is asked for is not counted.
const DAYS: i64 = 2;

/// The signed address of a file. Whoever looks twice on one day is told the same: the front end takes another address for another file.
pub(crate) fn output_link(state: &ServerState, links: &Links, name: &FileName) -> String {
    signed(state, links, name.as_str(), name.as_str())
}

/// The signed address of a frame as a TIFF, which is drawn when it is fetched.
pub(super) fn tif_link(state: &ServerState, links: &Links, digest: Digest, basename: &str) -> String {
    let name = utf8_percent_encode(basename, NON_ALPHANUMERIC);
    signed(state, links, &format!("tif/{digest}"), &format!("tif/{digest}/{name}.tif"))
}

fn signed(state: &ServerState, links: &Links, what: &str, path: &str) -> String {
    let today = state.now().as_micros().div_euclid(1_000_000 * DAY);
    let expires = (today + 1 + DAYS) * DAY;
    let signature = state.app().signing_key().sign(&signed_text(what, expires));
    links.to(&format!("{PREFIX}{path}?expires={expires}&signature={signature}"))
}

/// Whether a request carries a signature for a file of a result, which whoever answers it will check.
pub(crate) fn is_signed_output(uri: &Uri) -> bool {
    uri.path().starts_with(PREFIX)
        && uri.query().is_some_and(|query| query.split('&').any(|pair| pair.starts_with("signature=")))
}

fn signed_text(what: &str, expires: i64) -> String {
    format!("output {what} until {expires}")
}

/// Read a file of a result. `Range`, `If-Range` and `If-None-Match` are honoured.
///
/// Operations tell the address, with a signature that opens it to anybody who has it, for at least 48 hours.
#[utoipa::path(get, path = "/api/outputs/{name}", tag = "datalab",
    params(
        ("name" = String, Path, description = "What the file is called"),
        ("expires" = Option<i64>, Query, description = "Until when the signature holds, in seconds since 1970"),
        ("signature" = Option<String>, Query, description = "The signature"),
    ),
    responses(
        (status = 200, description = "The whole file", body = Vec<u8>, content_type = "application/octet-stream"),
        (status = 206, description = "A part of the file", body = Vec<u8>, content_type = "application/octet-stream"),
        (status = 304, description = "The client holds it"),
        (status = 403, description = "The signature is wrong, or has expired", body = serde_json::Value),
        (status = 404, description = "There is none, or no operation of the caller's has it", body = serde_json::Value),
    ),
)]
pub(crate) async fn output(
    State(state): State<ServerState>,
    Path(name): Path<String>,
    request: Request,
) -> Result<Response, Refusal> {
    let (mut parts, _body) = request.into_parts();
    let name = FileName::parse(&name);
    let signed = match &name {
        Some(name) => is_let_in(&state, parts.uri.query().unwrap_or_default(), name.as_str())?,
        None => false,
    };
    let caller = if signed { None } else { Some(Asker::from_request_parts(&mut parts, &state).await?.caller) };
    let name = name.ok_or(SessionError::NoFile)?;
    let content = state.app().sessions().file(caller.as_ref(), &name).await?;
    embeddable(download::answer(&content, &parts.headers).await?, name.as_str())
}

/// Read a frame as a TIFF of its full size. Only who was told the address is let in.
#[utoipa::path(get, path = "/api/outputs/tif/{digest}/{name}", tag = "datalab",
    params(
        ("digest" = String, Path, description = "The frame's bytes"),
        ("name" = String, Path, description = "What the file is called; it decides nothing"),
        ("expires" = Option<i64>, Query, description = "Until when the signature holds, in seconds since 1970"),
        ("signature" = Option<String>, Query, description = "The signature"),
    ),
    responses(
        (status = 200, description = "The whole file", body = Vec<u8>, content_type = "image/tiff"),
        (status = 403, description = "The signature is wrong, or has expired", body = serde_json::Value),
    ),
)]
pub(crate) async fn tif(
    State(state): State<ServerState>,
    Path((digest, name)): Path<(String, String)>,
    request: Request,
) -> Result<Response, Refusal> {
    let (mut parts, _body) = request.into_parts();
    let digest: Option<Digest> = digest.parse().ok();
    let what = digest.map(|digest| format!("tif/{digest}")).unwrap_or_default();
    if !is_let_in(&state, parts.uri.query().unwrap_or_default(), &what)? {
        // Nobody owns such a picture: without a signature there is none.
        Asker::from_request_parts(&mut parts, &state).await?;
        return Err(SessionError::NoFile.into());
    }
    let digest = digest.ok_or(SessionError::NoFile)?;
    let drawn = state.app().sessions().tif(digest).await.map_err(|error| match error {
        AnalysisError::Session(error) => Failure::from(error),
        error => Failure::new(Category::Invalid, error.to_string()),
    })?;
    let picture = Drawn { bytes: drawn.into(), digest, at: state.now() };
    let name: String = name.chars().filter(|one| one.is_ascii_graphic() && !"\"\\".contains(*one)).collect();
    embeddable(download::answer(&picture, &parts.headers).await?, &name)
}

/// The answer, to be kept for a day and embedded by pages of others.
fn embeddable(mut response: Response, name: &str) -> Result<Response, Refusal> {
    let headers = response.headers_mut();
    if let Ok(value) = HeaderValue::try_from(format!("inline; filename=\"{name}\"")) {
        headers.insert(CONTENT_DISPOSITION, value);
    }
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, max-age=86400"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    // The front end's page is isolated: it may only embed what says that it may be.
    headers.insert(HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("cross-origin"));
    Ok(response)
}

/// Whether a query carries a signature that opens a file; an error if it carries one that does not.
fn is_let_in(state: &ServerState, query: &str, what: &str) -> Result<bool, Refusal> {
    let value = |wanted: &str| {
        let mut pairs = form_urlencoded::parse(query.as_bytes());
        pairs.find(|(name, _)| name == wanted).map(|(_, value)| value.into_owned())
    };
    let (expires, signature) = (value("expires"), value("signature"));
    if expires.is_none() && signature.is_none() {
        return Ok(false);
    }
    let opens = expires.zip(signature).is_some_and(|(expires, signature)| {
        expires.parse().is_ok_and(|expires: i64| {
            state.now().as_micros() / 1_000_000 < expires
                && state.app().signing_key().accepts(&signed_text(what, expires), &signature)
        })
    });
    let detail = "This link has expired, or is none of ours. Ask for the operation again.";
    if opens { Ok(true) } else { Err(Failure::new(Category::Denied, detail).into()) }
}

/// A picture that was drawn for this answer.
struct Drawn {
    bytes: Bytes,
    digest: Digest,
    at: Instant,
}

impl Answerable for Drawn {
    fn about(&self) -> About {
        let (etag, media_type) = (format!("\"tif-{}\"", self.digest), "image/tiff".to_owned());
        About { size: self.bytes.len() as u64, etag, media_type, modified_at: self.at }
    }

    async fn open(&self, range: Option<Range<u64>>) -> Result<(Range<u64>, Pieces), Failure> {
        let size = self.bytes.len() as u64;
        let range = range.map_or(0..size, |range| range.start.min(size)..range.end.min(size));
        let part = self.bytes.slice(range.start as usize..range.end as usize);
        Ok((range, futures::stream::once(async { Ok(part) }).boxed()))
    }
}

impl Answerable for ResultContent {
    fn about(&self) -> About {
        About {
            size: self.file.size,
            etag: format!("\"{}\"", self.file.digest),
            media_type: self.file.name.media_type().to_owned(),
            modified_at: self.file.created,
        }
    }

    async fn open(&self, range: Option<Range<u64>>) -> Result<(Range<u64>, Pieces), Failure> {
        let opened = ResultContent::open(self, range).await?;
        Ok((opened.range, opened.stream.map_err(Into::into).boxed()))
    }
}
