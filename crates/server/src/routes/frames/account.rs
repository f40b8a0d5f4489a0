//! Signing in as the archive's clients do, and what they ask of themselves.

use std::collections::BTreeSet;
use std::time::Duration;

use axum::Json;
use axum::extract::{Request, State};
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use holotype_app::archives::frames::Viewer;
use holotype_app::catalog::{Catalog, CatalogError};
use holotype_core::Caller;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

use super::pages::Parameters;
use super::refusal::{Faults, Refusal};
use super::visitor::Visitor;
use crate::auth;
use crate::extract::{is_json, parse, read_bytes};
use crate::idempotency::SMALL_BODY;
use crate::peer::Remote;
use crate::state::ServerState;

/// What the tokens are called that signing in makes.
const TOKEN_NAME: &str = "api-token-auth";

/// How long such a token works. A program that signs in does so every time it starts.
const LIFE: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// Sign in by name and password for a token that works for 30 days. Who sends a token already is answered that one.
#[utoipa::path(post, path = "/api-token-auth/", tag = "archive",
    request_body(content((Value = "application/json"), (Value = "application/x-www-form-urlencoded"))),
    responses((status = 200, description = "The token", body = Value), (status = 400, description = "Name or password are wrong", body = Value)),
)]
pub(crate) async fn sign_in(
    State(state): State<ServerState>,
    visitor: Visitor,
    request: Request,
) -> Result<Json<Value>, Refusal> {
    let headers = request.headers().clone();
    let remote = Remote::from_extensions(request.extensions());
    let body = read_bytes(request, SMALL_BODY).await?;
    let (name, password) = credentials(&headers, &body)?;
    if let (None, None, Some(token)) = (&name, &password, presented(&visitor, &headers)) {
        return Ok(Json(json!({ "token": token.expose_secret() })));
    }
    let mut faults = Faults::default();
    for (field, given) in [("username", name.is_some()), ("password", password.is_some())] {
        if !given {
            faults.add(field, "This field is required.");
        }
    }
    faults.none()?;
    let catalog = state.app().catalog();
    let (name, password) = (name.unwrap_or_default(), password.unwrap_or_default());
    let caller = auth::sign_in(&state, &remote, &name, &password).await?;
    let caller =
        caller.ok_or_else(|| Refusal::field("non_field_errors", "Unable to log in with provided credentials."))?;
    let expires_at = state.now().after(LIFE);
    let (_, token) = catalog.create_token(&caller, &caller.name, TOKEN_NAME, Some(expires_at)).await?;
    Ok(Json(json!({ "token": token.expose_secret() })))
}

/// Make the tokens that signing in has made for the caller cease to work, and the one that is presented.
#[utoipa::path(post, path = "/revoke_token/", tag = "archive",
    responses((status = 200, description = "They are revoked", body = Value), (status = 401, description = "Nobody is signed in", body = Value)),
)]
pub(crate) async fn revoke(State(state): State<ServerState>, visitor: Visitor) -> Result<Json<Value>, Refusal> {
    let caller = visitor.caller.ok_or_else(Refusal::sign_in)?;
    revoke_all(state.app().catalog(), &caller).await?;
    Ok(Json(json!({"message": "API token revoked."})))
}

async fn revoke_all(catalog: &Catalog, caller: &Caller) -> Result<(), Refusal> {
    let tokens = match catalog.list_tokens(caller, &caller.name).await {
        Ok(tokens) => tokens,
        // The local owner is no user, and has no tokens.
        Err(CatalogError::NotFound { .. }) => Vec::new(),
        Err(error) => return Err(error.into()),
    };
    for token in tokens {
        if token.name == TOKEN_NAME || caller.token == Some(token.id) {
            match catalog.revoke_token(caller, token.id).await {
                // Somebody else was quicker.
                Ok(()) | Err(CatalogError::NotFound { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
    Ok(())
}

/// Tell who asks, and which proposals are theirs: the projects in which they have a role, and the proposals of the frames in
/// them. Nothing, for who is not signed in.
#[utoipa::path(get, path = "/profile/", tag = "archive",
    responses((status = 200, description = "Who asks", body = Value)),
)]
pub(crate) async fn profile(State(state): State<ServerState>, visitor: Visitor) -> Result<Json<Value>, Refusal> {
    let Some(caller) = visitor.caller else {
        return Ok(Json(json!({"username": "", "profile": {}, "is_staff": false})));
    };
    let projects = state.app().catalog().list_projects(&caller).await?;
    let own = projects.into_iter().filter(|project| project.role.is_some()).map(|project| project.name);
    let observed = state.app().archives().own_proposals(Viewer::User(caller.user)).await?;
    let names: BTreeSet<String> = own.chain(observed).collect();
    let proposals: Vec<Value> = names.iter().map(|name| json!({"id": name, "title": name, "current": true})).collect();
    let mut answer = json!({
        "username": caller.name,
        "profile": {"proposals": names},
        "is_staff": caller.admin,
        // For front ends that ask the observatory's portal.
        "proposals": proposals,
    });
    if let Some(told) = state.app().catalog().profile(caller.user).await? {
        answer["profile"]["staff_view"] = told.staff_view.into();
        for (member, value) in [("first_name", told.first_name), ("last_name", told.last_name), ("email", told.email)] {
            answer[member] = value.into();
        }
    }
    Ok(Json(answer))
}

/// Tell whether the archive answers.
#[utoipa::path(get, path = "/health/", tag = "archive",
    responses((status = 200, description = "It does", body = String), (status = 503, description = "The catalog cannot be reached", body = Value)),
)]
pub(crate) async fn health(State(state): State<ServerState>) -> Result<Json<&'static str>, Refusal> {
    state.ping().await?;
    Ok(Json("ok"))
}

/// The name and the password in a body, if it has them.
fn credentials(headers: &HeaderMap, body: &[u8]) -> Result<(Option<String>, Option<SecretString>), Refusal> {
    let (name, password) = if body.is_empty() {
        (None, None)
    } else if is_json(headers) {
        let body = parse(body, SMALL_BODY, &["body"])?;
        let text =
            |name: &str| body.get(name).and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned);
        (text("username"), text("password"))
    } else {
        let form = Parameters::of(std::str::from_utf8(body).ok());
        (form.last("username").map(str::to_owned), form.last("password").map(str::to_owned))
    };
    Ok((name, password.map(SecretString::from)))
}

/// The token that a request carries in its header, if it is one of the caller's.
fn presented(visitor: &Visitor, headers: &HeaderMap) -> Option<SecretString> {
    visitor.caller.as_ref()?.token?;
    let (scheme, token) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    let plain = ["token", "bearer"].iter().any(|known| scheme.eq_ignore_ascii_case(known));
    plain.then(|| token.trim().into())
}
