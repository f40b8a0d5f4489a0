//! Tokens: secrets that stand for a user.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use holotype_api::Page;
use holotype_api::principal::{CreatedToken, NewToken, Token};
use holotype_core::{Category, InvalidId, TokenId};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::paging;
use crate::auth::Authenticated;
use crate::extract::{JsonBody, Params, Segments};
use crate::problem::{Failure, Fault};
use crate::project::PageOf;
use crate::state::ServerState;

/// Longest life of a token that has an end.
const MOST_DAYS: u32 = 36_600;

pub(crate) fn routes() -> OpenApiRouter<ServerState> {
    OpenApiRouter::new().routes(routes!(list, create)).routes(routes!(revoke))
}

/// Whose tokens to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Whose {
    /// The user, by name: the caller if not given. Others' are for administrators.
    user: Option<String>,
    /// Most items in the page: 1 to 1000, 100 if not given.
    limit: Option<u32>,
    /// The `next` of the page before.
    after: Option<String>,
    /// Taken and not needed.
    project: Option<String>,
}

/// List the tokens of a user that were not revoked, oldest first.
#[utoipa::path(get, path = "/tokens", tag = "tokens", params(Whose), responses(
    (status = 200, description = "A page of tokens, without their secrets", body = Page<Token>),
))]
async fn list(
    State(state): State<ServerState>,
    Authenticated(caller): Authenticated,
    Params(whose): Params<Whose>,
) -> Result<Json<Page<Token>>, Failure> {
    let user = whose.user.as_deref().unwrap_or(&caller.name);
    let tokens = state.app().catalog().list_tokens(&caller, user).await?.into_iter().map(|token| Token {
        id: token.id,
        user: token.user,
        name: token.name,
        created_at: token.created_at,
        expires_at: token.expires_at,
        last_used_at: token.last_used_at,
    });
    let page = PageOf { limit: whose.limit, after: whose.after, project: whose.project };
    Ok(Json(paging::cut(tokens.collect(), &page, |token| token.id.to_string())?))
}

/// Create a token. Its secret is in the answer and cannot be had again.
#[utoipa::path(post, path = "/tokens", tag = "tokens", request_body = NewToken, responses(
    (status = 201, description = "The token with its secret", body = CreatedToken),
))]
async fn create(
    State(state): State<ServerState>,
    Authenticated(caller): Authenticated,
    JsonBody(new): JsonBody<NewToken>,
) -> Result<(StatusCode, Json<CreatedToken>), Failure> {
    let expires_at = match new.expires_in_days {
        None => None,
        Some(days @ 1..=MOST_DAYS) => Some(state.now().after(Duration::from_secs(u64::from(days) * 86_400))),
        Some(days) => {
            let message = format!("a number from 1 to {MOST_DAYS} is needed");
            return Err(Failure::invalid(vec![Fault::new(
                "value_error",
                &["body", "expires_in_days"],
                message,
                days.into(),
            )]));
        }
    };
    let user = new.user.as_deref().unwrap_or(&caller.name);
    let (id, secret) = state.app().catalog().create_token(&caller, user, &new.name, expires_at).await?;
    Ok((StatusCode::CREATED, Json(CreatedToken { id, token: secret.into() })))
}

/// Make a token cease to work: one's own, or anybody's for an administrator.
#[utoipa::path(delete, path = "/tokens/{id}", tag = "tokens", params(("id" = String, Path, description = "The token's id")), responses(
    (status = 204, description = "The token is revoked"),
))]
async fn revoke(
    State(state): State<ServerState>,
    Authenticated(caller): Authenticated,
    Segments(id): Segments<String>,
) -> Result<StatusCode, Failure> {
    let id: TokenId = id.parse().map_err(|error: InvalidId| Failure::new(Category::NotFound, error.to_string()))?;
    state.app().catalog().revoke_token(&caller, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
