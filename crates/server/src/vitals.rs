//! How the store is, asked now and then.
//!
//! To ask the store is to write a few bytes to it, over the network if it is a bucket. Whoever polls `/health` is answered
//! from what was found lately, and the next look is taken behind the answer.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use holotype_app::App;
use holotype_app::blobs::BlobStatus;
use tokio::time::Instant;

/// How long what was found is good.
const FRESH: Duration = Duration::from_secs(5);

/// What was found, or why nothing could be.
pub(crate) type Found = Result<BlobStatus, String>;

/// What was found lately.
#[derive(Debug, Clone, Default)]
pub(crate) struct Vitals(Arc<Mutex<Latest>>);

#[derive(Debug, Default)]
struct Latest {
    found: Option<Arc<Found>>,
    /// When the last look began; also while it is under way, so that one is taken at a time.
    looked_at: Option<Instant>,
}

impl Vitals {
    /// How the store is; waits only for the first look.
    pub(crate) async fn store(&self, app: &App) -> Arc<Found> {
        let (known, due) = {
            let mut latest = self.latest();
            let due = latest.looked_at.is_none_or(|at| at.elapsed() >= FRESH);
            if due {
                latest.looked_at = Some(Instant::now());
            }
            (latest.found.clone(), due)
        };
        match (known, due) {
            (Some(found), false) => found,
            (Some(found), true) => {
                let (vitals, app) = (self.clone(), app.clone());
                drop(tokio::spawn(async move { vitals.look(&app).await }));
                found
            }
            (None, _) => self.look(app).await,
        }
    }

    async fn look(&self, app: &App) -> Arc<Found> {
        let found = Arc::new(app.blobs().status().await.map_err(|error| error.to_string()));
        self.latest().found = Some(Arc::clone(&found));
        found
    }

    fn latest(&self) -> std::sync::MutexGuard<'_, Latest> {
        // Each change is a single one, so what a panic leaves behind is whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
