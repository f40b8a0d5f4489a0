//! Processes that die in the middle of a job.

use std::time::Duration;

use holotype_jobs::{NewJob, State};
use serde_json::json;

use crate::child::Child;
use crate::support::{
    Lab, Tally, Workers, counting, ended, judging_after, log_texts, new_job, on_both_engines, owner, taken_away, until,
};

on_both_engines!(
    a_job_whose_worker_is_killed_is_finished_by_another,
    a_job_that_kills_its_worker_each_time_fails_in_the_end,
);

async fn a_job_whose_worker_is_killed_is_finished_by_another(lab: &Lab) {
    let jobs = lab.jobs_with(judging_after(Duration::from_secs(1)));
    let mut child = Child::start(lab);
    let id = lab.enqueue(&jobs, new_job("endless")).await;
    until(&jobs, id, |job| job.progress == 0.5).await;
    child.kill();
    let tally = Tally::default();
    taken_away(&jobs).await;
    let workers = Workers::start(&lab.jobs(), 1, vec![counting("endless", &tally)]);
    let job = ended(&jobs, id).await;
    workers.stop().await;
    assert_eq!((job.state, job.attempt, job.result), (State::Succeeded, 2, Some(json!(1))));
    let log = log_texts(&jobs, id).await;
    assert_eq!(log.len(), 2, "{log:?}");
    assert_eq!(log[0], "attempt 1 by the process that will be killed");
    assert!(log[1].contains("went silent: it was killed") && log[1].contains("attempt 2 begins"), "{}", log[1]);
}

async fn a_job_that_kills_its_worker_each_time_fails_in_the_end(lab: &Lab) {
    let jobs = lab.jobs_with(judging_after(Duration::from_secs(1)));
    let id = lab.enqueue(&jobs, NewJob { max_attempts: 2, ..new_job("deadly") }).await;
    // As a supervisor of the service does: whenever it is dead, start it again. Somebody else looks after the queue meanwhile.
    let (mut child, mut starts) = (Child::start(lab), 1);
    let job = loop {
        jobs.reconcile().await.unwrap();
        let job = jobs.get(&owner(), id).await.unwrap();
        if job.state.is_final() {
            break job;
        }
        if child.has_ended() {
            (child, starts) = (Child::start(lab), starts + 1);
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    assert_eq!((job.state, job.attempt), (State::Failed, 2));
    assert!(job.error.as_ref().unwrap().contains("attempt 2 of 2 went silent"), "{job:?}");
    assert!(starts >= 2, "the job killed its worker once at least");
}
