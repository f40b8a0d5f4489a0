//! Stopping jobs, and trying again what was stopped or failed.

use std::future::pending;

use holotype_jobs::{Failure, JobError, JobEvent, NewJob, State};
use serde_json::json;

use crate::support::{
    Lab, Tally, Workers, counting, ended, events, handler, lively, log_texts, new_job, on_both_engines, owner, running,
};

on_both_engines!(
    a_waiting_job_is_cancelled_at_once_and_never_runs,
    a_running_job_is_told_to_stop_and_then_is_cancelled,
    a_job_is_cancelled_from_another_process,
    a_handler_that_does_not_listen_is_dropped_after_a_while,
    a_job_that_finishes_all_the_same_has_succeeded,
    a_job_that_fails_while_it_is_being_cancelled_is_cancelled,
    what_has_ended_cannot_be_cancelled,
    what_failed_or_was_cancelled_is_tried_again_as_a_new_attempt,
    what_succeeded_or_runs_is_not_tried_again,
);

/// Waits until it is told to stop, and then does.
fn obedient() -> std::sync::Arc<dyn holotype_jobs::Handler> {
    handler("obedient", |job| async move {
        job.cancellation().await;
        assert!(job.cancelled());
        Err(Failure::Cancelled)
    })
}

async fn a_waiting_job_is_cancelled_at_once_and_never_runs(lab: &Lab) {
    let (jobs, tally) = (lab.jobs(), Tally::default());
    let id = lab.enqueue(&jobs, new_job("count")).await;
    let job = jobs.cancel(&owner(), id).await.unwrap();
    assert_eq!((job.state, job.error, lab.tasks().await), (State::Cancelled, None, 0));
    assert!(job.finished_at.is_some());
    let workers = Workers::start(&jobs, 1, vec![counting("count", &tally)]);
    let later = lab.enqueue(&jobs, new_job("count")).await;
    assert_eq!(ended(&jobs, later).await.result, Some(json!(1)));
    workers.stop().await;
    assert_eq!(jobs.get(&owner(), id).await.unwrap().started_at, None);
}

async fn a_running_job_is_told_to_stop_and_then_is_cancelled(lab: &Lab) {
    let jobs = lab.jobs();
    let workers = Workers::start(&jobs, 1, vec![obedient()]);
    let id = lab.enqueue(&jobs, new_job("obedient")).await;
    running(&jobs, id).await;
    let asked = jobs.cancel(&owner(), id).await.unwrap();
    assert!(matches!(asked.state, State::Cancelling | State::Cancelled), "{asked:?}");
    let job = ended(&jobs, id).await;
    workers.stop().await;
    assert_eq!((job.state, job.attempt, job.error), (State::Cancelled, 1, None));
}

async fn a_job_is_cancelled_from_another_process(lab: &Lab) {
    let (jobs, elsewhere) = (lab.jobs_with(lively()), lab.jobs());
    let workers = Workers::start(&jobs, 1, vec![obedient()]);
    let id = lab.enqueue(&jobs, new_job("obedient")).await;
    running(&elsewhere, id).await;
    elsewhere.cancel(&owner(), id).await.unwrap();
    assert_eq!(ended(&elsewhere, id).await.state, State::Cancelled);
    workers.stop().await;
}

async fn a_handler_that_does_not_listen_is_dropped_after_a_while(lab: &Lab) {
    let jobs = lab.jobs();
    let deaf = handler("deaf", |_| async { pending().await });
    let workers = Workers::start(&jobs, 1, vec![deaf]);
    let id = lab.enqueue(&jobs, new_job("deaf")).await;
    running(&jobs, id).await;
    jobs.cancel(&owner(), id).await.unwrap();
    assert_eq!(ended(&jobs, id).await.state, State::Cancelled);
    workers.stop().await;
}

async fn a_job_that_finishes_all_the_same_has_succeeded(lab: &Lab) {
    let jobs = lab.jobs();
    let thorough = handler("thorough", |job| async move {
        job.cancellation().await;
        Ok(json!("done"))
    });
    let workers = Workers::start(&jobs, 1, vec![thorough]);
    let id = lab.enqueue(&jobs, new_job("thorough")).await;
    running(&jobs, id).await;
    jobs.cancel(&owner(), id).await.unwrap();
    let job = ended(&jobs, id).await;
    workers.stop().await;
    assert_eq!((job.state, job.result), (State::Succeeded, Some(json!("done"))));
}

async fn a_job_that_fails_while_it_is_being_cancelled_is_cancelled(lab: &Lab) {
    let jobs = lab.jobs();
    let clumsy = handler("clumsy", |job| async move {
        job.cancellation().await;
        Err(Failure::Retry { reason: "the connection was cut".to_owned() })
    });
    let workers = Workers::start(&jobs, 1, vec![clumsy]);
    let id = lab.enqueue(&jobs, new_job("clumsy")).await;
    running(&jobs, id).await;
    jobs.cancel(&owner(), id).await.unwrap();
    let job = ended(&jobs, id).await;
    workers.stop().await;
    assert_eq!((job.state, job.error.as_deref()), (State::Cancelled, Some("the connection was cut")));
}

async fn what_has_ended_cannot_be_cancelled(lab: &Lab) {
    let (jobs, tally) = (lab.jobs(), Tally::default());
    let workers = Workers::start(&jobs, 1, vec![counting("count", &tally)]);
    let id = lab.enqueue(&jobs, new_job("count")).await;
    ended(&jobs, id).await;
    workers.stop().await;
    let error = jobs.cancel(&owner(), id).await.unwrap_err();
    assert!(matches!(error, JobError::Ended { state: State::Succeeded, .. }), "{error}");
}

async fn what_failed_or_was_cancelled_is_tried_again_as_a_new_attempt(lab: &Lab) {
    let jobs = lab.jobs();
    let second_time = handler("second.time", |job| async move {
        if job.attempt == 1 { Err(Failure::Permanent { reason: "too early".to_owned() }) } else { Ok(json!("now")) }
    });
    let id = lab.enqueue(&jobs, NewJob { max_attempts: 1, ..new_job("second.time") }).await;
    let waiting = lab.enqueue(&jobs, NewJob { max_attempts: 1, ..new_job("second.time") }).await;
    jobs.cancel(&owner(), waiting).await.unwrap();
    let workers = Workers::start(&jobs, 1, vec![second_time]);
    assert_eq!(ended(&jobs, id).await.state, State::Failed);
    for id in [id, waiting] {
        let again = jobs.retry(&owner(), id).await.unwrap();
        assert_eq!((again.attempt, again.max_attempts), (2, 2));
        let job = ended(&jobs, id).await;
        assert_eq!((job.state, job.result, job.error), (State::Succeeded, Some(json!("now")), None));
    }
    workers.stop().await;
    assert_eq!(log_texts(&jobs, id).await, ["too early", "attempt 2 was asked for"]);
}

async fn what_succeeded_or_runs_is_not_tried_again(lab: &Lab) {
    let (jobs, tally) = (lab.jobs(), Tally::default());
    let workers = Workers::start(&jobs, 2, vec![counting("count", &tally), obedient()]);
    let done = lab.enqueue(&jobs, new_job("count")).await;
    let busy = lab.enqueue(&jobs, new_job("obedient")).await;
    ended(&jobs, done).await;
    running(&jobs, busy).await;
    for (id, expected) in [(done, State::Succeeded), (busy, State::Running)] {
        let error = jobs.retry(&owner(), id).await.unwrap_err();
        assert!(matches!(error, JobError::NotRetriable { state, .. } if state == expected), "{error}");
    }
    jobs.cancel(&owner(), busy).await.unwrap();
    let last = events(&jobs, busy, 0).await.pop();
    assert!(matches!(last, Some(JobEvent::State(job)) if job.state == State::Cancelled));
    workers.stop().await;
}
