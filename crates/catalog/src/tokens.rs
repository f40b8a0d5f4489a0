//! Tokens: secrets that stand for a user.
//!
//! A token is `holo_` and 256 random bits; the catalog keeps its SHA-256. Looking one up costs a query, so what was
//! found is remembered for some seconds, and forgotten at once when a token is revoked or a user disabled in this
//! process.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use holotype_core::{Caller, Digest, Instant, TokenId, UserId};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;

use crate::row::Row;
use crate::{Catalog, CatalogError, Tx, names, random, users, values};

const PREFIX: &str = "holo_";

/// `holo_` and 32 bytes in base64url.
const LENGTH: usize = 5 + 43;

/// Lengths of a token that somebody else made, in bytes: none that could be guessed, and none that is no token.
const ADOPTED: std::ops::RangeInclusive<usize> = 20..=255;

/// How long a token that another process revokes may still work here.
const REMEMBERED: Duration = Duration::from_secs(5);

/// How exactly it is written down when a token was last used.
const USE_NOTED: Duration = Duration::from_mins(1);

/// How many tokens are remembered.
const MOST_REMEMBERED: usize = 1_000;

/// A token, without its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// Its id, by which it is revoked.
    pub id: TokenId,
    /// Whom it stands for.
    pub user: UserId,
    /// What it is for.
    pub name: String,
    /// When it was created.
    pub created_at: Instant,
    /// When it ceases to work.
    pub expires_at: Option<Instant>,
    /// When it was last used, to the minute.
    pub last_used_at: Option<Instant>,
}

/// Tokens that were found to be good.
#[derive(Debug, Default)]
pub(crate) struct TokenCache(Mutex<Remembered>);

#[derive(Debug, Default)]
struct Remembered {
    /// Counts what was forgotten, so that a look-up that began before cannot bring it back.
    generation: u64,
    found: HashMap<Digest, Found>,
}

#[derive(Debug, Clone)]
struct Found {
    caller: Caller,
    expires_at: Option<Instant>,
    last_used_at: Option<Instant>,
    found_at: Instant,
}

impl Found {
    fn is_good(&self, now: Instant) -> bool {
        self.expires_at.is_none_or(|expires_at| now < expires_at)
    }

    /// A clock that was set back must not make it last.
    fn is_fresh(&self, now: Instant) -> bool {
        self.found_at <= now && now < self.found_at.after(REMEMBERED)
    }
}

impl TokenCache {
    /// Forgets everything: what it stood for has changed.
    pub(crate) fn forget_all(&self) {
        let mut remembered = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        remembered.generation += 1;
        remembered.found.clear();
    }

    /// What is known of a secret, and the generation to remember something new under.
    fn recall(&self, secret: &Digest, now: Instant) -> (u64, Option<Found>) {
        let remembered = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = remembered.found.get(secret).filter(|found| found.is_fresh(now));
        (remembered.generation, found.cloned())
    }

    fn remember(&self, generation: u64, secret: Digest, found: Found) {
        let mut remembered = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if remembered.generation == generation {
            if remembered.found.len() >= MOST_REMEMBERED {
                remembered.found.clear();
            }
            remembered.found.insert(secret, found);
        }
    }
}

impl Catalog {
    /// Creates a token for the caller, or, by an administrator, for another user. Its secret is given this once.
    ///
    /// # Errors
    /// [`CatalogError::NotFound`] for the user, also for a caller who may not; [`CatalogError::Invalid`] for the name.
    pub async fn create_token(
        &self,
        caller: &Caller,
        user: &str,
        name: &str,
        expires_at: Option<Instant>,
    ) -> Result<(TokenId, SecretString), CatalogError> {
        names::check("token", name)?;
        let user = self.find_user(caller, user).await?;
        let secret = format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(random::bytes::<32>()?));
        let digest = Digest::of(secret.as_bytes());
        let (caller, name) = (caller.clone(), name.to_owned());
        let id = self.write(move |tx| {
            let (caller, user, name) = (caller.clone(), user.clone(), name.clone());
            Box::pin(async move {
                let id = TokenId::from_parts(tx.now(), random::bits()?);
                let insert = "INSERT INTO tokens (id, user_id, name, secret, created_at, expires_at)
                    VALUES ($1, $2, $3, $4, $5, $6)";
                tx.exec_sql(insert, values![id, user.id, name, digest, tx.now(), expires_at]).await?;
                let detail = json!({ "user": user.name, "name": name, "expires_at": expires_at });
                tx.audit(&caller, "token.create", &id.to_string(), detail).await?;
                Ok::<_, CatalogError>(id)
            })
        });
        Ok((id.await?, SecretString::from(secret)))
    }

    /// Takes a token that somebody else made for a user, instead of the one of this name that was taken before. Its secret is not
    /// kept. Administrators only.
    ///
    /// # Errors
    /// [`CatalogError::AdminOnly`]; [`CatalogError::NotFound`] for the user; [`CatalogError::Invalid`] for a secret that could be
    /// guessed or passes for one of ours; [`CatalogError::Conflict`] for one that stands for something else already.
    pub async fn adopt_token(
        &self,
        caller: &Caller,
        user: &str,
        name: &str,
        secret: &SecretString,
    ) -> Result<(), CatalogError> {
        users::expect_admin(caller, "take tokens that others made")?;
        names::check("token", name)?;
        let secret = secret.expose_secret();
        if !ADOPTED.contains(&secret.len())
            || secret.starts_with(PREFIX)
            || !secret.bytes().all(|byte| byte.is_ascii_graphic())
        {
            return Err(CatalogError::invalid(
                "a token of others has 20 to 255 visible ASCII characters and is none of ours",
            ));
        }
        let (secret, user) = (Digest::of(secret.as_bytes()), self.find_user(caller, user).await?);
        let (caller, name, catalog) = (caller.clone(), name.to_owned(), self.clone());
        self.write(move |tx| {
            let (caller, name, user, catalog) = (caller.clone(), name.clone(), user.clone(), catalog.clone());
            Box::pin(async move {
                let known = "SELECT user_id, name, revoked_at FROM tokens WHERE secret = $1";
                if let Some(row) = tx.row_sql(known, values![secret]).await? {
                    let same = row.get::<UserId>("user_id")? == user.id && row.get::<String>("name")? == name;
                    let revoked = row.get::<Option<Instant>>("revoked_at")?.is_some();
                    return match same && !revoked {
                        true => Ok(()),
                        false => Err(CatalogError::conflict("this token stands for something else here, or did")),
                    };
                }
                let revoke =
                    "UPDATE tokens SET revoked_at = $3 WHERE user_id = $1 AND name = $2 AND revoked_at IS NULL";
                tx.exec_sql(revoke, values![user.id, name, tx.now()]).await?;
                tx.after_commit(Box::new(move || catalog.token_cache().forget_all()));
                let id = TokenId::from_parts(tx.now(), random::bits()?);
                let insert = "INSERT INTO tokens (id, user_id, name, secret, created_at) VALUES ($1, $2, $3, $4, $5)";
                tx.exec_sql(insert, values![id, user.id, name, secret, tx.now()]).await?;
                tx.audit(&caller, "token.adopt", &id.to_string(), json!({ "user": user.name, "name": name })).await
            })
        })
        .await
    }

    /// The tokens of a user that are not revoked, oldest first: one's own, or for an administrator anybody's.
    ///
    /// # Errors
    /// [`CatalogError::NotFound`] for the user, also for a caller who may not.
    pub async fn list_tokens(&self, caller: &Caller, user: &str) -> Result<Vec<Token>, CatalogError> {
        let user = self.find_user(caller, user).await?.id;
        self.read(move |tx| {
            Box::pin(async move {
                let select = "SELECT id, user_id, name, created_at, expires_at, last_used_at FROM tokens
                    WHERE user_id = $1 AND revoked_at IS NULL ORDER BY id";
                tx.rows_sql(select, values![user]).await?.iter().map(token).collect()
            })
        })
        .await
    }

    /// Makes a token stop working: one's own, or for an administrator anybody's.
    ///
    /// # Errors
    /// [`CatalogError::NotFound`] for a token that does not exist, is revoked, or is none of the caller's business.
    pub async fn revoke_token(&self, caller: &Caller, id: TokenId) -> Result<(), CatalogError> {
        let (caller, catalog) = (caller.clone(), self.clone());
        self.write(move |tx| {
            let (caller, catalog) = (caller.clone(), catalog.clone());
            Box::pin(async move {
                let revoke =
                    "UPDATE tokens SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL AND (user_id = $3 OR $4)";
                if tx.exec_sql(revoke, values![id, tx.now(), caller.user, caller.admin]).await? == 0 {
                    return Err(CatalogError::not_found("token", id));
                }
                tx.after_commit(Box::new(move || catalog.token_cache().forget_all()));
                tx.audit(&caller, "token.revoke", &id.to_string(), json!({})).await
            })
        })
        .await
    }

    /// Whom a token stands for, if it exists, is not revoked or expired, and its user may sign in.
    ///
    /// # Errors
    /// What the database refuses.
    pub async fn authenticate_token(&self, token: &SecretString) -> Result<Option<Caller>, CatalogError> {
        let token = token.expose_secret();
        let possible = if token.starts_with(PREFIX) { token.len() == LENGTH } else { ADOPTED.contains(&token.len()) };
        if !possible {
            return Ok(None);
        }
        let (secret, now) = (Digest::of(token.as_bytes()), self.clock().now());
        let (generation, recalled) = self.token_cache().recall(&secret, now);
        let found = match recalled {
            Some(found) => found,
            None => {
                let looked_up = self.read(move |tx| Box::pin(async move { tx.find_token(secret).await })).await?;
                let Some(mut found) = looked_up else { return Ok(None) };
                if found.is_good(now) && self.note_use(&found, now).await {
                    found.last_used_at = Some(now);
                }
                self.token_cache().remember(generation, secret, found.clone());
                found
            }
        };
        Ok(found.is_good(now).then_some(found.caller))
    }

    /// Writes down that a token was used, at most once a minute; whether it did. That it cannot is no reason to refuse
    /// the token.
    async fn note_use(&self, found: &Found, now: Instant) -> bool {
        let Some(id) = found.caller.token else { return false };
        if found.last_used_at.is_some_and(|last| now < last.after(USE_NOTED)) {
            return false;
        }
        let noted = self.write(move |tx| {
            Box::pin(async move {
                let update = "UPDATE tokens SET last_used_at = $2 WHERE id = $1";
                tx.exec_sql(update, values![id, now]).await
            })
        });
        noted.await.inspect_err(|error: &CatalogError| tracing::warn!(%error, "a token's use was not noted")).is_ok()
    }
}

impl Tx {
    async fn find_token(&mut self, secret: Digest) -> Result<Option<Found>, CatalogError> {
        let select = "SELECT u.id, u.name, u.admin, u.default_project, t.id AS token, t.expires_at, t.last_used_at
            FROM tokens t JOIN users u ON u.id = t.user_id
            WHERE t.secret = $1 AND t.revoked_at IS NULL AND u.disabled_at IS NULL";
        let Some(row) = self.row_sql(select, values![secret]).await? else { return Ok(None) };
        let caller = Caller { token: Some(row.get("token")?), ..users::caller(&row)? };
        let (expires_at, last_used_at) = (row.get("expires_at")?, row.get("last_used_at")?);
        Ok(Some(Found { caller, expires_at, last_used_at, found_at: self.now() }))
    }
}

fn token(row: &Row) -> Result<Token, CatalogError> {
    Ok(Token {
        id: row.get("id")?,
        user: row.get("user_id")?,
        name: row.get("name")?,
        created_at: row.get("created_at")?,
        expires_at: row.get("expires_at")?,
        last_used_at: row.get("last_used_at")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(now: Instant) -> Found {
        Found { caller: Catalog::local_owner(), expires_at: None, last_used_at: None, found_at: now }
    }

    #[test]
    fn a_look_up_that_began_before_a_revocation_is_not_remembered() {
        let (cache, secret, now) = (TokenCache::default(), Digest::of(b"secret"), Instant::from_micros(0));
        let (before, _) = cache.recall(&secret, now);
        cache.forget_all();
        cache.remember(before, secret, found(now));
        let (after, recalled) = cache.recall(&secret, now);
        assert!(recalled.is_none());
        cache.remember(after, secret, found(now));
        assert!(cache.recall(&secret, now).1.is_some());
    }

    #[test]
    fn what_is_remembered_is_bounded_in_time_and_number() {
        let (cache, secret, now) = (TokenCache::default(), Digest::of(b"secret"), Instant::from_micros(0));
        cache.remember(0, secret, found(now));
        assert!(cache.recall(&secret, now.after(REMEMBERED)).1.is_none());
        assert!(cache.recall(&secret, now.before(REMEMBERED)).1.is_none(), "a clock that was set back");
        for number in 0..3 * MOST_REMEMBERED {
            cache.remember(0, Digest::of(&number.to_le_bytes()), found(now));
        }
        assert!(cache.0.lock().unwrap().found.len() <= MOST_REMEMBERED);
    }
}
