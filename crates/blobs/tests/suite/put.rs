//! From bytes to a record that names them.

use std::sync::Arc;
use std::time::Duration;

use holotype_blobs::{BlobError, BlobOptions, Blobs};
use holotype_catalog::{BlobState, CatalogError, DELETION_LEASE};
use holotype_core::{Clock, Digest, Instant};
use holotype_store::StoreError;
use holotype_testkit::fault::{Fault, Operation};
use tokio::sync::Semaphore;

use crate::bench::{Bench, GRACE, put, read, reference};

/// What a sweep does first; whoever calls this then dies, as far as the test goes.
async fn claim_everything(bench: &Bench) {
    let now = bench.clock.now();
    let claimed =
        bench.catalog.write::<_, CatalogError, _>(move |tx| Box::pin(async move { tx.mark_deleting(now, 100).await }));
    assert_eq!(claimed.await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_blob_is_held_until_a_record_names_it() {
    for bench in [Bench::on_postgres().await, Bench::on_disk().await, Bench::on_s3().await] {
        let held = bench.put(b"abc").await;
        assert_eq!((held.digest, held.size, held.spooled), (Digest::of(b"abc"), 3, false));
        assert_eq!(bench.sweep().await.blobs, 0);
        reference(&bench.catalog, &held, "one").await.unwrap();
        bench.let_everything_expire();
        assert_eq!(bench.sweep().await.blobs, 0);
        assert_eq!(read(&bench.blobs, held.digest).await.unwrap(), b"abc");
        assert_eq!(bench.info(held.digest).await.unwrap().references, 1);
    }
}

#[tokio::test]
async fn a_range_of_a_blob_can_be_read() {
    let bench = Bench::on_disk().await;
    let held = bench.put(b"abcdef").await;
    let reading = bench.blobs.get(held.digest, Some(1..4)).await.unwrap();
    assert_eq!((reading.size, reading.range.clone()), (6, 1..4));
    assert!(matches!(
        bench.blobs.get(held.digest, Some(6..7)).await.unwrap_err(),
        BlobError::Store(StoreError::InvalidRange { size: 6, .. })
    ));
}

#[tokio::test]
async fn what_was_never_put_is_not_found() {
    let bench = Bench::on_disk().await;
    let error = bench.blobs.get(Digest::of(b"abc"), None).await.unwrap_err();
    assert!(matches!(error, BlobError::Store(StoreError::NotFound { .. })), "{error}");
}

#[tokio::test]
async fn a_blob_that_was_of_no_use_for_long_is_safe_again_when_it_is_put_again() {
    let bench = Bench::in_memory().await;
    bench.put(b"abc").await;
    bench.let_everything_expire();
    let held = bench.put(b"abc").await;
    assert_eq!(bench.sweep().await.blobs, 0);
    reference(&bench.catalog, &held, "one").await.unwrap();
}

#[tokio::test]
async fn a_pin_is_renewed_while_an_upload_lasts() {
    let bench = Bench::in_memory().await;
    bench.put(b"abc").await;
    bench.let_everything_expire();
    let pin = Duration::from_millis(30);
    let options = BlobOptions { pin, grace: GRACE, spool: bench.folder.path().join("spool") };
    let blobs = Blobs::open(bench.store.clone(), bench.catalog.clone(), options).unwrap();
    let gate = Arc::new(Semaphore::new(0));
    bench.faults.gate({
        let gate = Arc::clone(&gate);
        move |_| {
            let gate = Arc::clone(&gate);
            Box::pin(async move { gate.acquire().await.unwrap().forget() })
        }
    });
    let putting = tokio::spawn(async move { put(&blobs, b"abc").await });
    let pinned_until = async |later_than: Instant| loop {
        let info = bench.info(Digest::of(b"abc")).await.unwrap();
        if info.pinned_until > later_than {
            return info.pinned_until;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    };
    let first = pinned_until(bench.clock.now()).await;
    bench.clock.set(first);
    assert!(pinned_until(first).await > first);
    gate.add_permits(1_000);
    reference(&bench.catalog, &putting.await.unwrap().unwrap(), "one").await.unwrap();
}

#[tokio::test]
async fn a_hold_that_was_swept_cannot_be_named_even_if_the_bytes_have_come_again() {
    let bench = Bench::in_memory().await;
    let late = bench.put(b"abc").await;
    bench.let_everything_expire();
    assert_eq!(bench.sweep().await.blobs, 1);
    assert!(matches!(reference(&bench.catalog, &late, "late").await, Err(CatalogError::BlobGone { .. })));
    let held = bench.put(b"abc").await;
    // The row is there again, but who knows how far the other has come?
    assert!(matches!(reference(&bench.catalog, &late, "late").await, Err(CatalogError::BlobGone { .. })));
    reference(&bench.catalog, &held, "one").await.unwrap();
    assert_eq!(bench.info(held.digest).await.unwrap().references, 1);
}

#[tokio::test]
async fn a_put_that_meets_a_deletion_waits_and_brings_the_bytes_again() {
    let bench = Bench::on_disk().await;
    bench.put(b"abc").await;
    bench.let_everything_expire();
    bench.faults.next(Operation::Delete, Fault::Delay(Duration::from_millis(300)));
    let plan = bench.blobs.sweep_plan().await.unwrap();
    let deleting = async {
        while bench.info(Digest::of(b"abc")).await.is_none_or(|info| info.state != BlobState::Deleting) {
            tokio::task::yield_now().await;
        }
        bench.put(b"abc").await
    };
    let (report, held) = tokio::join!(bench.blobs.sweep(&plan, crate::bench::on), deleting);
    assert_eq!(report.unwrap().blobs, 1);
    reference(&bench.catalog, &held, "one").await.unwrap();
    assert_eq!(read(&bench.blobs, held.digest).await.unwrap(), b"abc");
}

#[tokio::test]
async fn a_put_takes_over_a_deletion_that_nobody_finished() {
    for bench in [Bench::in_memory().await, Bench::on_postgres().await] {
        let before = bench.put(b"abc").await;
        bench.let_everything_expire();
        claim_everything(&bench).await;
        bench.store.delete(before.digest).await.unwrap();
        bench.clock.advance(DELETION_LEASE);
        let held = bench.put(b"abc").await;
        // Whoever held the blob before the deletion does not hold this one.
        assert!(matches!(reference(&bench.catalog, &before, "late").await, Err(CatalogError::BlobGone { .. })));
        reference(&bench.catalog, &held, "one").await.unwrap();
        assert_eq!(bench.info(held.digest).await.unwrap().state, BlobState::Present);
        assert_eq!(read(&bench.blobs, held.digest).await.unwrap(), b"abc");
    }
}

#[tokio::test]
async fn a_put_that_fails_names_nothing_and_leaves_nothing_behind_after_the_next_sweep() {
    let bench = Bench::on_disk().await;
    for fault in [Fault::Full, Fault::Denied, Fault::Unreachable] {
        bench.faults.next(Operation::Rename, fault);
        let error = put(&bench.blobs, b"abc").await.unwrap_err();
        assert!(matches!(error, BlobError::Store(_)), "{error}");
        assert_eq!(bench.store.head(Digest::of(b"abc")).await.unwrap(), None);
    }
    bench.let_everything_expire();
    assert_eq!(bench.sweep().await.blobs, 1);
    assert_eq!(bench.info(Digest::of(b"abc")).await, None);
}

#[tokio::test]
async fn an_upload_that_is_dropped_is_not_known() {
    let bench = Bench::on_disk().await;
    let mut upload = bench.blobs.begin();
    upload.write(b"abc").await.unwrap();
    drop(upload);
    assert_eq!(bench.info(Digest::of(b"abc")).await, None);
}
