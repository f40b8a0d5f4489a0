//! The one place where a job moves: its row, its log, its task in the queue and the news of it, in one transaction.

use std::time::Duration;

use holotype_catalog::Tx;
use holotype_core::Instant;

use crate::queue::{self, Delivery};
use crate::recorder::Line;
use crate::state::{Event, Position, State};
use crate::table::{self, Locked, Move};
use crate::{JobError, Jobs, Level, text};

impl Jobs {
    /// Moves a job whose row this transaction has locked. `None` where the event means nothing to a job in this state.
    pub(crate) async fn advance(&self, tx: &mut Tx, job: &Locked, event: Event) -> Result<Option<Position>, JobError> {
        let Some(next) = job.position.after(&event) else { return Ok(None) };
        let run_after = tx.now().after(self.pause(&event, job.position.attempt));
        let reason = self.reason(&event, job.position);
        let line = line_of(job.position, next, tx.now(), run_after, reason.as_deref());
        let to = Move {
            next,
            run_after,
            error: reason,
            result: if let Event::Succeeded { result } = event { Some(result) } else { None },
            code_version: &self.options().code_version,
        };
        if !table::apply(tx, job, &to).await? {
            return Ok(None);
        }
        if let Some(line) = line {
            table::append_log(tx, job.id, &[line], self.options().log_lines).await?;
        }
        match (job.position.state, next.state) {
            (_, State::Queued) => {
                let delivery = Delivery { activity: job.id, attempt: next.attempt };
                queue::push(tx, delivery, job.priority, run_after).await?;
            }
            (State::Queued, State::Cancelled) => {
                queue::withdraw(tx, Delivery { activity: job.id, attempt: job.position.attempt }).await?;
            }
            _ => {}
        }
        self.announce(tx, job.id, next.state);
        Ok(Some(next))
    }

    /// How long the next attempt waits. One that was taken away or asked for by hand does not.
    fn pause(&self, event: &Event, attempt: u32) -> Duration {
        match event {
            Event::Failed { .. } | Event::LeaseLost => self.options().backoff.after(attempt),
            Event::Claimed
            | Event::Succeeded { .. }
            | Event::Interrupted
            | Event::CancelRequested
            | Event::RetryRequested => Duration::ZERO,
        }
    }

    fn reason(&self, event: &Event, position: Position) -> Option<String> {
        let Position { attempt, max_attempts, state } = position;
        match event {
            Event::Failed { reason, .. } => Some(text::cut(&text::storable(reason), self.options().text_bytes)),
            Event::LeaseLost => Some(format!(
                "the worker of attempt {attempt} of {max_attempts} went silent: it was killed, or cut off from the catalog"
            )),
            Event::Interrupted if state == State::Running => {
                Some(format!("the worker of attempt {attempt} of {max_attempts} was shut down"))
            }
            Event::Interrupted
            | Event::Claimed
            | Event::Succeeded { .. }
            | Event::CancelRequested
            | Event::RetryRequested => None,
        }
    }
}

/// What the job's own log says about the move, where its state alone does not tell.
fn line_of(from: Position, next: Position, at: Instant, run_after: Instant, reason: Option<&str>) -> Option<Line> {
    let line = |level, text| Some(Line { at, level, text });
    match (from.state.is_held(), next.state, reason) {
        (true, State::Queued, Some(reason)) => {
            line(Level::Warning, format!("{reason}; attempt {} begins at {run_after} or later", next.attempt))
        }
        (true, State::Failed | State::Cancelled, Some(reason)) => line(Level::Error, reason.to_owned()),
        (false, State::Queued, _) => line(Level::Info, format!("attempt {} was asked for", next.attempt)),
        _ => None,
    }
}
