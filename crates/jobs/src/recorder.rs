//! What a handler says, gathered in memory until the next write: a handler may speak a thousand times a second, a database need not.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use holotype_core::Instant;
use tokio::sync::Notify;

use crate::options::Options;
use crate::{Level, text};

/// How far an attempt has come.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Progress {
    /// 0 to 1.
    pub fraction: f64,
    /// What it is doing.
    pub message: String,
}

/// A log line that has no number yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    pub at: Instant,
    pub level: Level,
    pub text: String,
}

impl Line {
    /// The line that stands in this one's place when it is the last that is kept.
    pub(crate) fn as_last_of(&self, limit: i64) -> Line {
        Line { at: self.at, level: Level::Warning, text: format!("the log ends here: {limit} lines are kept per job") }
    }
}

/// What was said since the last write.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Batch {
    pub progress: Option<Progress>,
    pub lines: VecDeque<Line>,
}

/// Takes what a handler says.
#[derive(Debug)]
pub(crate) struct Recorder {
    text_bytes: usize,
    most_lines: usize,
    said: Mutex<Said>,
    something: Notify,
}

#[derive(Debug, Default)]
struct Said {
    batch: Batch,
    /// The highest fraction of this attempt.
    reached: f64,
}

impl Recorder {
    pub(crate) fn new(options: &Options) -> Self {
        Self {
            text_bytes: options.text_bytes,
            most_lines: usize::try_from(options.log_lines).unwrap_or(usize::MAX),
            said: Mutex::default(),
            something: Notify::new(),
        }
    }

    pub(crate) fn progress(&self, fraction: f64, message: &str) {
        let message = self.text(message);
        let mut said = self.said();
        // `max` passes over NaN.
        said.reached = said.reached.max(fraction.clamp(0.0, 1.0));
        said.batch.progress = Some(Progress { fraction: said.reached, message });
        drop(said);
        self.something.notify_one();
    }

    pub(crate) fn log(&self, at: Instant, level: Level, text: &str) {
        let line = Line { at, level, text: self.text(text) };
        let mut said = self.said();
        // The table keeps no more of one batch, so no more need wait in memory.
        if said.batch.lines.len() < self.most_lines {
            said.batch.lines.push_back(line);
        }
        drop(said);
        self.something.notify_one();
    }

    /// Resolves when something has been said since the last [`take`](Self::take).
    pub(crate) async fn something_said(&self) {
        self.something.notified().await;
    }

    pub(crate) fn take(&self) -> Batch {
        std::mem::take(&mut self.said().batch)
    }

    /// Puts back what could not be written, before what was said in the meantime.
    pub(crate) fn put_back(&self, mut unwritten: Batch) {
        let mut said = self.said();
        unwritten.lines.append(&mut said.batch.lines);
        unwritten.lines.truncate(self.most_lines);
        said.batch.lines = unwritten.lines;
        said.batch.progress = said.batch.progress.take().or(unwritten.progress);
    }

    fn text(&self, text: &str) -> String {
        text::cut(&text::storable(text), self.text_bytes)
    }

    fn said(&self) -> MutexGuard<'_, Said> {
        // Nothing panics while it is held, and half a batch is still true.
        self.said.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Instant = Instant::from_micros(0);

    fn recorder(log_lines: u32) -> Recorder {
        Recorder::new(&Options { log_lines, text_bytes: 40, ..Options::default() })
    }

    fn texts(batch: &Batch) -> Vec<&str> {
        batch.lines.iter().map(|line| line.text.as_str()).collect()
    }

    #[test]
    fn progress_stays_between_nothing_and_all_and_never_goes_backwards() {
        let recorder = recorder(10);
        let mut reached = Vec::new();
        for fraction in [-1.0, 0.25, f64::NAN, 0.125, 7.0, 0.5] {
            recorder.progress(fraction, "working");
            reached.push(recorder.take().progress.unwrap().fraction);
        }
        assert_eq!(reached, [0.0, 0.25, 0.25, 0.25, 1.0, 1.0]);
    }

    #[test]
    fn only_the_latest_progress_is_written_but_every_line() {
        let recorder = recorder(10);
        recorder.progress(0.1, "first");
        recorder.log(NOW, Level::Info, "a");
        recorder.progress(0.2, "second");
        recorder.log(NOW, Level::Info, "b");
        let batch = recorder.take();
        assert_eq!(batch.progress, Some(Progress { fraction: 0.2, message: "second".to_owned() }));
        assert_eq!(texts(&batch), ["a", "b"]);
        assert_eq!(recorder.take(), Batch::default());
    }

    #[test]
    fn what_could_not_be_written_comes_before_what_was_said_since() {
        let recorder = recorder(3);
        recorder.log(NOW, Level::Info, "a");
        recorder.progress(0.1, "old");
        let unwritten = recorder.take();
        recorder.log(NOW, Level::Info, "b");
        recorder.progress(0.2, "new");
        recorder.put_back(unwritten);
        let batch = recorder.take();
        assert_eq!(texts(&batch), ["a", "b"]);
        assert_eq!(batch.progress.unwrap().message, "new");
    }

    #[test]
    fn no_more_waits_in_memory_than_is_kept() {
        let recorder = recorder(3);
        for number in 0..1000 {
            recorder.log(NOW, Level::Info, &format!("{number} {}", "x".repeat(1000)));
        }
        let batch = recorder.take();
        assert_eq!(batch.lines.len(), 3);
        assert!(batch.lines.iter().all(|line| line.text.len() <= 40 && line.text.contains("[cut: 100")), "{batch:?}");
    }
}
