//! What a handler says while it works, and that those who work do not disturb each other.

use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use holotype_catalog::{Direction, Entity};
use holotype_jobs::{Failure, Job, JobEvent, Jobs, Level, Options, State};
use holotype_testkit::clock::HandClock;
use serde_json::json;

use crate::support::{
    Lab, Tally, Workers, counting, ended, events, handler, lively, log_of, new_job, on_both_engines, options, owner,
    running, until,
};

on_both_engines!(
    progress_is_told_and_never_goes_backwards,
    log_lines_are_kept_in_order_and_numbered_without_gaps,
    a_log_that_is_too_long_is_cut_and_says_so,
    what_a_job_read_and_made_is_in_its_lineage,
    handlers_that_block_their_threads_stop_nobody_else,
    a_heartbeat_grows_while_the_clock_stands_still,
);

async fn progress_is_told_and_never_goes_backwards(lab: &Lab) {
    let jobs = lab.jobs();
    let restless = handler("restless", |job| async move {
        for (step, fraction) in [0.2, 0.5, 0.1, f64::NAN, 0.9, 0.3].into_iter().enumerate() {
            job.progress(fraction, format!("step {step}"));
            tokio::time::sleep(Duration::from_millis(30)).await;
        }
        Ok(json!(null))
    });
    let id = lab.enqueue(&jobs, new_job("restless")).await;
    let workers = Workers::start(&jobs, 1, vec![restless]);
    let told: Vec<f64> = events(&jobs, id, 0)
        .await
        .into_iter()
        .filter_map(|event| if let JobEvent::Progress { fraction, .. } = event { Some(fraction) } else { None })
        .collect();
    workers.stop().await;
    assert!(!told.is_empty() && told.is_sorted(), "{told:?}");
    let job = jobs.get(&owner(), id).await.unwrap();
    assert_eq!((job.progress, job.message.as_deref()), (1.0, Some("step 5")));
}

async fn log_lines_are_kept_in_order_and_numbered_without_gaps(lab: &Lab) {
    let jobs = lab.jobs();
    let talkative = handler("talkative", |job| async move {
        for number in 0..1500 {
            job.log(if number % 2 == 0 { Level::Debug } else { Level::Error }, format!("line {number}"));
            if number % 100 == 0 {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        }
        Ok(json!(null))
    });
    let workers = Workers::start(&jobs, 1, vec![talkative]);
    let id = lab.enqueue(&jobs, new_job("talkative")).await;
    ended(&jobs, id).await;
    workers.stop().await;
    let mut lines = log_of(&jobs, id).await;
    assert_eq!(lines.len(), 1000, "one answer holds no more");
    lines.extend(jobs.log(&owner(), id, 1000).await.unwrap());
    assert_eq!(lines.len(), 1500);
    for (number, line) in lines.iter().enumerate() {
        assert_eq!((line.sequence, line.text.as_str()), (number as i64 + 1, format!("line {number}").as_str()));
        assert_eq!(line.level, if number % 2 == 0 { Level::Debug } else { Level::Error });
    }
    assert!(lines.is_sorted_by_key(|line| line.at));
}

async fn a_log_that_is_too_long_is_cut_and_says_so(lab: &Lab) {
    let jobs = lab.jobs_with(Options { log_lines: 20, text_bytes: 64, ..options() });
    let talkative = handler("talkative", |job| async move {
        job.log(Level::Info, "x".repeat(1000));
        for number in 0..1000 {
            job.log(Level::Info, format!("line {number}"));
            if number % 7 == 0 {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        }
        Ok(json!(null))
    });
    let workers = Workers::start(&jobs, 1, vec![talkative]);
    let id = lab.enqueue(&jobs, new_job("talkative")).await;
    assert_eq!(ended(&jobs, id).await.state, State::Succeeded);
    workers.stop().await;
    let lines = log_of(&jobs, id).await;
    assert_eq!(lines.iter().map(|line| line.sequence).collect::<Vec<_>>(), (1..=20).collect::<Vec<_>>());
    assert!(lines[0].text.len() <= 64 && lines[0].text.ends_with("x [cut: 1000 bytes]"), "{}", lines[0].text);
    assert_eq!(lines[18].text, "line 17");
    assert_eq!(lines[19].text, "the log ends here: 20 lines are kept per job");
}

async fn what_a_job_read_and_made_is_in_its_lineage(lab: &Lab) {
    let jobs = lab.jobs();
    let entity = |job: &Job, id: &str| Entity::record("thing", job.project, id);
    let making = handler("making", move |job| async move {
        job.input(entity(&job, "flour")).await?;
        job.input(entity(&job, "water")).await?;
        job.output(entity(&job, "bread")).await?;
        Ok(json!(null))
    });
    let workers = Workers::start(&jobs, 1, vec![making]);
    let id = lab.enqueue(&jobs, new_job("making")).await;
    assert_eq!(ended(&jobs, id).await.state, State::Succeeded);
    workers.stop().await;
    let bread = Entity::record("thing", owner().project, "bread");
    let graph = lab.catalog.lineage(&owner(), bread, Direction::Back, 2).await.unwrap();
    let text = format!("{graph:?}");
    assert!(["flour", "water", &id.to_string()].iter().all(|name| text.contains(name)), "{text}");
}

async fn handlers_that_block_their_threads_stop_nobody_else(lab: &Lab) {
    let jobs = lab.jobs_with(lively());
    let (release, wait) = mpsc::channel::<()>();
    let wait = Arc::new(Mutex::new(wait));
    let blocking = handler("blocking", move |_| {
        let wait = Arc::clone(&wait);
        async move {
            // Not a wait of the runtime's: the thread stands still.
            assert!(wait.lock().unwrap().recv().is_err(), "released by the end of the sender");
            Ok(json!(null))
        }
    });
    let tally = Tally::default();
    let workers = Workers::start(&jobs, 4, vec![blocking, counting("count", &tally)]);
    let mut blocked = Vec::new();
    // More than the runtime has threads.
    for _ in 0..3 {
        blocked.push(lab.enqueue(&jobs, new_job("blocking")).await);
    }
    let mut beats = Vec::new();
    for id in &blocked {
        beats.push(running(&jobs, *id).await.heartbeat_at);
    }
    let quick = lab.enqueue(&jobs, new_job("count")).await;
    assert_eq!(ended(&jobs, quick).await.state, State::Succeeded);
    for (id, beat) in blocked.iter().zip(beats) {
        until(&jobs, *id, |job| job.heartbeat_at > beat).await;
    }
    drop(release);
    for id in blocked {
        let job = ended(&jobs, id).await;
        assert_eq!((job.state, job.attempt), (State::Succeeded, 1));
    }
    workers.stop().await;
}

async fn a_heartbeat_grows_while_the_clock_stands_still(lab: &Lab) {
    let clock = Arc::new(HandClock::default());
    let catalog = lab.opened_with(clock).await;
    let jobs = Jobs::new(catalog.clone(), lively());
    let waiting = handler("waiting", |job| async move {
        job.cancellation().await;
        Err(Failure::Cancelled)
    });
    let workers = Workers::start(&jobs, 1, vec![waiting]);
    let id = crate::support::enqueue(&jobs, &catalog, new_job("waiting")).await;
    let first = running(&jobs, id).await.heartbeat_at.unwrap();
    until(&jobs, id, |job| job.heartbeat_at.unwrap() > first).await;
    jobs.cancel(&owner(), id).await.unwrap();
    assert_eq!(ended(&jobs, id).await.state, State::Cancelled);
    workers.stop().await;
    catalog.close().await;
}
