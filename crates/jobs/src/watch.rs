//! The news of one job, from the catalog alone: what this process hears only makes it look sooner, so it does not matter which one works.

use std::collections::VecDeque;

use futures::stream::{BoxStream, StreamExt, try_unfold};
use holotype_core::{ActivityId, Caller};
use tokio::sync::broadcast;
use tokio::time::{Instant, sleep_until};

use crate::{JobError, JobEvent, JobRecord, Jobs, LogLine, table};

/// How many log lines are read at a time.
const LINES: u32 = 500;

impl Jobs {
    /// What happens to a job from now to its end: first where it stands, then every log line after `after_sequence`, progress and changes of
    /// state. The stream ends after a final state, before which every line of the log has been told.
    ///
    /// # Errors
    /// [`JobError::NotFound`] at once, or in the stream when the caller may not see the job any more; the catalog's.
    pub async fn watch(
        &self,
        caller: &Caller,
        id: ActivityId,
        after_sequence: i64,
    ) -> Result<BoxStream<'static, Result<JobEvent, JobError>>, JobError> {
        let mut watch = Watch {
            // Before the first look, so that nothing falls between.
            changes: self.changes(),
            jobs: self.clone(),
            caller: caller.clone(),
            id,
            told: None,
            after: after_sequence,
            behind: false,
            waiting: VecDeque::new(),
        };
        watch.look().await?;
        Ok(try_unfold(watch, |mut watch| async move { Ok(watch.next().await?.map(|event| (event, watch))) }).boxed())
    }
}

struct Watch {
    jobs: Jobs,
    caller: Caller,
    id: ActivityId,
    changes: broadcast::Receiver<ActivityId>,
    /// The job as it was last told.
    told: Option<JobRecord>,
    /// The last log line that was told.
    after: i64,
    /// Whether the log has more than was read of it.
    behind: bool,
    waiting: VecDeque<JobEvent>,
}

impl Watch {
    async fn next(&mut self) -> Result<Option<JobEvent>, JobError> {
        loop {
            if let Some(event) = self.waiting.pop_front() {
                return Ok(Some(event));
            }
            if self.told.as_ref().is_some_and(|job| job.state.is_final()) {
                return Ok(None);
            }
            if !self.behind {
                self.wait().await;
            }
            self.look().await?;
        }
    }

    /// Until this process hears of a change, or it is time to look anyway.
    async fn wait(&mut self) {
        let deadline = Instant::now() + self.jobs.options().poll;
        loop {
            tokio::select! {
                () = sleep_until(deadline) => return,
                heard = self.changes.recv() => match heard {
                    Ok(id) if id != self.id => {}
                    Ok(_) | Err(broadcast::error::RecvError::Lagged(_)) => return,
                    // `jobs` holds the sender, so it is never closed; and if it were, the deadline would do.
                    Err(broadcast::error::RecvError::Closed) => return sleep_until(deadline).await,
                },
            }
        }
    }

    /// Reads what is new, in one snapshot, and puts it in the order in which it is told.
    async fn look(&mut self) -> Result<(), JobError> {
        let (jobs, caller, id, after) = (self.jobs.clone(), self.caller.clone(), self.id, self.after);
        let (job, lines): (JobRecord, Vec<LogLine>) = self
            .jobs
            .catalog()
            .read(move |tx| {
                let (jobs, caller) = (jobs.clone(), caller.clone());
                Box::pin(async move {
                    let job = jobs.visible(tx, &caller, id).await?;
                    Ok::<_, JobError>((job, table::log(tx, id, after, LINES).await?))
                })
            })
            .await?;
        self.behind = lines.len() == LINES as usize;
        let before = self.told.as_ref();
        let moved = before.is_none_or(|told| (told.state, told.attempt) != (job.state, job.attempt));
        let further =
            before.map_or(job.progress > 0.0, |told| (told.progress, &told.message) != (job.progress, &job.message));
        let last = job.state.is_final();
        if last && self.behind {
            // The final state is told after the last line.
            self.tell(lines);
            return Ok(());
        }
        if moved && !last {
            self.waiting.push_back(JobEvent::State(Box::new(job.clone())));
        }
        self.tell(lines);
        if further && !last {
            self.waiting.push_back(JobEvent::Progress { fraction: job.progress, message: job.message.clone() });
        }
        if last {
            self.waiting.push_back(JobEvent::State(Box::new(job.clone())));
        }
        self.told = Some(job);
        Ok(())
    }

    fn tell(&mut self, lines: Vec<LogLine>) {
        self.after = lines.last().map_or(self.after, |line| line.sequence);
        self.waiting.extend(lines.into_iter().map(JobEvent::Log));
    }
}
