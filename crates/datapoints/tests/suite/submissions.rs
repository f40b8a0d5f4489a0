//! Storing a datapoint: what is answered, what is there afterwards, and what a repetition does.

use holotype_core::Category;
use holotype_datapoints::{DatapointError, NewFile};
use holotype_testkit::on_both_engines;
use serde_json::{Value, json};

use crate::bench::{Bench, MANAGER, PROJECT, ULID, submission, value};

on_both_engines! {
    async fn what_is_submitted_is_answered_and_found_as_it_was(bench: Bench) {
        let document = concat!(
            r#"{"label":"Temp ≈ 😀","ownership_info":{"experiment_id":"01M7WHETCQB7WPQGFM195VD84M"},"data_type":"json","_id":"x","#,
            r#""data_timestamp":"2026-11-20T13:13:43.575470","value":{"b":123456789012345678901234567890,"a":[1.0,-0.0,null,"\u0000"]},"more":1}"#
        );
        let parsed: Value = serde_json::from_str(document).unwrap();
        let stored = bench.submit(parsed).await.unwrap();
        assert_eq!((&*stored.document, stored.id.as_str(), stored.created), (document, "x", true));
        assert_eq!(&*bench.datapoints.get(&bench.owner, PROJECT, "x").await.unwrap(), document);
    }

    async fn what_is_left_out_is_filled_in_by_the_server(bench: Bench) {
        let stored = bench.submit(json!({"data_type": "json", "value": 1})).await.unwrap();
        let found = bench.get(&stored.id).await.unwrap();
        assert_eq!(found["ownership_info"], json!({ "manager_id": MANAGER }));
        assert_eq!(found["data_timestamp"], "2026-01-01T02:00:00", "local time without an offset");
        assert_eq!((stored.id.len(), found["label"].clone()), (26, Value::Null));
        let other = bench.submit(json!({"data_type": "json", "value": 1})).await.unwrap();
        assert_ne!(other.id, stored.id);
    }

    async fn the_same_submission_twice_is_one_datapoint(bench: Bench) {
        let document = json!({"data_type": "json", "_id": "x", "value": {"a": 1}});
        let first = bench.submit(document.clone()).await.unwrap();
        bench.clock.advance(std::time::Duration::from_secs(60));
        let again = bench.submit(document).await.unwrap();
        assert_eq!((&again.document, again.created), (&first.document, false));
        let sent_back = bench.submit(serde_json::from_str(&first.document).unwrap()).await.unwrap();
        assert_eq!((&sent_back.document, sent_back.created), (&first.document, false));
        assert_eq!(bench.query(json!({})).await, ["x"]);
    }

    async fn another_content_under_the_same_id_is_a_conflict(bench: Bench) {
        bench.keep("x", json!({"value": 1})).await;
        for change in [json!({"value": 1.0}), json!({"label": "m"}), json!({"extra": null}), json!({"ownership_info": null})] {
            let error = bench.submit(value("x", change)).await.unwrap_err();
            assert_eq!(error.category(), Category::Conflict, "{error}");
        }
        let unsaid = json!({"label": "l", "data_type": "json", "_id": "x", "data_timestamp": "2026-01-01T00:00:00", "value": 1});
        assert!(matches!(bench.submit(unsaid).await, Err(DatapointError::Clash { .. })), "left out is not the same as empty");
        assert_eq!(bench.get("x").await.unwrap()["value"], 1);
    }

    async fn many_at_once_under_one_id_make_one_datapoint(bench: Bench) {
        let racing = (0..16).map(|_| bench.submit(value("x", json!({}))));
        let stored = futures::future::try_join_all(racing).await.unwrap();
        assert_eq!(stored.iter().filter(|stored| stored.created).count(), 1);
        let racing = (0..16).map(|number| bench.submit(value("y", json!({ "value": number }))));
        let stored = futures::future::join_all(racing).await;
        assert_eq!(stored.iter().filter(|stored| stored.is_ok()).count(), 1);
        assert_eq!(bench.query(json!({})).await, ["x", "y"]);
    }

    async fn an_idempotency_key_stands_for_an_id(bench: Bench) {
        let keyed = |value: i32, key: &str| submission(&json!({"data_type": "json", "value": value})).with_idempotency_key(PROJECT, key);
        let submit = |submission| bench.datapoints.submit(&bench.owner, PROJECT, submission, Vec::new());
        let first = submit(keyed(1, "k")).await.unwrap();
        let again = submit(keyed(1, "k")).await.unwrap();
        assert_eq!((&again.id, again.created), (&first.id, false));
        assert!(matches!(submit(keyed(2, "k")).await, Err(DatapointError::Clash { .. })));
        assert!(submit(keyed(1, "other")).await.unwrap().created);
        let chosen = submission(&value("mine", json!({}))).with_idempotency_key(PROJECT, "k");
        assert_eq!(chosen.id.as_deref(), Some("mine"));
    }

    async fn a_file_is_given_a_dated_path_that_is_not_there(bench: Bench) {
        let document = json!({"label": "log", "data_type": "file", "_id": "F1", "path": "/client/data 1.csv"});
        let stored = bench.submit_with(document.clone(), vec![bench.file("data 1.csv", b"a,b\n1,2\n").await]).await.unwrap();
        let found = bench.get("F1").await.unwrap();
        assert_eq!(found["path"], "/srv/datapoints/2026/1/1/F1_data 1.csv");
        assert!(!std::path::Path::new("/srv/datapoints/2026/1/1/F1_data 1.csv").exists());
        let again = bench.submit_with(document.clone(), vec![bench.file("data 1.csv", b"a,b\n1,2\n").await]).await.unwrap();
        assert_eq!((&again.document, again.created), (&stored.document, false));
        for files in [vec![bench.file("data 1.csv", b"other").await], vec![bench.file("b.csv", b"a,b\n1,2\n").await], vec![]] {
            let error = bench.submit_with(document.clone(), files).await.unwrap_err();
            assert!(matches!(error, DatapointError::Clash { .. }), "{error}");
        }
    }

    async fn a_hostile_id_and_file_name_stay_under_the_root(bench: Bench) {
        let document = json!({"data_type": "file", "_id": "../../X", "path": "p"});
        bench.submit_with(document, vec![bench.file("../../../etc/passwd\0", b"x").await]).await.unwrap();
        let path = bench.get("../../X").await.unwrap()["path"].as_str().unwrap().to_owned();
        assert_eq!(path, "/srv/datapoints/2026/1/1/______X__________etc_passwd_");
    }

    async fn several_files_are_all_kept(bench: Bench) {
        let files = vec![bench.file("a.csv", b"one").await, bench.file("b.png", b"two").await, bench.file("a.csv", b"one").await];
        bench.submit_with(json!({"data_type": "file", "_id": "F", "path": "p"}), files).await.unwrap();
        let files = bench.datapoints.files(&bench.owner, PROJECT, "F").await.unwrap();
        let names: Vec<_> = files.iter().map(|file| (file.position, file.name.as_str(), file.size)).collect();
        assert_eq!(names, [(0, "a.csv", 3), (1, "b.png", 3), (2, "a.csv", 3)]);
        assert_eq!(bench.get("F").await.unwrap()["path"], "/srv/datapoints/2026/1/1/F_a.csv");
    }

    async fn a_value_with_a_file_gets_a_path_and_stays_a_value(bench: Bench) {
        let document = value("V", json!({"value": {"a": 1}, "path": "mine", "z": 1}));
        let stored = bench.submit_with(document, vec![bench.file("raw.bin", b"raw").await]).await.unwrap();
        assert!(stored.document.ends_with(r#""value":{"a":1},"path":"/srv/datapoints/2026/1/1/V_raw.bin","z":1}"#), "{}", stored.document);
    }

    async fn a_file_whose_bytes_were_swept_is_refused_and_nothing_is_stored(bench: Bench) {
        let file: NewFile = bench.file("a.bin", b"bytes").await;
        bench.clock.advance(std::time::Duration::from_secs(100_000));
        let plan = bench.blobs.sweep_plan().await.unwrap();
        bench.blobs.sweep(&plan, |_| std::ops::ControlFlow::Continue(())).await.unwrap();
        let document = json!({"data_type": "file", "_id": "F", "path": "p"});
        let error = bench.submit_with(document.clone(), vec![file]).await.unwrap_err();
        assert_eq!(error.category(), Category::Conflict, "{error}");
        assert!(matches!(bench.get("F").await, Err(DatapointError::NotFound { .. })));
        bench.submit_with(document, vec![bench.file("a.bin", b"bytes").await]).await.unwrap();
    }

    async fn ids_and_labels_may_be_any_text(bench: Bench) {
        let long = "é".repeat(100_000);
        for (id, label) in [("a/b c?#%", "a\0b"), ("😀", long.as_str()), ("'; DROP TABLE datapoints; --", "\u{1}\"\\")] {
            bench.keep(id, json!({ "label": label })).await;
            assert_eq!(bench.get(id).await.unwrap()["label"], label);
            assert_eq!(bench.query(json!({ "label": label })).await, [id]);
            assert_eq!(bench.query(json!({ "_id": id })).await, [id]);
        }
        assert!(matches!(bench.get("a\0b").await, Err(DatapointError::NotFound { .. })));
    }

    async fn a_large_document_is_kept(bench: Bench) {
        let big = "x".repeat(12 * 1024 * 1024);
        bench.keep("big", json!({ "value": big })).await;
        assert_eq!(bench.get("big").await.unwrap()["value"].as_str().unwrap().len(), big.len());
        bench.keep("small", json!({})).await;
        assert_eq!(bench.query(json!({"value": {"$type": "string"}})).await, ["big"]);
    }

    async fn owners_are_found_by_their_ids(bench: Bench) {
        bench.keep("a", json!({"ownership_info": {"experiment_id": ULID, "node_id": MANAGER}})).await;
        bench.keep("b", json!({"ownership_info": {"experiment_id": ULID}})).await;
        bench.keep("c", json!({"ownership_info": null})).await;
        assert_eq!(bench.query(json!({"ownership_info.experiment_id": ULID})).await, ["a", "b"]);
        assert_eq!(bench.query(json!({"ownership_info.experiment_id": ULID, "ownership_info.node_id": MANAGER})).await, ["a"]);
        assert_eq!(bench.query(json!({"ownership_info.experiment_id": null})).await, ["c"]);
        assert_eq!(bench.query(json!({"experiment_id": ULID})).await, ["a", "b"], "the guides' short name");
    }
}
