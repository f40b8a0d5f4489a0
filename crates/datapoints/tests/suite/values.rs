//! Reading a value: JSON as it was written, files with ranges, and nothing that was not submitted.

use holotype_core::{Category, Digest};
use holotype_datapoints::{DatapointError, Value as Found};
use holotype_testkit::on_both_engines;
use serde_json::json;

use crate::bench::{Bench, PROJECT, bytes_of, read, value};

on_both_engines! {
    async fn a_json_value_is_answered_in_its_exact_text(bench: Bench) {
        for (number, text) in ["1", "1.0", "-0.0", "null", "\"txt\"", "123456789012345678901234567890", r#"{"b":1,"a":[]}"#].into_iter().enumerate() {
            let id = number.to_string();
            bench.keep(&id, json!({"value": serde_json::from_str::<serde_json::Value>(text).unwrap(), "extra": {"value": 2}})).await;
            let Found::Json(found) = bench.value(&id).await.unwrap() else { panic!("JSON") };
            assert_eq!(found.get(), text);
        }
    }

    async fn a_file_is_answered_whole_and_in_ranges(bench: Bench) {
        let document = json!({"data_type": "file", "_id": "F", "path": "p"});
        bench.submit_with(document, vec![bench.file("data 1.csv", b"a,b\n1,2\n").await]).await.unwrap();
        let content = bytes_of(bench.value("F").await.unwrap());
        assert_eq!((content.size, content.media_type.as_str(), content.name.as_str()), (8, "text/csv; charset=utf-8", "data 1.csv"));
        assert_eq!(content.etag, format!("\"{}\"", Digest::of(b"a,b\n1,2\n")));
        assert_eq!(content.modified_at.to_string(), "2026-01-01T00:00:00Z");
        assert_eq!(read(&content, None).await, b"a,b\n1,2\n");
        let opened = content.open(Some(2..5)).await.unwrap();
        assert_eq!(opened.range, 2..5);
        assert_eq!(read(&content, Some(2..5)).await, b"b\n1");
        assert_eq!(content.open(Some(100..200)).await.err().unwrap().category(), Category::Invalid);
    }

    async fn an_empty_file_is_a_file(bench: Bench) {
        let document = json!({"data_type": "file", "_id": "F", "path": "p"});
        bench.submit_with(document, vec![bench.file("empty", b"").await]).await.unwrap();
        let content = bytes_of(bench.value("F").await.unwrap());
        assert_eq!((content.size, content.media_type.as_str()), (0, "application/octet-stream"));
        assert_eq!(read(&content, None).await, b"");
    }

    async fn each_of_several_files_can_be_read(bench: Bench) {
        let files = vec![bench.file("a", b"one").await, bench.file("b", b"two").await];
        bench.submit_with(json!({"data_type": "file", "_id": "F", "path": "p"}), files).await.unwrap();
        let second = bench.datapoints.file(&bench.owner, PROJECT, "F", 1).await.unwrap();
        assert_eq!(read(&second, None).await, b"two");
        assert_eq!(read(&bytes_of(bench.value("F").await.unwrap()), None).await, b"one");
        let third = bench.datapoints.file(&bench.owner, PROJECT, "F", 2).await;
        assert!(matches!(third, Err(DatapointError::NoFile { position: 2, .. })));
    }

    async fn a_record_that_names_a_path_of_this_machine_has_no_bytes(bench: Bench) {
        let secret = bench.path("secret");
        std::fs::write(&secret, "do not read").unwrap();
        for (id, path) in [("a", secret.to_str().unwrap()), ("b", "/etc/hostname"), ("c", "")] {
            bench.submit(json!({"data_type": "file", "_id": id, "path": path})).await.unwrap();
            assert_eq!(bench.get(id).await.unwrap()["path"], path);
            let error = bench.value(id).await.unwrap_err();
            assert_eq!(error.category(), Category::NotFound, "{error}");
        }
    }

    async fn an_object_of_elsewhere_has_no_bytes(bench: Bench) {
        let document = json!({"data_type": "object_storage", "_id": "o", "path": "/d/a.bin", "storage_endpoint": "169.254.169.254:80",
            "bucket_name": "b", "object_name": "a.bin"});
        bench.submit(document).await.unwrap();
        assert!(matches!(bench.value("o").await, Err(DatapointError::NoBytes { .. })));
    }

    async fn a_value_with_a_file_keeps_both(bench: Bench) {
        bench.submit_with(value("V", json!({"value": [1]})), vec![bench.file("raw.bin", b"raw").await]).await.unwrap();
        assert!(matches!(bench.value("V").await.unwrap(), Found::Json(text) if text.get() == "[1]"));
        assert_eq!(read(&bench.datapoints.file(&bench.owner, PROJECT, "V", 0).await.unwrap(), None).await, b"raw");
    }

    async fn an_unknown_id_is_not_found(bench: Bench) {
        for id in ["none", "", "a\0", "../x"] {
            assert!(matches!(bench.value(id).await, Err(DatapointError::NotFound { .. })), "{id:?}");
        }
        let error = bench.get("X").await.unwrap_err();
        assert_eq!(error.to_string(), "Datapoint with id X not found.", "as clients of the contract read it");
    }
}
