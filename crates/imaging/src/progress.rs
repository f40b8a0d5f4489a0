//! How far work has come, and whether it is still wanted.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::ImagingError;

/// Is told how much of the work is done, 0 to 1, between strips and frames, by whichever thread has come so far; the work ends
/// where it breaks.
pub type Progress<'a> = &'a (dyn Fn(f64) -> ControlFlow<()> + Sync);

/// For work that nobody watches.
pub fn unwatched(_: f64) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

/// Counts the parts that are done.
pub(crate) struct Steps<'a> {
    progress: Progress<'a>,
    all: usize,
    done: AtomicUsize,
}

impl<'a> Steps<'a> {
    pub(crate) fn new(progress: Progress<'a>, all: usize) -> Self {
        Self { progress, all, done: AtomicUsize::new(0) }
    }

    /// One more is done.
    pub(crate) fn step(&self) -> Result<(), ImagingError> {
        let done = self.done.fetch_add(1, Ordering::Relaxed) + 1;
        match (self.progress)(done as f64 / self.all.max(1) as f64) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(ImagingError::Cancelled),
        }
    }
}
