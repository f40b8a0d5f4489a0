//! A worker in a process of its own, which can be killed.

use std::process::{Command, Stdio};

use holotype_catalog::{Catalog, CatalogUrl};
use holotype_jobs::{Jobs, Level};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

use crate::support::{Lab, SystemClock, handler, options};

const URL: &str = "HOLOTYPE_JOBS_TEST_CATALOG";

/// A process that works on the jobs of a lab until it is killed, or kills itself.
pub(crate) struct Child(std::process::Child);

impl Child {
    pub(crate) fn start(lab: &Lab) -> Self {
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["--ignored", "--exact", "child::works_until_it_is_killed"])
            .env(URL, &lab.url)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        Self(child.unwrap())
    }

    /// As `kill -9` does: it has no chance to put anything in order.
    pub(crate) fn kill(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }

    pub(crate) fn has_ended(&mut self) -> bool {
        self.0.try_wait().unwrap().is_some()
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.kill();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a process that the tests of crashes start, with a catalog to work on"]
async fn works_until_it_is_killed() {
    let url = std::env::var(URL).expect("it is started by a test, which names a catalog");
    let catalog = Catalog::open(CatalogUrl::parse(&url).unwrap(), Arc::new(SystemClock)).await.unwrap();
    let endless = handler("endless", |job| async move {
        job.log(Level::Info, format!("attempt {} by the process that will be killed", job.attempt));
        job.progress(0.5, "half way");
        job.cancellation().await;
        Ok(json!("it was told to stop"))
    });
    let deadly = handler("deadly", |_| async { std::process::abort() });
    let jobs = Jobs::new(catalog, options());
    // Nobody reaps it if its parent is killed, so it ends by itself in the end.
    let shutdown = CancellationToken::new();
    let deadline = shutdown.clone();
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_secs(300)).await;
        deadline.cancel();
    });
    jobs.run_workers(vec![endless, deadly], 1, shutdown).await.unwrap();
}
