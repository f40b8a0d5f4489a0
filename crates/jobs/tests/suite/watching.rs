//! What watchers are told, in this process and in others.

use std::time::Duration;

use futures::TryStreamExt;
use holotype_core::ActivityId;
use holotype_jobs::{Failure, JobError, JobEvent, Level, State};
use serde_json::json;

use crate::support::{Lab, Workers, events, handler, new_job, on_both_engines, owner, unhurried};

on_both_engines!(
    a_watcher_in_another_process_is_told_everything_to_the_end,
    a_watcher_goes_on_after_the_line_it_saw_last,
    a_watcher_sees_each_attempt,
    whoever_watches_what_has_ended_is_told_so_at_once,
    what_does_not_exist_cannot_be_watched,
);

fn sequences(events: &[JobEvent]) -> Vec<i64> {
    events.iter().filter_map(|event| if let JobEvent::Log(line) = event { Some(line.sequence) } else { None }).collect()
}

fn states(events: &[JobEvent]) -> Vec<(State, u32)> {
    events
        .iter()
        .filter_map(|event| if let JobEvent::State(job) = event { Some((job.state, job.attempt)) } else { None })
        .collect()
}

async fn a_watcher_in_another_process_is_told_everything_to_the_end(lab: &Lab) {
    let (jobs, elsewhere) = (lab.jobs(), lab.jobs());
    let talkative = handler("talkative", |job| async move {
        for number in 0..1200_u32 {
            job.log(Level::Info, format!("line {number}"));
            job.progress(f64::from(number) / 1200.0, "talking");
            if number % 50 == 0 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
        Ok(json!("said"))
    });
    let id = lab.enqueue(&jobs, new_job("talkative")).await;
    let watching = tokio::spawn({
        let elsewhere = elsewhere.clone();
        async move { events(&elsewhere, id, 0).await }
    });
    let workers = Workers::start(&jobs, 1, vec![talkative]);
    let here = events(&jobs, id, 0).await;
    let there = watching.await.unwrap();
    workers.stop().await;
    for told in [&here, &there] {
        assert_eq!(sequences(told), (1..=1200).collect::<Vec<_>>());
        assert!(states(told).is_sorted_by_key(|(state, _)| *state as u8), "{:?}", states(told));
        let last = told.last();
        assert!(matches!(last, Some(JobEvent::State(job)) if job.state == State::Succeeded), "{last:?}");
    }
}

async fn a_watcher_goes_on_after_the_line_it_saw_last(lab: &Lab) {
    let jobs = lab.jobs();
    let talkative = handler("talkative", |job| async move {
        (0..10).for_each(|number| job.log(Level::Info, format!("line {number}")));
        Ok(json!(null))
    });
    let id = lab.enqueue(&jobs, new_job("talkative")).await;
    let workers = Workers::start(&jobs, 1, vec![talkative]);
    assert_eq!(sequences(&events(&jobs, id, 0).await), (1..=10).collect::<Vec<_>>());
    workers.stop().await;
    assert_eq!(sequences(&events(&jobs, id, 7).await), [8, 9, 10]);
}

async fn a_watcher_sees_each_attempt(lab: &Lab) {
    let jobs = lab.jobs_with(unhurried());
    let second_time = handler("second.time", |job| async move {
        if job.attempt == 1 { Err(Failure::Retry { reason: "too early".to_owned() }) } else { Ok(json!("now")) }
    });
    let id = lab.enqueue(&jobs, new_job("second.time")).await;
    let watching = tokio::spawn({
        let jobs = jobs.clone();
        async move { events(&jobs, id, 0).await }
    });
    let workers = Workers::start(&jobs, 1, vec![second_time]);
    let told = states(&watching.await.unwrap());
    workers.stop().await;
    assert!(told.contains(&(State::Queued, 2)), "{told:?}");
    assert_eq!(told.last(), Some(&(State::Succeeded, 2)));
}

async fn whoever_watches_what_has_ended_is_told_so_at_once(lab: &Lab) {
    let jobs = lab.jobs();
    let id = lab.enqueue(&jobs, new_job("never")).await;
    jobs.cancel(&owner(), id).await.unwrap();
    assert_eq!(states(&events(&jobs, id, 0).await), [(State::Cancelled, 1)]);
}

async fn what_does_not_exist_cannot_be_watched(lab: &Lab) {
    let jobs = lab.jobs();
    let id: ActivityId = "01ARZ3NDEKTSV4RRFFQ69G5FAV".parse().unwrap();
    let watched = match jobs.watch(&owner(), id, 0).await {
        Ok(stream) => stream.try_collect::<Vec<_>>().await.map(|_| ()),
        Err(error) => Err(error),
    };
    assert!(matches!(watched, Err(JobError::NotFound { .. })));
}
