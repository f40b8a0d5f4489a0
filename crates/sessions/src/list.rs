//! Sessions and operations found and read.

use holotype_core::{Caller, Instant};

use crate::{OperationId, OperationRecord, Session, SessionError, SessionId, Sessions, table};

/// The most items of one page.
const MOST: u64 = 1000;

/// Which sessions to list. Every part that is given must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SessionFilter {
    /// Made then or later.
    pub created_after: Option<Instant>,
    /// Made then or earlier.
    pub created_before: Option<Instant>,
    /// Changed then or later.
    pub modified_after: Option<Instant>,
    /// Changed then or earlier.
    pub modified_before: Option<Instant>,
    /// The name has this in it, whatever the case.
    pub name: Option<String>,
    /// The name is this.
    pub name_exact: Option<String>,
    /// The owner's name has this in it, whatever the case.
    pub owner: Option<String>,
}

/// Some sessions, the last changed first, with their operations.
#[derive(Debug, Clone, PartialEq)]
pub struct SessionPage {
    /// How many there are in all.
    pub count: u64,
    /// Those of this page.
    pub sessions: Vec<Session>,
}

/// Some operations of a session, in order.
#[derive(Debug, Clone, PartialEq)]
pub struct OperationPage {
    /// How many there are in all.
    pub count: u64,
    /// Those of this page.
    pub operations: Vec<OperationRecord>,
}

impl Sessions {
    /// The caller's sessions; at most 1000 at a time.
    ///
    /// # Errors
    /// The catalog's.
    pub async fn sessions(
        &self,
        caller: &Caller,
        filter: SessionFilter,
        limit: u64,
        offset: u64,
    ) -> Result<SessionPage, SessionError> {
        let user = caller.user;
        self.catalog()
            .read(move |tx| {
                let filter = filter.clone();
                Box::pin(async move {
                    let created = (filter.created_after, filter.created_before);
                    let modified = (filter.modified_after, filter.modified_before);
                    let listed = table::listed(tx, user, created, modified).await?;
                    let wanted: Vec<i64> = listed
                        .into_iter()
                        .filter(|one| filter.matches(&one.name, &one.owner_name))
                        .map(|one| one.id)
                        .collect();
                    let (skip, take) = (usize::try_from(offset).unwrap_or(usize::MAX), limit.min(MOST) as usize);
                    let ids: Vec<i64> = wanted.iter().copied().skip(skip).take(take).collect();
                    let mut sessions = table::sessions(tx, &ids).await?;
                    for operation in table::operations(tx, &ids).await? {
                        if let Some(session) = sessions.iter_mut().find(|session| session.id == operation.session) {
                            session.operations.push(operation);
                        }
                    }
                    Ok(SessionPage { count: wanted.len() as u64, sessions })
                })
            })
            .await
    }

    /// One of the caller's sessions with its operations; that it was looked at is noted.
    ///
    /// # Errors
    /// [`SessionError::NoSession`], also for one of somebody else.
    pub async fn session(&self, caller: &Caller, id: SessionId) -> Result<Session, SessionError> {
        let user = caller.user;
        self.catalog()
            .write(move |tx| {
                Box::pin(async move {
                    table::touch(tx, id).await?;
                    let mut session = table::session(tx, user, id).await?.ok_or(SessionError::NoSession { id })?;
                    session.operations = table::operations(tx, &[id.0]).await?;
                    Ok(session)
                })
            })
            .await
    }

    /// The operations of one of the caller's sessions; at most 1000 at a time.
    ///
    /// # Errors
    /// As [`session`](Self::session).
    pub async fn operations(
        &self,
        caller: &Caller,
        session: SessionId,
        limit: u64,
        offset: u64,
    ) -> Result<OperationPage, SessionError> {
        let user = caller.user;
        self.catalog()
            .read(move |tx| {
                Box::pin(async move {
                    table::session(tx, user, session).await?.ok_or(SessionError::NoSession { id: session })?;
                    let (count, operations) = table::operation_page(tx, session, limit.min(MOST), offset).await?;
                    Ok(OperationPage { count, operations })
                })
            })
            .await
    }

    /// One of the caller's operations.
    ///
    /// # Errors
    /// [`SessionError::NoOperation`], also for one of somebody else.
    pub async fn operation_record(&self, caller: &Caller, id: OperationId) -> Result<OperationRecord, SessionError> {
        let user = caller.user;
        self.catalog()
            .read(move |tx| {
                Box::pin(async move { table::operation(tx, user, id).await?.ok_or(SessionError::NoOperation { id }) })
            })
            .await
    }

    /// The caller's operations of all sessions, the newest first, older than `before`; at most 1000 at a time.
    ///
    /// # Errors
    /// The catalog's.
    pub async fn recent_operations(
        &self,
        caller: &Caller,
        before: Option<OperationId>,
        limit: u64,
    ) -> Result<Vec<OperationRecord>, SessionError> {
        let user = caller.user;
        self.catalog()
            .read(move |tx| {
                Box::pin(async move { table::operations_of_owner(tx, user, before, limit.min(MOST)).await })
            })
            .await
    }
}

impl SessionFilter {
    /// Whether the names fit; the engines differ on the case of letters beyond ASCII.
    fn matches(&self, name: &str, owner: &str) -> bool {
        let within = |part: &Option<String>, text: &str| {
            part.as_ref().is_none_or(|part| text.to_lowercase().contains(&part.to_lowercase()))
        };
        within(&self.name, name)
            && self.name_exact.as_ref().is_none_or(|exact| exact == name)
            && within(&self.owner, owner)
    }
}
