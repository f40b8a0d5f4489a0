//! The one task that writes to SQLite: it takes what many callers want and commits it in groups.
//!
//! SQLite has one writer at a time, and a durable commit costs a flush of the disk. So the callers that wait while a
//! commit is under way share the next one. A group runs bare at first. If a piece of it fails after it changed
//! something, the group is rolled back and run again with a savepoint around each piece, so that one caller's failure
//! is its own; that the common case pays for no savepoints is why work may run more than once.

use std::sync::Arc;

use futures::future::BoxFuture;
use holotype_core::Clock;
use sqlx::Connection as _;
use sqlx::sqlite::SqliteConnection;
use tokio::sync::{mpsc, oneshot};

use crate::tx::{Held, Hooks, Tx};
use crate::{CatalogError, nesting};

/// How many pieces of work one commit takes at most.
const GROUP: usize = 256;

/// Takes the write lock, waiting for other processes.
const BEGIN: &str = "BEGIN IMMEDIATE";

/// How many may wait before callers are made to wait to be taken in.
const QUEUE: usize = 1024;

/// The handle by which callers reach the writer.
#[derive(Debug)]
pub(crate) struct Writer {
    queue: mpsc::Sender<Message>,
}

enum Message {
    Work(Box<dyn Work>),
    /// Finish what came before, close the connection, and say so.
    Close(oneshot::Sender<()>),
}

/// A caller's work and the way back to it.
trait Work: Send {
    /// Runs it; whether it is to be kept.
    fn run<'w>(&'w mut self, tx: &'w mut Tx) -> BoxFuture<'w, bool>;

    /// Tells the caller how it went, given how its group's commit went.
    fn answer(self: Box<Self>, committed: Result<(), CatalogError>);
}

struct Piece<F, T, E> {
    work: F,
    outcome: Option<Result<T, E>>,
    reply: oneshot::Sender<Result<T, E>>,
}

impl<F, T, E> Work for Piece<F, T, E>
where
    F: for<'t> Fn(&'t mut Tx) -> BoxFuture<'t, Result<T, E>> + Send + Sync,
    T: Send,
    E: From<CatalogError> + Send,
{
    fn run<'w>(&'w mut self, tx: &'w mut Tx) -> BoxFuture<'w, bool> {
        Box::pin(async move {
            let outcome = tx.attempt(&self.work).await;
            let kept = outcome.is_ok();
            self.outcome = Some(outcome);
            kept
        })
    }

    fn answer(self: Box<Self>, committed: Result<(), CatalogError>) {
        let answer = match (self.outcome, committed) {
            (Some(Err(own)), _) => Err(own),
            (Some(Ok(value)), Ok(())) => Ok(value),
            (_, Err(error)) => Err(error.into()),
            (None, Ok(())) => Err(CatalogError::Closed.into()),
        };
        // A caller that has gone away does not want to know.
        self.reply.send(answer).ok();
    }
}

impl Writer {
    /// Starts the task, which owns `connection` and ends when the last handle is gone or [`close`](Self::close) is
    /// called.
    pub(crate) fn start(connection: SqliteConnection, clock: Arc<dyn Clock>) -> Self {
        let (sender, queue) = mpsc::channel(QUEUE);
        let tx = Tx::new(Held::SqliteWriter(Box::new(connection)), clock.now());
        tokio::spawn(nesting::inside(Task { tx, clock, queue }.run()));
        Self { queue: sender }
    }

    /// Hands work over and waits until it is durable, or has failed. Dropping the future does not take the work back.
    pub(crate) async fn write<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: for<'t> Fn(&'t mut Tx) -> BoxFuture<'t, Result<T, E>> + Send + Sync + 'static,
        T: Send + 'static,
        E: From<CatalogError> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let piece = Box::new(Piece { work, outcome: None, reply });
        self.queue.send(Message::Work(piece)).await.map_err(|_| CatalogError::Closed)?;
        answer.await.map_err(|_| CatalogError::Closed)?
    }

    /// Ends the task once it has done what was handed over before.
    pub(crate) async fn close(&self) {
        let (reply, closed) = oneshot::channel();
        if self.queue.send(Message::Close(reply)).await.is_ok() {
            closed.await.ok();
        }
    }
}

struct Task {
    tx: Tx,
    clock: Arc<dyn Clock>,
    queue: mpsc::Receiver<Message>,
}

/// What became of a group that ran.
enum Ran {
    Committed(Hooks),
    /// A piece failed and left changes; everything was rolled back.
    Spoiled,
}

impl Task {
    async fn run(mut self) {
        let mut messages = Vec::with_capacity(GROUP);
        let mut closing = Vec::new();
        while closing.is_empty() && self.queue.recv_many(&mut messages, GROUP).await > 0 {
            let mut group = Vec::with_capacity(messages.len());
            for message in messages.drain(..) {
                match message {
                    Message::Work(work) => group.push(work),
                    Message::Close(reply) => closing.push(reply),
                }
            }
            self.commit(group).await;
        }
        if let Held::SqliteWriter(connection) = self.tx.into_held()
            && let Err(error) = connection.close().await
        {
            tracing::warn!(%error, "the catalog's writer did not close cleanly");
        }
        for reply in closing {
            // Nobody waits for it any more, or is told.
            reply.send(()).ok();
        }
    }

    async fn commit(&mut self, mut group: Vec<Box<dyn Work>>) {
        if group.is_empty() {
            return;
        }
        let mut ran = self.bare(&mut group).await;
        if matches!(ran, Ok(Ran::Spoiled)) && group.len() > 1 {
            ran = self.guarded(&mut group).await.map(Ran::Committed);
        }
        let committed = match ran {
            Ok(Ran::Committed(hooks)) => {
                hooks.run();
                Ok(())
            }
            // The only piece there was knows its own failure.
            Ok(Ran::Spoiled) => Ok(()),
            Err(error) => {
                tracing::warn!(%error, pieces = group.len(), "a group of writes was not committed");
                Err(error)
            }
        };
        for work in group {
            work.answer(committed.clone());
        }
    }

    /// Runs a group without savepoints.
    async fn bare(&mut self, group: &mut [Box<dyn Work>]) -> Result<Ran, CatalogError> {
        self.tx.open_with(BEGIN);
        let mut hooks = Hooks::default();
        for work in group {
            self.tx.restart(self.clock.now());
            if work.run(&mut self.tx).await {
                hooks.append(self.tx.take_hooks());
            } else if !self.tx.is_untouched() {
                self.roll_back().await;
                return Ok(Ran::Spoiled);
            }
        }
        if !self.tx.withdraw_opening() {
            self.end().await?;
        }
        Ok(Ran::Committed(hooks))
    }

    /// Runs a group with a savepoint around each piece, and keeps those that succeed.
    async fn guarded(&mut self, group: &mut [Box<dyn Work>]) -> Result<Hooks, CatalogError> {
        self.begin().await?;
        let mut hooks = Hooks::default();
        for work in group {
            match self.guarded_piece(work.as_mut()).await {
                Ok(more) => hooks.append(more),
                Err(error) => {
                    // The database itself gave the transaction up (a full disk, say): the pieces before are gone too.
                    self.roll_back().await;
                    return Err(error);
                }
            }
        }
        self.end().await.map(|()| hooks)
    }

    async fn guarded_piece(&mut self, work: &mut dyn Work) -> Result<Hooks, CatalogError> {
        self.tx.control("SAVEPOINT piece").await?;
        self.tx.restart(self.clock.now());
        if work.run(&mut self.tx).await {
            self.tx.control("RELEASE piece").await?;
            return Ok(self.tx.take_hooks());
        }
        let undone = self.tx.control("ROLLBACK TO piece").await;
        undone.map_err(|lost| self.tx.take_failure().unwrap_or(lost))?;
        self.tx.control("RELEASE piece").await?;
        Ok(Hooks::default())
    }

    async fn begin(&mut self) -> Result<(), CatalogError> {
        let begun = self.tx.control(BEGIN).await;
        if begun.is_err() {
            self.roll_back().await;
        }
        begun
    }

    async fn end(&mut self) -> Result<(), CatalogError> {
        let ended = self.tx.control("COMMIT").await;
        if ended.is_err() {
            self.roll_back().await;
        }
        ended
    }

    /// Undoes what is open; that nothing is, because the database undid it already, is as good.
    async fn roll_back(&mut self) {
        if self.tx.withdraw_opening() {
            return;
        }
        if let Err(error) = self.tx.control("ROLLBACK").await {
            tracing::debug!(%error, "there was nothing to roll back");
        }
    }
}
