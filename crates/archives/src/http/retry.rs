//! Trying again: how often, how long in between, and when it is of no use.

use std::time::Duration;

use holotype_core::{Clock, Instant};
use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};

use super::Policy;
use crate::source::SourceError;

/// The longest pause that we choose ourselves.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// The tries of one request.
#[derive(Debug)]
pub(super) struct Retries<'p> {
    policy: &'p Policy,
    tries: u32,
    waited: Duration,
}

impl<'p> Retries<'p> {
    pub(super) fn new(policy: &'p Policy) -> Self {
        Self { policy, tries: 1, waited: Duration::ZERO }
    }

    /// How much longer may be waited.
    pub(super) fn patience(&self) -> Duration {
        self.policy.patience.saturating_sub(self.waited)
    }

    /// Waits before the next try; gives the error back if there should be none.
    pub(super) async fn after(&mut self, error: SourceError) -> Result<(), SourceError> {
        let pause = self.next(error)?;
        tokio::time::sleep(pause).await;
        Ok(())
    }

    /// The pause before the next try; the error if there should be none.
    fn next(&mut self, error: SourceError) -> Result<Duration, SourceError> {
        let pause = match error.retry_after() {
            Some(asked) => asked.max(self.pause() / 2),
            None => self.pause(),
        };
        if !may_pass(&error) || self.tries >= self.policy.tries || pause > self.patience() {
            return Err(error);
        }
        tracing::debug!(try = self.tries, pause_ms = pause.as_millis(), %error, "trying again");
        self.tries += 1;
        self.waited += pause;
        Ok(pause)
    }

    /// Twice as long each time, less up to a half by chance, so that many who failed together do not return together.
    fn pause(&self) -> Duration {
        let full = self.policy.first_pause.saturating_mul(1 << (self.tries - 1).min(16)).min(LONGEST_PAUSE);
        full.mul_f64(1.0 - chance() / 2.0)
    }
}

/// Whether the same request may be answered when it is made again at once.
fn may_pass(error: &SourceError) -> bool {
    match error {
        SourceError::Connection { .. } | SourceError::Silence { .. } => true,
        // Not implemented and version not supported do not pass.
        SourceError::Status { status, .. } => error.is_transient() && !matches!(status, 501 | 505),
        _ => false,
    }
}

/// Something between 0 and 1.
fn chance() -> f64 {
    // Without randomness the pauses are only a little less spread.
    f64::from(getrandom::u32().unwrap_or(u32::MAX / 2)) / f64::from(u32::MAX)
}

/// How long a server asks to be left alone: in seconds, or until a date by its own clock.
pub(super) fn retry_after(headers: &HeaderMap, clock: &dyn Clock) -> Option<Duration> {
    let text = |name: &str| headers.get(name)?.to_str().ok().map(str::trim);
    let until = match text(RETRY_AFTER.as_str()) {
        Some(asked) => match asked.parse::<u64>() {
            Ok(seconds) => return Some(Duration::from_secs(seconds)),
            Err(_) => http_date(asked)?,
        },
        // Some say only when the count of requests begins anew, in seconds since 1970.
        None if text("x-ratelimit-remaining") == Some("0") => {
            Instant::from_micros(text("x-ratelimit-reset")?.parse::<i64>().ok()?.checked_mul(1_000_000)?)
        }
        None => return None,
    };
    let now = text(DATE.as_str()).and_then(http_date).unwrap_or_else(|| clock.now());
    Some(Duration::from_micros(u64::try_from(until.as_micros().saturating_sub(now.as_micros())).unwrap_or(0)))
}

/// A date as HTTP writes it: `Sun, 06 Nov 1994 08:49:37 GMT`.
fn http_date(text: &str) -> Option<Instant> {
    let timestamp = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text).ok()?;
    Some(Instant::from_micros(timestamp.as_microsecond()))
}

#[cfg(test)]
mod tests {
    use holotype_testkit::clock::HandClock;
    use reqwest::header::{HeaderName, HeaderValue};

    use super::*;

    fn policy() -> Policy {
        Policy { tries: 4, first_pause: Duration::from_secs(1), patience: Duration::from_secs(60), ..Policy::default() }
    }

    fn refusal(status: u16, retry_after: Option<u64>) -> SourceError {
        SourceError::Status {
            host: "archive.example".to_owned(),
            path: "/".to_owned(),
            status,
            message: String::new(),
            retry_after: retry_after.map(Duration::from_secs),
        }
    }

    #[test]
    fn pauses_grow_and_tries_end() {
        let policy = policy();
        let mut retries = Retries::new(&policy);
        let pauses: Vec<f64> =
            std::iter::from_fn(|| retries.next(refusal(503, None)).ok()).map(|pause| pause.as_secs_f64()).collect();
        assert_eq!(pauses.len(), 3, "the first try and three more");
        for (pause, full) in pauses.iter().zip([1.0, 2.0, 4.0]) {
            assert!((full / 2.0..=full).contains(pause), "{pauses:?}");
        }
    }

    #[test]
    fn what_the_server_asks_for_is_waited_unless_it_is_too_long() {
        let policy = policy();
        let mut retries = Retries::new(&policy);
        assert_eq!(retries.next(refusal(429, Some(50))).unwrap(), Duration::from_secs(50));
        assert_eq!(retries.patience(), Duration::from_secs(10));
        let error = retries.next(refusal(429, Some(50))).unwrap_err();
        assert_eq!(error.retry_after(), Some(Duration::from_secs(50)));
    }

    #[test]
    fn what_does_not_pass_by_itself_is_not_tried_again() {
        let policy = policy();
        for status in [400, 401, 403, 404, 416, 501] {
            assert!(Retries::new(&policy).next(refusal(status, None)).is_err(), "{status}");
        }
    }

    #[test]
    fn retry_after_is_read_as_seconds_and_as_a_date() {
        let clock = HandClock::default();
        let read = |pairs: &[(HeaderName, &'static str)]| {
            let headers = pairs
                .iter()
                .map(|(name, value)| (name.clone(), HeaderValue::from_static(value)))
                .collect::<HeaderMap>();
            retry_after(&headers, &clock)
        };
        assert_eq!(read(&[(RETRY_AFTER, "120")]), Some(Duration::from_secs(120)));
        let dates = [(DATE, "Sun, 06 Nov 1994 08:49:37 GMT"), (RETRY_AFTER, "Sun, 06 Nov 1994 08:50:00 GMT")];
        assert_eq!(read(&dates), Some(Duration::from_secs(23)));
        let past = [(DATE, "Sun, 06 Nov 1994 08:50:37 GMT"), (RETRY_AFTER, "Sun, 06 Nov 1994 08:50:00 GMT")];
        assert_eq!(read(&past), Some(Duration::ZERO));
        let rest = (HeaderName::from_static("x-ratelimit-remaining"), "0");
        let reset = (HeaderName::from_static("x-ratelimit-reset"), "784111787");
        let now = (DATE, "Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(read(&[now.clone(), rest, reset.clone()]), Some(Duration::from_secs(10)));
        assert_eq!(read(&[now, reset]), None, "requests are left");
        assert_eq!(read(&[(RETRY_AFTER, "soon")]), None);
        assert_eq!(read(&[]), None);
    }
}
