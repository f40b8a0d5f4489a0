//! Points in time, and where they come from.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A point in time: microseconds since 1970-01-01T00:00:00 UTC, written as RFC 3339 in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Instant(i64);

/// Text that is not an RFC 3339 time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{text}' is not a time: RFC 3339 is needed, for example 2026-01-31T12:00:00Z")]
pub struct InvalidInstant {
    /// What was given, cut to 80 characters.
    pub text: String,
}

impl Instant {
    /// An instant from microseconds since the epoch, as the catalog keeps it.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Microseconds since the epoch.
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// The instant `duration` later, or the last one there is.
    pub fn after(self, duration: std::time::Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)))
    }

    /// The instant `duration` earlier, or the first one there is.
    pub fn before(self, duration: std::time::Duration) -> Self {
        Self(self.0.saturating_sub(i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)))
    }

    /// The same point in time as a calendar library knows it, or its nearest end outside the years -9999 to 9999.
    pub fn timestamp(self) -> jiff::Timestamp {
        jiff::Timestamp::from_microsecond(self.0).unwrap_or(if self.0 < 0 {
            jiff::Timestamp::MIN
        } else {
            jiff::Timestamp::MAX
        })
    }
}

impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.timestamp().fmt(f)
    }
}

impl FromStr for Instant {
    type Err = InvalidInstant;

    fn from_str(text: &str) -> Result<Self, InvalidInstant> {
        text.parse::<jiff::Timestamp>()
            .map(|timestamp| Self(timestamp.as_microsecond()))
            .map_err(|_| InvalidInstant { text: text.chars().take(80).collect() })
    }
}

impl Serialize for Instant {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Instant {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// Where the time comes from: the system's clock in a server, a hand-turned one in tests.
pub trait Clock: fmt::Debug + Send + Sync + 'static {
    /// The present instant. It may jump when an operator sets the clock: never order events by it alone.
    fn now(&self) -> Instant;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_is_written_in_utc_and_read_from_any_offset() {
        let instant: Instant = "2026-11-20T15:18:47.5+02:00".parse().unwrap();
        assert_eq!(instant.to_string(), "2026-11-20T13:18:47.5Z");
    }

    #[test]
    fn arithmetic_stops_at_the_ends_of_time() {
        let day = std::time::Duration::from_secs(86_400);
        assert_eq!(Instant::from_micros(i64::MAX).after(day).as_micros(), i64::MAX);
        assert_eq!(Instant::from_micros(0).before(day).to_string(), "1969-12-31T00:00:00Z");
        assert!(Instant::from_micros(i64::MAX).to_string().starts_with("9999-"));
    }
}
