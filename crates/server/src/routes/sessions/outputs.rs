//! `/api/outputs/{name}`: the files of results, by signed addresses that stay the same for a day.

use std::ops::Range;

use axum::extract::{FromRequestParts as _, Path, Request, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, REFERRER_POLICY};
use axum::http::{HeaderName, HeaderValue, Uri};
use axum::response::Response;
use futures::{StreamExt as _, TryStreamExt as _};
use holotype_app::sessions::{FileName, ResultContent, SessionError};
use holotype_core::Category;
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
    let today = state.now().as_micros().div_euclid(1_000_000 * DAY);
    let expires = (today + 1 + DAYS) * DAY;
    let signature = state.app().signing_key().sign(&signed_text(name, expires));
    links.to(&format!("{PREFIX}{name}?expires={expires}&signature={signature}"))
}

/// Whether a request carries a signature for a file of a result, which whoever answers it will check.
pub(crate) fn is_signed_output(uri: &Uri) -> bool {
    uri.path().starts_with(PREFIX)
        && uri.query().is_some_and(|query| query.split('&').any(|pair| pair.starts_with("signature=")))
}

fn signed_text(name: &FileName, expires: i64) -> String {
    format!("output {name} until {expires}")
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
        Some(name) => is_let_in(&state, parts.uri.query().unwrap_or_default(), name)?,
        None => false,
    };
    let caller = if signed { None } else { Some(Asker::from_request_parts(&mut parts, &state).await?.caller) };
    let name = name.ok_or(SessionError::NoFile)?;
    let content = state.app().sessions().file(caller.as_ref(), &name).await?;
    let mut response = download::answer(&content, &parts.headers).await?;
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
fn is_let_in(state: &ServerState, query: &str, name: &FileName) -> Result<bool, Refusal> {
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
                && state.app().signing_key().accepts(&signed_text(name, expires), &signature)
        })
    });
    let detail = "This link has expired, or is none of ours. Ask for the operation again.";
    if opens { Ok(true) } else { Err(Failure::new(Category::Denied, detail).into()) }
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
