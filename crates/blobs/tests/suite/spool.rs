//! Captures while the bucket is out of reach.

use holotype_blobs::BlobError;
use holotype_catalog::BlobState;
use holotype_core::Digest;
use holotype_store::{StoreError, Verdict};

use crate::bench::{Bench, on, read, reference};

async fn without_its_bucket() -> Bench {
    let mut bench = Bench::on_s3().await;
    bench.server.as_mut().unwrap().stop().await;
    bench
}

fn spooled_files(bench: &Bench) -> usize {
    fn count(folder: &std::path::Path) -> usize {
        let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        entries.map(|path| if path.is_dir() { count(&path) } else { 1 }).sum()
    }
    count(&bench.folder.path().join("spool"))
}

#[tokio::test]
async fn a_capture_is_kept_here_said_so_read_from_here_and_uploaded_later() {
    let mut bench = without_its_bucket().await;
    let held = bench.put(b"captured").await;
    assert!(held.spooled);
    reference(&bench.catalog, &held, "one").await.unwrap();
    assert_eq!(bench.info(held.digest).await.unwrap().state, BlobState::Spooled);
    assert_eq!(read(&bench.blobs, held.digest).await.unwrap(), b"captured");
    let status = bench.blobs.status().await.unwrap();
    assert!(status.problem.is_some(), "{status:?}");
    assert_eq!((status.counts.spooled, status.counts.blobs), (1, 1));
    let error = bench.blobs.flush_spool(on).await.unwrap_err();
    assert!(matches!(error, BlobError::Store(StoreError::Unreachable { .. })), "{error}");
    assert_eq!(spooled_files(&bench), 1);

    bench.server.as_mut().unwrap().resume().await;
    let flushed = bench.blobs.flush_spool(on).await.unwrap();
    assert_eq!((flushed.uploaded, flushed.bytes, flushed.left), (1, 8, 0));
    assert_eq!(spooled_files(&bench), 0);
    assert_eq!(bench.info(held.digest).await.unwrap().state, BlobState::Present);
    assert_eq!(bench.store.verify(held.digest).await.unwrap(), Verdict::Intact { size: 8 });
    assert_eq!(read(&bench.blobs, held.digest).await.unwrap(), b"captured");
    let status = bench.blobs.status().await.unwrap();
    assert_eq!((status.problem, status.counts.spooled), (None, 0));
    assert!(!bench.put(b"afterwards").await.spooled);
}

#[tokio::test]
async fn once_the_bucket_is_known_to_be_down_captures_do_not_wait_for_it() {
    let bench = without_its_bucket().await;
    assert!(bench.put(b"first").await.spooled);
    bench.faults.calls();
    assert!(bench.put(b"second").await.spooled);
    assert_eq!(bench.faults.calls(), []);
}

#[tokio::test]
async fn what_was_spooled_survives_a_restart() {
    let mut bench = without_its_bucket().await;
    let held = bench.put(b"captured").await;
    reference(&bench.catalog, &held, "one").await.unwrap();
    bench.blobs = bench.again("spool");
    assert_eq!(read(&bench.blobs, held.digest).await.unwrap(), b"captured");
    bench.server.as_mut().unwrap().resume().await;
    assert_eq!(bench.blobs.flush_spool(on).await.unwrap().uploaded, 1);
    assert_eq!(bench.store.verify(held.digest).await.unwrap(), Verdict::Intact { size: 8 });
}

#[tokio::test]
async fn another_host_says_where_a_spooled_blob_is() {
    let mut bench = without_its_bucket().await;
    let held = bench.put(b"captured").await;
    bench.server.as_mut().unwrap().resume().await;
    let other = bench.again("spool-of-another-host");
    let error = other.get(held.digest, None).await.unwrap_err();
    assert!(matches!(error, BlobError::SpooledElsewhere { digest } if digest == held.digest), "{error}");
    assert_eq!(other.flush_spool(on).await.unwrap().uploaded, 0);
    assert_eq!(bench.info(held.digest).await.unwrap().state, BlobState::Spooled);
}

#[tokio::test]
async fn a_verification_reads_the_spool_and_calls_nothing_lost_that_another_host_has() {
    let mut bench = without_its_bucket().await;
    let held = bench.put(b"captured").await;
    reference(&bench.catalog, &held, "one").await.unwrap();
    bench.server.as_mut().unwrap().resume().await;
    let here = bench.blobs.verify_all(on).await.unwrap();
    assert_eq!((here.intact, here.lost, here.elsewhere), (1, 0, 0));
    let there = bench.again("spool-of-another-host").verify_all(on).await.unwrap();
    assert_eq!((there.intact, there.lost, there.elsewhere), (0, 0, 1));
}

#[tokio::test]
async fn bytes_that_reached_the_bucket_on_another_way_are_not_sent_again() {
    let mut bench = without_its_bucket().await;
    let held = bench.put(b"captured").await;
    bench.server.as_mut().unwrap().resume().await;
    bench.again("spool-of-another-host").flush_spool(on).await.unwrap();
    bench.store.stage_bytes(b"captured").await.unwrap().publish().await.unwrap();
    // The other host, too, sees that the bytes are there now.
    bench.again("spool-of-another-host").flush_spool(on).await.unwrap();
    assert_eq!(bench.info(held.digest).await.unwrap().state, BlobState::Present);
    let flushed = bench.blobs.flush_spool(on).await.unwrap();
    assert_eq!((flushed.uploaded, flushed.left, spooled_files(&bench)), (0, 0, 0));
}

#[tokio::test]
async fn a_spooled_blob_that_nobody_names_is_swept() {
    let mut bench = without_its_bucket().await;
    let held = bench.put(b"captured").await;
    bench.server.as_mut().unwrap().resume().await;
    bench.let_everything_expire();
    assert_eq!(bench.sweep().await.blobs, 1);
    assert_eq!((spooled_files(&bench), bench.info(held.digest).await), (0, None));
}

#[tokio::test]
async fn a_spooled_copy_that_nobody_knows_is_left_by_the_flush_and_removed_by_a_sweep() {
    let mut bench = without_its_bucket().await;
    let held = bench.put(b"captured").await;
    bench.server.as_mut().unwrap().resume().await;
    // Another host sweeps: it cannot reach this spool.
    bench.let_everything_expire();
    let other = bench.again("spool-of-another-host");
    let plan = other.sweep_plan().await.unwrap();
    assert_eq!(other.sweep(&plan, on).await.unwrap().blobs, 1);
    assert_eq!((bench.info(held.digest).await, spooled_files(&bench)), (None, 1));
    assert_eq!(bench.blobs.flush_spool(on).await.unwrap().left, 1);
    let report = bench.sweep().await;
    assert_eq!((report.orphans, spooled_files(&bench)), (1, 0));
}

#[tokio::test]
async fn a_damaged_copy_in_the_spool_is_not_brought_to_the_bucket_and_keeps_no_other_back() {
    let mut bench = without_its_bucket().await;
    let held = bench.put(b"captured").await;
    bench.put(b"another").await;
    reference(&bench.catalog, &held, "one").await.unwrap();
    let name = held.digest.to_string();
    let file = bench.folder.path().join("spool/blobs").join(&name[..2]).join(&name[2..4]).join(&name);
    std::fs::remove_file(&file).unwrap();
    std::fs::write(&file, b"captureD").unwrap();
    bench.server.as_mut().unwrap().resume().await;
    let flushed = bench.blobs.flush_spool(on).await.unwrap();
    assert_eq!((flushed.uploaded, flushed.damaged, flushed.left), (1, 1, 1));
    assert_eq!(bench.store.head(held.digest).await.unwrap(), None);
    // The instrument sends it again: that repairs it.
    assert!(!bench.put(b"captured").await.spooled);
    assert_eq!(bench.blobs.flush_spool(on).await.unwrap().left, 0);
    assert_eq!(read(&bench.blobs, Digest::of(b"captured")).await.unwrap(), b"captured");
}
