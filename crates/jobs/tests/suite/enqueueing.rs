//! A job exists if and only if the transaction that asked for it was committed, and then it runs once.

use holotype_catalog::Sql;
use holotype_jobs::{JobError, NewJob, Priority, State};
use serde_json::json;

use crate::support::{
    Lab, Tally, Workers, counting, ended, handler, listed, log_texts, new_job, on_both_engines, options, owner, until,
};

on_both_engines!(
    a_job_is_gone_when_its_transaction_fails,
    a_committed_job_runs_once_and_keeps_its_result,
    a_task_that_is_delivered_twice_runs_once,
    every_job_of_a_busy_queue_runs_exactly_once,
    a_job_does_not_begin_before_its_time,
    the_more_urgent_job_goes_first,
    a_job_that_cannot_be_is_refused_and_leaves_nothing,
    exact_numbers_survive_in_parameters_and_results,
    setting_up_again_changes_nothing,
    what_is_done_leaves_the_queue,
);

async fn a_job_is_gone_when_its_transaction_fails(lab: &Lab) {
    let jobs = lab.jobs();
    let queue = jobs.clone();
    let failed = lab
        .catalog
        .write::<(), JobError, _>(move |tx| {
            let queue = queue.clone();
            Box::pin(async move {
                let id = queue.enqueue(tx, &new_job("count")).await?;
                Err(JobError::NotFound { id })
            })
        })
        .await;
    assert!(matches!(failed, Err(JobError::NotFound { .. })));
    assert_eq!((listed(&jobs, &owner()).await.len(), lab.tasks().await), (0, 0));
}

async fn a_committed_job_runs_once_and_keeps_its_result(lab: &Lab) {
    let (jobs, tally) = (lab.jobs(), Tally::default());
    let workers = Workers::start(&jobs, 2, vec![counting("count", &tally)]);
    let id = lab.enqueue(&jobs, new_job("count")).await;
    let job = ended(&jobs, id).await;
    workers.stop().await;
    assert_eq!((job.state, job.result, job.attempt, job.progress), (State::Succeeded, Some(json!(1)), 1, 1.0));
    assert!(job.created_at <= job.started_at.unwrap() && job.started_at <= job.finished_at);
    assert_eq!(job.code_version, options().code_version);
    assert_eq!((job.error, job.heartbeat_at, tally.get()), (None, None, 1));
}

async fn a_task_that_is_delivered_twice_runs_once(lab: &Lab) {
    let (jobs, tally) = (lab.jobs(), Tally::default());
    let id = lab.enqueue(&jobs, new_job("count")).await;
    copy_every_task(lab).await;
    assert_eq!(lab.tasks().await, 2);
    let workers = Workers::start(&jobs, 2, vec![counting("count", &tally)]);
    ended(&jobs, id).await;
    // A task that is over is swept away; both must have been delivered for that.
    while lab.tasks().await > 0 {
        tokio::time::sleep(options().reconcile).await;
    }
    workers.stop().await;
    assert_eq!(tally.get(), 1);
}

/// Adds a twin to every task of the queue.
async fn copy_every_task(lab: &Lab) {
    lab.execute(Sql {
        sqlite: "INSERT INTO Jobs SELECT job, '01ARZ3NDEKTSV4RRFFQ69G5FAV', job_type, 'Pending', 0, max_attempts, run_at, \
                 NULL, NULL, NULL, NULL, priority, metadata, NULL FROM Jobs LIMIT 1",
        postgres: "INSERT INTO apalis.jobs (id, job_type, job, status, attempts, max_attempts, run_at, priority, metadata) \
                   SELECT '01ARZ3NDEKTSV4RRFFQ69G5FAV', job_type, job, 'Pending', 0, max_attempts, run_at, priority, metadata \
                   FROM apalis.jobs LIMIT 1",
    })
    .await;
}

async fn every_job_of_a_busy_queue_runs_exactly_once(lab: &Lab) {
    let (jobs, elsewhere, tally) = (lab.jobs(), lab.jobs(), Tally::default());
    let queue = jobs.clone();
    let ids = lab
        .catalog
        .write::<_, JobError, _>(move |tx| {
            let queue = queue.clone();
            Box::pin(async move {
                let mut ids = Vec::new();
                for _ in 0..60 {
                    ids.push(queue.enqueue(tx, &new_job("count")).await?);
                }
                Ok(ids)
            })
        })
        .await
        .unwrap();
    let here = Workers::start(&jobs, 4, vec![counting("count", &tally)]);
    let there = Workers::start(&elsewhere, 4, vec![counting("count", &tally)]);
    for id in &ids {
        let job = ended(&jobs, *id).await;
        assert_eq!((job.state, job.attempt), (State::Succeeded, 1));
    }
    here.stop().await;
    there.stop().await;
    assert_eq!(tally.get(), 60);
}

async fn a_job_does_not_begin_before_its_time(lab: &Lab) {
    let (jobs, tally) = (lab.jobs(), Tally::default());
    let soon = lab.catalog.clock().now().after(std::time::Duration::from_millis(1500));
    let workers = Workers::start(&jobs, 2, vec![counting("count", &tally)]);
    let id = lab.enqueue(&jobs, NewJob { run_after: Some(soon), ..new_job("count") }).await;
    let job = ended(&jobs, id).await;
    workers.stop().await;
    assert_eq!(job.run_after, soon);
    assert!(job.started_at.unwrap() >= soon, "began at {:?}, not before {soon}", job.started_at);
}

async fn the_more_urgent_job_goes_first(lab: &Lab) {
    let (jobs, tally) = (lab.jobs(), Tally::default());
    let mut ids = Vec::new();
    for priority in [Priority::Low, Priority::Normal, Priority::High] {
        ids.push(lab.enqueue(&jobs, NewJob { priority, ..new_job("count") }).await);
    }
    let workers = Workers::start(&jobs, 1, vec![counting("count", &tally)]);
    let mut order = Vec::new();
    for id in ids {
        order.push(ended(&jobs, id).await.result.unwrap());
    }
    workers.stop().await;
    assert_eq!(order, [json!(3), json!(2), json!(1)]);
}

async fn a_job_that_cannot_be_is_refused_and_leaves_nothing(lab: &Lab) {
    let jobs = lab.jobs();
    let bad = [
        (NewJob { kind: String::new(), ..new_job("count") }, "1 to 80"),
        (NewJob { kind: "no spaces".to_owned(), ..new_job("count") }, "1 to 80"),
        (NewJob { kind: "x".repeat(81), ..new_job("count") }, "1 to 80"),
        (NewJob { max_attempts: 0, ..new_job("count") }, "not 0"),
        (NewJob { max_attempts: 1001, ..new_job("count") }, "not 1001"),
        (NewJob { params: json!("x".repeat(options().json_bytes)), ..new_job("count") }, "are allowed"),
    ];
    for (job, problem) in bad {
        let queue = jobs.clone();
        let refused = lab.catalog.write(move |tx| {
            let (queue, job) = (queue.clone(), job.clone());
            Box::pin(async move { queue.enqueue(tx, &job).await })
        });
        let error = refused.await.unwrap_err();
        assert!(matches!(error, JobError::InvalidJob { .. }) && error.to_string().contains(problem), "{error}");
    }
    assert_eq!((listed(&jobs, &owner()).await.len(), lab.tasks().await), (0, 0));
}

async fn exact_numbers_survive_in_parameters_and_results(lab: &Lab) {
    let jobs = lab.jobs();
    let workers = Workers::start(&jobs, 1, vec![handler("echo", |job| async move { Ok(job.params) })]);
    let text = r#"{"z":123456789012345678901234567890,"a":1.10,"null":"\u0000"}"#;
    let params = serde_json::from_str(text).unwrap();
    let id = lab.enqueue(&jobs, NewJob { params, ..new_job("echo") }).await;
    let job = ended(&jobs, id).await;
    workers.stop().await;
    assert_eq!((job.params.to_string(), job.result.unwrap().to_string()), (text.to_owned(), text.to_owned()));
}

async fn setting_up_again_changes_nothing(lab: &Lab) {
    let (jobs, tally) = (lab.jobs(), Tally::default());
    let id = lab.enqueue(&jobs, new_job("count")).await;
    holotype_jobs::Jobs::setup(&lab.catalog).await.unwrap();
    let workers = Workers::start(&jobs, 1, vec![counting("count", &tally)]);
    assert_eq!(ended(&jobs, id).await.state, State::Succeeded);
    workers.stop().await;
}

async fn what_is_done_leaves_the_queue(lab: &Lab) {
    let (jobs, tally) = (lab.jobs(), Tally::default());
    let workers = Workers::start(&jobs, 1, vec![counting("count", &tally)]);
    let id = lab.enqueue(&jobs, new_job("count")).await;
    until(&jobs, id, |job| job.state == State::Succeeded).await;
    while lab.tasks().await > 0 {
        tokio::time::sleep(options().reconcile).await;
    }
    workers.stop().await;
    assert_eq!(log_texts(&jobs, id).await, Vec::<String>::new());
    assert_eq!(jobs.get(&owner(), id).await.unwrap().state, State::Succeeded);
}
