//! Local files read and flushed without stalling the runtime: every system call that may wait for a disk runs on a blocking thread.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use futures::{Stream, StreamExt, stream};

/// Bytes read at once. A quarter of a mebibyte keeps the cost of changing threads below a hundredth, and memory small.
pub(crate) const CHUNK: usize = 256 * 1024;

/// Chunks on their way at the same time: one is read from the disk while another is sent.
const READ_AHEAD: usize = 2;

/// The bytes of a file in order, in chunks of at most [`CHUNK`].
///
/// A file that ends before `range` does gives `UnexpectedEof`.
pub(crate) fn chunks(file: File, range: Range<u64>) -> impl Stream<Item = io::Result<Bytes>> + Send + 'static {
    let file = Arc::new(file);
    let end = range.end;
    stream::iter(range.step_by(CHUNK))
        .map(move |start| chunk(Arc::clone(&file), start..end.min(start + CHUNK as u64)))
        .buffered(READ_AHEAD)
}

/// The bytes of `range`, which must fit in memory.
pub(crate) async fn chunk(file: Arc<File>, range: Range<u64>) -> io::Result<Bytes> {
    blocking(move || {
        let length = usize::try_from(range.end.saturating_sub(range.start)).map_err(io::Error::other)?;
        let mut bytes = vec![0; length];
        file.read_exact_at(&mut bytes, range.start)?;
        Ok(bytes.into())
    })
    .await
}

/// Runs `work` on a blocking thread. Its only failure of its own is a runtime that is shutting down.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| Err(io::Error::other(error)))
}

/// Flushes what a directory lists to the disk.
pub(crate) fn flush_directory(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// Makes a directory and those above it, and flushes every directory that lists a new one.
pub(crate) fn create_directory(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    if let Some(parent) = parent {
        create_directory(parent)?;
    }
    match std::fs::create_dir(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists || !path.is_dir() => Err(error),
        _ => flush_directory(parent.unwrap_or(Path::new("."))),
    }
}

#[cfg(test)]
mod tests {
    use futures::TryStreamExt;

    use super::*;

    fn file_of(size: usize) -> (tempfile::TempDir, Vec<u8>, File) {
        let folder = tempfile::tempdir().unwrap();
        let bytes: Vec<u8> = (0..size).map(|i| (i % 251) as u8).collect();
        let path = folder.path().join("file");
        std::fs::write(&path, &bytes).unwrap();
        let file = File::open(path).unwrap();
        (folder, bytes, file)
    }

    #[tokio::test]
    async fn chunks_come_in_order_and_cover_the_range_exactly() {
        for (size, range) in [(0, 0..0), (1, 0..1), (3 * CHUNK + 7, 0..3 * CHUNK + 7), (3 * CHUNK, 5..2 * CHUNK + 5)] {
            let (_folder, bytes, file) = file_of(size);
            let chunks: Vec<Bytes> = chunks(file, range.start as u64..range.end as u64).try_collect().await.unwrap();
            assert!(chunks.iter().all(|chunk| !chunk.is_empty() && chunk.len() <= CHUNK));
            assert_eq!(chunks.concat(), bytes[range]);
        }
    }

    #[tokio::test]
    async fn a_file_that_ends_early_is_an_error() {
        let (_folder, _, file) = file_of(10);
        let result: io::Result<Vec<Bytes>> = chunks(file, 0..11).try_collect().await;
        assert_eq!(result.unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    }

    #[test]
    fn directories_are_made_once_and_a_file_in_the_way_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/b/c");
        create_directory(&path).unwrap();
        create_directory(&path).unwrap();
        assert!(path.is_dir());
        std::fs::write(folder.path().join("file"), b"").unwrap();
        assert!(create_directory(&folder.path().join("file")).is_err());
        assert!(create_directory(&folder.path().join("file/below")).is_err());
    }
}
