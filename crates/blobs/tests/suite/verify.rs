//! Reading every blob again.

use std::ops::ControlFlow;

use holotype_blobs::Finding;
use holotype_core::{Clock, Digest};
use holotype_store::Verdict;
use holotype_testkit::fault::{Fault, Operation};

use crate::bench::{Bench, on, reference};

async fn with_blobs(count: u8) -> Bench {
    let bench = Bench::on_disk().await;
    for content in 0..count {
        let held = bench.put(&[content; 10]).await;
        reference(&bench.catalog, &held, &content.to_string()).await.unwrap();
    }
    bench
}

fn path(bench: &Bench, digest: Digest) -> std::path::PathBuf {
    let name = digest.to_string();
    bench.folder.path().join("store/blobs").join(&name[..2]).join(&name[2..4]).join(name)
}

#[tokio::test]
async fn intact_blobs_are_counted_and_the_day_is_noted() {
    let bench = with_blobs(150).await;
    let report = bench.blobs.verify_all(on).await.unwrap();
    assert_eq!((report.intact, report.bytes, report.lost, report.complete), (150, 1_500, 0, true));
    let info = bench.info(Digest::of(&[7; 10])).await.unwrap();
    assert_eq!(info.verified_at, Some(bench.clock.now()));
}

#[tokio::test]
async fn damaged_and_missing_blobs_are_named() {
    let bench = with_blobs(5).await;
    let [damaged, missing] = [1, 2].map(|content| Digest::of(&[content; 10]));
    std::fs::remove_file(path(&bench, damaged)).unwrap();
    std::fs::write(path(&bench, damaged), b"other").unwrap();
    std::fs::remove_file(path(&bench, missing)).unwrap();
    let report = bench.blobs.verify_all(on).await.unwrap();
    assert_eq!((report.intact, report.lost, report.complete), (3, 2, true));
    let mut expected = [
        Finding { digest: damaged, verdict: Verdict::Damaged { found: Digest::of(b"other"), size: 5 }, references: 1 },
        Finding { digest: missing, verdict: Verdict::Absent, references: 1 },
    ];
    expected.sort_by_key(|finding| finding.digest);
    assert_eq!(report.findings, expected);
    assert_eq!(bench.info(missing).await.unwrap().verified_at, None);
}

#[tokio::test]
async fn a_missing_blob_that_no_record_names_is_no_loss() {
    let bench = with_blobs(1).await;
    let held = bench.put(b"on its way").await;
    std::fs::remove_file(path(&bench, held.digest)).unwrap();
    let report = bench.blobs.verify_all(on).await.unwrap();
    assert_eq!((report.intact, report.lost), (1, 0));
}

#[tokio::test]
async fn what_cannot_be_read_is_an_error_and_not_a_loss() {
    let bench = with_blobs(1).await;
    bench.faults.next(Operation::Get, Fault::Unreachable);
    bench.blobs.verify_all(on).await.unwrap_err();
}

#[tokio::test]
async fn whoever_watches_a_verification_may_end_it() {
    let bench = with_blobs(5).await;
    let report = bench.blobs.verify_all(|progress| {
        assert_eq!(progress.total, 5);
        if progress.done < 2 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    });
    let report = report.await.unwrap();
    assert_eq!((report.intact, report.complete), (2, false));
}
