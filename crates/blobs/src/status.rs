//! How the store is, and what it holds.

use std::time::Duration;

use holotype_catalog::{BlobCounts, CatalogError};

use crate::{BlobError, Blobs};

/// How long the store is waited for when somebody only asks how it is.
const PATIENCE: Duration = Duration::from_secs(5);

/// How the store is, and what it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlobStatus {
    /// Where blobs are kept, without secrets.
    pub location: String,
    /// Why it cannot be written now, if it cannot.
    pub problem: Option<String>,
    /// What the catalog knows of.
    pub counts: BlobCounts,
}

impl Blobs {
    /// How the store is, and what it holds. It writes a few bytes, to know that it could; ask it every some seconds at most.
    ///
    /// # Errors
    /// If the catalog fails; that the store does is part of the answer.
    pub async fn status(&self) -> Result<BlobStatus, BlobError> {
        let problem = match tokio::time::timeout(PATIENCE, self.store().probe()).await {
            Ok(probed) => probed.err().map(|error| error.to_string()),
            Err(_) => Some(format!("{} does not answer", self.store().describe())),
        };
        let counts = self.catalog().read::<_, CatalogError, _>(|tx| Box::pin(tx.blob_counts())).await?;
        Ok(BlobStatus { location: self.store().describe().to_owned(), problem, counts })
    }
}
