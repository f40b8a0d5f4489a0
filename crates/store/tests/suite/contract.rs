//! The contract: one list of promises, kept on memory, on disk, on a slow disk and on two S3 servers.

use bytes::Bytes;
use futures::TryStreamExt;
use holotype_core::{Digest, Instant};
use holotype_store::{Reading, Store, StoreError, Verdict};

use crate::places::{self, Place};

/// Sizes around every edge in the code: of a chunk (256 KiB) and of a part (8 MiB).
const SIZES: [usize; 8] = [0, 1, 262_143, 262_144, 262_145, 1_000_000, 8 << 20, (8 << 20) + 1];

macro_rules! contract {
    ($($promise:ident),* $(,)?) => {
        contract! { @on memory, $($promise),* }
        contract! { @on disk, $($promise),* }
        contract! { @on slow_disk, $($promise),* }
        contract! { @on local_s3, $($promise),* }

        /// One server for all promises: it takes a second to start.
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn the_contract_holds_on_moto_server() {
            let Some(place) = places::moto().await else { return };
            $(
                eprintln!(stringify!($promise));
                empty(&place.store).await;
                $promise(&place).await;
            )*
        }
    };
    (@on $place:ident, $($promise:ident),*) => {
        mod $place {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $promise() {
                    super::$promise(&super::places::$place().await).await;
                }
            )*
        }
    };
}

contract! {
    a_blob_is_absent_until_it_is_published,
    what_is_put_in_any_pieces_is_read_back,
    digest_and_md5_are_those_of_the_bytes,
    a_range_gives_exactly_its_bytes,
    a_range_outside_the_blob_is_refused_with_the_size,
    an_absent_blob_is_not_found,
    putting_the_same_bytes_again_changes_nothing,
    racing_puts_of_the_same_bytes_all_succeed,
    a_listing_shows_every_blob_and_nothing_else,
    a_deleted_blob_is_absent_and_can_be_put_again,
    a_blob_being_read_survives_being_put_again,
    dropped_uploads_leave_nothing,
    a_staged_file_can_be_read_before_it_is_published,
}

pub(crate) fn sample(size: usize, seed: u64) -> Vec<u8> {
    // xorshift: bytes that do not repeat, so that a misplaced piece shows.
    let mut state = seed | 1;
    let mut bytes = Vec::with_capacity(size + 8);
    while bytes.len() < size {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(size);
    bytes
}

pub(crate) async fn put(store: &Store, bytes: &[u8]) -> Digest {
    let staged = store.stage_bytes(bytes).await.unwrap();
    let digest = staged.digest();
    staged.publish().await.unwrap();
    digest
}

pub(crate) async fn read(reading: Reading) -> Result<Vec<u8>, StoreError> {
    let chunks: Vec<Bytes> = reading.stream.try_collect().await?;
    Ok(chunks.concat())
}

async fn listed(store: &Store) -> Vec<(Digest, u64)> {
    let mut listed: Vec<_> = store.list().map_ok(|item| (item.digest, item.size)).try_collect().await.unwrap();
    listed.sort_unstable();
    listed
}

async fn empty(store: &Store) {
    for (digest, _) in listed(store).await {
        store.delete(digest).await.unwrap();
    }
}

async fn a_blob_is_absent_until_it_is_published(place: &Place) {
    let staged = place.store.stage_bytes(b"abc").await.unwrap();
    let digest = staged.digest();
    assert_eq!(place.store.head(digest).await.unwrap(), None);
    assert_eq!(place.store.verify(digest).await.unwrap(), Verdict::Absent);
    staged.publish().await.unwrap();
    assert_eq!(place.store.head(digest).await.unwrap(), Some(3));
    assert_eq!(place.store.verify(digest).await.unwrap(), Verdict::Intact { size: 3 });
}

async fn what_is_put_in_any_pieces_is_read_back(place: &Place) {
    for (size, piece) in SIZES.into_iter().zip([1, 1, 1_000, 262_144, 7_919, 300_000, 1 << 20, 65_536]) {
        let bytes = sample(size, size as u64);
        let (mut copied, mut upload) = (place.store.begin(), place.store.begin());
        for piece in bytes.chunks(piece) {
            copied.write(piece).await.unwrap();
            upload.write_whole(Bytes::copy_from_slice(piece)).await.unwrap();
        }
        assert_eq!(copied.finish().await.unwrap().digest(), Digest::of(&bytes));
        let staged = upload.finish().await.unwrap();
        let digest = staged.digest();
        assert_eq!((digest, staged.size()), (Digest::of(&bytes), size as u64));
        staged.publish().await.unwrap();
        let reading = place.store.get(digest, None).await.unwrap();
        assert_eq!((reading.size, reading.range.clone()), (size as u64, 0..size as u64));
        assert!(read(reading).await.unwrap() == bytes, "{size} bytes in pieces of {piece}");
        assert_eq!(place.store.verify(digest).await.unwrap(), Verdict::Intact { size: size as u64 });
    }
}

async fn digest_and_md5_are_those_of_the_bytes(place: &Place) {
    // From the standards that define them.
    for (text, sha256, md5) in [
        (
            "",
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            0xd41d8cd98f00b204e9800998ecf8427e_u128,
        ),
        ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", 0x900150983cd24fb0d6963f7d28e17f72),
    ] {
        let staged = place.store.stage_bytes(text.as_bytes()).await.unwrap();
        assert_eq!((staged.digest().to_string().as_str(), u128::from_be_bytes(staged.md5())), (sha256, md5));
    }
}

async fn a_range_gives_exactly_its_bytes(place: &Place) {
    let bytes = sample(600_000, 1);
    let digest = put(&place.store, &bytes).await;
    for range in [0..1, 0..600_000, 1..2, 262_143..262_145, 599_999..600_000, 5..400_000, 599_999..700_000, 0..u64::MAX]
    {
        let reading = place.store.get(digest, Some(range.clone())).await.unwrap();
        let end = range.end.min(600_000);
        assert_eq!((reading.size, reading.range.clone()), (600_000, range.start..end), "{range:?}");
        assert!(read(reading).await.unwrap() == bytes[range.start as usize..end as usize], "{range:?}");
    }
}

#[expect(clippy::reversed_empty_ranges, reason = "a client may ask for one")]
async fn a_range_outside_the_blob_is_refused_with_the_size(place: &Place) {
    let digest = put(&place.store, &sample(1_000, 2)).await;
    let nothing = put(&place.store, b"").await;
    for (digest, range, size) in [
        (digest, 1_000..1_001, 1_000),
        (digest, 5_000..u64::MAX, 1_000),
        (digest, 3..3, 1_000),
        (digest, 9..3, 1_000),
        (nothing, 0..1, 0),
    ] {
        match place.store.get(digest, Some(range.clone())).await {
            Err(StoreError::InvalidRange { size: told, .. }) => assert_eq!(told, size, "{range:?}"),
            other => panic!("{range:?}: {other:?}"),
        }
    }
}

async fn an_absent_blob_is_not_found(place: &Place) {
    let absent = Digest::of(b"never put");
    for range in [None, Some(0..1), Some(5..5)] {
        let error = place.store.get(absent, range).await.unwrap_err();
        assert!(matches!(error, StoreError::NotFound { digest } if digest == absent), "{error}");
    }
}

async fn putting_the_same_bytes_again_changes_nothing(place: &Place) {
    for size in [10, (8 << 20) + 10] {
        let bytes = sample(size, 3);
        let digest = put(&place.store, &bytes).await;
        assert_eq!(put(&place.store, &bytes).await, digest);
        assert!(read(place.store.get(digest, None).await.unwrap()).await.unwrap() == bytes);
    }
    assert_eq!(listed(&place.store).await.len(), 2);
    settle(place).await;
}

async fn racing_puts_of_the_same_bytes_all_succeed(place: &Place) {
    let bytes = sample(300_000, 4);
    let puts = (0..8).map(|_| {
        let (store, bytes) = (place.store.clone(), bytes.clone());
        tokio::spawn(async move { put(&store, &bytes).await })
    });
    for digest in futures::future::join_all(puts).await {
        assert_eq!(digest.unwrap(), Digest::of(&bytes));
    }
    assert_eq!(listed(&place.store).await, [(Digest::of(&bytes), 300_000)]);
    assert_eq!(place.store.verify(Digest::of(&bytes)).await.unwrap(), Verdict::Intact { size: 300_000 });
}

async fn a_listing_shows_every_blob_and_nothing_else(place: &Place) {
    assert_eq!(listed(&place.store).await, []);
    place.store.probe().await.unwrap();
    let staged = place.store.stage_bytes(b"unfinished").await.unwrap();
    let mut expected = Vec::new();
    for size in 0..20 {
        expected.push((put(&place.store, &sample(size, 5)).await, size as u64));
    }
    expected.sort_unstable();
    assert_eq!(listed(&place.store).await, expected);
    drop(staged);
    let times: Vec<Instant> = place.store.list().map_ok(|item| item.modified).try_collect().await.unwrap();
    let long_ago: Instant = "2020-01-01T00:00:00Z".parse().unwrap();
    assert!(times.iter().all(|time| *time > long_ago), "{times:?}");
}

async fn a_deleted_blob_is_absent_and_can_be_put_again(place: &Place) {
    let bytes = sample(1_000, 6);
    let digest = put(&place.store, &bytes).await;
    for _ in 0..2 {
        place.store.delete(digest).await.unwrap();
        assert_eq!(place.store.head(digest).await.unwrap(), None);
        assert_eq!(listed(&place.store).await, []);
    }
    put(&place.store, &bytes).await;
    assert_eq!(place.store.verify(digest).await.unwrap(), Verdict::Intact { size: 1_000 });
}

async fn a_blob_being_read_survives_being_put_again(place: &Place) {
    let bytes = sample(3_000_000, 7);
    let digest = put(&place.store, &bytes).await;
    let mut reading = place.store.get(digest, None).await.unwrap();
    let mut seen = reading.stream.try_next().await.unwrap().unwrap().to_vec();
    put(&place.store, &bytes).await;
    seen.extend(read(reading).await.unwrap());
    assert!(seen == bytes);
}

async fn dropped_uploads_leave_nothing(place: &Place) {
    let mut upload = place.store.begin();
    upload.write(&sample(1_000_000, 8)).await.unwrap();
    drop(upload);
    drop(place.store.stage_bytes(b"staged").await.unwrap());
    settle(place).await;
    assert_eq!(listed(&place.store).await, []);
}

async fn a_staged_file_can_be_read_before_it_is_published(place: &Place) {
    let bytes = sample(700_000, 9);
    let staged = place.store.stage_bytes(&bytes).await.unwrap();
    let chunks: Vec<Bytes> = staged.read().await.unwrap().try_collect().await.unwrap();
    assert!(chunks.concat() == bytes);
    staged.publish().await.unwrap();
    assert_eq!(place.store.head(Digest::of(&bytes)).await.unwrap(), Some(700_000));
}

/// Waits until no staging file is left: they are removed on threads of their own.
pub(crate) async fn settle(place: &Place) {
    for _ in 0..6_000 {
        if place.staged_files() == 0 {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("{} staging files are left after a minute", place.staged_files());
}
