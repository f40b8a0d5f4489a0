//! Who asks.
//!
//! `Authorization: Token SECRET`, `Bearer SECRET`, or `Basic` with a token or a password as its password, so that an
//! unmodified client can carry a token in its URL (`http://name:token@host`). What is presented and wrong is refused,
//! always: a client that believes to be signed in must not act as somebody else.
//!
//! Without credentials, whoever comes over the home's socket or from this process is the local owner, for only the owner
//! can. Over TCP that holds on loopback alone, with nothing in between, and only while no user exists.

use std::net::{IpAddr, Ipv4Addr};

use axum::extract::{FromRequestParts, Request, State};
use axum::http::header::{AUTHORIZATION, RETRY_AFTER};
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap, StatusCode};
use axum::middleware::Next;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use holotype_app::catalog::{Catalog, CatalogError};
use holotype_core::{Caller, Category};
use secrecy::SecretString;

use crate::peer::Remote;
use crate::problem::Failure;
use crate::rate_limit::Verdict;
use crate::state::ServerState;

/// How tokens begin, by which they are told from passwords.
const TOKEN_PREFIX: &str = "holo_";

const WRONG: &str = "This token or password is not known here, or no longer.";
const NEEDED: &str = "Sign in: send a token as `Authorization: Bearer TOKEN`, or user and token as Basic. \
                      `holotype token create NAME` makes one.";

/// The caller of a route that needs one. Present on every request that [`require`] let pass.
#[derive(Debug, Clone)]
pub(crate) struct Authenticated(pub(crate) Caller);

impl<S: Sync> FromRequestParts<S> for Authenticated {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        let found = parts.extensions.get::<Self>().cloned();
        found.ok_or_else(|| Failure::internal("a route that needs a caller is reached without one"))
    }
}

/// Lets only known callers pass, and tells the handlers who it is.
pub(crate) async fn require(
    State(state): State<ServerState>,
    mut request: Request,
    next: Next,
) -> Result<Response, Failure> {
    let caller = identify(&state, request.headers(), request.extensions()).await?;
    let caller = caller.ok_or_else(|| Failure::unauthenticated(NEEDED))?;
    request.extensions_mut().insert(Authenticated(caller));
    Ok(next.run(request).await)
}

/// The caller of a request; `None` for a stranger who presents nothing.
pub(crate) async fn identify(
    state: &ServerState,
    headers: &HeaderMap,
    extensions: &Extensions,
) -> Result<Option<Caller>, Failure> {
    let catalog = state.app().catalog();
    let remote = Remote::from_extensions(extensions);
    if let Some(credentials) = presented(headers)? {
        let found = match credentials {
            Credentials::Token(token) => catalog.authenticate_token(&token).await?,
            Credentials::Password { name, password } => sign_in(state, &remote, &name, &password).await?,
        };
        return found.map(Some).ok_or_else(|| Failure::unauthenticated(WRONG));
    }
    if remote.is_owner() || (remote.is_loopback() && !catalog.users_exist().await?) {
        return Ok(Some(Catalog::local_owner()));
    }
    Ok(None)
}

/// Who signs in with this name and password, if anybody may. From an address that sent too many wrong ones, nobody.
pub(crate) async fn sign_in(
    state: &ServerState,
    remote: &Remote,
    name: &str,
    password: &SecretString,
) -> Result<Option<Caller>, Failure> {
    let guess = Guess::count(state, remote)?;
    let found = state.app().catalog().authenticate_password(name, password).await;
    if !matches!(found, Ok(None)) {
        guess.was_right();
    }
    Ok(found?)
}

/// Whether a secret that a request carries is right. From an address that sent too many wrong ones, none is looked at.
pub(crate) fn is_right(state: &ServerState, remote: &Remote, right: impl FnOnce() -> bool) -> Result<bool, Failure> {
    let guess = Guess::count(state, remote)?;
    let right = right();
    if right {
        guess.was_right();
    }
    Ok(right)
}

/// A password or key that may be wrong. It is counted before it is looked at, so that many at once are counted too.
struct Guess<'s> {
    state: &'s ServerState,
    address: IpAddr,
}

impl<'s> Guess<'s> {
    fn count(state: &'s ServerState, remote: &Remote) -> Result<Self, Failure> {
        // Strangers of whom nothing is known share a limit.
        let address = remote.address().unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
        match state.wrong_passwords().count(address, state.now()) {
            Some(Verdict { refused: Some(_), headers }) if !remote.is_owner() => {
                let detail = "Too many wrong passwords came from this address. Wait five minutes.";
                let failure = Failure::with_status(StatusCode::TOO_MANY_REQUESTS, Category::Busy, detail);
                Err(match headers.get(RETRY_AFTER) {
                    Some(wait) => failure.with_header(RETRY_AFTER, wait.clone()),
                    None => failure,
                })
            }
            _ => Ok(Self { state, address }),
        }
    }

    /// Takes the count back.
    fn was_right(self) {
        self.state.wrong_passwords().forgive(self.address);
    }
}

/// What a request presents.
#[derive(Debug)]
enum Credentials {
    Token(SecretString),
    Password { name: String, password: SecretString },
}

fn presented(headers: &HeaderMap) -> Result<Option<Credentials>, Failure> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let Some(value) = values.next() else { return Ok(None) };
    let unreadable = || Failure::unauthenticated("The Authorization header cannot be read. Send `Bearer TOKEN`.");
    if values.next().is_some() {
        return Err(unreadable());
    }
    let (scheme, rest) = value.to_str().ok().and_then(|text| text.split_once(' ')).ok_or_else(unreadable)?;
    match scheme.to_ascii_lowercase().as_str() {
        "token" | "bearer" => Ok(Some(Credentials::Token(rest.trim().into()))),
        "basic" => {
            let decoded = STANDARD.decode(rest.trim()).ok().and_then(|bytes| String::from_utf8(bytes).ok());
            let decoded = decoded.ok_or_else(unreadable)?;
            let (name, password) = decoded.split_once(':').ok_or_else(unreadable)?;
            // A token says whose it is; the name beside it says nothing.
            Ok(Some(match password.starts_with(TOKEN_PREFIX) {
                true => Credentials::Token(password.into()),
                false => Credentials::Password { name: name.to_owned(), password: password.into() },
            }))
        }
        _ => Err(unreadable()),
    }
}

/// Refuses who does not run the service.
pub(crate) fn require_admin(caller: &Caller, action: &'static str) -> Result<(), Failure> {
    if caller.admin { Ok(()) } else { Err(CatalogError::AdminOnly { action }.into()) }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    fn read(values: &[&str]) -> Result<Option<(Option<String>, String)>, Failure> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(AUTHORIZATION, value.parse().unwrap());
        }
        Ok(presented(&headers)?.map(|credentials| match credentials {
            Credentials::Token(token) => (None, token.expose_secret().to_owned()),
            Credentials::Password { name, password } => (Some(name), password.expose_secret().to_owned()),
        }))
    }

    fn basic(text: &str) -> String {
        format!("Basic {}", STANDARD.encode(text))
    }

    #[test]
    fn credentials_come_in_three_schemes() {
        assert_eq!(read(&[]), Ok(None));
        for value in ["Token holo_x", "Bearer holo_x", "bearer  holo_x ", &basic("anyone:holo_x"), &basic(":holo_x")] {
            assert_eq!(read(&[value]), Ok(Some((None, "holo_x".to_owned()))), "{value}");
        }
        assert_eq!(read(&[&basic("ann:a:b")]), Ok(Some((Some("ann".to_owned()), "a:b".to_owned()))));
    }

    #[test]
    fn what_cannot_be_read_is_refused_rather_than_passed_over() {
        for values in [&["Digest x"][..], &["Bearer"], &["Basic !"], &["Basic eA=="], &["Bearer a", "Bearer b"], &[""]]
        {
            assert!(read(values).is_err(), "{values:?}");
        }
    }

    #[test]
    fn secrets_do_not_show() {
        let headers = HeaderMap::from_iter([(AUTHORIZATION, basic("ann:open sesame").parse().unwrap())]);
        assert!(!format!("{:?}", presented(&headers)).contains("sesame"));
    }
}
