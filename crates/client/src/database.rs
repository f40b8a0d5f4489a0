//! The catalog's database, and its backups.

use holotype_api::Page;
use holotype_api::database::{Backup, DatabaseStatus, NewBackup};
use holotype_api::health::Health;
use holotype_api::job::Job;
use reqwest::Method;

use crate::{Client, ClientError, PageQuery};

impl Client {
    /// What the catalog is kept in.
    pub async fn database_status(&self) -> Result<DatabaseStatus, ClientError> {
        self.json(self.request(Method::GET, &["db"])?).await
    }

    /// Starts a job that makes a backup.
    pub async fn back_up(&self, backup: NewBackup) -> Result<Job, ClientError> {
        self.json(self.creation(&["db", "backup"])?.json(&backup)).await
    }

    /// One page of the backups that were made, newest first.
    pub async fn backups(&self, page: &PageQuery) -> Result<Page<Backup>, ClientError> {
        self.json(self.request(Method::GET, &["db", "backups"])?.query(page)).await
    }

    /// Whether the service can do its work.
    pub async fn health(&self) -> Result<Health, ClientError> {
        self.json(self.request(Method::GET, &["health"])?).await
    }
}
