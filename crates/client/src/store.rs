//! The store: where bytes are kept.

use holotype_api::job::Job;
use holotype_api::store::{StoreStatus, SweepPlan};
use reqwest::Method;

use crate::{Client, ClientError};

impl Client {
    /// What the store holds.
    pub async fn store_status(&self) -> Result<StoreStatus, ClientError> {
        self.json(self.request(Method::GET, &["store"])?).await
    }

    /// Starts a job that reads every blob and compares it with its name.
    pub async fn verify_store(&self) -> Result<Job, ClientError> {
        self.json(self.creation(&["store", "verify"])?).await
    }

    /// What a sweep would remove.
    pub async fn sweep_plan(&self) -> Result<SweepPlan, ClientError> {
        self.json(self.request(Method::GET, &["store", "sweep"])?).await
    }

    /// Starts a job that removes what no record names.
    pub async fn sweep_store(&self) -> Result<Job, ClientError> {
        self.json(self.creation(&["store", "sweep"])?).await
    }
}
