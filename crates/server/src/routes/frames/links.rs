//! Links that the archive hands out: absolute, and to bytes signed, so that who was given one needs nothing else.

use std::time::Duration;

use axum::extract::Request;
use axum::http::header::{HOST, LOCATION};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use holotype_app::archives::frames::{FrameId, Thumbnail, ThumbnailId, VersionId};
use holotype_core::Category;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use url::form_urlencoded;

use super::refusal::Refusal;
use crate::peer::Remote;
use crate::problem::Failure;
use crate::state::ServerState;

/// How long a link to bytes works: as long as those of the archive whose clients ask us.
const LIFE: Duration = Duration::from_secs(48 * 60 * 60);

/// What a segment of a path may have as it is.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~').remove(b'+');

/// What a signed link opens.
#[derive(Debug, Clone, Copy)]
pub(super) enum Target {
    Version(FrameId, VersionId),
    Thumbnail(ThumbnailId),
}

impl Target {
    /// The text that is signed.
    fn text(self, expires: i64) -> String {
        match self {
            Self::Version(frame, version) => format!("frame {frame} version {version} until {expires}"),
            Self::Thumbnail(id) => format!("thumbnail {id} until {expires}"),
        }
    }
}

/// Makes links to this server as the visitor reaches it.
pub(crate) struct Links {
    base: String,
    state: ServerState,
}

impl Links {
    /// The host is the one that the request names, which has been checked.
    pub(crate) fn new(state: &ServerState, parts: &Parts) -> Self {
        Self { base: base(&parts.uri, &parts.headers, &parts.extensions), state: state.clone() }
    }

    /// A path of this server, absolute.
    pub(crate) fn to(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// A path with these parameters, in the order of their names.
    pub(crate) fn page(&self, path: &str, mut parameters: Vec<(String, String)>) -> String {
        parameters.sort_by(|(one, _), (other, _)| one.cmp(other));
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish();
        if query.is_empty() { self.to(path) } else { self.to(&format!("{path}?{query}")) }
    }

    /// Where the bytes of a version are.
    pub(super) fn version(&self, frame: FrameId, version: VersionId, file_name: &str) -> String {
        let name = utf8_percent_encode(file_name, SEGMENT);
        self.signed(&format!("/frames/{frame}/versions/{version}/download/{name}"), Target::Version(frame, version))
    }

    /// Where the bytes of a thumbnail are.
    pub(super) fn thumbnail(&self, thumbnail: &Thumbnail) -> String {
        let file_name = thumbnail.file_name();
        let name = utf8_percent_encode(&file_name, SEGMENT);
        self.signed(&format!("/thumbnails/{}/download/{name}", thumbnail.id), Target::Thumbnail(thumbnail.id))
    }

    fn signed(&self, path: &str, target: Target) -> String {
        let expires = self.state.now().after(LIFE).as_micros() / 1_000_000;
        let signature = self.state.app().signing_key().sign(&target.text(expires));
        self.to(&format!("{path}?expires={expires}&signature={signature}"))
    }
}

/// Whether a query carries a signature that opens a target; an error if it carries one that does not.
pub(super) fn is_let_in(state: &ServerState, query: &str, target: Target) -> Result<bool, Refusal> {
    let value = |wanted: &str| {
        let mut pairs = form_urlencoded::parse(query.as_bytes());
        pairs.find(|(name, _)| name == wanted).map(|(_, value)| value.into_owned())
    };
    let (Some(expires), Some(signature)) = (value("expires"), value("signature")) else {
        return match value("expires").or(value("signature")) {
            None => Ok(false),
            Some(_) => Err(wrong_link()),
        };
    };
    let expires: i64 = expires.parse().map_err(|_| wrong_link())?;
    let fresh = state.now().as_micros() / 1_000_000 < expires;
    match fresh && state.app().signing_key().accepts(&target.text(expires), &signature) {
        true => Ok(true),
        false => Err(wrong_link()),
    }
}

fn wrong_link() -> Refusal {
    let detail = "This link has expired, or is none of ours. Ask /frames/ for a new one.";
    Failure::new(Category::Denied, detail).into()
}

/// Whether a request carries a signature for bytes, which whoever answers it will check.
pub(crate) fn is_signed_download(uri: &Uri) -> bool {
    let path = uri.path();
    let to_bytes =
        ["/frames/", "/thumbnails/"].iter().any(|prefix| path.starts_with(prefix)) && path.contains("/download/");
    to_bytes && uri.query().is_some_and(|query| query.split('&').any(|pair| pair.starts_with("signature=")))
}

fn base(uri: &Uri, headers: &axum::http::HeaderMap, extensions: &axum::http::Extensions) -> String {
    let scheme = if Remote::from_extensions(extensions).secure { "https" } else { "http" };
    let host = uri.authority().map(axum::http::uri::Authority::as_str);
    let host = host.or_else(|| headers.get(HOST).and_then(|host| host.to_str().ok())).unwrap_or("localhost");
    format!("{scheme}://{host}")
}

/// Redirects to the same path with a slash at its end.
pub(super) async fn with_slash(request: Request) -> Result<Response, Failure> {
    let base = base(request.uri(), request.headers(), request.extensions());
    let query = request.uri().query().map(|query| format!("?{query}")).unwrap_or_default();
    let location = format!("{base}{}/{query}", request.uri().path());
    let location = HeaderValue::try_from(location).map_err(Failure::internal)?;
    Ok((StatusCode::MOVED_PERMANENTLY, [(LOCATION, location)]).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_paths_to_bytes_can_be_signed() {
        let signed = |uri: &'static str| is_signed_download(&Uri::from_static(uri));
        assert!(signed("/frames/1/versions/2/download/a.fits?expires=1&signature=ab"));
        assert!(signed("/thumbnails/1/download/a.jpg?signature="));
        for uri in
            ["/frames/?signature=a", "/api/v1/users?x=/download/&signature=a", "/frames/1/versions/2/download/a.fits"]
        {
            assert!(!signed(uri), "{uri}");
        }
    }
}
