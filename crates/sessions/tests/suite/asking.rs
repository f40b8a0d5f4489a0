//! The same work asked for more than once, and by those who may not.

use std::sync::atomic::Ordering;

use holotype_core::Category;
use holotype_jobs::JobFilter;
use holotype_sessions::{SessionChange, SessionFilter, SessionId, SessionRequest, Status};
use holotype_testkit::on_both_engines;
use serde_json::{Value, json};

use crate::bench::Bench;

impl Bench {
    async fn fault(&self, body: Value) -> String {
        let session = self.session(&self.ann).await;
        let error = self.sessions.operate(&self.ann, session, &body).await.unwrap_err();
        assert_eq!(error.category(), Category::Invalid, "{error}");
        error.to_string()
    }

    async fn job_count(&self) -> usize {
        self.jobs.list(&self.ann, JobFilter::default(), None, 1000).await.unwrap().items.len()
    }
}

on_both_engines! {
    async fn a_hundred_who_ask_for_the_same_at_once_have_it_done_once(bench: Bench) {
        bench.work();
        bench.frame("a", b"frame a", None).await;
        bench.frame("b", b"frame b", None).await;
        let session = bench.session(&bench.ann).await;
        let asking = (0..100).map(|number| {
            // In either order, for a list of frames has none.
            let names = if number % 2 == 0 { ["a", "b"] } else { ["b", "a"] };
            let bench = &bench;
            async move { bench.ask(&bench.ann, session, &names, "copy").await.unwrap() }
        });
        let asked = futures::future::join_all(asking).await;
        for operation in &asked {
            let ended = bench.ended(&bench.ann, operation.id).await;
            assert_eq!((ended.status, &ended.key), (Status::Completed, &asked[0].key), "{}", ended.message);
        }
        assert_eq!((bench.begun(), bench.job_count().await), (1, 1));
        let later = bench.ask(&bench.ann, session, &["a", "b"], "copy").await.unwrap();
        assert_eq!((later.status, later.progress), (Status::Completed, 1.0));
        assert_eq!(bench.begun(), 1);
    }

    async fn other_bytes_under_the_same_name_are_other_work(bench: Bench) {
        bench.frame("a", b"first", None).await;
        let session = bench.session(&bench.ann).await;
        let first = bench.ask(&bench.ann, session, &["a"], "copy").await.unwrap();
        bench.frame("a", b"reprocessed", None).await;
        let second = bench.ask(&bench.ann, session, &["a"], "copy").await.unwrap();
        assert_ne!(first.key, second.key);
        assert_eq!(bench.job_count().await, 2);
    }

    async fn a_result_is_shared_by_those_who_may_have_its_inputs_and_by_nobody_else(bench: Bench) {
        bench.work();
        bench.frame("mine", b"secret", Some(&bench.ann)).await;
        bench.frame("public", b"open", None).await;
        let bob = bench.user("bob").await;
        let (hers, his) = (bench.session(&bench.ann).await, bench.session(&bob).await);
        let secret = bench.ask(&bench.ann, hers, &["mine"], "copy").await.unwrap();
        let secret = bench.ended(&bench.ann, secret.id).await;
        let error = bench.ask(&bob, his, &["mine"], "copy").await.unwrap_err();
        assert_eq!(error.to_string(), "mine was not found in the archive");

        let open = bench.ask(&bench.ann, hers, &["public"], "copy").await.unwrap();
        bench.ended(&bench.ann, open.id).await;
        let shared = bench.ask(&bob, his, &["public"], "copy").await.unwrap();
        assert_eq!((shared.status, bench.begun()), (Status::Completed, 2));

        // An output is the input of the next for who has it, and nothing for others.
        let output = |key: &str| {
            let files = json!([{ "basename": format!("{key}-1"), "source": "datalab" }]);
            json!({ "name": "Trial", "input_data": { "input_files": files } })
        };
        let chained = bench.sessions.operate(&bench.ann, hers, &output(&secret.key.to_string())).await.unwrap();
        assert_eq!(bench.ended(&bench.ann, chained.id).await.status, Status::Completed);
        let error = bench.sessions.operate(&bob, his, &output(&secret.key.to_string())).await.unwrap_err();
        assert_eq!(error.category(), Category::NotFound);
        assert!(bench.sessions.operate(&bob, his, &output(&shared.key.to_string())).await.is_ok());
    }

    async fn what_is_somebody_elses_is_not_there(bench: Bench) {
        bench.frame("a", b"a", None).await;
        let session = bench.session(&bench.ann).await;
        let operation = bench.ask(&bench.ann, session, &["a"], "copy").await.unwrap();
        let bob = bench.user("bob").await;
        let body = json!({ "name": "x" });
        let sessions = &bench.sessions;
        let not_found = [
            sessions.session(&bob, session).await.map(drop),
            sessions.change(&bob, session, SessionChange::read(&body, true).unwrap()).await.map(drop),
            sessions.delete(&bob, session).await,
            sessions.operations(&bob, session, 10, 0).await.map(drop),
            bench.ask(&bob, session, &["a"], "copy").await.map(drop),
            sessions.change_operation(&bob, session, operation.id, &json!({}), false).await.map(drop),
            sessions.delete_operations(&bob, session, vec![operation.id]).await.map(drop),
            sessions.operation_record(&bob, operation.id).await.map(drop),
            sessions.cancel(&bob, operation.id).await,
        ];
        for (place, answer) in not_found.into_iter().enumerate() {
            assert_eq!(answer.unwrap_err().category(), Category::NotFound, "{place}");
        }
        let his = bench.session(&bob).await;
        assert_eq!(sessions.delete_operations(&bob, his, vec![operation.id]).await.unwrap(), 0);
        assert!(sessions.sessions(&bob, SessionFilter::default(), 10, 0).await.unwrap().sessions.iter().all(|one| one.id == his));
        assert_eq!(bench.look(&bench.ann, operation.id).await.status, Status::InProgress);
    }

    async fn a_wrong_request_is_refused_with_its_field_and_nothing_is_begun(bench: Bench) {
        bench.frame("a", b"a", None).await;
        let files = json!([{ "basename": "a" }]);
        let told = [
            (json!([]), "non_field_errors: Invalid data. Expected a dictionary, but got list."),
            (json!({}), "name: This field is required."),
            (json!({ "name": "Nope" }), "name: \"Nope\" is not a valid choice."),
            (json!({ "name": 7 }), "name: \"7\" is not a valid choice."),
            (json!({ "name": "Trial" }), "input_data: This field is required."),
            (json!({ "name": "Trial", "input_data": [] }), "input_data: Expected a dictionary of items."),
            (json!({ "name": "Trial", "input_data": {} }), "input_files: Expected a list of files."),
            (
                json!({ "name": "Trial", "input_data": { "input_files": [{ "basename": "../../etc/passwd" }] } }),
                "input_files: \"../../etc/passwd\" is not a valid basename.",
            ),
            (
                json!({ "name": "Trial", "input_data": { "input_files": files, "mode": "dance" } }),
                "mode: \"dance\" is not a valid choice; choose one of copy, measure, wait, refuse, panic.",
            ),
        ];
        for (body, expected) in told {
            assert_eq!(bench.fault(body).await, expected);
        }
        let session = bench.session(&bench.ann).await;
        assert!(bench.ask(&bench.ann, session, &["nowhere"], "copy").await.is_err());
        assert!(bench.ask(&bench.ann, SessionId(i64::MAX), &["a"], "copy").await.is_err());
        assert_eq!(bench.job_count().await, 0);
    }

    async fn an_operation_may_come_to_ask_for_something_else(bench: Bench) {
        bench.frame("a", b"a", None).await;
        let session = bench.session(&bench.ann).await;
        let operation = bench.ask(&bench.ann, session, &["a"], "wait").await.unwrap();
        let change = json!({ "input_data": { "input_files": [{ "basename": "a" }], "mode": "copy" } });
        let changed = bench.sessions.change_operation(&bench.ann, session, operation.id, &change, false).await.unwrap();
        assert_eq!(changed.id, operation.id);
        assert_ne!(changed.key, operation.key);
        bench.work();
        assert_eq!(bench.ended(&bench.ann, operation.id).await.status, Status::Completed);
        assert_eq!(bench.begun(), 1, "nobody waited for the first any more");
    }

    async fn sessions_are_listed_as_they_were_changed_and_narrowed(bench: Bench) {
        let mut made = Vec::new();
        for name in ["M 31", "m 33", "Überwachung"] {
            let body = json!({ "name": name, "input_data": [{ "basename": name }] });
            let request = SessionRequest::read(&body).unwrap();
            made.push(bench.sessions.create(&bench.ann, bench.ann.project, request).await.unwrap());
            bench.clock.advance(std::time::Duration::from_secs(60));
        }
        let more = json!({ "input_data": [{ "basename": "M 31" }, { "basename": "x" }] });
        let change = SessionChange::read(&more, false).unwrap();
        let changed = bench.sessions.change(&bench.ann, made[0].id, change).await.unwrap();
        assert_eq!(changed.input_data, json!([{ "basename": "M 31" }, { "basename": "x" }]));
        assert!(changed.modified > made[0].modified && changed.created == made[0].created);

        let find = |filter: SessionFilter, limit, offset| {
            let bench = &bench;
            async move {
                let page = bench.sessions.sessions(&bench.ann, filter, limit, offset).await.unwrap();
                let names: Vec<String> = page.sessions.into_iter().map(|session| session.name).collect();
                (page.count, names.join(", "))
            }
        };
        let all = SessionFilter::default;
        assert_eq!(find(all(), 10, 0).await, (3, "M 31, Überwachung, m 33".to_owned()));
        assert_eq!(find(all(), 1, 1).await, (3, "Überwachung".to_owned()));
        let named = |text: &str| SessionFilter { name: Some(text.to_owned()), ..all() };
        assert_eq!(find(named("m 3"), 10, 0).await.0, 2);
        assert_eq!(find(named("ÜBER"), 10, 0).await.1, "Überwachung");
        assert_eq!(find(SessionFilter { name_exact: Some("m 31".to_owned()), ..all() }, 10, 0).await.0, 0);
        assert_eq!(find(SessionFilter { owner: Some("AN".to_owned()), ..all() }, 10, 0).await.0, 3);
        let since = SessionFilter { created_after: Some(made[1].created), created_before: Some(made[1].created), ..all() };
        assert_eq!(find(since, 10, 0).await.1, "m 33");
        let before = SessionFilter { modified_before: Some(made[1].created), ..all() };
        assert_eq!(find(before, 10, 0).await.1, "m 33");
        assert_eq!(bench.gate.begun.load(Ordering::SeqCst), 0);
    }
}
