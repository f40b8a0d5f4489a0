//! Bytes on their way out.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use holotype_catalog::{BlobState, CatalogError, DELETION_LEASE};
use holotype_core::{Clock, Digest};
use holotype_store::Verdict;
use holotype_testkit::fault::{Fault, Operation};
use tokio::sync::Semaphore;

use crate::bench::{Bench, GRACE, on, reference};

#[tokio::test]
async fn a_released_blob_goes_after_the_grace_period_and_not_before() {
    for bench in [Bench::on_postgres().await, Bench::on_disk().await, Bench::on_s3().await] {
        let held = bench.put(b"abc").await;
        reference(&bench.catalog, &held, "one").await.unwrap();
        bench.let_everything_expire();
        bench.release("one").await;
        bench.clock.advance(GRACE - Duration::from_secs(1));
        assert_eq!(bench.sweep().await.blobs, 0);
        bench.clock.advance(Duration::from_secs(2));
        let plan = bench.blobs.sweep_plan().await.unwrap();
        assert_eq!((plan.unreferenced, plan.bytes, &*plan.digests), (1, 3, &[held.digest][..]));
        assert_eq!(bench.store.head(held.digest).await.unwrap(), Some(3));
        let report = bench.blobs.sweep(&plan, on).await.unwrap();
        assert_eq!((report.blobs, report.bytes, report.abandoned), (1, 3, 0));
        assert_eq!(bench.store.head(held.digest).await.unwrap(), None);
        assert_eq!(bench.info(held.digest).await, None);
        assert!(bench.blobs.sweep_plan().await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn a_blob_that_two_records_name_goes_with_the_second() {
    let bench = Bench::in_memory().await;
    for record in ["one", "two"] {
        let held = bench.put(b"abc").await;
        reference(&bench.catalog, &held, record).await.unwrap();
    }
    bench.release("one").await;
    bench.let_everything_expire();
    assert_eq!(bench.sweep().await.blobs, 0);
    bench.release("two").await;
    bench.let_everything_expire();
    assert_eq!(bench.sweep().await.blobs, 1);
}

#[tokio::test]
async fn what_is_named_between_plan_and_sweep_stays() {
    let bench = Bench::in_memory().await;
    let held = bench.put(b"abc").await;
    bench.let_everything_expire();
    let plan = bench.blobs.sweep_plan().await.unwrap();
    assert_eq!(plan.unreferenced, 1);
    reference(&bench.catalog, &held, "one").await.unwrap();
    assert_eq!(bench.blobs.sweep(&plan, on).await.unwrap().blobs, 0);
    assert_eq!(bench.store.verify(held.digest).await.unwrap(), Verdict::Intact { size: 3 });
}

#[tokio::test]
async fn bytes_that_nobody_knows_go_after_the_grace_period() {
    for bench in [Bench::on_postgres().await, Bench::on_disk().await, Bench::on_s3().await] {
        bench.store.stage_bytes(b"orphan").await.unwrap().publish().await.unwrap();
        let orphan = Digest::of(b"orphan");
        assert!(bench.blobs.sweep_plan().await.unwrap().is_empty());
        bench.let_everything_expire();
        let plan = bench.blobs.sweep_plan().await.unwrap();
        assert_eq!(plan.orphans.iter().map(|blob| blob.digest).collect::<Vec<_>>(), [orphan]);
        let report = bench.blobs.sweep(&plan, on).await.unwrap();
        assert_eq!((report.blobs, report.orphans, report.bytes), (1, 1, 6));
        assert_eq!(bench.store.head(orphan).await.unwrap(), None);
        assert_eq!(bench.info(orphan).await, None);
    }
}

#[tokio::test]
async fn an_orphan_that_is_put_between_plan_and_sweep_stays() {
    let bench = Bench::on_disk().await;
    bench.store.stage_bytes(b"orphan").await.unwrap().publish().await.unwrap();
    bench.let_everything_expire();
    let plan = bench.blobs.sweep_plan().await.unwrap();
    assert_eq!(plan.orphans.len(), 1);
    let held = bench.put(b"orphan").await;
    assert_eq!(bench.blobs.sweep(&plan, on).await.unwrap().blobs, 0);
    reference(&bench.catalog, &held, "one").await.unwrap();
    assert_eq!(bench.store.verify(held.digest).await.unwrap(), Verdict::Intact { size: 6 });
}

#[tokio::test]
async fn files_of_interrupted_uploads_go_after_the_grace_period() {
    let bench = Bench::on_disk().await;
    let file = bench.folder.path().join("store/staging/left-behind");
    std::fs::write(&file, b"half").unwrap();
    assert!(bench.blobs.sweep_plan().await.unwrap().is_empty());
    bench.let_everything_expire();
    let plan = bench.blobs.sweep_plan().await.unwrap();
    assert_eq!(plan.stale_staging.len(), 1);
    assert!(file.exists());
    assert_eq!(bench.blobs.sweep(&plan, on).await.unwrap().staging, 1);
    assert!(!file.exists());
}

#[tokio::test]
async fn a_sweep_finishes_what_one_that_died_had_claimed() {
    let bench = Bench::on_disk().await;
    let held = bench.put(b"abc").await;
    bench.let_everything_expire();
    let now = bench.clock.now();
    let claim =
        bench.catalog.write::<_, CatalogError, _>(move |tx| Box::pin(async move { tx.mark_deleting(now, 9).await }));
    assert_eq!(claim.await.unwrap(), [held.digest]);
    assert_eq!(bench.sweep().await.blobs, 0, "it may be at work still");
    bench.clock.advance(DELETION_LEASE);
    assert_eq!(bench.sweep().await.blobs, 1);
    assert_eq!((bench.info(held.digest).await, bench.store.head(held.digest).await.unwrap()), (None, None));
}

#[tokio::test]
async fn a_sweep_that_is_held_up_gives_up_what_it_has_claimed() {
    let bench = Bench::in_memory().await;
    for content in 0..20_u8 {
        bench.put(&[content]).await;
    }
    bench.let_everything_expire();
    let (plan, gate, arrived) =
        (bench.blobs.sweep_plan().await.unwrap(), Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
    bench.faults.gate({
        let (gate, arrived) = (Arc::clone(&gate), Arc::clone(&arrived));
        move |operation| {
            let (gate, arrived) = (Arc::clone(&gate), Arc::clone(&arrived));
            Box::pin(async move {
                if operation == Operation::Delete {
                    arrived.add_permits(1);
                    gate.acquire().await.unwrap().forget();
                }
            })
        }
    });
    let sweeping = tokio::spawn({
        let blobs = bench.blobs.clone();
        async move { blobs.sweep(&plan, on).await }
    });
    // The first deletions have begun; then the machine sleeps for a minute.
    arrived.acquire().await.unwrap().forget();
    bench.clock.advance(Duration::from_secs(60));
    gate.add_permits(1_000);
    let report = sweeping.await.unwrap().unwrap();
    assert_eq!((report.blobs, report.abandoned), (0, 20));
    let mut left = 0;
    for content in 0..20_u8 {
        let digest = Digest::of(&[content]);
        assert_eq!(bench.info(digest).await.unwrap().state, BlobState::Deleting);
        left += u32::from(bench.store.head(digest).await.unwrap().is_some());
    }
    assert!(left > 0, "some were not begun, and must not be begun any more");
    bench.clock.advance(DELETION_LEASE);
    assert_eq!(bench.sweep().await.blobs, 20);
}

#[tokio::test]
async fn a_deletion_that_fails_is_an_error_and_the_next_sweep_finishes_it() {
    let bench = Bench::in_memory().await;
    let held = bench.put(b"abc").await;
    bench.let_everything_expire();
    for fault in [Fault::Unreachable, Fault::LoseAnswer] {
        bench.faults.next(Operation::Delete, fault);
        let plan = bench.blobs.sweep_plan().await.unwrap();
        bench.blobs.sweep(&plan, on).await.unwrap_err();
        assert_eq!(bench.info(held.digest).await.unwrap().state, BlobState::Deleting);
        bench.clock.advance(DELETION_LEASE);
    }
    assert_eq!(bench.sweep().await.blobs, 1);
    assert_eq!(bench.info(held.digest).await, None);
}

#[tokio::test]
async fn whoever_watches_a_sweep_may_end_it() {
    let bench = Bench::in_memory().await;
    for content in 0..150_u8 {
        bench.put(&[content]).await;
    }
    bench.let_everything_expire();
    let plan = bench.blobs.sweep_plan().await.unwrap();
    assert_eq!(plan.unreferenced, 150);
    let report = bench.blobs.sweep(&plan, |progress| {
        assert_eq!(progress.total, 150);
        if progress.done < 10 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    });
    let report = report.await.unwrap();
    assert_eq!((report.blobs, report.bytes, report.abandoned), (10, 10, 90));
    bench.clock.advance(DELETION_LEASE);
    assert_eq!(bench.sweep().await.blobs, 140);
}
