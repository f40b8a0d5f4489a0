//! Deleting, the way back, and the end.

use std::time::Duration;

use holotype_core::{Clock, Digest};
use holotype_datapoints::{DatapointError, PageRequest};
use holotype_testkit::on_both_engines;
use serde_json::json;

use crate::bench::{Bench, PROJECT, bytes_of, ids, read, value};

on_both_engines! {
    async fn a_deleted_datapoint_is_found_nowhere_until_it_is_restored(bench: Bench) {
        bench.keep("x", json!({"value": 7})).await;
        bench.keep("y", json!({})).await;
        bench.datapoints.delete(&bench.owner, PROJECT, "x").await.unwrap();
        assert!(matches!(bench.get("x").await, Err(DatapointError::NotFound { .. })));
        assert!(matches!(bench.value("x").await, Err(DatapointError::NotFound { .. })));
        assert_eq!(bench.query(json!({})).await, ["y"]);
        assert_eq!(ids(bench.datapoints.latest(&bench.owner, PROJECT, 0).await.unwrap()).await, ["y"]);
        let deleted = PageRequest { deleted: true, ..PageRequest::default() };
        assert_eq!(bench.datapoints.page(&bench.owner, PROJECT, deleted).await.unwrap().items.len(), 1);
        let again = bench.datapoints.delete(&bench.owner, PROJECT, "x").await;
        assert!(matches!(again, Err(DatapointError::NotFound { .. })));

        bench.datapoints.restore(&bench.owner, PROJECT, "x").await.unwrap();
        assert_eq!(bench.get("x").await.unwrap()["value"], 7);
        assert_eq!(bench.query(json!({})).await, ["x", "y"], "in its old place");
        let again = bench.datapoints.restore(&bench.owner, PROJECT, "x").await;
        assert!(matches!(again, Err(DatapointError::NotFound { .. })));
    }

    async fn an_id_that_was_deleted_stays_taken_until_the_sweep(bench: Bench) {
        bench.keep("x", json!({})).await;
        bench.datapoints.delete(&bench.owner, PROJECT, "x").await.unwrap();
        let error = bench.submit(value("x", json!({}))).await.unwrap_err();
        assert!(matches!(error, DatapointError::Deleted { .. }), "{error}");
        bench.clock.advance(Duration::from_secs(1));
        assert_eq!(bench.datapoints.purge(bench.clock.now()).await.unwrap(), 1);
        assert!(bench.submit(value("x", json!({"value": 2}))).await.unwrap().created);
    }

    async fn a_purge_takes_what_is_old_enough_and_lets_go_of_its_bytes(bench: Bench) {
        let hour = Duration::from_secs(3_600);
        for id in ["old", "young", "kept"] {
            let files = vec![bench.file("f", id.as_bytes()).await, bench.file("same", b"same").await];
            bench.submit_with(json!({"data_type": "file", "_id": id, "path": "p"}), files).await.unwrap();
        }
        bench.datapoints.delete(&bench.owner, PROJECT, "old").await.unwrap();
        bench.clock.advance(hour);
        bench.datapoints.delete(&bench.owner, PROJECT, "young").await.unwrap();
        bench.clock.advance(hour);
        assert_eq!(bench.datapoints.purge(bench.clock.now().before(hour)).await.unwrap(), 1);
        assert_eq!(bench.datapoints.purge(bench.clock.now().before(hour)).await.unwrap(), 0);
        bench.datapoints.restore(&bench.owner, PROJECT, "young").await.unwrap();
        assert!(bench.datapoints.restore(&bench.owner, PROJECT, "old").await.is_err());

        bench.clock.advance(3 * hour);
        let plan = bench.blobs.sweep_plan().await.unwrap();
        bench.blobs.sweep(&plan, |_| std::ops::ControlFlow::Continue(())).await.unwrap();
        assert!(bench.blobs.get(Digest::of(b"old"), None).await.is_err());
        for id in ["young", "kept"] {
            assert_eq!(read(&bytes_of(bench.value(id).await.unwrap()), None).await, id.as_bytes());
            assert_eq!(read(&bench.datapoints.file(&bench.owner, PROJECT, id, 1).await.unwrap(), None).await, b"same");
        }
    }

    async fn many_are_purged_in_portions(bench: Bench) {
        for number in 0..450 {
            bench.keep(&number.to_string(), json!({"ownership_info": {"lab_id": crate::bench::ULID}})).await;
            bench.datapoints.delete(&bench.owner, PROJECT, &number.to_string()).await.unwrap();
        }
        bench.clock.advance(Duration::from_secs(1));
        assert_eq!(bench.datapoints.purge(bench.clock.now()).await.unwrap(), 450);
        let deleted = PageRequest { deleted: true, ..PageRequest::default() };
        assert!(bench.datapoints.page(&bench.owner, PROJECT, deleted).await.unwrap().items.is_empty());
    }

    async fn who_deleted_is_written_down(bench: Bench) {
        bench.keep("x", json!({})).await;
        bench.datapoints.delete(&bench.owner, PROJECT, "x").await.unwrap();
        bench.datapoints.restore(&bench.owner, PROJECT, "x").await.unwrap();
        let events = bench.catalog.audit_events(&bench.owner, None, 10).await.unwrap();
        let actions: Vec<_> = events.iter().map(|event| (event.action.as_str(), event.target.as_str())).collect();
        assert_eq!(actions, [("datapoint.restore", "x"), ("datapoint.delete", "x")]);
    }
}
