//! Submits that arrive at once share a commit, and each has its own answer.

use futures::future::join_all;
use holotype_core::Category;
use holotype_testkit::on_both_engines;
use serde_json::json;

use crate::access::caller;
use crate::bench::{Bench, submission, value};

on_both_engines! {
    async fn each_of_many_callers_is_answered_for_what_it_sent_and_where_it_may(bench: Bench) {
        let admin = caller(&bench.catalog.create_user(&bench.owner, "admin", None, true).await.unwrap());
        let alice = caller(&bench.catalog.create_user(&admin, "alice", None, false).await.unwrap());
        let bob = caller(&bench.catalog.create_user(&admin, "bob", None, false).await.unwrap());
        let points = &bench.datapoints;
        let submit = |number: usize| {
            // Every third submit is of bob into alice's project, which he does not know of.
            let who = if number.is_multiple_of(3) { &bob } else { &alice };
            let document = value(&format!("{:02}", number % 50), json!({ "value": number % 50 }));
            async move { points.submit(who, alice.project, submission(&document), vec![]).await }
        };
        for (number, answer) in join_all((0..100).map(submit)).await.into_iter().enumerate() {
            match answer {
                Ok(stored) => assert_eq!((number % 3 != 0, stored.id), (true, format!("{:02}", number % 50))),
                Err(error) => assert_eq!((number % 3, error.category()), (0, Category::NotFound), "{error}"),
            }
        }
        let stored = points.count(&alice, alice.project, holotype_datapoints::Selection::default()).await.unwrap();
        assert_eq!(stored, 50, "each of the fifty ids was sent by alice once or twice");
    }

    async fn one_that_cannot_be_stored_does_not_hinder_those_beside_it(bench: Bench) {
        let lost = bench.file("lost.bin", b"swept meanwhile").await;
        bench.clock.advance(std::time::Duration::from_secs(100_000));
        let plan = bench.blobs.sweep_plan().await.unwrap();
        bench.blobs.sweep(&plan, |_| std::ops::ControlFlow::Continue(())).await.unwrap();
        let submit = |number: usize| {
            let files = if number == 7 { vec![lost.clone()] } else { vec![] };
            bench.submit_with(value(&format!("{number:02}"), json!({})), files)
        };
        let answers = join_all((0..16).map(submit)).await;
        let refused: Vec<usize> = (0..16).filter(|number| answers[*number].is_err()).collect();
        assert_eq!(refused, [7]);
        assert_eq!(answers[7].as_ref().unwrap_err().category(), Category::Conflict);
        assert_eq!(bench.query(json!({})).await.len(), 15);
    }

    async fn large_ones_are_not_all_taken_at_once(bench: Bench) {
        let large = "x".repeat(1024 * 1024);
        let submit = |number: usize| bench.submit(value(&format!("{number:02}"), json!({ "value": large })));
        let answers = join_all((0..20).map(submit)).await;
        assert!(answers.iter().all(Result::is_ok));
        assert_eq!(bench.query(json!({})).await.len(), 20);
    }

    async fn a_caller_that_goes_away_takes_nobody_along(bench: Bench) {
        let submit = |number: usize| bench.submit(value(&format!("{number:02}"), json!({})));
        let impatient = |number: usize| {
            let submitting = submit(number);
            async move {
                tokio::pin!(submitting);
                // Polled once, so that it waits with the others, and dropped.
                assert!(futures::poll!(submitting).is_pending());
            }
        };
        let (answers, ()) = futures::join!(join_all((0..8).map(submit)), async {
            join_all((8..16).map(impatient)).await;
        });
        assert!(answers.iter().all(Result::is_ok));
        for number in 0..8 {
            bench.get(&format!("{number:02}")).await.unwrap();
        }
    }
}
