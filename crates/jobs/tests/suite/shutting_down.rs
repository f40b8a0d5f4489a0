//! Workers that are shut down in the middle give back what they hold.

use std::future::pending;
use std::sync::mpsc;

use holotype_jobs::{Failure, State};
use serde_json::json;

use crate::support::{Lab, Tally, Workers, counting, ended, handler, new_job, on_both_engines, owner, running, until};

on_both_engines!(
    a_job_whose_worker_is_shut_down_is_finished_by_another_at_no_cost,
    a_handler_that_blocks_its_thread_does_not_hold_up_the_shutdown,
    a_job_that_ends_in_time_is_not_given_back,
    workers_that_are_dropped_shut_down_as_well,
);

async fn a_job_whose_worker_is_shut_down_is_finished_by_another_at_no_cost(lab: &Lab) {
    let jobs = lab.jobs();
    let deaf = handler("long", |_| async { pending().await });
    let workers = Workers::start(&jobs, 1, vec![deaf]);
    let id = lab.enqueue(&jobs, new_job("long")).await;
    running(&jobs, id).await;
    workers.stop().await;
    let job = jobs.get(&owner(), id).await.unwrap();
    assert_eq!((job.state, job.attempt, job.max_attempts), (State::Queued, 2, 4));
    assert_eq!(job.error.as_deref(), Some("the worker of attempt 1 of 3 was shut down"));
    let tally = Tally::default();
    let workers = Workers::start(&jobs, 1, vec![counting("long", &tally)]);
    assert_eq!(ended(&jobs, id).await.state, State::Succeeded);
    workers.stop().await;
}

async fn a_handler_that_blocks_its_thread_does_not_hold_up_the_shutdown(lab: &Lab) {
    let jobs = lab.jobs();
    let (release, wait) = mpsc::channel::<()>();
    let wait = std::sync::Arc::new(std::sync::Mutex::new(wait));
    let blocking = handler("blocking", move |_| {
        let wait = std::sync::Arc::clone(&wait);
        async move {
            assert!(wait.lock().unwrap().recv().is_err(), "released by the end of the sender");
            Ok(json!("too late"))
        }
    });
    let workers = Workers::start(&jobs, 1, vec![blocking]);
    let id = lab.enqueue(&jobs, new_job("blocking")).await;
    running(&jobs, id).await;
    workers.stop().await;
    assert_eq!(jobs.get(&owner(), id).await.unwrap().state, State::Queued);
    drop(release);
    let tally = Tally::default();
    let workers = Workers::start(&jobs, 1, vec![counting("blocking", &tally)]);
    assert_eq!(ended(&jobs, id).await.result, Some(json!(1)));
    workers.stop().await;
}

async fn a_job_that_ends_in_time_is_not_given_back(lab: &Lab) {
    let jobs = lab.jobs();
    let quick = handler("quick", |job| async move {
        job.cancellation().await;
        Err(Failure::Permanent { reason: "it ended by itself".to_owned() })
    });
    let workers = Workers::start(&jobs, 1, vec![quick]);
    let id = lab.enqueue(&jobs, new_job("quick")).await;
    running(&jobs, id).await;
    workers.stop().await;
    let job = until(&jobs, id, |job| job.state.is_final()).await;
    assert_eq!((job.state, job.error.as_deref()), (State::Failed, Some("it ended by itself")));
}

async fn workers_that_are_dropped_shut_down_as_well(lab: &Lab) {
    let jobs = lab.jobs();
    let deaf = handler("long", |_| async { pending().await });
    let workers = Workers::start(&jobs, 1, vec![deaf]);
    let id = lab.enqueue(&jobs, new_job("long")).await;
    running(&jobs, id).await;
    workers.abandon();
    let job = until(&jobs, id, |job| job.state == State::Queued).await;
    assert_eq!((job.attempt, job.max_attempts), (2, 4));
}
