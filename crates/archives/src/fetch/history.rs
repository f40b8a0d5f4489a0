//! What was fetched when, and what became of each frame.

use holotype_core::{ActivityId, Caller, ProjectId, Role};

use super::model::{Fetch, FetchFrame, FrameState, Tally};
use super::table;
use crate::{ArchiveError, Archives};

/// The most items of a page.
pub const MOST_ITEMS: u32 = 1000;

impl Archives {
    /// The fetches of a project, the latest first; those before `before` only.
    ///
    /// # Errors
    /// A project that the caller has no role in.
    pub async fn fetches(
        &self,
        caller: &Caller,
        project: ProjectId,
        before: Option<ActivityId>,
        limit: u32,
    ) -> Result<Vec<Fetch>, ArchiveError> {
        self.catalog().require(caller, project, Role::Viewer).await?;
        let limit = i64::from(limit.clamp(1, MOST_ITEMS));
        self.catalog().read(move |tx| Box::pin(table::fetches(tx, project, before, limit))).await
    }

    /// A fetch, and how many of its frames stand where.
    ///
    /// # Errors
    /// [`ArchiveError::NoFetch`] for a stranger to its project too.
    pub async fn fetch_record(&self, caller: &Caller, id: ActivityId) -> Result<(Fetch, Tally), ArchiveError> {
        let fetch = self.fetch_for(caller, id, Role::Viewer).await?;
        let tally = self.catalog().read(move |tx| Box::pin(table::tally(tx, id))).await?;
        Ok((fetch, tally))
    }

    /// The frames of a fetch in the archives' order, after a position; those in one state only if that is given.
    ///
    /// # Errors
    /// [`ArchiveError::NoFetch`] for a stranger to its project too.
    pub async fn fetch_frames(
        &self,
        caller: &Caller,
        id: ActivityId,
        state: Option<FrameState>,
        after: Option<i64>,
        limit: u32,
    ) -> Result<Vec<FetchFrame>, ArchiveError> {
        self.fetch_for(caller, id, Role::Viewer).await?;
        let (after, limit) = (after.unwrap_or(-1), i64::from(limit.clamp(1, MOST_ITEMS)));
        self.catalog().read(move |tx| Box::pin(table::frames(tx, id, state, after, limit))).await
    }

    /// A fetch, to a caller who has a role in its project.
    pub(super) async fn fetch_for(&self, caller: &Caller, id: ActivityId, role: Role) -> Result<Fetch, ArchiveError> {
        let fetch = self.catalog().read(move |tx| Box::pin(table::fetch(tx, id))).await?;
        let fetch = fetch.ok_or(ArchiveError::NoFetch { id })?;
        match self.catalog().require(caller, fetch.project, role).await {
            Err(error) if error.category() == holotype_core::Category::NotFound => Err(ArchiveError::NoFetch { id }),
            other => other.map(|()| fetch).map_err(Into::into),
        }
    }
}
