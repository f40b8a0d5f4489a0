//! Copying SQLite's log into the database while the writer goes on.
//!
//! The writer copies the log itself once it is long, and only then can it begin the log anew; whoever waits for that commit waits for
//! the copy too. So most of the log is copied before, a piece at a time, by a connection of its own.

use std::path::Path;

use sqlx::sqlite::SqliteConnection;
use sqlx::{ConnectOptions as _, Connection as _};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::sqlite;

/// Commits between two copies: seldom enough for a page that many of them change to be copied once, often enough for little to be left
/// to the writer.
const EVERY: u32 = 200;

/// Copies what never blocks anybody, and leaves the rest.
const COPY: &str = "PRAGMA wal_checkpoint(PASSIVE)";

/// Counts the writer's commits and has the log copied now and then.
#[derive(Debug)]
pub(crate) struct Checkpoints {
    commits: u32,
    due: mpsc::Sender<()>,
    task: JoinHandle<()>,
}

impl Checkpoints {
    /// Starts the task that copies.
    pub(crate) fn start(file: &Path) -> Self {
        let (due, asked) = mpsc::channel(1);
        let options = sqlite::options(file);
        let connect = async move { options.connect().await };
        Self { commits: 0, due, task: tokio::spawn(copy_when_due(connect, asked)) }
    }

    /// Counts a commit.
    pub(crate) fn committed(&mut self) {
        self.commits += 1;
        if self.commits >= EVERY {
            self.commits = 0;
            // If one is under way or waits already, that is enough.
            self.due.try_send(()).ok();
        }
    }

    /// Ends the task and closes its connection.
    pub(crate) async fn close(self) {
        drop(self.due);
        if let Err(error) = self.task.await {
            tracing::warn!(%error, "the copying of the catalog's log did not end cleanly");
        }
    }
}

async fn copy_when_due(
    connect: impl Future<Output = Result<SqliteConnection, sqlx::Error>>,
    mut asked: mpsc::Receiver<()>,
) {
    // A short life needs no connection.
    if asked.recv().await.is_none() {
        return;
    }
    let copying = async {
        let mut connection = connect.await?;
        loop {
            sqlx::query(COPY).execute(&mut connection).await?;
            if asked.recv().await.is_none() {
                return connection.close().await;
            }
        }
    };
    if let Err(error) = copying.await {
        // Nothing is lost by it: the writer copies the log itself, a little later.
        tracing::warn!(%error, "the catalog's log is no longer copied beside the writer");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn log_in_database(file: &Path) -> bool {
        let connection = sqlite::options(file).read_only(true).immutable(true).connect().await;
        // Immutable: the log is not looked at.
        let found =
            sqlx::query("SELECT 1 FROM things WHERE number = 199").fetch_optional(&mut connection.unwrap()).await;
        found.is_ok_and(|row| row.is_some())
    }

    #[tokio::test]
    async fn after_many_commits_the_database_itself_holds_them() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("catalog.db");
        let options = sqlite::options(&file).create_if_missing(true).pragma("wal_autocheckpoint", "0");
        let mut writer = options.connect().await.unwrap();
        sqlx::query("CREATE TABLE things (number INTEGER)").execute(&mut writer).await.unwrap();
        let mut checkpoints = Checkpoints::start(&file);
        for number in 0..EVERY {
            assert!(!log_in_database(&file).await, "it was copied before it was due");
            sqlx::query("INSERT INTO things VALUES ($1)").bind(number).execute(&mut writer).await.unwrap();
            checkpoints.committed();
        }
        checkpoints.close().await;
        assert!(log_in_database(&file).await, "it was not copied");
    }
}
