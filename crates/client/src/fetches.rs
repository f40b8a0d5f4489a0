//! What was fetched from online archives, and what is fetched by the clock.

use holotype_api::Page;
use holotype_api::fetch::{Fetch, FetchDetail, FetchFrame, FetchSchedule, FrameState, NewFetchSchedule};
use holotype_core::ActivityId;
use reqwest::Method;

use crate::{Client, ClientError, PageQuery};

impl Client {
    /// One page of a project's fetches, newest first.
    pub async fn fetches(&self, page: &PageQuery) -> Result<Page<Fetch>, ClientError> {
        self.json(self.request(Method::GET, &["fetches"])?.query(page)).await
    }

    /// One fetch.
    pub async fn fetch(&self, id: ActivityId) -> Result<FetchDetail, ClientError> {
        self.json(self.request(Method::GET, &["fetches", &id.to_string()])?).await
    }

    /// One page of a fetch's frames, in the archives' order; those in one state only if that is given.
    pub async fn fetch_frames(
        &self,
        id: ActivityId,
        state: Option<FrameState>,
        page: &PageQuery,
    ) -> Result<Page<FetchFrame>, ClientError> {
        let request = self.request(Method::GET, &["fetches", &id.to_string(), "frames"])?;
        self.json(request.query(page).query(&[("state", state)])).await
    }

    /// One page of a project's schedules, by name.
    pub async fn fetch_schedules(&self, page: &PageQuery) -> Result<Page<FetchSchedule>, ClientError> {
        self.json(self.request(Method::GET, &["fetch-schedules"])?.query(page)).await
    }

    /// Has a fetch done by the clock, on the server's machine: for administrators.
    pub async fn add_fetch_schedule(&self, schedule: &NewFetchSchedule) -> Result<FetchSchedule, ClientError> {
        self.json(self.creation(&["fetch-schedules"])?.json(schedule)).await
    }

    /// Ends a schedule, by name. What it has fetched stays.
    pub async fn remove_fetch_schedule(&self, name: &str) -> Result<(), ClientError> {
        self.done(self.request(Method::DELETE, &["fetch-schedules", name])?).await
    }
}
