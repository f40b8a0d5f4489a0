//! Where a job stands, and the one table of how it may move.
//!
//! ```text
//!            Claimed               Succeeded
//!  Queued ───────────▶ Running ─────────────────────▶ Succeeded
//!   │  ▲                │ │ │                              ▲
//!   │  └── again ───────┘ │ └── CancelRequested ▶ Cancelling ┐
//!   │                     └── no attempt left ──▶ Failed      │
//!   └── CancelRequested ──────────────────────▶ Cancelled ◀──┘
//! ```
//!
//! `again` is a failure worth repeating, a lost lease, or a worker that was shut down. A failed or cancelled job is queued again by
//! `RetryRequested`. Each way back into the queue has a new attempt number: the number is the fencing token, and whoever holds an old one can
//! change nothing.

use std::fmt;
use std::str::FromStr;

/// Where a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    /// It waits for a worker, or for its time.
    Queued,
    /// A worker holds it.
    Running,
    /// A worker holds it and has been told to stop.
    Cancelling,
    /// It did what it was for.
    Succeeded,
    /// It gave up.
    Failed,
    /// Somebody stopped it.
    Cancelled,
}

/// Text that names no state.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{text}' is not a job state: queued, running, cancelling, succeeded, failed or cancelled is needed")]
pub struct UnknownState {
    /// What was given, cut to 80 characters.
    pub text: String,
}

impl State {
    /// Every state, in the order in which a job may come to them.
    pub const ALL: [State; 6] =
        [State::Queued, State::Running, State::Cancelling, State::Succeeded, State::Failed, State::Cancelled];

    /// The stable name, as stored and as written in commands.
    pub fn name(self) -> &'static str {
        match self {
            State::Queued => "queued",
            State::Running => "running",
            State::Cancelling => "cancelling",
            State::Succeeded => "succeeded",
            State::Failed => "failed",
            State::Cancelled => "cancelled",
        }
    }

    /// Whether nothing more will happen, unless somebody retries the job.
    pub fn is_final(self) -> bool {
        matches!(self, State::Succeeded | State::Failed | State::Cancelled)
    }

    /// Whether a worker holds the job.
    pub fn is_held(self) -> bool {
        matches!(self, State::Running | State::Cancelling)
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for State {
    type Err = UnknownState;

    fn from_str(text: &str) -> Result<Self, UnknownState> {
        State::ALL
            .into_iter()
            .find(|state| state.name() == text)
            .ok_or_else(|| UnknownState { text: text.chars().take(80).collect() })
    }
}

/// What happened to a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Event {
    /// A worker takes it.
    Claimed,
    /// Its handler finished; the result is JSON text.
    Succeeded { result: String },
    /// Its handler failed, or could not be run.
    Failed { reason: String, may_retry: bool },
    /// Its handler stopped before the end because it was told to: its worker is being shut down, or somebody cancelled the job.
    Interrupted,
    /// The worker that held it went silent.
    LeaseLost,
    /// Somebody wants it stopped.
    CancelRequested,
    /// Somebody wants it tried again.
    RetryRequested,
}

/// What identifies one execution, and what is left to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Position {
    /// Where the job stands.
    pub state: State,
    /// The attempt that waits, runs or was the last; the first is 1.
    pub attempt: u32,
    /// The attempt after which it is not tried again by itself.
    pub max_attempts: u32,
}

impl Position {
    /// Where the job stands after `event`; `None` where the event means nothing.
    pub(crate) fn after(self, event: &Event) -> Option<Position> {
        use Event as E;
        use State as S;
        match (self.state, event) {
            (S::Queued, E::Claimed) => Some(self.at(S::Running)),
            (S::Queued, E::CancelRequested) => Some(self.at(S::Cancelled)),

            (S::Running | S::Cancelling, E::Succeeded { .. }) => Some(self.at(S::Succeeded)),
            (S::Running, E::Failed { may_retry: true, .. } | E::LeaseLost) => Some(self.again_or_failed()),
            (S::Running, E::Failed { may_retry: false, .. }) => Some(self.at(S::Failed)),
            (S::Running, E::Interrupted) => Some(self.once_more()),
            (S::Running, E::CancelRequested) => Some(self.at(S::Cancelling)),
            (S::Cancelling, E::Failed { .. } | E::Interrupted | E::LeaseLost) => Some(self.at(S::Cancelled)),

            (S::Failed | S::Cancelled, E::RetryRequested) => Some(self.retried()),

            (S::Queued | S::Running | S::Cancelling | S::Succeeded | S::Failed | S::Cancelled, _) => None,
        }
    }

    fn at(self, state: State) -> Position {
        Position { state, ..self }
    }

    fn again_or_failed(self) -> Position {
        if self.attempt < self.max_attempts {
            Position { state: State::Queued, attempt: self.attempt + 1, ..self }
        } else {
            self.at(State::Failed)
        }
    }

    /// An attempt that was taken away through no fault of the job is given back.
    fn once_more(self) -> Position {
        Position {
            state: State::Queued,
            attempt: self.attempt.saturating_add(1),
            max_attempts: self.max_attempts.saturating_add(1),
        }
    }

    fn retried(self) -> Position {
        let attempt = self.attempt.saturating_add(1);
        Position { state: State::Queued, attempt, max_attempts: self.max_attempts.max(attempt) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn every_event() -> Vec<Event> {
        vec![
            Event::Claimed,
            Event::Succeeded { result: "1".to_owned() },
            Event::Failed { reason: "the disk is full".to_owned(), may_retry: true },
            Event::Failed { reason: "there is no such file".to_owned(), may_retry: false },
            Event::Interrupted,
            Event::LeaseLost,
            Event::CancelRequested,
            Event::RetryRequested,
        ]
    }

    fn at(state: State, attempt: u32, max_attempts: u32) -> Position {
        Position { state, attempt, max_attempts }
    }

    /// The whole table for a job with attempts left: one row per state, one column per event of [`every_event`].
    #[test]
    fn each_state_answers_each_event_as_the_table_says() {
        use State::*;
        let same = |state| Some(at(state, 2, 3));
        let queued = Some(at(Queued, 3, 3));
        let table = [
            (Queued, [same(Running), None, None, None, None, None, same(Cancelled), None]),
            (
                Running,
                [None, same(Succeeded), queued, same(Failed), Some(at(Queued, 3, 4)), queued, same(Cancelling), None],
            ),
            (
                Cancelling,
                [None, same(Succeeded), same(Cancelled), same(Cancelled), same(Cancelled), same(Cancelled), None, None],
            ),
            (Succeeded, [None; 8]),
            (Failed, [None, None, None, None, None, None, None, queued]),
            (Cancelled, [None, None, None, None, None, None, None, queued]),
        ];
        for (state, row) in table {
            for (event, expected) in every_event().into_iter().zip(row) {
                assert_eq!(at(state, 2, 3).after(&event), expected, "{state} after {event:?}");
            }
        }
    }

    #[test]
    fn the_last_attempt_ends_in_failure_whether_the_handler_failed_or_the_worker_died() {
        for event in [Event::LeaseLost, Event::Failed { reason: String::new(), may_retry: true }] {
            assert_eq!(at(State::Running, 3, 3).after(&event), Some(at(State::Failed, 3, 3)));
        }
    }

    #[test]
    fn a_shutdown_costs_no_attempt_and_a_retry_by_hand_always_gets_one() {
        assert_eq!(at(State::Running, 3, 3).after(&Event::Interrupted), Some(at(State::Queued, 4, 4)));
        assert_eq!(at(State::Failed, 3, 3).after(&Event::RetryRequested), Some(at(State::Queued, 4, 4)));
        assert_eq!(at(State::Failed, 1, 3).after(&Event::RetryRequested), Some(at(State::Queued, 2, 3)));
    }

    #[test]
    fn the_attempt_grows_exactly_when_a_job_comes_back_into_the_queue() {
        for state in State::ALL {
            for event in every_event() {
                if let Some(next) = at(state, 1, 3).after(&event) {
                    assert_eq!(next.attempt > 1, next.state == State::Queued, "{state} after {event:?}");
                }
            }
        }
    }

    #[test]
    fn a_final_state_is_left_only_because_somebody_asked() {
        for state in State::ALL.into_iter().filter(|state| state.is_final()) {
            for event in every_event().into_iter().filter(|event| *event != Event::RetryRequested) {
                assert_eq!(at(state, 1, 3).after(&event), None);
            }
        }
    }

    proptest! {
        #[test]
        fn whatever_happens_no_attempt_runs_twice_and_a_job_runs_no_more_often_than_it_may(
            happenings in prop::collection::vec(prop::sample::select(every_event()), 0..200),
            max_attempts in 1_u32..5,
        ) {
            let mut job = at(State::Queued, 1, max_attempts);
            let mut claimed = Vec::new();
            let mut given = 0;
            for event in happenings {
                let Some(next) = job.after(&event) else { continue };
                if event == Event::Claimed {
                    claimed.push(job.attempt);
                }
                given += u32::from(matches!(event, Event::Interrupted | Event::RetryRequested));
                prop_assert!(next.state != job.state || next.attempt != job.attempt, "{event:?} moved nothing");
                prop_assert!(next.attempt <= next.max_attempts);
                job = next;
            }
            prop_assert!(claimed.is_sorted_by(|before, after| before < after), "{claimed:?}");
            prop_assert!(claimed.len() as u32 <= max_attempts + given);
        }
    }

    #[test]
    fn a_state_survives_being_written_and_read() {
        for state in State::ALL {
            assert_eq!(state.name().parse::<State>(), Ok(state));
        }
        assert!("done".parse::<State>().unwrap_err().to_string().starts_with("'done' is not a job state"));
    }
}
