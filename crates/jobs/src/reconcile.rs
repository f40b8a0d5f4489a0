//! Puts together again what a crash left apart: jobs that no task tells of, and attempts whose worker is gone.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use holotype_core::ActivityId;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use crate::queue::{self, Delivery};
use crate::state::{Event, State};
use crate::table::{self, Sign};
use crate::{JobError, Jobs};

/// What one round of [`Jobs::reconcile`] did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Reconciled {
    /// Waiting jobs that were put into the queue again.
    pub redelivered: u64,
    /// Attempts that were taken from a silent worker.
    pub leases_lost: u64,
    /// Tasks that were over and are gone from the queue.
    pub tasks_swept: u64,
}

/// Since when each running attempt has given the same sign of life, by this process's own steady clock: clocks of different hosts differ, and
/// an operator may set them.
#[derive(Debug, Default)]
pub(crate) struct Vigil(Mutex<HashMap<ActivityId, (Sign, Instant)>>);

impl Vigil {
    /// Takes in what every running attempt says now; those that have said the same for as long as a lease lasts.
    fn silent(&self, signs: Vec<Sign>, now: Instant, lease: Duration) -> Vec<Sign> {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut next = HashMap::with_capacity(signs.len());
        let mut silent = Vec::new();
        for sign in signs {
            let since = match seen.get(&sign.id) {
                Some((before, since)) if *before == sign => *since,
                _ => now,
            };
            if now.duration_since(since) >= lease {
                silent.push(sign);
            }
            next.insert(sign.id, (sign, since));
        }
        *seen = next;
        silent
    }
}

impl Jobs {
    /// One round of repair. It judges a running attempt by what it saw in earlier rounds, so the first one takes nothing away.
    ///
    /// # Errors
    /// The catalog's.
    pub async fn reconcile(&self) -> Result<Reconciled, JobError> {
        let survey = self.catalog().read(|tx| {
            Box::pin(async move { Ok::<_, JobError>((queue::undelivered(tx).await?, table::signs(tx).await?)) })
        });
        let (undelivered, signs) = survey.await?;
        let mut done = Reconciled::default();
        for delivery in undelivered {
            self.redeliver(delivery).await?;
            done.redelivered += 1;
        }
        for sign in self.vigil().silent(signs, Instant::now(), self.options().lease()) {
            done.leases_lost += u64::from(self.take_away(sign).await?);
        }
        done.tasks_swept = self.catalog().write(|tx| Box::pin(queue::sweep(tx))).await?;
        Ok(done)
    }

    pub(crate) async fn reconcile_until(&self, shutdown: CancellationToken) {
        while !shutdown.is_cancelled() {
            match self.reconcile().await {
                Ok(done) if done.redelivered + done.leases_lost > 0 => {
                    tracing::warn!(done.redelivered, done.leases_lost, "jobs that a crash left behind go on");
                }
                Ok(_) => {}
                Err(error) => tracing::warn!(%error, "jobs could not be reconciled; it is tried again"),
            }
            tokio::select! {
                () = shutdown.cancelled() => {}
                () = sleep(self.options().reconcile) => {}
            }
        }
    }

    /// Puts a waiting attempt into the queue again. If two processes do so at once it is delivered twice, which does no harm.
    pub(crate) async fn redeliver(&self, delivery: Delivery) -> Result<(), JobError> {
        let jobs = self.clone();
        self.catalog()
            .write(move |tx| {
                let jobs = jobs.clone();
                Box::pin(async move {
                    let Some(job) = table::lock(tx, delivery.activity).await? else { return Ok(()) };
                    if job.position.state == State::Queued && job.position.attempt == delivery.attempt {
                        queue::withdraw(tx, delivery).await?;
                        queue::push(tx, delivery, job.priority, job.run_after).await?;
                        jobs.announce(tx, job.id, State::Queued);
                    }
                    Ok(())
                })
            })
            .await
    }

    /// Takes a job from an attempt that is silent still.
    async fn take_away(&self, sign: Sign) -> Result<bool, JobError> {
        let jobs = self.clone();
        self.catalog()
            .write(move |tx| {
                let jobs = jobs.clone();
                Box::pin(async move {
                    let Some(job) = table::lock(tx, sign.id).await? else { return Ok(false) };
                    if job.position.attempt != sign.attempt || job.heartbeat_at != sign.heartbeat_at {
                        return Ok(false);
                    }
                    Ok(jobs.advance(tx, &job, Event::LeaseLost).await?.is_some())
                })
            })
            .await
    }
}

#[cfg(test)]
mod tests {
    use holotype_core::Instant as Time;

    use super::*;

    const LEASE: Duration = Duration::from_secs(15);

    fn sign(attempt: u32, heartbeat: i64) -> Sign {
        let id = "01ARZ3NDEKTSV4RRFFQ69G5FAV".parse().unwrap();
        Sign { id, attempt, heartbeat_at: Some(Time::from_micros(heartbeat)) }
    }

    #[test]
    fn an_attempt_is_silent_when_it_has_said_the_same_for_a_whole_lease() {
        let (vigil, start) = (Vigil::default(), Instant::now());
        let look =
            |sign: Sign, seconds: u64| vigil.silent(vec![sign], start + Duration::from_secs(seconds), LEASE).len();
        assert_eq!(look(sign(1, 10), 0), 0);
        assert_eq!(look(sign(1, 10), 14), 0);
        assert_eq!(look(sign(1, 10), 15), 1);
    }

    #[test]
    fn any_change_of_the_sign_is_a_sign_of_life_whatever_the_clocks_say() {
        let (vigil, start) = (Vigil::default(), Instant::now());
        let look =
            |sign: Sign, seconds: u64| vigil.silent(vec![sign], start + Duration::from_secs(seconds), LEASE).len();
        assert_eq!(look(sign(1, 1_000_000), 0), 0);
        assert_eq!(look(sign(1, 5), 14), 0, "a clock that was set back still beats");
        assert_eq!(look(sign(2, 5), 28), 0, "the next attempt starts afresh");
        assert_eq!(look(sign(2, 5), 42), 0);
        assert_eq!(look(sign(2, 5), 43), 1);
    }

    #[test]
    fn what_runs_no_more_is_forgotten() {
        let (vigil, start) = (Vigil::default(), Instant::now());
        vigil.silent(vec![sign(1, 10)], start, LEASE);
        vigil.silent(vec![], start + LEASE, LEASE);
        assert!(vigil.silent(vec![sign(1, 10)], start + LEASE, LEASE).is_empty());
    }
}
