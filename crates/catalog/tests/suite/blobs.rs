//! Blob references, pins and sweeps: nothing that is wanted goes, and what nobody wants does.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::future::join_all;
use holotype_catalog::{BlobCounts, BlobReference, BlobState, Catalog, CatalogError, DELETION_LEASE, PinOutcome};
use holotype_core::{Clock as _, Digest, Instant, ProjectId};

use crate::engines::{Bench, on_both};

const HOUR: Duration = Duration::from_secs(3_600);

pub(crate) fn reference(digest: Digest, record: &str, name: &str) -> BlobReference {
    let (kind, record, name) = ("datapoint".to_owned(), record.to_owned(), name.to_owned());
    BlobReference { digest, project: ProjectId::DEFAULT, kind, record, name }
}

pub(crate) async fn pin(catalog: &Catalog, digest: Digest, until: Instant) -> PinOutcome {
    let pinned = catalog.write(move |tx| Box::pin(async move { tx.pin_blob(digest, 3, [7; 16], until).await }));
    pinned.await.unwrap()
}

pub(crate) async fn refer(catalog: &Catalog, reference: BlobReference) -> Result<(), CatalogError> {
    catalog
        .write(move |tx| {
            let reference = reference.clone();
            Box::pin(async move { tx.reference_blob(&reference).await })
        })
        .await
}

async fn release(catalog: &Catalog, record: &'static str) -> usize {
    let released = catalog
        .write(move |tx| Box::pin(async move { tx.release_blobs("datapoint", ProjectId::DEFAULT, record).await }));
    released.await.unwrap()
}

async fn mark(catalog: &Catalog, grace_before: Instant) -> Vec<Digest> {
    let marked = catalog.write(move |tx| Box::pin(async move { tx.mark_deleting(grace_before, 100).await }));
    let mut marked = marked.await.unwrap();
    marked.sort_unstable();
    marked
}

async fn forget(catalog: &Catalog, digest: Digest) {
    catalog.write(move |tx| Box::pin(async move { tx.forget_deleted(digest).await })).await.unwrap();
}

async fn references(catalog: &Catalog, digest: Digest) -> u64 {
    let info = catalog.read(move |tx| Box::pin(async move { tx.blob_info(digest).await }));
    info.await.unwrap().map_or(0, |info| info.references)
}

on_both! {
    the_first_pin_is_new_and_the_next_meets_it
    a_record_cannot_hold_what_is_not_there
    references_are_counted_once_each
    only_what_nothing_holds_goes_and_only_after_the_grace
    a_sweep_that_dies_leaves_its_claims_to_a_later_one
    what_is_held_is_counted_and_listed
    whatever_puts_and_sweeps_do_at_once_a_referenced_blob_has_its_bytes
}

async fn the_first_pin_is_new_and_the_next_meets_it(bench: Bench) {
    let (catalog, digest) = (&bench.catalog, Digest::of(b"abc"));
    let until = bench.clock.now().after(HOUR);
    assert_eq!(pin(catalog, digest, until).await, PinOutcome::New);
    assert_eq!(pin(catalog, digest, bench.clock.now()).await, PinOutcome::Present);
    let info = catalog.read(move |tx| Box::pin(async move { tx.blob_info(digest).await })).await.unwrap().unwrap();
    assert_eq!((info.digest, info.size, info.md5, info.state), (digest, 3, [7; 16], BlobState::Present));
    assert_eq!((info.pinned_until, info.references), (until, 0), "a shorter pin does not end a longer one");
}

async fn a_record_cannot_hold_what_is_not_there(bench: Bench) {
    let (catalog, digest) = (&bench.catalog, Digest::of(b"abc"));
    assert!(matches!(
        refer(catalog, reference(digest, "r", "a")).await,
        Err(CatalogError::BlobGone { digest: gone }) if gone == digest
    ));
    pin(catalog, digest, bench.clock.now()).await;
    assert_eq!(mark(catalog, bench.clock.now()).await, [digest]);
    assert!(matches!(refer(catalog, reference(digest, "r", "a")).await, Err(CatalogError::BlobGone { .. })));
    assert_eq!(pin(catalog, digest, bench.clock.now().after(HOUR)).await, PinOutcome::Deleting);
    forget(catalog, digest).await;
    assert_eq!(pin(catalog, digest, bench.clock.now().after(HOUR)).await, PinOutcome::New);
    refer(catalog, reference(digest, "r", "a")).await.unwrap();
}

async fn references_are_counted_once_each(bench: Bench) {
    let (catalog, digest) = (&bench.catalog, Digest::of(b"abc"));
    pin(catalog, digest, bench.clock.now()).await;
    for (record, name) in [("one", "a"), ("one", "a"), ("one", "b"), ("two", "a")] {
        refer(catalog, reference(digest, record, name)).await.unwrap();
    }
    assert_eq!(references(catalog, digest).await, 3);
    let held = catalog.read(move |tx| Box::pin(async move { tx.references_of(digest, 10).await })).await.unwrap();
    assert_eq!(held, [("one", "a"), ("one", "b"), ("two", "a")].map(|(record, name)| reference(digest, record, name)));
    assert_eq!(release(catalog, "one").await, 2);
    assert_eq!(release(catalog, "one").await, 0);
    assert_eq!(references(catalog, digest).await, 1);
}

async fn only_what_nothing_holds_goes_and_only_after_the_grace(bench: Bench) {
    let (catalog, clock) = (&bench.catalog, &bench.clock);
    let [held, pinned, released] = [b"held", b"pind", b"gone"].map(|bytes| Digest::of(bytes));
    pin(catalog, pinned, clock.now().after(3 * HOUR)).await;
    for digest in [held, released] {
        pin(catalog, digest, clock.now()).await;
    }
    refer(catalog, reference(held, "kept", "a")).await.unwrap();
    refer(catalog, reference(released, "dropped", "a")).await.unwrap();
    clock.advance(HOUR);
    release(catalog, "dropped").await;
    clock.advance(HOUR);
    assert!(mark(catalog, clock.now().before(2 * HOUR)).await.is_empty(), "the grace begins with the release");
    let listed = |now: Instant| {
        catalog.read(move |tx| Box::pin(async move { tx.list_unreferenced(now.before(HOUR), None, 10).await }))
    };
    let planned = listed(clock.now()).await.unwrap();
    assert_eq!(planned.iter().map(|info| info.digest).collect::<Vec<_>>(), [released]);
    assert_eq!(mark(catalog, clock.now().before(HOUR)).await, [released]);
    forget(catalog, held).await;
    assert_eq!(references(catalog, held).await, 1, "only what is being deleted can be forgotten");
    clock.advance(HOUR);
    assert_eq!(mark(catalog, clock.now()).await, {
        let mut both = vec![pinned, released];
        both.sort_unstable();
        both
    });
}

async fn a_sweep_that_dies_leaves_its_claims_to_a_later_one(bench: Bench) {
    let (catalog, clock, digest) = (&bench.catalog, &bench.clock, Digest::of(b"abc"));
    pin(catalog, digest, clock.now()).await;
    assert_eq!(mark(catalog, clock.now()).await, [digest]);
    assert!(mark(catalog, clock.now()).await.is_empty(), "no two sweeps delete the same");
    clock.advance(DELETION_LEASE);
    assert_eq!(mark(catalog, clock.now()).await, [digest]);
}

async fn what_is_held_is_counted_and_listed(bench: Bench) {
    let (catalog, clock) = (&bench.catalog, &bench.clock);
    let mut digests: Vec<Digest> = (0..5_u8).map(|byte| Digest::of(&[byte])).collect();
    digests.sort_unstable();
    for digest in &digests {
        pin(catalog, *digest, clock.now().after(HOUR)).await;
    }
    refer(catalog, reference(digests[0], "r", "a")).await.unwrap();
    let (spooled, flushed) = (digests[1], digests[2]);
    catalog
        .write(move |tx| {
            Box::pin(async move {
                assert!(
                    tx.mark_spooled(spooled).await?
                        && tx.mark_spooled(flushed).await?
                        && tx.mark_stored(flushed).await?
                );
                assert!(!tx.mark_stored(flushed).await?);
                tx.mark_verified(flushed).await
            })
        })
        .await
        .unwrap();
    let expected = BlobCounts { blobs: 5, bytes: 15, unreferenced: 4, unreferenced_bytes: 12, spooled: 1, deleting: 0 };
    let (first, second, waiting, known) = catalog
        .read(move |tx| {
            Box::pin(async move {
                assert_eq!(tx.blob_counts().await?, expected);
                let first = tx.list_blobs(None, 3).await?;
                let second = tx.list_blobs(first.last().map(|info| info.digest), 3).await?;
                let strange = Digest::of(b"strange");
                Ok::<_, CatalogError>((
                    first,
                    second,
                    tx.list_spooled(None, 9).await?,
                    tx.known_blobs(&[spooled, strange]).await?,
                ))
            })
        })
        .await
        .unwrap();
    let listed: Vec<Digest> = first.iter().chain(&second).map(|info| info.digest).collect();
    assert_eq!(listed, digests);
    assert_eq!(first[2].verified_at, Some(clock.now()));
    assert_eq!(waiting.iter().map(|info| info.digest).collect::<Vec<_>>(), [spooled]);
    assert_eq!(known, HashSet::from([spooled]));
}

async fn whatever_puts_and_sweeps_do_at_once_a_referenced_blob_has_its_bytes(bench: Bench) {
    // The store, as far as this is concerned: a set of names.
    let store = Arc::new(Mutex::new(HashSet::new()));
    let digests: Vec<Digest> = (0..3_u8).map(|byte| Digest::of(&[byte])).collect();
    let put = |writer: usize| {
        let (catalog, store, digests, now) = (&bench.catalog, &store, &digests, bench.clock.now());
        async move {
            for round in 0..12 {
                let (digest, record) = (digests[(writer + round) % 3], format!("{writer}-{round}"));
                // Pins that end at once: a sweep may come between any two steps.
                loop {
                    if pin(catalog, digest, now).await == PinOutcome::Deleting {
                        tokio::task::yield_now().await;
                        continue;
                    }
                    store.lock().unwrap().insert(digest);
                    match refer(catalog, reference(digest, &record, "a")).await {
                        Ok(()) => break,
                        Err(CatalogError::BlobGone { .. }) => {}
                        Err(other) => panic!("{other}"),
                    }
                }
                assert!(store.lock().unwrap().contains(&digest), "referenced and gone");
                if round % 3 != 0 {
                    let released = catalog.write(move |tx| {
                        let record = record.clone();
                        Box::pin(async move { tx.release_blobs("datapoint", ProjectId::DEFAULT, &record).await })
                    });
                    assert_eq!(released.await.unwrap(), 1);
                }
            }
        }
    };
    let sweep = async {
        for _ in 0..60 {
            for digest in mark(&bench.catalog, bench.clock.now()).await {
                store.lock().unwrap().remove(&digest);
                tokio::task::yield_now().await;
                forget(&bench.catalog, digest).await;
            }
        }
    };
    tokio::join!(join_all((0..4).map(put)), sweep);
    for digest in &digests {
        assert_eq!(references(&bench.catalog, *digest).await > 0, store.lock().unwrap().contains(digest));
    }
}
