//! The record of who changed what about the service: users, tokens, projects, deletions, restores.

use holotype_core::{Caller, Instant, TokenId, UserId};
use serde_json::Value;

use crate::row::Row;
use crate::{Catalog, CatalogError, Tx, values};

/// One thing that somebody did.
#[derive(Debug, Clone, PartialEq)]
pub struct AuditEvent {
    /// Its place in the record; later events have higher numbers.
    pub sequence: i64,
    /// When.
    pub at: Instant,
    /// Who.
    pub user: UserId,
    /// The user's name at the time.
    pub user_name: String,
    /// With which token, if with one.
    pub token: Option<TokenId>,
    /// What was done, as `noun.verb`.
    pub action: String,
    /// To what: a name or an id.
    pub target: String,
    /// What else there is to know. Never a secret.
    pub detail: Value,
}

impl Tx {
    /// Writes down, in this transaction, that `caller` did something.
    ///
    /// # Errors
    /// What the database refuses.
    pub async fn audit(
        &mut self,
        caller: &Caller,
        action: &str,
        target: &str,
        detail: Value,
    ) -> Result<(), CatalogError> {
        let insert = "INSERT INTO audit_events (at, user_id, user_name, token_id, action, target, detail)
            VALUES ($1, $2, $3, $4, $5, $6, $7)";
        let detail = detail.to_string();
        let name = caller.name.as_str();
        let event = values![self.now(), caller.user, name, caller.token, action, target, detail];
        self.exec_sql(insert, event).await.map(drop)
    }
}

impl Catalog {
    /// At most `limit` events, newest first, older than the event with the sequence number `before`. Administrators
    /// only.
    ///
    /// # Errors
    /// [`CatalogError::AdminOnly`].
    pub async fn audit_events(
        &self,
        caller: &Caller,
        before: Option<i64>,
        limit: usize,
    ) -> Result<Vec<AuditEvent>, CatalogError> {
        if !caller.admin {
            return Err(CatalogError::AdminOnly { action: "read the audit record" });
        }
        let select = "SELECT sequence, at, user_id, user_name, token_id, action, target, detail FROM audit_events
            WHERE sequence < $1 ORDER BY sequence DESC LIMIT $2";
        let (before, limit) = (before.unwrap_or(i64::MAX), i64::try_from(limit).unwrap_or(i64::MAX));
        self.read(move |tx| {
            Box::pin(async move { tx.rows_sql(select, values![before, limit]).await?.iter().map(event).collect() })
        })
        .await
    }
}

fn event(row: &Row) -> Result<AuditEvent, CatalogError> {
    let detail: String = row.get("detail")?;
    Ok(AuditEvent {
        sequence: row.get("sequence")?,
        at: row.get("at")?,
        user: row.get("user_id")?,
        user_name: row.get("user_name")?,
        token: row.get("token_id")?,
        action: row.get("action")?,
        target: row.get("target")?,
        detail: serde_json::from_str(&detail)
            .map_err(|error| CatalogError::Column { column: "detail".to_owned(), problem: error.to_string() })?,
    })
}
