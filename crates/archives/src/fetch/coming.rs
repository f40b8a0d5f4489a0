//! A file that is still on its way, read as if it were whole: who reads what has not come waits for it.

use std::fs::File;
use std::io::{self, ErrorKind, Read, Seek, SeekFrom};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

/// How far a file has come.
#[derive(Debug, Clone, Copy, Default)]
struct Progress {
    /// How many of its bytes are there.
    bytes: u64,
    /// Whether those are all.
    whole: bool,
    /// Whether bytes that were there have been taken away again: what was read of them is of no use.
    restarted: bool,
}

/// The side that writes the file. If it is dropped before the file is whole, nothing more comes.
#[derive(Debug)]
pub(super) struct Arriving(watch::Sender<Progress>);

/// The side that reads it.
#[derive(Debug, Clone)]
pub(super) struct Coming {
    path: PathBuf,
    progress: watch::Receiver<Progress>,
}

/// The two sides of a file.
pub(super) fn coming(path: &Path) -> (Arriving, Coming) {
    let (sender, progress) = watch::channel(Progress::default());
    (Arriving(sender), Coming { path: path.to_owned(), progress })
}

impl Arriving {
    /// So many bytes of the file are there.
    pub(super) fn reached(&self, bytes: u64) {
        self.0.send_modify(|progress| {
            progress.restarted |= bytes < progress.bytes;
            progress.bytes = bytes;
        });
    }

    /// All of the file is there.
    pub(super) fn whole(self) {
        self.0.send_modify(|progress| progress.whole = true);
    }
}

impl Coming {
    /// A file that is there already.
    pub(super) fn whole(path: &Path) -> Self {
        let (arriving, coming) = coming(path);
        arriving.whole();
        coming
    }

    /// Waits for the first bytes; false if none came.
    pub(super) async fn begun(&mut self) -> bool {
        self.progress.wait_for(|progress| progress.bytes > 0 || progress.whole).await.is_ok()
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Opens it for reading, on a thread that may wait. Whoever reads has a turn, and gives it back while nothing comes.
    pub(super) fn open(self, turns: Arc<Semaphore>) -> io::Result<ComingFile> {
        let (file, runtime) = (File::open(&self.path)?, Handle::current());
        Ok(ComingFile { file, at: 0, progress: self.progress, runtime, turns, turn: None })
    }
}

/// A file that is still on its way, open for reading.
#[derive(Debug)]
pub(super) struct ComingFile {
    file: File,
    at: u64,
    progress: watch::Receiver<Progress>,
    runtime: Handle,
    turns: Arc<Semaphore>,
    turn: Option<OwnedSemaphorePermit>,
}

impl ComingFile {
    /// Waits until there are more than `bytes`, or all; tells how far one may read.
    fn beyond(&mut self, bytes: u64) -> io::Result<u64> {
        let known = |now: &Progress| now.bytes > bytes || now.whole || now.restarted;
        if !known(&self.progress.borrow()) {
            self.turn = None;
        }
        let now = self.runtime.block_on(self.progress.wait_for(known)).map(|now| *now);
        if self.turn.is_none() {
            let turn = self.runtime.block_on(Arc::clone(&self.turns).acquire_owned());
            self.turn = Some(turn.map_err(io::Error::other)?);
        }
        match now {
            Ok(Progress { restarted: true, .. }) | Err(_) => {
                Err(io::Error::new(ErrorKind::ConnectionAborted, "it stopped coming, or began anew"))
            }
            Ok(Progress { whole: true, .. }) => Ok(u64::MAX),
            Ok(now) => Ok(now.bytes),
        }
    }
}

impl Read for ComingFile {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let there = self.beyond(self.at)? - self.at;
        let most = usize::try_from(there).unwrap_or(usize::MAX).min(buffer.len());
        let count = self.file.read_at(&mut buffer[..most], self.at)?;
        self.at += count as u64;
        Ok(count)
    }
}

impl Seek for ComingFile {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
            SeekFrom::End(by) => {
                self.beyond(u64::MAX)?;
                self.file.metadata()?.len().checked_add_signed(by)
            }
        }
        .ok_or(ErrorKind::InvalidInput)?;
        Ok(self.at)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[tokio::test]
    async fn who_reads_waits_for_what_has_not_come_and_for_the_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("frame");
        let (arriving, mut reading) = coming(&path);
        let reader = tokio::task::spawn({
            async move {
                assert!(reading.begun().await);
                tokio::task::spawn_blocking(move || {
                    let (mut file, mut bytes) = (reading.open(Arc::new(Semaphore::new(1))).unwrap(), Vec::new());
                    let end = file.seek(SeekFrom::End(-1)).unwrap();
                    file.rewind().unwrap();
                    file.read_to_end(&mut bytes).unwrap();
                    (end, bytes)
                })
                .await
                .unwrap()
            }
        });
        let mut file = File::create(&path).unwrap();
        for part in [b"abc", b"def", b"ghi"] {
            file.write_all(part).unwrap();
            arriving.reached(file.metadata().unwrap().len());
            tokio::task::yield_now().await;
        }
        arriving.whole();
        assert_eq!(reader.await.unwrap(), (8, b"abcdefghi".to_vec()));
    }

    #[tokio::test]
    async fn what_stops_coming_or_begins_anew_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("frame");
        std::fs::write(&path, b"abc").unwrap();
        let rest = |reading: Coming| async {
            let read = move || reading.open(Arc::new(Semaphore::new(1))).unwrap().read_to_end(&mut Vec::new());
            tokio::task::spawn_blocking(read).await.unwrap().map_err(|error| error.kind())
        };
        let (arriving, reading) = coming(&path);
        arriving.reached(3);
        let mut late = reading.clone();
        drop(arriving);
        assert_eq!(rest(reading).await, Err(ErrorKind::ConnectionAborted));
        assert!(late.begun().await, "some bytes had come");
        let (arriving, reading) = coming(&path);
        arriving.reached(3);
        arriving.reached(1);
        arriving.reached(3);
        arriving.whole();
        assert_eq!(rest(reading).await, Err(ErrorKind::ConnectionAborted));
        assert_eq!(rest(Coming::whole(&path)).await, Ok(3));
    }
}
