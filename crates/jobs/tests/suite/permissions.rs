//! Who may see and command which jobs.

use std::time::Duration;

use futures::StreamExt;
use holotype_catalog::{CatalogError, User};
use holotype_core::{ActivityId, Caller, Category, ProjectId, Role};
use holotype_jobs::{JobError, JobEvent, JobFilter, NewJob, State};
use serde_json::json;

use crate::support::{Lab, listed, new_job, on_both_engines, owner};

on_both_engines!(
    a_job_of_a_foreign_project_does_not_exist,
    a_viewer_may_look_and_an_editor_may_command,
    jobs_that_serve_the_installation_are_for_administrators,
    a_watcher_who_loses_the_right_to_look_is_told_no_more,
    a_list_is_narrowed_and_comes_in_pages,
    commands_are_audited,
);

async fn user(lab: &Lab, name: &str) -> Caller {
    let User { id, name, admin, project, .. } = lab.catalog.create_user(&owner(), name, None, false).await.unwrap();
    Caller { user: id, name, token: None, project, admin }
}

/// An administrator, and two users who are not: the owner of a project, and a stranger to it.
async fn people(lab: &Lab) -> (Caller, Caller, Caller) {
    (user(lab, "admin").await, user(lab, "holder").await, user(lab, "stranger").await)
}

async fn job_of(lab: &Lab, caller: &Caller) -> ActivityId {
    let job = NewJob::new("count", caller.project, caller.user, json!({}));
    lab.enqueue(&lab.jobs(), job).await
}

fn is_not_found<T: std::fmt::Debug>(answer: Result<T, JobError>) -> bool {
    matches!(&answer, Err(JobError::NotFound { .. })) || panic!("{answer:?}")
}

async fn a_job_of_a_foreign_project_does_not_exist(lab: &Lab) {
    let (jobs, (admin, holder, stranger)) = (lab.jobs(), people(lab).await);
    let id = job_of(lab, &holder).await;
    assert!(is_not_found(jobs.get(&stranger, id).await));
    assert!(is_not_found(jobs.log(&stranger, id, 0).await));
    assert!(is_not_found(jobs.cancel(&stranger, id).await));
    assert!(is_not_found(jobs.retry(&stranger, id).await));
    assert!(is_not_found(jobs.watch(&stranger, id, 0).await.map(|_| ())));
    assert_eq!(listed(&jobs, &stranger).await, []);
    let filter = JobFilter { project: Some(holder.project), ..JobFilter::default() };
    let refused = jobs.list(&stranger, filter, None, 10).await.unwrap_err();
    assert_eq!(refused.category(), Category::NotFound);
    assert_eq!((listed(&jobs, &holder).await, listed(&jobs, &admin).await), (vec![id], vec![id]));
    assert_eq!(jobs.get(&holder, id).await.unwrap().state, State::Queued);
}

async fn a_viewer_may_look_and_an_editor_may_command(lab: &Lab) {
    let (jobs, (_, holder, guest)) = (lab.jobs(), people(lab).await);
    let id = job_of(lab, &holder).await;
    lab.catalog.set_role(&holder, holder.project, &guest.name, Role::Viewer).await.unwrap();
    assert_eq!(listed(&jobs, &guest).await, [id]);
    assert_eq!(jobs.log(&guest, id, 0).await.unwrap(), []);
    for refused in [jobs.cancel(&guest, id).await, jobs.retry(&guest, id).await] {
        let error = refused.unwrap_err();
        assert!(matches!(error, JobError::Catalog(CatalogError::RoleTooLow { .. })), "{error}");
    }
    lab.catalog.set_role(&holder, holder.project, &guest.name, Role::Editor).await.unwrap();
    assert_eq!(jobs.cancel(&guest, id).await.unwrap().state, State::Cancelled);
    assert_eq!(jobs.retry(&guest, id).await.unwrap().state, State::Queued);
}

async fn jobs_that_serve_the_installation_are_for_administrators(lab: &Lab) {
    let (jobs, (admin, holder, _)) = (lab.jobs(), people(lab).await);
    lab.catalog.set_role(&admin, ProjectId::DEFAULT, &holder.name, Role::Owner).await.unwrap();
    let plain = lab.enqueue(&jobs, new_job("count")).await;
    let service = lab.enqueue(&jobs, new_job("admin.only")).await;
    assert_eq!(listed(&jobs, &holder).await, [plain]);
    assert!(is_not_found(jobs.get(&holder, service).await));
    assert!(is_not_found(jobs.cancel(&holder, service).await));
    // Ids of one millisecond are in no order.
    let mut all = listed(&jobs, &admin).await;
    all.sort_unstable();
    assert_eq!(all, [plain.min(service), plain.max(service)]);
    assert_eq!(jobs.cancel(&admin, service).await.unwrap().state, State::Cancelled);
}

async fn a_watcher_who_loses_the_right_to_look_is_told_no_more(lab: &Lab) {
    let (jobs, (_, holder, guest)) = (lab.jobs(), people(lab).await);
    let id = job_of(lab, &holder).await;
    lab.catalog.set_role(&holder, holder.project, &guest.name, Role::Viewer).await.unwrap();
    let mut told = jobs.watch(&guest, id, 0).await.unwrap();
    let first = told.next().await;
    assert!(matches!(first, Some(Ok(JobEvent::State(_)))), "{first:?}");
    lab.catalog.remove_member(&holder, holder.project, &guest.name).await.unwrap();
    let next = tokio::time::timeout(crate::support::PATIENCE, told.next()).await.unwrap();
    assert!(matches!(next, Some(Err(JobError::NotFound { .. }))), "{next:?}");
}

async fn a_list_is_narrowed_and_comes_in_pages(lab: &Lab) {
    let (jobs, (_, holder, _)) = (lab.jobs(), people(lab).await);
    let mut ids = Vec::new();
    for number in 0..5 {
        let kind = if number % 2 == 0 { "even" } else { "odd" };
        ids.push(lab.enqueue(&jobs, NewJob::new(kind, holder.project, holder.user, json!(number))).await);
        // Ids of one millisecond are in no order.
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    jobs.cancel(&holder, ids[0]).await.unwrap();
    ids.reverse();
    let all = JobFilter { project: Some(holder.project), ..JobFilter::default() };
    let (mut seen, mut after) = (Vec::new(), None);
    loop {
        let page = jobs.list(&holder, all.clone(), after, 2).await.unwrap();
        seen.extend(page.items.iter().map(|job| job.id));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(seen, ids);
    for (filter, expected) in [
        (JobFilter { kind: Some("odd".to_owned()), ..all.clone() }, vec![ids[1], ids[3]]),
        (JobFilter { state: Some(State::Cancelled), ..all.clone() }, vec![ids[4]]),
        (JobFilter { state: Some(State::Cancelled), kind: Some("odd".to_owned()), ..all }, vec![]),
    ] {
        let page = jobs.list(&holder, filter, None, 10).await.unwrap();
        assert_eq!(page.items.iter().map(|job| job.id).collect::<Vec<_>>(), expected);
    }
}

async fn commands_are_audited(lab: &Lab) {
    let (jobs, (admin, holder, stranger)) = (lab.jobs(), people(lab).await);
    let id = job_of(lab, &holder).await;
    jobs.cancel(&holder, id).await.unwrap();
    jobs.cancel(&holder, id).await.unwrap_err();
    jobs.retry(&stranger, id).await.unwrap_err();
    jobs.retry(&holder, id).await.unwrap();
    let events = lab.catalog.audit_events(&admin, None, 100).await.unwrap();
    let of_jobs: Vec<_> = events.iter().filter(|event| event.target == id.to_string()).collect();
    let actions: Vec<_> = of_jobs.iter().map(|event| event.action.as_str()).collect();
    assert_eq!(actions, ["job.retry", "job.cancel"]);
    assert!(of_jobs.iter().all(|event| event.user == holder.user));
}
