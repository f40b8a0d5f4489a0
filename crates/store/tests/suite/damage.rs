//! Blobs that something else has changed.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use holotype_core::Digest;
use holotype_store::{StoreError, Verdict};

use crate::contract::{put, read, sample};
use crate::places::{self, Place};

fn path(place: &Place, digest: Digest) -> PathBuf {
    let name = digest.to_string();
    let root = match &place.local_s3 {
        Some(server) => server.folder().join("some/prefix"),
        None => place.folder.path().to_owned(),
    };
    root.join("blobs").join(&name[0..2]).join(&name[2..4]).join(name)
}

async fn other_bytes_are_called_damaged_and_a_new_put_repairs_them(place: Place) {
    let bytes = sample(500_000, 1);
    let digest = put(&place.store, &bytes).await;
    for damage in [&b"other"[..], b"", &bytes[1..]] {
        fs::remove_file(path(&place, digest)).unwrap();
        fs::write(path(&place, digest), damage).unwrap();
        let verdict = place.store.verify(digest).await.unwrap();
        assert_eq!(verdict, Verdict::Damaged { found: Digest::of(damage), size: damage.len() as u64 });
        put(&place.store, &bytes).await;
        assert_eq!(place.store.verify(digest).await.unwrap(), Verdict::Intact { size: 500_000 });
    }
}

#[tokio::test]
async fn damage_on_disk_is_seen_and_repaired() {
    other_bytes_are_called_damaged_and_a_new_put_repairs_them(places::disk().await).await;
}

#[tokio::test]
async fn damage_in_a_bucket_is_seen_and_repaired() {
    other_bytes_are_called_damaged_and_a_new_put_repairs_them(places::local_s3().await).await;
}

#[tokio::test]
async fn a_file_that_shrinks_while_it_is_read_ends_the_reading_with_an_error() {
    let place = places::disk().await;
    let digest = put(&place.store, &sample(4_000_000, 2)).await;
    let reading = place.store.get(digest, None).await.unwrap();
    let file = path(&place, digest);
    fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
    fs::OpenOptions::new().write(true).open(&file).unwrap().set_len(1_000).unwrap();
    let error = read(reading).await.unwrap_err();
    assert!(matches!(error, StoreError::Corrupt { .. }), "{error}");
}

#[tokio::test]
async fn a_blob_on_disk_is_not_writable_even_for_its_owner() {
    let place = places::disk().await;
    let digest = put(&place.store, b"abc").await;
    let mode = fs::metadata(path(&place, digest)).unwrap().permissions().mode();
    assert_eq!(mode & 0o222, 0, "{mode:o}");
}
