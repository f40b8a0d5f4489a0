//! What the store does when the disk or the bucket goes wrong in the middle.

use holotype_store::{Location, Store, StoreError, Verdict};
use holotype_testkit::fault::{Fault, Operation};
use secrecy::SecretString;

use crate::contract::{put, read, sample, settle};
use crate::places::{self, Place};

const LARGE: usize = (20 << 20) + 1;

/// Every call that publishing makes, each going wrong in every way.
async fn a_put_that_fails_leaves_the_blob_absent_or_whole_and_can_be_repeated(place: &Place, size: usize) {
    put(&place.store, &sample(size, 1)).await;
    let calls = place.faults.calls();
    assert!(!calls.is_empty());
    let faults = [Fault::Unreachable, Fault::Full, Fault::Denied, Fault::LoseAnswer];
    for (seed, (call, fault)) in calls.iter().flat_map(|call| faults.map(|fault| (*call, fault))).enumerate() {
        let staged = place.store.stage_bytes(&sample(size, 1_000 + 2 * seed as u64)).await.unwrap();
        let digest = staged.digest();
        place.faults.next(call, fault);
        let outcome = staged.publish().await;
        let verdict = place.store.verify(digest).await.unwrap();
        assert!(matches!(verdict, Verdict::Absent | Verdict::Intact { .. }), "{call:?} {fault:?}: {verdict:?}");
        match outcome {
            Err(unpublished) => unpublished.staged.publish().await.unwrap(),
            // The look before a large upload is there to save it: that it fails does no harm.
            Ok(()) => assert!(call == Operation::Head && size == LARGE, "{call:?} {fault:?}"),
        }
        assert_eq!(place.store.verify(digest).await.unwrap(), Verdict::Intact { size: size as u64 });
        place.store.delete(digest).await.unwrap();
    }
    settle(place).await;
}

#[tokio::test]
async fn no_fault_leaves_half_a_blob_in_memory() {
    a_put_that_fails_leaves_the_blob_absent_or_whole_and_can_be_repeated(&places::memory().await, 1_000).await;
}

#[tokio::test]
async fn no_fault_leaves_half_a_blob_on_disk() {
    a_put_that_fails_leaves_the_blob_absent_or_whole_and_can_be_repeated(&places::disk().await, 1_000).await;
}

#[tokio::test]
async fn no_fault_leaves_half_a_blob_in_a_bucket() {
    a_put_that_fails_leaves_the_blob_absent_or_whole_and_can_be_repeated(&places::local_s3().await, 1_000).await;
}

#[tokio::test]
async fn no_fault_leaves_half_a_large_blob_in_memory() {
    a_put_that_fails_leaves_the_blob_absent_or_whole_and_can_be_repeated(&places::memory().await, LARGE).await;
}

#[tokio::test]
async fn a_large_upload_that_fails_leaves_no_parts_in_the_bucket() {
    let place = places::local_s3().await;
    for call in [Operation::Part, Operation::Complete] {
        place.faults.next(call, Fault::Unreachable);
        let staged = place.store.stage_bytes(&sample(LARGE, 3)).await.unwrap();
        let error = StoreError::from(staged.publish().await.unwrap_err());
        assert!(matches!(error, StoreError::Unreachable { .. }), "{error}");
        // The server keeps parts beside its buckets, under names that tell.
        let server = place.local_s3.as_ref().unwrap().folder().parent().unwrap().to_owned();
        let names = std::fs::read_dir(server).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let left: Vec<_> = names.filter(|name| name.contains(".upload_id-")).collect();
        assert!(left.is_empty(), "{call:?}: {left:?}");
    }
}

#[tokio::test]
async fn each_failure_is_told_from_the_others() {
    let place = places::local_s3().await;
    let put_under = async |fault| {
        place.faults.next(Operation::Put, fault);
        StoreError::from(place.store.stage_bytes(b"abc").await.unwrap().publish().await.unwrap_err())
    };
    assert!(matches!(put_under(Fault::Unreachable).await, StoreError::Unreachable { .. }));
    assert!(matches!(put_under(Fault::Full).await, StoreError::Full { .. }));
    assert!(matches!(put_under(Fault::Denied).await, StoreError::Denied { .. }));
}

#[tokio::test]
async fn a_short_read_is_an_error_and_never_called_damage() {
    for place in [places::memory().await, places::disk().await, places::local_s3().await] {
        let digest = put(&place.store, &sample(1_000_000, 4)).await;
        for fault in [Fault::ShortRead(0), Fault::ShortRead(999_999), Fault::BrokenRead(300_000)] {
            place.faults.next(Operation::Get, fault);
            assert!(read(place.store.get(digest, None).await.unwrap()).await.is_err(), "{fault:?}");
            place.faults.next(Operation::Get, fault);
            assert!(place.store.verify(digest).await.is_err(), "{fault:?}");
        }
        place.faults.next(Operation::Get, Fault::ShortRead(10));
        assert!(read(place.store.get(digest, Some(5..100)).await.unwrap()).await.is_err());
        assert_eq!(place.store.verify(digest).await.unwrap(), Verdict::Intact { size: 1_000_000 });
    }
}

#[tokio::test]
async fn a_bucket_that_lost_a_byte_is_caught_before_the_blob_is_acknowledged() {
    let place = places::local_s3().await;
    place.faults.next(Operation::Put, Fault::LoseByte);
    let unpublished = place.store.stage_bytes(&sample(1_000, 5)).await.unwrap().publish().await.unwrap_err();
    let digest = unpublished.staged.digest();
    unpublished.staged.publish().await.unwrap();
    assert_eq!(place.store.verify(digest).await.unwrap(), Verdict::Intact { size: 1_000 });
}

#[tokio::test]
async fn an_entity_tag_that_is_no_md5_lets_the_bytes_decide() {
    let place = places::local_s3().await;
    let staged = place.store.stage_bytes(&sample(1_000, 6)).await.unwrap();
    place.faults.calls();
    place.faults.next(Operation::Head, Fault::ForeignTag);
    staged.publish().await.unwrap();
    assert_eq!(place.faults.calls(), [Operation::Put, Operation::Head, Operation::Get]);
    // The same tag over other bytes of the same size: the last look is at the bytes, and they are wrong.
    let staged = place.store.stage_bytes(&sample(1_000, 7)).await.unwrap();
    place.faults.next(Operation::Head, Fault::ForeignTag);
    place.faults.next(Operation::Get, Fault::ShortRead(999));
    staged.publish().await.unwrap_err();
}

#[tokio::test]
async fn a_large_blob_that_the_bucket_has_is_not_sent_again() {
    let place = places::local_s3().await;
    put(&place.store, &sample(LARGE, 8)).await;
    let staged = place.store.stage_bytes(&sample(LARGE, 8)).await.unwrap();
    place.faults.calls();
    staged.publish().await.unwrap();
    assert_eq!(place.faults.calls(), [Operation::Head]);
}

#[tokio::test]
async fn a_bucket_that_is_down_gives_the_bytes_back_and_takes_them_when_it_is_up() {
    let mut place = places::local_s3().await;
    let staged = place.store.stage_bytes(&sample(100_000, 9)).await.unwrap();
    let digest = staged.digest();
    place.local_s3.as_mut().unwrap().stop().await;
    let unpublished = staged.publish().await.unwrap_err();
    assert!(matches!(unpublished.error, StoreError::Unreachable { .. }), "{unpublished}");
    for error in [place.store.head(digest).await.unwrap_err(), place.store.probe().await.unwrap_err()] {
        assert!(matches!(error, StoreError::Unreachable { .. }), "{error}");
    }
    place.local_s3.as_mut().unwrap().resume().await;
    unpublished.staged.publish().await.unwrap();
    assert_eq!(place.store.verify(digest).await.unwrap(), Verdict::Intact { size: 100_000 });
}

#[tokio::test]
async fn a_wrong_key_is_refused_and_its_secret_shows_nowhere() {
    let place = places::local_s3().await;
    let mut location = places::bucket(&place.local_s3.as_ref().unwrap().endpoint(), "");
    location.key.as_mut().unwrap().secret = SecretString::from("hunter2-hunter2");
    let store = Store::open(Location::S3(location), place.folder.path().join("other")).unwrap();
    let error = store.probe().await.unwrap_err();
    assert!(matches!(error, StoreError::Denied { .. }), "{error}");
    for text in [error.to_string(), format!("{error:?}"), format!("{store:?}"), store.describe().to_owned()] {
        assert!(!text.contains("hunter2"), "{text}");
    }
}

#[tokio::test]
async fn a_bucket_without_a_key_or_with_one_in_its_url_is_unusable() {
    let folder = tempfile::tempdir().unwrap();
    let mut keyless = places::bucket("http://127.0.0.1:9", "");
    keyless.key = None;
    for location in [keyless, places::bucket("http://id:hunter2@127.0.0.1:9", "")] {
        let error = Store::open(Location::S3(location), folder.path().join("staging")).unwrap_err();
        assert!(matches!(error, StoreError::Unusable { .. }) && !error.to_string().contains("hunter2"), "{error}");
    }
}
