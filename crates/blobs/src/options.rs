//! What an operator sets, and how long work is watched.

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::time::Duration;

/// How long bytes are kept that nothing refers to, and where they wait.
#[derive(Debug, Clone)]
pub struct BlobOptions {
    /// How long a blob is safe from the sweep between its upload and the record that names it.
    pub pin: Duration,
    /// How long bytes must have been of no use to anyone before a sweep may remove them.
    pub grace: Duration,
    /// Where bytes wait on this machine while a bucket is out of reach.
    pub spool: PathBuf,
}

/// How far long work has come. Whoever is told may answer `Break`: then the work ends early, with what it has done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Progress {
    /// Blobs dealt with.
    pub done: u64,
    /// Blobs there were when the work began.
    pub total: u64,
    /// Bytes read or removed.
    pub bytes: u64,
}

impl Progress {
    /// Counts one more blob and tells of it.
    pub(crate) fn advance(&mut self, bytes: u64, tell: &dyn Tell) -> ControlFlow<()> {
        self.done += 1;
        self.bytes += bytes;
        tell(*self)
    }
}

/// Someone who wants to know how far work has come.
pub(crate) trait Tell: Fn(Progress) -> ControlFlow<()> + Send + Sync {}
impl<T: Fn(Progress) -> ControlFlow<()> + Send + Sync> Tell for T {}
