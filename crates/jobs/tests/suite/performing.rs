//! Jobs that the process which asks for them does itself.

use holotype_jobs::{Failure, State};
use serde_json::json;

use crate::support::{
    Lab, Tally, Workers, counting, ended, handler, listed, log_texts, new_job, on_both_engines, owner,
};

on_both_engines!(
    a_job_is_done_here_and_no_worker_is_offered_it,
    a_job_that_is_done_here_is_cancelled_like_any_other,
    a_job_that_fails_here_has_failed,
    a_job_whose_process_is_known_to_be_dead_is_given_up_at_once,
);

async fn a_job_is_done_here_and_no_worker_is_offered_it(lab: &Lab) {
    let (jobs, there, here) = (lab.jobs(), Tally::default(), Tally::default());
    let workers = Workers::start(&jobs, 2, vec![counting("count", &there)]);
    let performance = jobs.begin(&new_job("count"), counting("count", &here)).await.unwrap();
    let id = performance.id();
    assert_eq!((jobs.get(&owner(), id).await.unwrap().state, lab.tasks().await), (State::Running, 0));
    performance.run().await;
    let job = ended(&jobs, id).await;
    workers.stop().await;
    assert_eq!((job.state, job.result, here.get(), there.get()), (State::Succeeded, Some(json!(1)), 1, 0));
    assert_eq!(listed(&jobs, &owner()).await, [id]);
}

async fn a_job_that_is_done_here_is_cancelled_like_any_other(lab: &Lab) {
    let jobs = lab.jobs();
    let waits = handler("waits", |job| async move {
        job.cancellation().await;
        Err(Failure::Cancelled)
    });
    let performance = jobs.begin(&new_job("waits"), waits).await.unwrap();
    let id = performance.id();
    let performing = tokio::spawn(performance.run());
    jobs.cancel(&owner(), id).await.unwrap();
    performing.await.unwrap();
    assert_eq!((jobs.get(&owner(), id).await.unwrap().state, lab.tasks().await), (State::Cancelled, 0));
}

async fn a_job_that_fails_here_has_failed(lab: &Lab) {
    let jobs = lab.jobs();
    let fails = handler("fails", |_| async { Err(Failure::Permanent { reason: "the night was cloudy".to_owned() }) });
    let performance = jobs.begin(&new_job("fails"), fails).await.unwrap();
    let id = performance.id();
    performance.run().await;
    let job = jobs.get(&owner(), id).await.unwrap();
    assert_eq!((job.state, job.error.as_deref()), (State::Failed, Some("the night was cloudy")));
    assert!(log_texts(&jobs, id).await.contains(&"the night was cloudy".to_owned()));
}

async fn a_job_whose_process_is_known_to_be_dead_is_given_up_at_once(lab: &Lab) {
    let jobs = lab.jobs();
    let mut job = new_job("count");
    job.max_attempts = 1;
    // Begun and never run, as after a kill.
    let id = jobs.begin(&job, counting("count", &Tally::default())).await.unwrap().id();
    jobs.give_up(id).await.unwrap();
    let given_up = jobs.get(&owner(), id).await.unwrap();
    assert_eq!((given_up.state, lab.tasks().await), (State::Failed, 0));
    // What has ended stays as it ended.
    jobs.give_up(id).await.unwrap();
    assert_eq!(jobs.get(&owner(), id).await.unwrap(), given_up);
}
