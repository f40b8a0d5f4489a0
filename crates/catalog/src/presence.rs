//! What is remembered of whether anybody has been created: every request asks.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use holotype_core::Instant;

/// How long "nobody" is believed. Another process on the same PostgreSQL may create the first user meanwhile.
const BELIEVED: Duration = Duration::from_secs(1);

/// What was last seen.
#[derive(Debug, Clone, Copy)]
enum Seen {
    /// Nothing yet.
    Nothing,
    /// Nobody, at this instant.
    Nobody(Instant),
    /// Somebody. Users are never deleted, so that stays right.
    Somebody,
}

/// Whether users exist, as far as it need not be asked again.
#[derive(Debug)]
pub(crate) struct Presence(Mutex<Seen>);

impl Default for Presence {
    fn default() -> Self {
        Self(Mutex::new(Seen::Nothing))
    }
}

impl Presence {
    /// The answer, if it is still believed at `now`.
    pub(crate) fn known(&self, now: Instant) -> Option<bool> {
        match *self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            Seen::Somebody => Some(true),
            // A clock that was set back proves nothing.
            Seen::Nobody(at) if at <= now && now < at.after(BELIEVED) => Some(false),
            Seen::Nobody(_) | Seen::Nothing => None,
        }
    }

    /// Remembers what a snapshot that began at `now` said. "Somebody" is never taken back by an older look.
    pub(crate) fn learn(&self, exist: bool, now: Instant) {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *seen = match *seen {
            _ if exist => Seen::Somebody,
            Seen::Somebody => Seen::Somebody,
            Seen::Nobody(_) | Seen::Nothing => Seen::Nobody(now),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: Instant = Instant::from_micros(1_800_000_000_000_000);

    #[test]
    fn nobody_is_believed_for_a_second_and_not_by_a_clock_set_back() {
        let presence = Presence::default();
        assert_eq!(presence.known(NOON), None);
        presence.learn(false, NOON);
        assert_eq!(presence.known(NOON.after(Duration::from_millis(999))), Some(false));
        assert_eq!(presence.known(NOON.after(Duration::from_secs(1))), None);
        assert_eq!(presence.known(NOON.before(Duration::from_secs(1))), None);
    }

    #[test]
    fn somebody_is_believed_for_ever_whatever_a_late_look_saw() {
        let presence = Presence::default();
        presence.learn(true, NOON);
        presence.learn(false, NOON);
        assert_eq!(presence.known(NOON.after(Duration::from_secs(86_400))), Some(true));
    }
}
