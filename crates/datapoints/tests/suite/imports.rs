//! Taking over a laboratory: once, again, and what is wrong with it.

use std::fs;
use std::path::{Path, PathBuf};

use bson::{DateTime, doc, oid::ObjectId};
use holotype_datapoints::import::{Checksum, Dump, FileTree, ImportReport};
use holotype_testkit::on_both_engines;
use serde_json::json;

use crate::bench::{Bench, PROJECT, ULID, bytes_of, read};

/// A dump of documents, and the checksum that MADSci's tool leaves beside it.
fn dump(root: &Path, documents: &[bson::Document]) -> PathBuf {
    let database = root.join("madsci_data_backup").join("madsci_data");
    fs::create_dir_all(&database).unwrap();
    let bytes: Vec<u8> = documents.iter().flat_map(|document| document.to_vec().unwrap()).collect();
    fs::write(database.join("datapoints.bson"), &bytes).unwrap();
    fs::write(database.parent().unwrap().join("backup.checksum"), holotype_core::Digest::of(&bytes).to_string())
        .unwrap();
    root.join("madsci_data_backup")
}

fn json_point(id: &str, value: bson::Bson) -> bson::Document {
    doc! { "label": "l", "ownership_info": { "experiment_id": ULID }, "data_type": "json", "_id": id, "data_timestamp": "2026-01-01T00:00:00", "value": value }
}

fn file_point(id: &str, path: &str) -> bson::Document {
    doc! { "label": null, "ownership_info": {}, "data_type": "file", "_id": id, "data_timestamp": "2026-01-01T00:00:00", "path": path }
}

async fn import(bench: &Bench, directory: &Path, tree: &FileTree) -> ImportReport {
    let dump = Dump::open(directory, "datapoints").unwrap();
    assert_eq!(dump.checksum(), Checksum::Verified);
    bench.datapoints.import(&bench.owner, PROJECT, &dump, tree, |_| {}).await.unwrap()
}

on_both_engines! {
    async fn records_and_files_are_taken_over_as_they_were(bench: Bench) {
        let files = bench.path("files/2026/1/2");
        fs::create_dir_all(&files).unwrap();
        fs::write(files.join("F1_data 1.csv"), b"a,b\n").unwrap();
        let path = "/srv/old/2026/1/2/F1_data 1.csv";
        let directory = dump(bench.folder.path(), &[
            json_point("V1", doc! { "t": 1.0, "n": i64::MAX, "when": DateTime::from_millis(0) }.into()),
            file_point("F1", path),
            doc! { "data_type": "json", "_id": ObjectId::parse_str("65539e2f0000000000000001").unwrap(), "data_timestamp": DateTime::from_millis(1_700_000_000_000),
                "ownership_info": null, "value": [1_i32], "own": { "extra": true } },
        ]);
        let tree = FileTree::default().map("/srv/old", &bench.path("files")).unwrap();
        let report = import(&bench, &directory, &tree).await;
        let expected = ImportReport { documents: 3, imported: 3, verified: 3, files: 1, bytes: 4, ..ImportReport::default() };
        assert_eq!(report, expected);
        assert!(report.is_complete());

        let text = bench.datapoints.get(&bench.owner, PROJECT, "V1").await.unwrap();
        assert!(text.ends_with(r#""value":{"t":1.0,"n":9223372036854775807,"when":{"$date":"1970-01-01T00:00:00Z"}}}"#), "{text}");
        assert_eq!(bench.get("F1").await.unwrap()["path"], path);
        let content = bytes_of(bench.value("F1").await.unwrap());
        assert_eq!((content.name.as_str(), read(&content, None).await.as_slice()), ("data 1.csv", b"a,b\n".as_slice()));
        let other = bench.get("65539e2f0000000000000001").await.unwrap();
        assert_eq!((&other["data_timestamp"], &other["own"], &other["ownership_info"]), (&json!("2023-11-14T22:13:20Z"), &json!({"extra": true}), &json!(null)));
        assert_eq!(bench.query(json!({"ownership_info.experiment_id": ULID})).await, ["V1"]);

        let again = import(&bench, &directory, &tree).await;
        let expected = ImportReport { documents: 3, present: 3, verified: 3, ..ImportReport::default() };
        assert_eq!(again, expected, "a second run imports nothing new");
    }

    async fn a_record_waits_for_the_run_that_finds_its_file(bench: Bench) {
        let root = bench.path("files");
        fs::create_dir_all(&root).unwrap();
        let directory = dump(bench.folder.path(), &[file_point("F1", "/srv/old/F1_a"), file_point("F2", "/srv/old/../../etc/passwd"), json_point("V", 1.into())]);
        let tree = FileTree::default().map("/srv/old", &root).unwrap();
        let report = import(&bench, &directory, &tree).await;
        assert_eq!((report.imported, report.left_out, report.is_complete()), (1, 2, false));
        assert_eq!(report.reasons[0].record, "F1");
        assert!(report.reasons[0].reason.contains("no such file") && report.reasons[1].reason.contains("out of the tree"), "{report:?}");
        assert!(bench.get("F1").await.is_err());

        fs::write(root.join("F1_a"), b"found").unwrap();
        let report = import(&bench, &directory, &tree).await;
        assert_eq!((report.imported, report.present, report.files, report.left_out), (1, 1, 1, 1));
    }

    async fn what_cannot_be_taken_over_is_named_and_hinders_nothing(bench: Bench) {
        bench.keep("taken", json!({"value": "ours"})).await;
        bench.datapoints.put_label_schema(&bench.owner, PROJECT, "l", json!({"type": "object"}), None).await.unwrap();
        let directory = dump(bench.folder.path(), &[
            json_point("a", 1.into()),
            doc! { "_id": "no type" },
            doc! { "data_type": "json", "value": 1, "data_timestamp": "2026-01-01" },
            json_point("taken", 2.into()),
            json_point("b", 3.into()),
        ]);
        let report = import(&bench, &directory, &FileTree::default()).await;
        assert_eq!((report.documents, report.imported, report.verified, report.left_out), (5, 2, 2, 3));
        let records: Vec<&str> = report.reasons.iter().map(|left_out| left_out.record.as_str()).collect();
        assert_eq!((records[0], &records[1][..20], records[2]), ("no type", "the document at byte", "taken"));
        assert_eq!(bench.query(json!({})).await, ["taken", "a", "b"]);
        assert_eq!(bench.get("taken").await.unwrap()["value"], "ours");
    }

    async fn thousands_are_taken_over_in_portions(bench: Bench) {
        let documents: Vec<bson::Document> = (0..1_250).map(|number| json_point(&number.to_string(), number.into())).collect();
        let directory = dump(bench.folder.path(), &documents);
        let told = std::sync::atomic::AtomicUsize::new(0);
        let dump = Dump::open(&directory, "datapoints").unwrap();
        let tell = |_: &ImportReport| _ = told.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        let report = bench.datapoints.import(&bench.owner, PROJECT, &dump, &FileTree::default(), tell).await.unwrap();
        assert_eq!((report.imported, report.verified, told.into_inner()), (1_250, 1_250, 3));
        assert_eq!(bench.query(json!({"value": {"$lt": 2}})).await, ["0", "1"]);
    }
}
