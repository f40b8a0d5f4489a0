//! What callers ask of jobs: look at them, stop them, try them again.

use holotype_catalog::Tx;
use holotype_core::{ActivityId, Caller, Category, ProjectId, Role};
use serde_json::json;

use crate::state::{Event, State};
use crate::table;
use crate::{JobError, JobFilter, JobPage, JobRecord, Jobs, LogLine};

/// The most jobs, or log lines, that one answer holds.
const PAGE: u32 = 1000;

impl Jobs {
    /// Jobs the caller may see, newest first; `after` is where the page before said that this one begins. At most 1000 at a time.
    ///
    /// # Errors
    /// The catalog's; a project the caller may not see is not found.
    pub async fn list(
        &self,
        caller: &Caller,
        filter: JobFilter,
        after: Option<ActivityId>,
        limit: u32,
    ) -> Result<JobPage, JobError> {
        let limit = limit.clamp(1, PAGE) as usize;
        let projects = self.readable(caller, filter.project).await?;
        let except = if caller.admin { Vec::new() } else { self.options().administrative.clone() };
        let mut items: Vec<JobRecord> = self
            .catalog()
            .read(move |tx| {
                let (filter, projects, except) = (filter.clone(), projects.clone(), except.clone());
                Box::pin(async move {
                    // One more than is asked for tells whether there is another page.
                    table::list(tx, &filter, projects.as_deref(), &except, after, limit as u64 + 1).await
                })
            })
            .await?;
        let more = items.len() > limit;
        items.truncate(limit);
        let next = items.last().filter(|_| more).map(|job| job.id);
        Ok(JobPage { items, next })
    }

    /// One job.
    ///
    /// # Errors
    /// [`JobError::NotFound`], also where the caller may not see it.
    pub async fn get(&self, caller: &Caller, id: ActivityId) -> Result<JobRecord, JobError> {
        let (jobs, caller) = (self.clone(), caller.clone());
        self.catalog()
            .read(move |tx| {
                let (jobs, caller) = (jobs.clone(), caller.clone());
                Box::pin(async move { jobs.visible(tx, &caller, id).await })
            })
            .await
    }

    /// Lines of a job's log, after the one with this number; at most 1000 at a time.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub async fn log(&self, caller: &Caller, id: ActivityId, after_sequence: i64) -> Result<Vec<LogLine>, JobError> {
        let (jobs, caller) = (self.clone(), caller.clone());
        self.catalog()
            .read(move |tx| {
                let (jobs, caller) = (jobs.clone(), caller.clone());
                Box::pin(async move {
                    jobs.visible(tx, &caller, id).await?;
                    Ok(table::log(tx, id, after_sequence, PAGE).await?)
                })
            })
            .await
    }

    /// Stops a job: one that waits at once, one that runs as soon as its handler heeds it. Asking twice is no error.
    ///
    /// # Errors
    /// [`JobError::NotFound`], [`JobError::Ended`], or [`RoleTooLow`](holotype_catalog::CatalogError::RoleTooLow) below [`Role::Editor`].
    pub async fn cancel(&self, caller: &Caller, id: ActivityId) -> Result<JobRecord, JobError> {
        match self.command(caller, id, Event::CancelRequested, "job.cancel").await? {
            Answer::Moved(State::Cancelling) | Answer::Unmoved(State::Cancelling) => self.tell_to_stop(id),
            Answer::Moved(_) => {}
            Answer::Unmoved(state) => return Err(JobError::Ended { id, state }),
        }
        self.get(caller, id).await
    }

    /// Stops a job in the caller's transaction, on behalf of the service: whoever calls has decided who may. Whether there was anything to
    /// stop.
    ///
    /// # Errors
    /// [`JobError::NotFound`], or the catalog's.
    pub async fn stop(&self, tx: &mut Tx, id: ActivityId) -> Result<bool, JobError> {
        let Some(job) = table::lock(tx, id).await? else { return Err(JobError::NotFound { id }) };
        let Some(next) = self.advance(tx, &job, Event::CancelRequested).await? else { return Ok(false) };
        if next.state == State::Cancelling {
            let jobs = self.clone();
            tx.after_commit(Box::new(move || jobs.tell_to_stop(id)));
        }
        Ok(true)
    }

    /// Tries a failed or cancelled job again, now, as a new attempt of the same job.
    ///
    /// # Errors
    /// [`JobError::NotFound`], [`JobError::NotRetriable`], or [`RoleTooLow`](holotype_catalog::CatalogError::RoleTooLow) below [`Role::Editor`].
    pub async fn retry(&self, caller: &Caller, id: ActivityId) -> Result<JobRecord, JobError> {
        match self.command(caller, id, Event::RetryRequested, "job.retry").await? {
            Answer::Moved(_) => self.get(caller, id).await,
            Answer::Unmoved(state) => Err(JobError::NotRetriable { id, state }),
        }
    }

    /// Does to a job what an editor of its project asks for, and notes it in the audit.
    async fn command(
        &self,
        caller: &Caller,
        id: ActivityId,
        event: Event,
        action: &'static str,
    ) -> Result<Answer, JobError> {
        let (jobs, caller) = (self.clone(), caller.clone());
        self.catalog()
            .write(move |tx| {
                let (jobs, caller, event) = (jobs.clone(), caller.clone(), event.clone());
                Box::pin(async move {
                    let Some(job) = table::lock(tx, id).await? else { return Err(JobError::NotFound { id }) };
                    jobs.permit(tx, &caller, id, (job.project, &job.kind), Role::Editor).await?;
                    let Some(next) = jobs.advance(tx, &job, event).await? else {
                        return Ok(Answer::Unmoved(job.position.state));
                    };
                    tx.audit(&caller, action, &id.to_string(), json!({ "kind": job.kind })).await?;
                    Ok(Answer::Moved(next.state))
                })
            })
            .await
    }

    /// The job, if the caller may see it.
    pub(crate) async fn visible(&self, tx: &mut Tx, caller: &Caller, id: ActivityId) -> Result<JobRecord, JobError> {
        let Some(job) = table::record(tx, id).await? else { return Err(JobError::NotFound { id }) };
        self.permit(tx, caller, id, (job.project, &job.kind), Role::Viewer).await?;
        Ok(job)
    }

    /// Whether the caller has this role where the job is; a job that the caller may not even see does not exist.
    async fn permit(
        &self,
        tx: &mut Tx,
        caller: &Caller,
        id: ActivityId,
        (project, kind): (ProjectId, &str),
        role: Role,
    ) -> Result<(), JobError> {
        if caller.admin {
            return Ok(());
        }
        if self.options().administrative.contains(&kind) {
            return Err(JobError::NotFound { id });
        }
        tx.require(caller, project, role).await.map_err(|error| match error.category() {
            Category::NotFound => JobError::NotFound { id },
            _ => error.into(),
        })
    }

    /// The projects whose jobs to list; `None` for all there are.
    async fn readable(&self, caller: &Caller, project: Option<ProjectId>) -> Result<Option<Vec<ProjectId>>, JobError> {
        if caller.admin {
            return Ok(project.map(|project| vec![project]));
        }
        if let Some(project) = project {
            self.catalog().require(caller, project, Role::Viewer).await?;
            return Ok(Some(vec![project]));
        }
        let projects = self.catalog().list_projects(caller).await?;
        Ok(Some(projects.into_iter().map(|project| project.id).collect()))
    }
}

/// What became of a command.
enum Answer {
    /// The job is in this state now.
    Moved(State),
    /// The job is in this state, in which the command means nothing.
    Unmoved(State),
}
