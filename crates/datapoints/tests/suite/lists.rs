//! The contract's two lists, and counting.

use futures::TryStreamExt;
use holotype_core::Category;
use holotype_datapoints::{DatapointError, PageRequest, Selection};
use holotype_testkit::on_both_engines;
use serde_json::json;

use crate::bench::{Bench, PROJECT, ids};

on_both_engines! {
    async fn the_newest_are_those_with_the_greatest_timestamp_as_text(bench: Bench) {
        for (id, timestamp) in [
            ("a", "2026-01-02T00:00:00"),
            ("b", "2026-01-03T00:00:00+02:00"),
            ("c", "2026-01-03T00:00:00"),
            ("d", "2026-01-01T00:00:00Z"),
            ("e", "2026-01-02T00:00:00"),
        ] {
            bench.keep(id, json!({ "data_timestamp": timestamp })).await;
        }
        let latest = async |number| ids(bench.datapoints.latest(&bench.owner, PROJECT, number).await.unwrap()).await.concat();
        assert_eq!(latest(100).await, "bcead", "of equal ones the later one first");
        assert_eq!(latest(2).await, "bc");
        assert_eq!(latest(0).await, "bcead", "0 is no limit");
        assert_eq!(latest(-3).await, "bce", "a negative number counts as its absolute value");
        assert_eq!(latest(i64::MIN).await, "bcead");
    }

    async fn a_query_answers_in_the_order_of_insertion_without_a_limit(bench: Bench) {
        let mut expected = Vec::new();
        for number in 0..700 {
            let id = format!("{:04}", (number * 7919) % 1000);
            bench.keep(&id, json!({"label": format!("l{}", number % 2), "value": number})).await;
            if number % 2 == 0 {
                expected.push(id);
            }
        }
        assert_eq!(bench.query(json!({"label": "l0"})).await, expected);
        assert_eq!(bench.query(json!({"value": {"$mod": [2, 0]}})).await, expected);
        assert_eq!(bench.query(json!(null)).await.len(), 700);
        let all = ids(bench.datapoints.latest(&bench.owner, PROJECT, 0).await.unwrap()).await;
        assert_eq!(all.len(), 700);
    }

    async fn what_users_ask_for_is_found(bench: Bench) {
        bench.keep("a", json!({"label": "Temp 1", "value": 23.5, "data_timestamp": "2026-03-01T10:00:00"})).await;
        bench.keep("b", json!({"label": "temp 2", "value": {"t": 9_007_199_254_740_993_i64}, "data_timestamp": "2026-03-02T10:00:00"})).await;
        bench.keep("c", json!({"label": null, "value": [1, {"x": "y"}], "data_timestamp": "2026-03-03T10:00:00"})).await;
        for (filter, found) in [
            (json!({"label": "Temp 1"}), "a"),
            (json!({"label": {"$regex": "^temp", "$options": "i"}}), "ab"),
            (json!({"label": null}), "c"),
            (json!({"data_timestamp": {"$gte": "2026-03-02", "$lt": "2026-03-03"}}), "b"),
            (json!({"created_at": {"$gte": "2026-03-02"}}), "bc"),
            (json!({"value.t": {"$gt": 9_007_199_254_740_992_i64}}), "b"),
            (json!({"value.x": "y"}), "c"),
            (json!({"data_type": "json", "label": "Temp 1", "value": 23.5}), "a"),
            (json!({"_id": {"$in": ["c", "a", "none", null, 5]}}), "ac"),
            (json!({"$or": [{"label": "Temp 1"}, {"value": 1}]}), "ac"),
            (json!({"_id": 5}), ""),
            (json!({"_id": {"$gte": "b"}}), "bc"),
            (json!({"label": {"$in": [null, "temp 2"]}}), "bc"),
        ] {
            assert_eq!(bench.query(filter.clone()).await.concat(), found, "{filter}");
        }
    }

    async fn a_filter_that_cannot_be_used_is_refused(bench: Bench) {
        for filter in [json!([]), json!("abc"), json!(5), json!({"label": {"$foo": 1}}), json!({"$where": "true"}), json!({"label": {"$regex": "("}})] {
            let error = Selection::parse(&filter).unwrap_err();
            assert_eq!(error.category(), Category::Invalid, "{filter}: {error}");
        }
        drop(bench);
    }

    async fn a_query_that_takes_too_much_is_ended(bench: Bench) {
        for number in 0..40 {
            bench.keep(&number.to_string(), json!({"value": vec![number; 100]})).await;
        }
        let datapoints = bench.with_steps(2_000);
        let query = async |filter| {
            let selection = Selection::parse(&filter).unwrap();
            let found = datapoints.query(&bench.owner, PROJECT, selection).await.unwrap();
            found.try_collect::<Vec<_>>().await.map(|found| found.len())
        };
        let error = query(json!({"value": 39})).await.unwrap_err();
        assert!(matches!(error, DatapointError::Filter(_)), "{error}");
        assert_eq!(query(json!({"value": 3, "_id": {"$in": ["3", "4"]}})).await.unwrap(), 1, "narrowed, it is little");
        let request = PageRequest { selection: Selection::parse(&json!({"value": -1})).unwrap(), ..PageRequest::default() };
        assert!(matches!(datapoints.page(&bench.owner, PROJECT, request).await, Err(DatapointError::Filter(_))));
    }

    async fn counting_is_finding(bench: Bench) {
        for number in 0..30 {
            bench.keep(&number.to_string(), json!({"label": if number % 3 == 0 { "a" } else { "b" }, "value": number})).await;
        }
        bench.datapoints.delete(&bench.owner, PROJECT, "0").await.unwrap();
        let count = async |filter| bench.datapoints.count(&bench.owner, PROJECT, Selection::parse(&filter).unwrap()).await.unwrap();
        assert_eq!(count(json!({})).await, 29);
        assert_eq!(count(json!({"label": "a"})).await, 9);
        assert_eq!(count(json!({"value": {"$gte": 20}})).await, 10);
    }
}
