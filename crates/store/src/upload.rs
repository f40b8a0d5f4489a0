//! Bytes on their way in: hashed and written once, as they pass.
//!
//! While one chunk is hashed and written on blocking threads, the next one is filled from the network. An upload holds at
//! most two chunks in memory, and no thread while its sender is slow.

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use futures::future::BoxFuture;
use futures::{FutureExt, Stream, StreamExt};
use md5::{Digest as _, Md5};

use crate::file::{self, CHUNK};
use crate::staged::Staged;
use crate::staging::{Writer, Written};
use crate::{Store, StoreError};

/// A blob that is being written. Dropping it leaves nothing behind.
#[derive(Debug)]
pub struct Upload {
    store: Store,
    buffer: Vec<u8>,
    sinks: Sinks,
}

/// Where a full chunk goes.
enum Sinks {
    Idle(Box<Pair>),
    Busy(BoxFuture<'static, io::Result<Pair>>),
    Failed,
}

/// What every byte passes, each half on its own thread.
struct Pair {
    writer: Writer,
    md5: Md5,
}

impl Upload {
    pub(crate) fn new(store: Store) -> Self {
        let writer = Writer::new(Arc::clone(store.staging()), store.publishes_by_rename());
        Self { store, buffer: Vec::new(), sinks: Sinks::Idle(Box::new(Pair { writer, md5: Md5::new() })) }
    }

    /// Takes the next bytes. A write that is cancelled may have taken some of them: drop the upload then.
    ///
    /// # Errors
    /// If the disk is full or fails, at this or a later write; the upload is of no use then.
    pub async fn write(&mut self, mut bytes: &[u8]) -> Result<(), StoreError> {
        loop {
            let (now, later) = bytes.split_at(bytes.len().min(CHUNK - self.buffer.len()));
            self.buffer.extend_from_slice(now);
            if later.is_empty() {
                return Ok(());
            }
            bytes = later;
            self.send_buffer().await?;
        }
    }

    /// Takes the next bytes, without copying them if they are many enough to be handed on by themselves.
    ///
    /// # Errors
    /// As [`Upload::write`].
    pub async fn write_whole(&mut self, bytes: Bytes) -> Result<(), StoreError> {
        if self.buffer.is_empty() && (CHUNK / 4..=CHUNK).contains(&bytes.len()) {
            return self.send_chunk(bytes).await;
        }
        self.write(&bytes).await
    }

    /// Takes all bytes of a stream.
    ///
    /// # Errors
    /// The stream's first error, or ours.
    pub async fn write_stream<E: From<StoreError>>(
        &mut self,
        stream: impl Stream<Item = Result<Bytes, E>>,
    ) -> Result<(), E> {
        let mut stream = std::pin::pin!(stream);
        while let Some(bytes) = stream.next().await {
            self.write(&bytes?).await?;
        }
        Ok(())
    }

    /// Ends the upload. On a directory store the bytes are on the disk when it returns, but not a blob yet.
    ///
    /// # Errors
    /// If the disk is full or fails.
    pub async fn finish(mut self) -> Result<Staged, StoreError> {
        let last = Bytes::from(std::mem::take(&mut self.buffer));
        let Pair { writer, md5 } = self.idle().await?;
        let (written, md5) = futures::try_join!(
            file::blocking({
                let last = last.clone();
                move || if last.is_empty() { writer } else { writer.absorb(&last)? }.finish()
            }),
            file::blocking(move || Ok(md5.chain_update(&last).finalize().into())),
        )
        .map_err(|error| self.store.io_error(&error))?;
        let Written { file, digest, size } = written;
        Ok(Staged::new(self.store, file, digest, size, md5))
    }

    /// Hands the buffer on, once the chunk before it has been taken.
    async fn send_buffer(&mut self) -> Result<(), StoreError> {
        let chunk = std::mem::replace(&mut self.buffer, Vec::with_capacity(CHUNK));
        self.send_chunk(chunk.into()).await
    }

    async fn send_chunk(&mut self, chunk: Bytes) -> Result<(), StoreError> {
        let Pair { writer, md5 } = self.idle().await?;
        // Spawned here, not when first polled: both halves work while the caller waits for more bytes.
        let writing = tokio::task::spawn_blocking({
            let chunk = chunk.clone();
            move || writer.absorb(&chunk)
        });
        let hashing = tokio::task::spawn_blocking(move || md5.chain_update(&chunk));
        let both = async {
            let (writer, md5) = futures::try_join!(writing, hashing).map_err(io::Error::other)?;
            Ok(Pair { writer: writer?, md5 })
        };
        self.sinks = Sinks::Busy(both.boxed());
        Ok(())
    }

    /// The sinks, when they have taken everything so far. If this is cancelled, they stay where they are.
    async fn idle(&mut self) -> Result<Pair, StoreError> {
        if let Sinks::Busy(work) = &mut self.sinks {
            self.sinks = match work.await {
                Ok(pair) => Sinks::Idle(Box::new(pair)),
                Err(error) => {
                    self.sinks = Sinks::Failed;
                    return Err(self.store.io_error(&error));
                }
            };
        }
        match std::mem::replace(&mut self.sinks, Sinks::Failed) {
            Sinks::Idle(pair) => Ok(*pair),
            Sinks::Busy(_) | Sinks::Failed => {
                Err(self.store.io_error(&io::Error::other("the upload has failed before")))
            }
        }
    }
}

impl std::fmt::Debug for Sinks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Idle(_) => "Idle",
            Self::Busy(_) => "Busy",
            Self::Failed => "Failed",
        })
    }
}
