//! A name for every request, under which the log knows it.
//!
//! The contract's clients send `X-Request-ID` and expect nothing back; under `/api/` it is echoed.

use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue};
use axum::response::Response;
use ulid::Ulid;

use crate::entrance::Asked;

/// The header that carries the name.
pub(crate) const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Longest name that is taken over from a client.
const LONGEST: usize = 128;

/// The name of a request: the client's own if it is short and plain, else a new ULID.
#[derive(Debug, Clone)]
pub(crate) struct RequestId(HeaderValue);

impl RequestId {
    pub(crate) fn of(request: &Request) -> Self {
        let given = request.headers().get(&X_REQUEST_ID).filter(|value| is_plain(value.as_bytes()));
        Self(given.cloned().unwrap_or_else(|| {
            // A ULID is plain text, so the conversion cannot fail; an empty name would still serve.
            HeaderValue::from_str(&Ulid::generate().to_string()).unwrap_or_else(|_| HeaderValue::from_static(""))
        }))
    }

    pub(crate) fn as_str(&self) -> &str {
        self.0.to_str().unwrap_or_default()
    }
}

fn is_plain(name: &[u8]) -> bool {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.:/+=".contains(byte);
    (1..=LONGEST).contains(&name.len()) && name.iter().all(plain)
}

/// Tells the name of a request under `/api/` with its answer.
pub(crate) fn echo(asked: &Asked, mut answer: Response) -> Response {
    if asked.path().starts_with("/api/") {
        answer.headers_mut().insert(X_REQUEST_ID, asked.id.0.clone());
    }
    answer
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    fn id(given: &str) -> String {
        let request = Request::builder().header(X_REQUEST_ID, given).body(Body::empty()).unwrap();
        RequestId::of(&request).as_str().to_owned()
    }

    #[test]
    fn a_plain_name_is_kept_and_any_other_replaced() {
        assert_eq!(id("lab-7/run_3"), "lab-7/run_3");
        for bad in ["", "a b", "{\"x\":1}", &"x".repeat(129)] {
            assert_eq!(id(bad).len(), 26, "{bad}");
        }
        assert_ne!(id(""), id(""));
    }
}
