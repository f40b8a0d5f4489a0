//! Submits that arrive while others are being committed share the next commit.
//!
//! A transaction costs a flush of the disk and a few turns of the database, however little it stores. So each submit joins those
//! that wait, and whoever's turn it is stores all of them. Clients that send one datapoint after the other are answered together
//! and come again together: for as many as the last time the next turn waits a moment. Who is alone never waits.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use holotype_core::{Caller, ProjectId, UserId};
use tokio::sync::{Notify, oneshot};

use crate::store::Batch;
use crate::submit::{Prepared, Stored};
use crate::{DatapointError, Datapoints};

/// Datapoints in one transaction: enough to share a flush, few enough that others do not wait for long.
const MOST: usize = 500;

/// Bytes of documents in one transaction: the database is given copies of them.
const MOST_BYTES: usize = 4 * 1024 * 1024;

/// How long a turn waits for those that were answered before.
const PATIENCE: Duration = Duration::from_millis(1);

/// The submits that wait to be stored.
#[derive(Debug, Default)]
pub(crate) struct Gathering {
    waiting: Mutex<Vec<Waiting>>,
    /// Told when another one waits.
    joined: Notify,
    /// Held by the one that stores: how many were stored at once before.
    turn: tokio::sync::Mutex<usize>,
}

#[derive(Debug)]
struct Waiting {
    caller: Caller,
    project: ProjectId,
    prepared: Arc<Prepared>,
    reply: oneshot::Sender<Result<Stored, DatapointError>>,
}

impl Gathering {
    fn waiting(&self) -> MutexGuard<'_, Vec<Waiting>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits a moment for `count` submits.
    async fn expect(&self, count: usize) {
        let gathered = async {
            while self.waiting().len() < count {
                self.joined.notified().await;
            }
        };
        tokio::time::timeout(PATIENCE, gathered).await.ok();
    }

    /// Those that came first: at least one, if there is one.
    fn take(&self) -> Vec<Waiting> {
        let mut waiting = self.waiting();
        let mut bytes = 0;
        let fits = |(number, one): &(usize, &Waiting)| {
            bytes += one.prepared.row.document.len();
            *number == 0 || bytes <= MOST_BYTES
        };
        let count = waiting.iter().take(MOST).enumerate().take_while(fits).count();
        waiting.drain(..count).collect()
    }
}

impl Datapoints {
    /// Stores what was prepared, in one transaction with what others submit just then, if the caller may.
    pub(crate) async fn store_with_others(
        &self,
        caller: &Caller,
        project: ProjectId,
        prepared: Prepared,
    ) -> Result<Stored, DatapointError> {
        let (reply, answer) = oneshot::channel();
        let waiting = Waiting { caller: caller.clone(), project, prepared: Arc::new(prepared), reply };
        self.inner.gathering.waiting().push(waiting);
        self.inner.gathering.joined.notify_one();
        // A task of its own: a caller that goes away must not take the others with it.
        tokio::spawn(self.clone().store_gathered());
        answer.await.map_err(|_| DatapointError::Interrupted)?
    }

    /// One turn. There are as many turns as submits and each stores what waits, so that none is left waiting.
    async fn store_gathered(self) {
        let gathering = &self.inner.gathering;
        let mut before = gathering.turn.lock().await;
        if gathering.waiting().is_empty() {
            return;
        }
        gathering.expect(*before).await;
        let waiting = gathering.take();
        *before = waiting.len();
        Box::pin(self.store_together(waiting)).await;
    }

    async fn store_together(&self, mut waiting: Vec<Waiting>) {
        // The order of arrival is kept among those of one caller.
        waiting.sort_by_key(Waiting::writer);
        match self.store_batches(batches(&waiting)).await {
            Ok(answers) => {
                for (one, answer) in waiting.into_iter().zip(answers.into_iter().flatten()) {
                    one.answer(answer);
                }
            }
            Err(error) => match <[Waiting; 1]>::try_from(waiting) {
                Ok([only]) => only.answer(Err(error)),
                // The failure may be of one of them only: it is not to be the others' too.
                Err(waiting) => {
                    for one in waiting {
                        Box::pin(self.store_together(vec![one])).await;
                    }
                }
            },
        }
    }
}

impl Waiting {
    /// Who stores, and where: the role is looked at once for each.
    fn writer(&self) -> (UserId, ProjectId) {
        (self.caller.user, self.project)
    }

    fn answer(self, answer: Result<Stored, DatapointError>) {
        // Who went away does not want to know.
        self.reply.send(answer).ok();
    }
}

/// A batch for each who stores; those of one stand together.
fn batches(waiting: &[Waiting]) -> Vec<Batch> {
    let mut batches: Vec<Batch> = Vec::new();
    for part in waiting.chunk_by(|one, next| one.writer() == next.writer()) {
        let prepared = part.iter().map(|one| Arc::clone(&one.prepared)).collect();
        batches.extend(part.first().map(|one| Batch { caller: one.caller.clone(), project: one.project, prepared }));
    }
    batches
}
