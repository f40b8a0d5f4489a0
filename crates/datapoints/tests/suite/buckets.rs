//! The laboratory's object storage: files go there as well, and nothing else is reached through it.

use holotype_core::Category;
use holotype_datapoints::{DatapointError, Datapoints, NewFile, ObjectStorage};
use holotype_testkit::s3::{BUCKET, KEY_ID, LocalS3, Moto, SECRET};
use secrecy::SecretString;
use serde_json::{Value, json};

use crate::bench::{Bench, PROJECT, bytes_of, read, submission};

fn storage(endpoint: &str, bucket: &str) -> ObjectStorage {
    ObjectStorage {
        endpoint: endpoint.to_owned(),
        access_key: SecretString::from(KEY_ID),
        secret_key: SecretString::from(SECRET),
        secure: false,
        default_bucket: bucket.to_owned(),
        region: Some("us-east-1".to_owned()),
        public_endpoint: None,
    }
}

async fn submit(bench: &Bench, datapoints: &Datapoints, document: Value, files: Vec<NewFile>) -> Value {
    let stored = datapoints.submit(&bench.owner, PROJECT, submission(&document), files).await.unwrap();
    serde_json::from_str(&stored.document).unwrap()
}

/// What holds on every S3 server.
async fn contract(endpoint: &str) {
    let bench = Bench::sqlite().await;
    let datapoints = bench.with_bucket(storage(endpoint, BUCKET));
    let host = endpoint.trim_start_matches("http://");
    assert_eq!(datapoints.object_storage_answers().await, Some(true));

    let document = json!({"data_type": "file", "_id": "F1", "path": "/client/t.txt", "more": 1});
    let file = bench.file("t.txt", b"0123456789").await;
    let record = submit(&bench, &datapoints, document.clone(), vec![file.clone()]).await;
    let expected = json!({
        "label": null, "ownership_info": record["ownership_info"], "data_type": "object_storage", "_id": "F1",
        "data_timestamp": record["data_timestamp"], "url": format!("http://{host}/{BUCKET}/F1_t.txt"), "storage_endpoint": host,
        "public_endpoint": host, "path": "/client/t.txt", "bucket_name": BUCKET, "object_name": "F1_t.txt", "content_type": "text/plain",
        "size_bytes": 10, "etag": "781e5e245d69b566979b86e28d23f2c7", "custom_metadata": {}, "more": 1
    });
    assert_eq!(record.to_string(), expected.to_string(), "also in the order of its keys");
    let again = datapoints.submit(&bench.owner, PROJECT, submission(&document), vec![file]).await.unwrap();
    assert!(!again.created);

    let held = bytes_of(datapoints.value(&bench.owner, PROJECT, "F1").await.unwrap());
    assert_eq!(read(&held, None).await, b"0123456789");
    assert_eq!(
        datapoints.files(&bench.owner, PROJECT, "F1").await.unwrap().len(),
        1,
        "our own copy is the one of record"
    );

    reads_of_records(&bench, &datapoints).await;
    names_that_are_taken(&bench, &datapoints).await;
    large_files(&bench, &datapoints).await;
}

/// A record without bytes of ours chooses among the objects of the configured bucket.
async fn reads_of_records(bench: &Bench, datapoints: &Datapoints) {
    let record = |id: &str, bucket: &str, object: &str| json!({"data_type": "object_storage", "_id": id, "path": "p", "storage_endpoint": "169.254.169.254", "bucket_name": bucket, "object_name": object});
    submit(bench, datapoints, record("R1", BUCKET, "F1_t.txt"), vec![]).await;
    let content = bytes_of(datapoints.value(&bench.owner, PROJECT, "R1").await.unwrap());
    assert_eq!((content.size, content.media_type.as_str()), (10, "text/plain; charset=utf-8"));
    assert_eq!(read(&content, None).await, b"0123456789");
    assert_eq!(read(&content, Some(3..6)).await, b"345");
    for (id, bucket, object) in
        [("R2", BUCKET, "none"), ("R3", "other", "F1_t.txt"), ("R4", BUCKET, "../lab/F1_t.txt"), ("R5", BUCKET, "")]
    {
        submit(bench, datapoints, record(id, bucket, object), vec![]).await;
        let error = datapoints.value(&bench.owner, PROJECT, id).await.unwrap_err();
        assert!(matches!(error, DatapointError::NoBytes { .. }), "{id}: {error}");
    }
    let admin = crate::access::caller(&bench.catalog.create_user(&bench.owner, "admin", None, true).await.unwrap());
    let stranger = crate::access::caller(&bench.catalog.create_user(&admin, "stranger", None, false).await.unwrap());
    let theirs = submission(&record("R1", BUCKET, "F1_t.txt"));
    datapoints.submit(&stranger, stranger.project, theirs, vec![]).await.unwrap();
    let error = datapoints.value(&stranger, stranger.project, "R1").await.unwrap_err();
    assert_eq!(
        error.category(),
        Category::NotFound,
        "what we put there for one project is not read by another: {error}"
    );
}

/// An object that is there is not replaced by another one.
async fn names_that_are_taken(bench: &Bench, datapoints: &Datapoints) {
    let document = |id: &str| json!({"label": "same", "data_type": "file", "_id": id, "path": "p"});
    let record = submit(bench, datapoints, document("a"), vec![bench.file("f.bin", b"first").await]).await;
    assert_eq!(record["object_name"], "a_same", "the label takes the place of the file's name");
    // A project of their own makes the same id, and so the same name of the object, possible.
    let other = bench.catalog.create_project(&Bench::sqlite().await.owner, "other").await;
    let other = other.unwrap().id;
    let clash = datapoints
        .submit(&bench.owner, other, submission(&document("a")), vec![bench.file("f.bin", b"second").await])
        .await;
    let clash: Value = serde_json::from_str(&clash.unwrap().document).unwrap();
    assert_eq!(clash["data_type"], "file", "kept in our own store alone");
    let second = bytes_of(datapoints.value(&bench.owner, other, "a").await.unwrap());
    assert_eq!(read(&second, None).await, b"second");
}

/// A file of several parts.
async fn large_files(bench: &Bench, datapoints: &Datapoints) {
    let bytes: Vec<u8> = (0..6_000_000_u32).map(|number| (number.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let document = json!({"data_type": "file", "_id": "big", "path": "p"});
    let record = submit(bench, datapoints, document, vec![bench.file("big.bin", &bytes).await]).await;
    assert_eq!(record["data_type"], "object_storage");
    assert!(record["etag"].as_str().unwrap().ends_with("-2"), "two parts of five MiB: {}", record["etag"]);
    let copy = json!({"data_type": "object_storage", "_id": "copy", "path": "p", "storage_endpoint": "e", "bucket_name": BUCKET, "object_name": "big_big.bin"});
    submit(bench, datapoints, copy, vec![]).await;
    let content = bytes_of(datapoints.value(&bench.owner, PROJECT, "copy").await.unwrap());
    assert!(read(&content, None).await == bytes);
}

#[tokio::test]
async fn files_go_to_an_s3_in_process() {
    contract(&LocalS3::start().await.endpoint()).await;
}

#[tokio::test]
async fn files_go_to_moto() {
    if let Some(moto) = Moto::start().await {
        contract(&moto.endpoint()).await;
        makes_the_bucket(&moto.endpoint()).await;
    }
}

#[tokio::test]
async fn a_missing_bucket_is_made() {
    makes_the_bucket(&LocalS3::start().await.endpoint()).await;
}

async fn makes_the_bucket(endpoint: &str) {
    let bench = Bench::sqlite().await;
    let datapoints = bench.with_bucket(storage(endpoint, "madsci-data"));
    let document = json!({"data_type": "file", "_id": "F1", "path": "p"});
    let record = submit(&bench, &datapoints, document, vec![bench.file("a", b"a").await]).await;
    assert_eq!((&record["data_type"], &record["bucket_name"]), (&json!("object_storage"), &json!("madsci-data")));
}

#[tokio::test]
async fn a_storage_that_fails_does_not_fail_the_submission() {
    let bench = Bench::sqlite().await;
    let mut server = LocalS3::start().await;
    let datapoints = bench.with_bucket(storage(&server.endpoint(), BUCKET));
    let reference = json!({"data_type": "object_storage", "_id": "R", "path": "p", "storage_endpoint": "e", "bucket_name": BUCKET, "object_name": "x"});
    submit(&bench, &datapoints, reference, vec![]).await;
    server.stop().await;
    assert_eq!(datapoints.object_storage_answers().await, Some(false));
    let document = json!({"data_type": "file", "_id": "F1", "path": "p"});
    let record = submit(&bench, &datapoints, document, vec![bench.file("a.bin", b"kept").await]).await;
    assert_eq!((&record["data_type"], &record["path"]), (&json!("file"), &json!("/srv/datapoints/2026/1/1/F1_a.bin")));
    assert_eq!(read(&bytes_of(datapoints.value(&bench.owner, PROJECT, "F1").await.unwrap()), None).await, b"kept");
    let error = datapoints.value(&bench.owner, PROJECT, "R").await.unwrap_err();
    assert_eq!(error.category(), Category::NotFound, "{error}");
}

#[tokio::test]
async fn names_that_no_object_can_have_stay_in_our_own_store() {
    let bench = Bench::sqlite().await;
    let server = LocalS3::start().await;
    let datapoints = bench.with_bucket(storage(&server.endpoint(), BUCKET));
    for id in ["../../X", "é\u{1}", "a//b"] {
        let document = json!({"data_type": "file", "_id": id, "path": "p"});
        let record = submit(&bench, &datapoints, document, vec![bench.file("a", b"a").await]).await;
        assert_eq!(record["data_type"], "file", "{id}");
    }
}
