//! What fails is tried again with a pause, but not for ever, and it takes nobody else along.

use std::time::Duration;

use holotype_catalog::Sql;
use holotype_jobs::{Failure, Level, NewJob, Options, State};
use serde_json::json;

use crate::support::{
    Lab, Tally, Workers, counting, ended, handler, log_of, log_texts, new_job, on_both_engines, options, unhurried,
    until,
};

on_both_engines!(
    a_job_is_tried_again_after_a_pause_until_it_works,
    a_failure_that_will_stay_is_not_tried_again,
    a_job_gives_up_after_its_last_attempt_and_says_why,
    a_panic_is_a_failure_and_the_worker_lives,
    a_job_of_an_unknown_kind_fails_and_says_so,
    a_result_that_is_too_large_is_a_failure,
    a_handler_that_stops_unasked_has_failed,
    a_worker_that_the_queue_has_failed_is_replaced,
);

async fn a_job_is_tried_again_after_a_pause_until_it_works(lab: &Lab) {
    let (jobs, tally) = (lab.jobs_with(unhurried()), Tally::default());
    let tries = tally.clone();
    let flaky = handler("flaky", move |job| {
        let tries = tries.clone();
        async move {
            job.progress(0.5, "half way");
            match tries.add() {
                3 => Ok(json!(job.attempt)),
                number => Err(Failure::Retry { reason: format!("the bucket is out of reach ({number})") }),
            }
        }
    });
    let workers = Workers::start(&jobs, 1, vec![flaky]);
    let id = lab.enqueue(&jobs, new_job("flaky")).await;
    let waiting = until(&jobs, id, |job| job.attempt == 2 && job.state == State::Queued).await;
    assert_eq!(waiting.error.as_deref(), Some("the bucket is out of reach (1)"));
    assert_eq!((waiting.progress, waiting.message, waiting.heartbeat_at), (0.0, None, None));
    let job = ended(&jobs, id).await;
    workers.stop().await;
    assert_eq!((job.state, job.attempt, job.result, job.error), (State::Succeeded, 3, Some(json!(3)), None));
    assert!(job.started_at.unwrap() >= job.run_after && job.run_after > waiting.run_after);
    let log = log_of(&jobs, id).await;
    assert_eq!(log.iter().map(|line| line.level).collect::<Vec<_>>(), [Level::Warning; 2]);
    assert!(log[0].text.starts_with("the bucket is out of reach (1); attempt 2 begins at "), "{}", log[0].text);
}

async fn a_failure_that_will_stay_is_not_tried_again(lab: &Lab) {
    let jobs = lab.jobs();
    let hopeless = handler("hopeless", |_| async {
        Err(Failure::Permanent { reason: format!("no such\0file {}", "x".repeat(10_000)) })
    });
    let workers = Workers::start(&jobs, 1, vec![hopeless]);
    let id = lab.enqueue(&jobs, new_job("hopeless")).await;
    let job = ended(&jobs, id).await;
    workers.stop().await;
    let error = job.error.unwrap();
    assert_eq!((job.state, job.attempt, job.result), (State::Failed, 1, None));
    assert!(error.starts_with("no such\u{fffd}file") && error.len() <= options().text_bytes, "{} bytes", error.len());
}

async fn a_job_gives_up_after_its_last_attempt_and_says_why(lab: &Lab) {
    let (jobs, tally) = (lab.jobs(), Tally::default());
    let tries = tally.clone();
    let never = handler("never", move |_| {
        tries.add();
        async { Err(Failure::Retry { reason: "still no luck".to_owned() }) }
    });
    let workers = Workers::start(&jobs, 1, vec![never]);
    let id = lab.enqueue(&jobs, NewJob { max_attempts: 2, ..new_job("never") }).await;
    let job = ended(&jobs, id).await;
    workers.stop().await;
    assert_eq!((job.state, job.attempt, tally.get()), (State::Failed, 2, 2));
    assert_eq!(job.error.as_deref(), Some("still no luck"));
    assert_eq!(log_texts(&jobs, id).await.last().map(String::as_str), Some("still no luck"));
}

async fn a_panic_is_a_failure_and_the_worker_lives(lab: &Lab) {
    let (jobs, tally) = (lab.jobs(), Tally::default());
    let panicking = handler("panicking", |_| async { panic!("the {} is missing", "cat") });
    let workers = Workers::start(&jobs, 1, vec![panicking, counting("count", &tally)]);
    let bad = lab.enqueue(&jobs, NewJob { max_attempts: 2, ..new_job("panicking") }).await;
    let job = ended(&jobs, bad).await;
    assert_eq!((job.state, job.attempt), (State::Failed, 2));
    assert_eq!(job.error.as_deref(), Some("its handler panicked: the cat is missing"));
    let good = lab.enqueue(&jobs, new_job("count")).await;
    assert_eq!(ended(&jobs, good).await.state, State::Succeeded);
    workers.stop().await;
}

async fn a_job_of_an_unknown_kind_fails_and_says_so(lab: &Lab) {
    let jobs = lab.jobs();
    let workers = Workers::start(&jobs, 1, vec![]);
    let id = lab.enqueue(&jobs, new_job("of.tomorrow")).await;
    let job = ended(&jobs, id).await;
    workers.stop().await;
    assert_eq!((job.state, job.attempt), (State::Failed, 1));
    assert!(job.error.unwrap().contains("knows no jobs of kind 'of.tomorrow'"));
}

async fn a_result_that_is_too_large_is_a_failure(lab: &Lab) {
    let jobs = lab.jobs();
    let big = handler("big", |_| async { Ok(json!("x".repeat(2_000_000))) });
    let workers = Workers::start(&jobs, 1, vec![big]);
    let id = lab.enqueue(&jobs, new_job("big")).await;
    let job = ended(&jobs, id).await;
    workers.stop().await;
    assert_eq!((job.state, job.result), (State::Failed, None));
    assert_eq!(job.error.as_deref(), Some("its result has 2000002 bytes, and 1048576 are allowed"));
}

async fn a_handler_that_stops_unasked_has_failed(lab: &Lab) {
    let jobs = lab.jobs();
    let workers = Workers::start(&jobs, 1, vec![handler("shy", |_| async { Err(Failure::Cancelled) })]);
    let id = lab.enqueue(&jobs, new_job("shy")).await;
    let job = ended(&jobs, id).await;
    workers.stop().await;
    assert_eq!((job.state, job.attempt), (State::Failed, 1));
    assert!(job.error.unwrap().contains("nobody had told it to"));
}

async fn a_worker_that_the_queue_has_failed_is_replaced(lab: &Lab) {
    const WORKERS: Sql = Sql {
        sqlite: "SELECT count(*) AS count FROM Workers",
        postgres: "SELECT count(*) AS count FROM apalis.workers",
    };
    const FORGET: Sql = Sql { sqlite: "DELETE FROM Workers", postgres: "DELETE FROM apalis.workers" };
    let jobs = lab.jobs_with(Options { heartbeat: Duration::from_secs(1), missed_heartbeats: 60, ..options() });
    let tally = Tally::default();
    let workers = Workers::start(&jobs, 1, vec![counting("count", &tally)]);
    let before = lab.enqueue(&jobs, new_job("count")).await;
    ended(&jobs, before).await;
    while lab.tasks().await > 0 {
        tokio::time::sleep(options().reconcile).await;
    }
    // A worker that the queue does not know fails with its next heartbeat; only another one is known again.
    assert_eq!(lab.execute(FORGET).await, 1);
    while lab.count(WORKERS).await == 0 {
        tokio::time::sleep(options().restart).await;
    }
    let after = lab.enqueue(&jobs, new_job("count")).await;
    assert_eq!(ended(&jobs, after).await.state, State::Succeeded);
    workers.stop().await;
    assert_eq!(tally.get(), 2);
}
