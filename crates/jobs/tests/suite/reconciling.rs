//! What is found apart is put together again, by whichever process sees it first.

use std::sync::Arc;
use std::time::Duration;

use holotype_catalog::{Entity, Sql};
use holotype_core::{ActivityId, Instant};
use holotype_jobs::{Failure, Handler, Job, JobError, Jobs, Level, NewJob, Options, Reconciled, State};
use serde_json::{Value, json};
use tokio::sync::{Mutex, oneshot};

use crate::support::{
    Lab, Tally, Workers, counting, ended, handler, judging_after, lively, log_texts, new_job, on_both_engines, options,
    owner, running, taken_away, until,
};

on_both_engines!(
    a_waiting_job_without_a_task_is_delivered_again,
    a_job_that_could_not_be_claimed_is_delivered_again,
    a_task_that_is_left_over_from_a_finished_job_does_nothing,
    a_late_worker_can_write_nothing_any_more,
    a_silent_worker_that_was_the_last_attempt_fails_the_job,
    a_job_that_is_being_cancelled_ends_with_its_silent_worker,
    a_job_that_gives_signs_of_life_is_left_alone,
);

const DELETE_TASKS: Sql = Sql { sqlite: "DELETE FROM Jobs", postgres: "DELETE FROM apalis.jobs" };

async fn a_waiting_job_without_a_task_is_delivered_again(lab: &Lab) {
    let (jobs, elsewhere, tally) = (lab.jobs(), lab.jobs(), Tally::default());
    let id = lab.enqueue(&jobs, new_job("count")).await;
    assert_eq!(jobs.reconcile().await.unwrap(), Reconciled::default());
    assert_eq!(lab.execute(DELETE_TASKS).await, 1);
    let (here, there) = tokio::join!(jobs.reconcile(), elsewhere.reconcile());
    assert!(here.unwrap().redelivered + there.unwrap().redelivered >= 1);
    assert_eq!((lab.tasks().await, jobs.reconcile().await.unwrap()), (1, Reconciled::default()));
    let workers = Workers::start(&jobs, 2, vec![counting("count", &tally)]);
    assert_eq!(ended(&jobs, id).await.attempt, 1);
    workers.stop().await;
    assert_eq!(tally.get(), 1);
}

async fn a_job_that_could_not_be_claimed_is_delivered_again(lab: &Lab) {
    const FAIL_TASKS: Sql = Sql {
        sqlite: "UPDATE Jobs SET status = 'Failed', attempts = 1",
        postgres: "UPDATE apalis.jobs SET status = 'Failed', attempts = 1",
    };
    let (jobs, tally) = (lab.jobs(), Tally::default());
    let id = lab.enqueue(&jobs, new_job("count")).await;
    assert_eq!(lab.execute(FAIL_TASKS).await, 1);
    assert_eq!(jobs.reconcile().await.unwrap().redelivered, 1);
    let workers = Workers::start(&jobs, 1, vec![counting("count", &tally)]);
    assert_eq!(ended(&jobs, id).await.state, State::Succeeded);
    workers.stop().await;
}

async fn a_task_that_is_left_over_from_a_finished_job_does_nothing(lab: &Lab) {
    const TWIN_OF_LATER: Sql = Sql {
        sqlite: "INSERT INTO Jobs SELECT job, '01ARZ3NDEKTSV4RRFFQ69G5FAV', job_type, 'Pending', 0, max_attempts, \
                 run_at + 3600, NULL, NULL, NULL, NULL, priority, metadata, NULL FROM Jobs",
        postgres: "INSERT INTO apalis.jobs (id, job_type, job, status, attempts, max_attempts, run_at, priority, metadata) \
                   SELECT '01ARZ3NDEKTSV4RRFFQ69G5FAV', job_type, job, 'Pending', 0, max_attempts, \
                   run_at + interval '1 hour', priority, metadata FROM apalis.jobs",
    };
    const LATER_IS_NOW: Sql = Sql {
        sqlite: "UPDATE Jobs SET run_at = run_at - 3600",
        postgres: "UPDATE apalis.jobs SET run_at = run_at - interval '1 hour'",
    };
    let (jobs, tally) = (lab.jobs(), Tally::default());
    let id = lab.enqueue(&jobs, new_job("count")).await;
    assert_eq!(lab.execute(TWIN_OF_LATER).await, 1);
    let workers = Workers::start(&jobs, 1, vec![counting("count", &tally)]);
    let done = ended(&jobs, id).await;
    while lab.tasks().await > 1 {
        tokio::time::sleep(options().reconcile).await;
    }
    assert_eq!(lab.execute(LATER_IS_NOW).await, 1);
    while lab.tasks().await > 0 {
        tokio::time::sleep(options().reconcile).await;
    }
    workers.stop().await;
    assert_eq!((tally.get(), jobs.get(&owner(), id).await.unwrap()), (1, done));
}

/// Jobs whose running attempts give no sign of life, but do not know that they are taken for dead.
fn silent(lab: &Lab) -> Jobs {
    lab.jobs_with(Options { heartbeat: Duration::from_secs(3600), reconcile: Duration::from_secs(3600), ..options() })
}

/// A handler that hands its job out to the test and does what the test answers.
struct Guided {
    handler: Arc<dyn Handler>,
    job: oneshot::Receiver<Job>,
    finish: oneshot::Sender<Result<Value, Failure>>,
}

fn guided() -> Guided {
    let (give_job, job) = oneshot::channel();
    let (finish, finished) = oneshot::channel();
    let once = Arc::new(Mutex::new(Some((give_job, finished))));
    let handler = handler("guided", move |job| {
        let once = Arc::clone(&once);
        async move {
            let (give_job, finished) = once.lock().await.take().expect("it is delivered once");
            give_job.send(job).expect("the test waits for it");
            finished.await.expect("the test says how it ends")
        }
    });
    Guided { handler, job, finish }
}

async fn a_late_worker_can_write_nothing_any_more(lab: &Lab) {
    let (late, judge) = (silent(lab), lab.jobs_with(judging_after(Duration::from_millis(500))));
    let Guided { handler, job, finish } = guided();
    let late_workers = Workers::start(&late, 1, vec![handler]);
    let id = lab.enqueue(&late, new_job("guided")).await;
    let job = job.await.unwrap();
    // It is taken for dead, and another worker does the job.
    taken_away(&judge).await;
    let workers = Workers::start(&lab.jobs(), 1, vec![counting("guided", &Tally::default())]);
    let done = ended(&judge, id).await;
    workers.stop().await;
    assert_eq!((done.state, done.attempt, &done.result), (State::Succeeded, 2, &Some(json!(1))));
    let told = log_texts(&judge, id).await;
    assert!(told[0].starts_with("the worker of attempt 1 of 3 went silent"), "{told:?}");
    // Now the first one comes back.
    let entity = Entity::record("thing", job.project, "late");
    assert!(matches!(job.output(entity).await, Err(JobError::Lost { attempt: 1, .. })));
    let fencing = job.clone();
    let fenced = lab.catalog.write::<(), JobError, _>(move |tx| {
        let job = fencing.clone();
        Box::pin(async move { job.fence(tx).await })
    });
    assert!(matches!(fenced.await, Err(JobError::Lost { attempt: 1, .. })));
    job.progress(0.5, "late");
    job.log(Level::Info, "late");
    // Its keeper notices as soon as it tries to write that.
    job.cancellation().await;
    finish.send(Ok(json!("late"))).unwrap();
    late_workers.stop().await;
    assert_eq!(judge.get(&owner(), id).await.unwrap(), done);
    assert_eq!(log_texts(&judge, id).await, told);
}

async fn a_silent_worker_that_was_the_last_attempt_fails_the_job(lab: &Lab) {
    let (late, judge) = (silent(lab), lab.jobs_with(judging_after(Duration::from_millis(500))));
    let Guided { handler, job, finish } = guided();
    let late_workers = Workers::start(&late, 1, vec![handler]);
    let id = lab.enqueue(&late, NewJob { max_attempts: 1, ..new_job("guided") }).await;
    job.await.unwrap();
    taken_away(&judge).await;
    let done = ended(&judge, id).await;
    assert_eq!((done.state, done.attempt), (State::Failed, 1));
    assert!(done.error.as_ref().unwrap().contains("attempt 1 of 1 went silent"), "{done:?}");
    finish.send(Ok(json!("late"))).unwrap();
    late_workers.stop().await;
    assert_eq!(judge.get(&owner(), id).await.unwrap(), done);
}

async fn a_job_that_is_being_cancelled_ends_with_its_silent_worker(lab: &Lab) {
    let (late, judge) = (silent(lab), lab.jobs_with(judging_after(Duration::from_millis(500))));
    let Guided { handler, job, finish } = guided();
    let late_workers = Workers::start(&late, 1, vec![handler]);
    let id = lab.enqueue(&late, new_job("guided")).await;
    job.await.unwrap();
    assert_eq!(judge.cancel(&owner(), id).await.unwrap().state, State::Cancelling);
    taken_away(&judge).await;
    assert_eq!(ended(&judge, id).await.state, State::Cancelled);
    finish.send(Ok(json!("late"))).unwrap();
    late_workers.stop().await;
    assert_eq!(judge.get(&owner(), id).await.unwrap().state, State::Cancelled);
}

async fn a_job_that_gives_signs_of_life_is_left_alone(lab: &Lab) {
    // The judge waits a hundred heartbeats long, so that a loaded machine is not taken for a dead one.
    let worker = lab.jobs_with(lively());
    let judge = lab.jobs_with(judging_after(Duration::from_secs(5)));
    let Guided { handler, job, finish } = guided();
    let workers = Workers::start(&worker, 1, vec![handler]);
    let id = lab.enqueue(&worker, new_job("guided")).await;
    job.await.unwrap();
    let started = running(&judge, id).await.heartbeat_at.unwrap();
    let long_after = started.after(Duration::from_secs(7));
    until_reconciled(&judge, id, |heartbeat| heartbeat > long_after).await;
    finish.send(Ok(json!("in time"))).unwrap();
    let done = ended(&judge, id).await;
    workers.stop().await;
    assert_eq!((done.state, done.attempt, done.result), (State::Succeeded, 1, Some(json!("in time"))));
}

async fn until_reconciled(judge: &Jobs, id: ActivityId, enough: impl Fn(Instant) -> bool + Copy) {
    loop {
        assert_eq!(judge.reconcile().await.unwrap().leases_lost, 0);
        let job = until(judge, id, |job| job.heartbeat_at.is_some()).await;
        if enough(job.heartbeat_at.unwrap()) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
