//! Files up and down.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use axum::extract::{DefaultBodyLimit, Multipart};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use bytes::Bytes;
use futures::{StreamExt, stream};
use holotype_client::FileUpload;
use holotype_core::Digest;
use serde_json::{Value, json};

use crate::server;

/// Answers what arrived in a form, and notes the largest piece it was handed.
fn receiver(largest: Arc<AtomicUsize>) -> Router {
    let receive = async move |mut form: Multipart| {
        let mut parts = Vec::new();
        while let Some(mut field) = form.next_field().await.unwrap() {
            let mut bytes = Vec::new();
            while let Some(piece) = field.chunk().await.unwrap() {
                largest.fetch_max(piece.len(), Ordering::SeqCst);
                bytes.extend_from_slice(&piece);
            }
            parts.push(json!([field.name(), field.file_name(), bytes.len(), Digest::of(&bytes)]));
        }
        (StatusCode::CREATED, Json(json!({ "parts": parts })))
    };
    Router::new().route("/api/v1/datapoints", post(receive)).layer(DefaultBodyLimit::disable())
}

#[tokio::test]
async fn files_arrive_whole_under_their_names_and_in_pieces() {
    let folder = tempfile::tempdir().unwrap();
    let large: Vec<u8> = (0..5_000_000_u32).map(|index| (index.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let small = b"a,b\n1,2\n".to_vec();
    let paths = [folder.path().join("Bild \"ä\" 😀.fits"), folder.path().join("table 1.csv")];
    std::fs::write(&paths[0], &large).unwrap();
    std::fs::write(&paths[1], &small).unwrap();

    let largest = Arc::new(AtomicUsize::new(0));
    let (over_unix, _socket) = server::over_unix(receiver(largest.clone())).await;
    for client in [server::in_process(receiver(largest.clone())), over_unix] {
        let moved = Arc::new(AtomicU64::new(0));
        let mut files = Vec::new();
        for path in &paths {
            let moved = moved.clone();
            let file = FileUpload::open(path, move |bytes| _ = moved.fetch_add(bytes, Ordering::SeqCst));
            files.push(file.await.unwrap());
        }
        let stored = client.submit_datapoint(&json!({"label": "x"}), files).await.unwrap();
        assert!(stored.created);
        let parts: Value = serde_json::from_str(stored.document.get()).unwrap();
        let expected = json!([
            ["datapoint", null, 13, Digest::of(br#"{"label":"x"}"#)],
            ["files", "Bild \"ä\" 😀.fits", large.len(), Digest::of(&large)],
            ["files", "table 1.csv", small.len(), Digest::of(&small)],
        ]);
        assert_eq!(parts["parts"], expected, "{}", client.target());
        assert_eq!(moved.load(Ordering::SeqCst), (large.len() + small.len()) as u64);
    }
    assert!(largest.load(Ordering::SeqCst) <= 1 << 20, "{} bytes were held at once", largest.load(Ordering::SeqCst));
}

#[tokio::test]
async fn a_download_is_copied_piece_by_piece() {
    let pieces = || stream::iter(0..100_u8).map(|index| Ok::<_, std::io::Error>(Bytes::from(vec![index; 1000])));
    let router = Router::new().route(
        "/api/v1/datapoints/x/files/1",
        get(async move || ([("content-type", "image/fits")], axum::body::Body::from_stream(pieces()))),
    );
    for client in [server::in_process(router.clone()), server::over_tcp(router.clone(), None).await] {
        let download = client.datapoint_file("x", 1).await.unwrap();
        assert_eq!(download.media_type(), Some("image/fits"));
        let (mut copy, mut moved) = (Vec::new(), 0);
        let total = download.copy_to(&mut copy, |bytes| moved += bytes).await.unwrap();
        assert_eq!((total, moved, copy.len()), (100_000, 100_000, 100_000));
        assert_eq!((copy[0], copy[99_999]), (0, 99));
    }
}
