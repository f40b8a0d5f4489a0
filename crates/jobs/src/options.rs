//! How patient the machinery is, and how much it keeps.

use std::time::Duration;

/// Settings of [`Jobs`](crate::Jobs). The defaults are for a service; tests shorten the times.
#[derive(Debug, Clone)]
pub struct Options {
    /// How often a running attempt and a worker say that they are alive.
    pub heartbeat: Duration,
    /// How many heartbeats may be missed before an attempt counts as lost.
    pub missed_heartbeats: u32,
    /// How often the queue, and a watched job, is looked at when nothing in this process says that it changed.
    pub poll: Duration,
    /// How often what crashes left apart is put together again.
    pub reconcile: Duration,
    /// How long progress and log lines are gathered before they are written.
    pub flush: Duration,
    /// How long a handler that was told to stop may go on before it is dropped.
    pub grace: Duration,
    /// How long to wait before a worker that ended is replaced, and between attempts to write down how a job ended.
    pub restart: Duration,
    /// How long a failed job waits for its next attempt.
    pub backoff: Backoff,
    /// How many log lines are kept per job.
    pub log_lines: u32,
    /// How many bytes of a log line, a progress message or an error are kept.
    pub text_bytes: usize,
    /// How many bytes the parameters or the result of a job may have, as JSON.
    pub json_bytes: usize,
    /// The version of the code that runs jobs, kept with each of them.
    pub code_version: String,
    /// Kinds of jobs that serve the whole installation: only administrators see them and act on them.
    pub administrative: Vec<&'static str>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            heartbeat: Duration::from_secs(5),
            missed_heartbeats: 3,
            poll: Duration::from_millis(500),
            reconcile: Duration::from_secs(10),
            flush: Duration::from_millis(250),
            grace: Duration::from_secs(10),
            restart: Duration::from_secs(1),
            backoff: Backoff::default(),
            log_lines: 10_000,
            text_bytes: 4096,
            json_bytes: 1024 * 1024,
            code_version: env!("CARGO_PKG_VERSION").to_owned(),
            administrative: Vec::new(),
        }
    }
}

impl Options {
    /// How long an attempt may stay silent before it counts as lost.
    pub fn lease(&self) -> Duration {
        self.heartbeat.saturating_mul(self.missed_heartbeats.max(1))
    }
}

/// How long a failed job waits: `first`, then twice as long each time, but never longer than `most`.
#[derive(Debug, Clone)]
pub struct Backoff {
    /// The wait after the first attempt.
    pub first: Duration,
    /// The longest wait.
    pub most: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self { first: Duration::from_secs(5), most: Duration::from_secs(600) }
    }
}

impl Backoff {
    /// The wait after `attempt`, the first of which is 1.
    pub fn after(&self, attempt: u32) -> Duration {
        let doublings = attempt.saturating_sub(1).min(31);
        self.first.saturating_mul(1 << doublings).min(self.most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_doubles_until_it_is_long_enough() {
        let backoff = Backoff { first: Duration::from_secs(5), most: Duration::from_secs(600) };
        let seconds: Vec<u64> =
            [0, 1, 2, 3, 7, 8, 9, u32::MAX].map(|attempt| backoff.after(attempt).as_secs()).to_vec();
        assert_eq!(seconds, [5, 5, 10, 20, 320, 600, 600, 600]);
    }

    #[test]
    fn a_lost_lease_is_noticed_within_a_minute() {
        let options = Options::default();
        // The silence is first seen one period late, and judged one period after it has lasted long enough.
        assert!(options.reconcile * 2 + options.lease() < Duration::from_secs(60));
    }
}
