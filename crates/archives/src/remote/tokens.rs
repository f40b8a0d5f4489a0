//! Users' own tokens of the archive.

use holotype_core::{Caller, Instant, UserId};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;

use super::{Remote, table};
use crate::ArchiveError;

/// Most bytes of a token.
const LONGEST: usize = 1_024;

impl Remote {
    /// Keeps a user's token, instead of the one that was kept before. Whether the caller may is for the caller to decide.
    ///
    /// # Errors
    /// No key to encrypt it with; what cannot be sent as a token.
    pub async fn set_token(&self, by: &Caller, user: UserId, token: &SecretString) -> Result<(), ArchiveError> {
        let text = token.expose_secret();
        if text.is_empty() || text.len() > LONGEST || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(ArchiveError::Token);
        }
        let vault = self.0.vault.as_ref().ok_or_else(|| self.no_key())?;
        let sealed = vault.seal(user, self.address(), token)?;
        let (by, archive) = (by.clone(), self.address().to_owned());
        self.0
            .catalog
            .write(move |tx| {
                let (by, archive, sealed) = (by.clone(), archive.clone(), sealed.clone());
                Box::pin(async move {
                    table::put_token(tx, user, &archive, &sealed).await?;
                    tx.audit(&by, "archive-token.set", &user.to_string(), json!({ "archive": archive })).await?;
                    Ok(())
                })
            })
            .await
    }

    /// Forgets a user's token, and what the archive answered to it; whether there was one.
    ///
    /// # Errors
    /// What the catalog refuses.
    pub async fn remove_token(&self, by: &Caller, user: UserId) -> Result<bool, ArchiveError> {
        let (by, archive) = (by.clone(), self.address().to_owned());
        self.0
            .catalog
            .write(move |tx| {
                let (by, archive) = (by.clone(), archive.clone());
                Box::pin(async move {
                    let removed = table::remove_token(tx, user, &archive).await?;
                    if removed {
                        tx.audit(&by, "archive-token.remove", &user.to_string(), json!({ "archive": archive })).await?;
                    }
                    Ok(removed)
                })
            })
            .await
    }

    /// When the token of a user was set, if there is one.
    ///
    /// # Errors
    /// What the catalog refuses.
    pub async fn token_set_at(&self, user: UserId) -> Result<Option<Instant>, ArchiveError> {
        Ok(self.sealed(user).await?.map(|(_, at)| at))
    }

    /// A user's token.
    pub(super) async fn token(&self, user: UserId) -> Result<Option<SecretString>, ArchiveError> {
        let Some((sealed, _)) = self.sealed(user).await? else { return Ok(None) };
        let vault = self.0.vault.as_ref().ok_or_else(|| self.no_key())?;
        let token = vault.open(user, self.address(), &sealed);
        token.map(Some).ok_or_else(|| ArchiveError::SealedToken { variable: self.0.token_key_variable.clone() })
    }

    async fn sealed(&self, user: UserId) -> Result<Option<(Vec<u8>, Instant)>, ArchiveError> {
        let archive = self.address().to_owned();
        self.0
            .catalog
            .read(move |tx| {
                let archive = archive.clone();
                Box::pin(async move { Ok(table::token(tx, user, &archive).await?) })
            })
            .await
    }

    fn no_key(&self) -> ArchiveError {
        ArchiveError::NoTokenKey { variable: self.0.token_key_variable.clone() }
    }
}
