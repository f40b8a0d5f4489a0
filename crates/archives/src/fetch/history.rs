//! What was fetched when, and what became of each frame.

use std::collections::HashMap;

use holotype_core::{ActivityId, Caller, Category, ProjectId, Role};
use holotype_jobs::{JobFilter, JobRecord};

use super::jobs::KIND;
use super::model::{Fetch, FetchFrame, FrameState, Tally};
use super::run::{FetchRequest, tree_of};
use super::table;
use crate::{ArchiveError, Archives};

/// The most items of a page.
pub const MOST_ITEMS: u32 = 1000;

/// A fetch and the job that does it. One that has not begun yet is told as it was asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct FetchRecord {
    /// The fetch.
    pub fetch: Fetch,
    /// Its job.
    pub job: JobRecord,
}

/// Some fetches, the latest first.
#[derive(Debug, Clone)]
pub struct FetchPage {
    /// The fetches.
    pub items: Vec<FetchRecord>,
    /// Where the next page begins, if there is more.
    pub next: Option<ActivityId>,
}

impl Archives {
    /// The fetches of a project, the latest first; `after` is where the page before said that this one begins.
    ///
    /// # Errors
    /// A project that the caller has no role in.
    pub async fn fetches(
        &self,
        caller: &Caller,
        project: ProjectId,
        after: Option<ActivityId>,
        limit: u32,
    ) -> Result<FetchPage, ArchiveError> {
        self.catalog().require(caller, project, Role::Viewer).await?;
        let filter = JobFilter { project: Some(project), kind: Some(KIND.to_owned()), state: None };
        let page = self.jobs().list(caller, filter, after, limit.clamp(1, MOST_ITEMS)).await?;
        let (Some(latest), Some(earliest)) = (page.items.first(), page.items.last()) else {
            return Ok(FetchPage { items: Vec::new(), next: None });
        };
        let (from, to) = (earliest.id, latest.id);
        let begun = self.catalog().read(move |tx| Box::pin(table::fetches(tx, project, from, to))).await?;
        let mut begun: HashMap<ActivityId, Fetch> = begun.into_iter().map(|fetch| (fetch.id, fetch)).collect();
        let items = page.items.into_iter().map(|job| record(begun.remove(&job.id), job));
        Ok(FetchPage { items: items.collect::<Result<_, _>>()?, next: page.next })
    }

    /// A fetch, and how many of its frames stand where.
    ///
    /// # Errors
    /// [`ArchiveError::NoFetch`] for a stranger to its project too.
    pub async fn fetch_record(&self, caller: &Caller, id: ActivityId) -> Result<(FetchRecord, Tally), ArchiveError> {
        let job = self.fetch_job(caller, id).await?;
        let (begun, tally) = self
            .catalog()
            .read(move |tx| {
                Box::pin(
                    async move { Ok::<_, ArchiveError>((table::fetch(tx, id).await?, table::tally(tx, id).await?)) },
                )
            })
            .await?;
        Ok((record(begun, job)?, tally))
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
        self.fetch_job(caller, id).await?;
        let (after, limit) = (after.unwrap_or(-1), i64::from(limit.clamp(1, MOST_ITEMS)));
        self.catalog().read(move |tx| Box::pin(table::frames(tx, id, state, after, limit))).await
    }

    /// The job of a fetch, to a caller who has a role in its project.
    async fn fetch_job(&self, caller: &Caller, id: ActivityId) -> Result<JobRecord, ArchiveError> {
        let job = match self.jobs().get(caller, id).await {
            Err(error) if error.category() == Category::NotFound => return Err(ArchiveError::NoFetch { id }),
            other => other?,
        };
        if job.kind != KIND {
            return Err(ArchiveError::NoFetch { id });
        }
        self.allow(caller, id, job.project, Role::Viewer).await?;
        Ok(job)
    }

    /// A fetch that has begun, to a caller who has a role in its project.
    pub(super) async fn fetch_for(&self, caller: &Caller, id: ActivityId, role: Role) -> Result<Fetch, ArchiveError> {
        let fetch = self.catalog().read(move |tx| Box::pin(table::fetch(tx, id))).await?;
        let fetch = fetch.ok_or(ArchiveError::NoFetch { id })?;
        self.allow(caller, id, fetch.project, role).await?;
        Ok(fetch)
    }

    /// To who has no role in its project, a fetch does not exist.
    async fn allow(&self, caller: &Caller, id: ActivityId, project: ProjectId, role: Role) -> Result<(), ArchiveError> {
        match self.catalog().require(caller, project, role).await {
            Err(error) if error.category() == Category::NotFound => Err(ArchiveError::NoFetch { id }),
            other => other.map_err(Into::into),
        }
    }
}

fn record(begun: Option<Fetch>, job: JobRecord) -> Result<FetchRecord, ArchiveError> {
    let fetch = begun.map_or_else(|| asked_for(&job), Ok)?;
    Ok(FetchRecord { fetch, job })
}

/// A fetch whose job waits, or ended before it began to plan.
fn asked_for(job: &JobRecord) -> Result<Fetch, ArchiveError> {
    let request: FetchRequest = serde_json::from_value(job.params.clone()).map_err(ArchiveError::internal)?;
    Ok(Fetch {
        id: job.id,
        project: job.project,
        agent: job.agent,
        tree: tree_of(&request.config),
        name: request.name,
        config: request.config,
        window: request.window,
        created_at: job.created_at,
        report: None,
        undone_at: None,
    })
}
