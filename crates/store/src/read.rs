//! Bytes on their way out, exactly as many as were announced.

use std::ops::Range;

use bytes::Bytes;
use futures::stream::BoxStream;
use futures::{Stream, StreamExt, TryStreamExt};
use holotype_core::{Digest, Hasher, Instant};
use object_store::{GetOptions, GetRange, GetResult, GetResultPayload, ObjectStoreExt};

use crate::{Store, StoreError, file};

/// A blob, or part of one, being read.
pub struct Reading {
    /// The size of the whole blob in bytes.
    pub size: u64,
    /// Which bytes follow, the end excluded; within `0..size`.
    pub range: Range<u64>,
    /// The bytes. If fewer come than `range` says, the last item is an error.
    pub stream: BoxStream<'static, Result<Bytes, StoreError>>,
}

impl std::fmt::Debug for Reading {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reading").field("size", &self.size).field("range", &self.range).finish_non_exhaustive()
    }
}

/// What reading a blob again has shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The bytes are what the digest names.
    Intact {
        /// How many there are.
        size: u64,
    },
    /// Other bytes have taken the blob's place.
    Damaged {
        /// Their digest.
        found: Digest,
        /// How many there are.
        size: u64,
    },
    /// There is no such blob.
    Absent,
}

/// A blob in a listing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listed {
    /// Its name.
    pub digest: Digest,
    /// Its size in bytes.
    pub size: u64,
    /// When it was written, by the clock of the disk or the bucket.
    pub modified: Instant,
}

impl Store {
    /// Reads a blob, or the bytes of it that `range` holds; a range that begins within the blob is cut at its end.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; [`StoreError::InvalidRange`] if the range is empty or begins at or after the end.
    pub async fn get(&self, digest: Digest, range: Option<Range<u64>>) -> Result<Reading, StoreError> {
        if let Some(range) = range.as_ref().filter(|range| range.start >= range.end) {
            return Err(self.outside(digest, range.clone()).await?);
        }
        let options = GetOptions { range: range.clone().map(asked), ..GetOptions::default() };
        match (self.objects().get_opts(&self.keys().blob(&digest), options).await, range) {
            (Ok(result), _) => Ok(self.reading(digest, result)),
            (Err(error @ object_store::Error::NotFound { .. }), _) | (Err(error), None) => {
                Err(self.object_error(Some(digest), &error))
            }
            // How a range beyond the end is refused differs from store to store: the size tells for certain.
            (Err(error), Some(range)) => match self.outside(digest, range.clone()).await {
                Ok(StoreError::InvalidRange { size, .. }) if range.start < size => {
                    Err(self.object_error(Some(digest), &error))
                }
                Ok(outside) | Err(outside) => Err(outside),
            },
        }
    }

    /// The size of a blob in bytes, or `None` if there is no such blob.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn head(&self, digest: Digest) -> Result<Option<u64>, StoreError> {
        match self.objects().head(&self.keys().blob(&digest)).await {
            Ok(found) => Ok(Some(found.size)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(self.object_error(Some(digest), &error)),
        }
    }

    /// All blobs, in no order. What is written or deleted meanwhile may or may not show.
    pub fn list(&self) -> BoxStream<'static, Result<Listed, StoreError>> {
        let store = self.clone();
        let listed = self.objects().list(Some(&self.keys().blobs()));
        listed
            .filter_map(move |item| {
                let result = match item {
                    Ok(found) => store.keys().digest(&found.location).map(|digest| {
                        let modified = Instant::from_micros(found.last_modified.timestamp_micros());
                        Ok(Listed { digest, size: found.size, modified })
                    }),
                    Err(error) => Some(Err(store.object_error(None, &error))),
                };
                std::future::ready(result)
            })
            .boxed()
    }

    /// Reads a blob and compares its bytes with its name.
    ///
    /// # Errors
    /// If the store cannot be read: what could not be read is not called damaged.
    pub async fn verify(&self, digest: Digest) -> Result<Verdict, StoreError> {
        let reading = match self.get(digest, None).await {
            Err(StoreError::NotFound { .. }) => return Ok(Verdict::Absent),
            result => result?,
        };
        let (hasher, size) = reading
            .stream
            .try_fold((Hasher::new(), 0), |(mut hasher, size), bytes| async move {
                hasher.update(&bytes);
                Ok((hasher, size + bytes.len() as u64))
            })
            .await?;
        let found = hasher.finish();
        Ok(if found == digest { Verdict::Intact { size } } else { Verdict::Damaged { found, size } })
    }

    fn reading(&self, digest: Digest, result: GetResult) -> Reading {
        let (size, range) = (result.meta.size, result.range);
        let store = self.clone();
        let stream = match result.payload {
            // object_store would read a file 8 KiB at a time, and for ever if it shrinks meanwhile.
            GetResultPayload::File(file, _) => file::chunks(file, range.clone())
                .map_err(move |error| match error.kind() {
                    std::io::ErrorKind::UnexpectedEof => short(&store, digest, "its file has shrunk".to_owned()),
                    _ => store.io_error(&error),
                })
                .boxed(),
            GetResultPayload::Stream(stream) => {
                let bytes = stream.map_err({
                    let store = self.clone();
                    move |error| store.object_error(Some(digest), &error)
                });
                exactly(range.end - range.start, bytes, move |problem| short(&store, digest, problem)).boxed()
            }
        };
        Reading { size, range, stream }
    }

    /// The error for a range that holds nothing of a blob.
    async fn outside(&self, digest: Digest, range: Range<u64>) -> Result<StoreError, StoreError> {
        let size = self.head(digest).await?.ok_or(StoreError::NotFound { digest })?;
        Ok(StoreError::InvalidRange { digest, range, size })
    }
}

/// A range as a server understands it: not all read an end beyond 63 bits.
fn asked(range: Range<u64>) -> GetRange {
    if i64::try_from(range.end).is_ok() { GetRange::Bounded(range) } else { GetRange::Offset(range.start) }
}

/// The error for bytes that are missing: from afar the line is to blame, on a disk the file.
fn short(store: &Store, digest: Digest, problem: String) -> StoreError {
    if store.is_remote() {
        StoreError::Unreachable {
            place: store.describe().to_owned(),
            cause: format!("reading blob {digest}: {problem}"),
        }
    } else {
        StoreError::Corrupt { digest, problem }
    }
}

/// Passes on a stream that must have `expected` bytes, and ends it with an error if it has fewer or more.
fn exactly<E>(
    expected: u64,
    stream: impl Stream<Item = Result<Bytes, E>> + Send + 'static,
    wrong: impl Fn(String) -> E + Send + 'static,
) -> impl Stream<Item = Result<Bytes, E>> + Send + 'static
where
    E: Send + 'static,
{
    let state = (Box::pin(stream), wrong, 0);
    futures::stream::try_unfold(state, move |(mut stream, wrong, before)| async move {
        match stream.next().await.transpose()? {
            None if before == expected => Ok(None),
            None => Err(wrong(format!("only {before} of {expected} bytes came"))),
            Some(bytes) => {
                let received = before + bytes.len() as u64;
                if received > expected {
                    return Err(wrong(format!("more than {expected} bytes came")));
                }
                Ok(Some((bytes, (stream, wrong, received))))
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn pass(expected: u64, chunks: &[&'static [u8]]) -> Result<Vec<u8>, String> {
        let chunks: Vec<_> = chunks.iter().map(|chunk| Ok::<_, String>(Bytes::from_static(chunk))).collect();
        let chunks: Vec<Bytes> =
            exactly(expected, futures::stream::iter(chunks), |problem| problem).try_collect().await?;
        Ok(chunks.concat())
    }

    #[tokio::test]
    async fn a_stream_of_the_announced_length_passes() {
        assert_eq!(pass(5, &[b"ab", b"", b"cde"]).await.unwrap(), b"abcde");
        assert_eq!(pass(0, &[]).await.unwrap(), b"");
    }

    #[tokio::test]
    async fn a_short_or_long_stream_ends_with_an_error() {
        assert_eq!(pass(5, &[b"ab"]).await.unwrap_err(), "only 2 of 5 bytes came");
        assert_eq!(pass(1, &[b"ab"]).await.unwrap_err(), "more than 1 bytes came");
    }
}
