//! How fast one host is asked: so many requests at a time, so many in a second, and not at all while it asked to be left alone.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep_until};

/// What a host is given at most.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pace {
    /// Requests, with the reading of their answers, at a time.
    pub connections: usize,
    /// Requests begun in a second; no bound if absent.
    pub requests_per_second: Option<f64>,
}

/// The pace of one host.
#[derive(Debug)]
pub(super) struct HostPace {
    permits: Arc<Semaphore>,
    interval: Duration,
    times: Mutex<Times>,
}

#[derive(Debug)]
struct Times {
    /// When the next request may begin.
    next: Instant,
    /// Until when the host asked to be left alone.
    quiet_until: Instant,
}

impl HostPace {
    pub(super) fn new(pace: &Pace) -> Self {
        let interval = pace
            .requests_per_second
            .and_then(|rate| Duration::try_from_secs_f64(rate.recip()).ok())
            .unwrap_or(Duration::ZERO);
        let now = Instant::now();
        Self {
            permits: Arc::new(Semaphore::new(pace.connections.clamp(1, Semaphore::MAX_PERMITS))),
            interval,
            times: Mutex::new(Times { next: now, quiet_until: now }),
        }
    }

    /// Waits for a turn. The turn lasts until the permit is dropped.
    ///
    /// # Errors
    /// How long the host is to be left alone, if that is longer than `patience`.
    pub(super) async fn turn(&self, patience: Duration) -> Result<OwnedSemaphorePermit, Duration> {
        // The semaphore is never closed.
        let permit = Arc::clone(&self.permits).acquire_owned().await.map_err(|_| Duration::ZERO)?;
        while let Some(at) = self.reserve(patience)? {
            sleep_until(at).await;
            if Instant::now() >= self.times().quiet_until {
                break;
            }
        }
        Ok(permit)
    }

    /// Takes the next moment at which a request may begin; nothing if that is now.
    fn reserve(&self, patience: Duration) -> Result<Option<Instant>, Duration> {
        let mut times = self.times();
        let now = Instant::now();
        let quiet = times.quiet_until.saturating_duration_since(now);
        if quiet > patience {
            return Err(quiet);
        }
        let at = now.max(times.next).max(times.quiet_until);
        times.next = at + self.interval;
        Ok((at > now).then_some(at))
    }

    /// Leaves the host alone for so long.
    pub(super) fn hold(&self, duration: Duration) {
        // Longer than anyone waits: the arithmetic of instants must not overflow.
        let until = Instant::now() + duration.min(Duration::from_secs(366 * 86_400));
        let mut times = self.times();
        times.quiet_until = times.quiet_until.max(until);
    }

    fn times(&self) -> std::sync::MutexGuard<'_, Times> {
        // Two instants are never half-written.
        self.times.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Duration = Duration::from_secs(60);

    #[tokio::test]
    async fn requests_begin_no_closer_than_the_rate_allows() {
        let pace = HostPace::new(&Pace { connections: 10, requests_per_second: Some(4.0) });
        let first = Instant::now();
        assert_eq!(pace.reserve(PATIENCE), Ok(None), "the first need not wait");
        let turns: Vec<Instant> = (0..5).map(|_| pace.reserve(PATIENCE).unwrap().unwrap()).collect();
        assert!(turns[0] >= first + Duration::from_millis(250));
        assert!(turns.windows(2).all(|pair| pair[1] - pair[0] == Duration::from_millis(250)));
    }

    #[tokio::test]
    async fn no_more_turns_at_a_time_than_connections() {
        let pace = HostPace::new(&Pace { connections: 2, requests_per_second: None });
        let first = pace.turn(PATIENCE).await.unwrap();
        let _second = pace.turn(PATIENCE).await.unwrap();
        assert_eq!(pace.permits.available_permits(), 0);
        let third = pace.turn(PATIENCE);
        tokio::pin!(third);
        assert!(futures::poll!(&mut third).is_pending());
        drop(first);
        drop(third.await.unwrap());
    }

    #[tokio::test]
    async fn a_host_that_asks_to_be_left_alone_is_left_alone() {
        let pace = HostPace::new(&Pace { connections: 2, requests_per_second: None });
        let asked = Instant::now();
        pace.hold(Duration::from_secs(30));
        assert!(pace.reserve(PATIENCE).unwrap().unwrap() >= asked + Duration::from_secs(30));
        pace.hold(Duration::MAX);
        assert!(pace.turn(PATIENCE).await.unwrap_err() > PATIENCE);
    }
}
