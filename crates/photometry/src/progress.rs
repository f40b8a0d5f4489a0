//! How a measurement tells how far it is, and is told to stop.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::PhotometryError;

/// Who watches: called from any thread with a fraction from 0 to 1 and one line on what is being done.
pub type Observer<'a> = &'a (dyn Fn(f64, &str) -> ControlFlow<()> + Sync);

/// The watcher of one measurement.
#[derive(Clone, Copy)]
pub struct Progress<'a> {
    observer: Observer<'a>,
}

impl std::fmt::Debug for Progress<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Progress")
    }
}

impl<'a> Progress<'a> {
    /// Tells `observer`, and stops when it breaks.
    pub fn new(observer: Observer<'a>) -> Self {
        Self { observer }
    }

    /// Tells nobody and never stops.
    pub fn unwatched() -> Self {
        Self { observer: &|_, _| ControlFlow::Continue(()) }
    }

    /// Tells how far the work is.
    ///
    /// # Errors
    /// [`PhotometryError::Cancelled`] if the observer breaks.
    pub fn at(self, fraction: f64, doing: &str) -> Result<(), PhotometryError> {
        match (self.observer)(fraction, doing) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(PhotometryError::Cancelled),
        }
    }

    /// A step of the work that goes from the fraction `start` to `end` over `count` equal parts.
    pub(crate) fn step(self, doing: &'a str, start: f64, end: f64, count: usize) -> Step<'a> {
        Step { progress: self, doing, start, end, count, done: AtomicUsize::new(0) }
    }
}

/// A step over parts that are done side by side.
pub(crate) struct Step<'a> {
    progress: Progress<'a>,
    doing: &'a str,
    start: f64,
    end: f64,
    count: usize,
    done: AtomicUsize,
}

impl Step<'_> {
    /// One more part is done; the observer may stop the work here.
    pub(crate) fn advance(&self) -> Result<(), PhotometryError> {
        let done = self.done.fetch_add(1, Ordering::Relaxed) + 1;
        let share = done as f64 / self.count.max(1) as f64;
        let message = format!("{}: {:.0}%", self.doing, 100.0 * share);
        self.progress.at(self.start + (self.end - self.start) * share, &message)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[test]
    fn a_step_counts_its_parts_and_stops_when_it_is_told() {
        let seen = Mutex::new(Vec::new());
        let observer = |fraction: f64, doing: &str| {
            seen.lock().unwrap().push((fraction, doing.to_owned()));
            if fraction > 0.7 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let step = Progress::new(&observer).step("Measuring", 0.5, 0.75, 2);
        step.advance().unwrap();
        assert!(matches!(step.advance(), Err(PhotometryError::Cancelled)));
        let expected = [(0.625, "Measuring: 50%".to_owned()), (0.75, "Measuring: 100%".to_owned())];
        assert_eq!(*seen.lock().unwrap(), expected);
    }
}
