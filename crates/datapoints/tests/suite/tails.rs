//! Following a project.

use std::time::Duration;

use futures::StreamExt;
use futures::stream::BoxStream;
use holotype_datapoints::{Arrival, DatapointError, Selection};
use holotype_testkit::on_both_engines;
use serde_json::json;

use crate::bench::{Bench, PROJECT, submission, value};

type Tail = BoxStream<'static, Result<Arrival, DatapointError>>;

async fn tail(bench: &Bench, filter: serde_json::Value, after: Option<i64>) -> Tail {
    bench.datapoints.tail(&bench.owner, PROJECT, Selection::parse(&filter).unwrap(), after).await.unwrap()
}

/// The next arrival; that none comes for a long time fails the test.
async fn next(tail: &mut Tail) -> Arrival {
    tokio::time::timeout(Duration::from_secs(60), tail.next()).await.expect("an arrival").unwrap().unwrap()
}

on_both_engines! {
    async fn what_arrives_is_seen_in_order_from_now_on(bench: Bench) {
        bench.keep("before", json!({})).await;
        let mut tail = tail(&bench, json!({"value": {"$gt": 1}}), None).await;
        for (id, value) in [("a", 2), ("b", 1), ("c", 3)] {
            bench.keep(id, json!({ "value": value })).await;
        }
        let first = next(&mut tail).await;
        assert_eq!((first.id.as_str(), next(&mut tail).await.id.as_str()), ("a", "c"));
        assert!(first.document.contains(r#""_id":"a""#));
    }

    async fn what_another_process_stores_is_seen_too(bench: Bench) {
        let mut tail = tail(&bench, json!({}), None).await;
        let other = bench.another_process().await;
        other.submit(&bench.owner, PROJECT, submission(&value("theirs", json!({}))), vec![]).await.unwrap();
        assert_eq!(next(&mut tail).await.id, "theirs");
    }

    async fn a_tail_goes_on_after_a_place(bench: Bench) {
        for number in 0..1_200 {
            bench.keep(&number.to_string(), json!({})).await;
        }
        let mut all = tail(&bench, json!({}), Some(0)).await;
        let mut last = next(&mut all).await;
        for number in 1..700 {
            last = next(&mut all).await;
            assert_eq!(last.id, number.to_string());
        }
        let mut rest = tail(&bench, json!({}), Some(last.sequence)).await;
        for number in 700..1_200 {
            assert_eq!(next(&mut rest).await.id, number.to_string());
        }
    }

    async fn a_tail_ends_when_its_reader_may_no_longer_read(bench: Bench) {
        let admin = bench.catalog.create_user(&bench.owner, "admin", None, true).await.unwrap();
        let admin = crate::access::caller(&admin);
        let reader = bench.catalog.create_user(&admin, "reader", None, false).await.unwrap();
        bench.catalog.set_role(&admin, PROJECT, "reader", holotype_core::Role::Viewer).await.unwrap();
        let reader = crate::access::caller(&reader);
        let mut tail = bench.datapoints.tail(&reader, PROJECT, Selection::default(), None).await.unwrap();
        bench.catalog.remove_member(&admin, PROJECT, "reader").await.unwrap();
        bench.datapoints.submit(&admin, PROJECT, submission(&value("x", json!({}))), vec![]).await.unwrap();
        let seen = tokio::time::timeout(Duration::from_secs(60), tail.next()).await.expect("an end");
        assert!(matches!(seen, Some(Err(DatapointError::Catalog(_)))), "{seen:?}");
    }
}
