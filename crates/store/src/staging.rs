//! Files that are not blobs yet: written and hashed here, then moved or uploaded under their digest.
//!
//! A staged file removes itself when it is dropped. Only a killed process leaves one behind: [`Staging::stale`] finds those.

use std::fs::{File, OpenOptions};
use std::hash::{BuildHasher, RandomState};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use holotype_core::{Digest, Hasher, Instant};

use crate::file;

/// A blob never changes: not even its owner should write to it by mistake.
const READ_ONLY: u32 = 0o440;

/// The directory of unfinished files. Several processes may share it.
#[derive(Debug)]
pub(crate) struct Staging {
    directory: PathBuf,
    token: u64,
    next: AtomicU64,
}

/// A file that an interrupted upload left behind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StaleFile {
    /// Its name in the staging directory.
    pub name: String,
    /// Its size in bytes.
    pub size: u64,
    /// When something was last written to it.
    pub modified: Instant,
}

impl Staging {
    /// Uses a directory, and makes it if it is absent.
    pub(crate) fn open(directory: PathBuf) -> io::Result<Self> {
        file::create_directory(&directory)?;
        let token = RandomState::new().hash_one(std::process::id());
        Ok(Self { directory, token, next: AtomicU64::new(0) })
    }

    /// A new, empty file that no other process has.
    fn create(&self) -> io::Result<(File, StagedFile)> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let path = self.directory.join(format!("{:016x}-{number}", self.token));
        let file = OpenOptions::new().write(true).create_new(true).mode(READ_ONLY).open(&path)?;
        Ok((file, StagedFile { path }))
    }

    /// Shows that a file can be written, by writing one.
    pub(crate) fn probe(&self) -> io::Result<()> {
        let (mut file, _removed) = self.create()?;
        file.write_all(b"probe")
    }

    /// Files last written to before an instant.
    pub(crate) fn stale(&self, before: Instant) -> io::Result<Vec<StaleFile>> {
        let mut stale = Vec::new();
        for entry in std::fs::read_dir(&self.directory)? {
            let name = entry?.file_name();
            // A name that is not UTF-8 is not one of ours, and a file that has gone meanwhile is not stale.
            if let Some(found) = name.to_str().map(|name| self.inspect(name)).transpose()?.flatten()
                && found.modified < before
            {
                stale.push(found);
            }
        }
        Ok(stale)
    }

    /// Removes a stale file, unless it has been written to since it was found. Says whether it was there.
    pub(crate) fn remove(&self, stale: &StaleFile) -> io::Result<bool> {
        match self.inspect(&stale.name)? {
            Some(found) if found == *stale => std::fs::remove_file(self.directory.join(&stale.name)).map(|()| true),
            _ => Ok(false),
        }
    }

    fn inspect(&self, name: &str) -> io::Result<Option<StaleFile>> {
        if Path::new(name).file_name() != Some(name.as_ref()) {
            return Ok(None);
        }
        match std::fs::symlink_metadata(self.directory.join(name)) {
            Ok(metadata) if metadata.is_file() => Ok(Some(StaleFile {
                name: name.to_owned(),
                size: metadata.len(),
                modified: instant(metadata.modified()?),
            })),
            Ok(_) => Ok(None),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// A file in the staging directory; dropping it removes it.
#[derive(Debug)]
pub(crate) struct StagedFile {
    path: PathBuf,
}

impl StagedFile {
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The file's name in the staging directory, which is ours and therefore UTF-8.
    pub(crate) fn name(&self) -> std::borrow::Cow<'_, str> {
        self.path.file_name().unwrap_or_default().to_string_lossy()
    }
}

impl Drop for StagedFile {
    fn drop(&mut self) {
        let path = std::mem::take(&mut self.path);
        // It is gone already when it became a blob; any other failure leaves it to the sweep.
        let remove = move || drop(std::fs::remove_file(path));
        // Removing a large file may wait for the disk.
        match tokio::runtime::Handle::try_current() {
            Ok(runtime) => drop(runtime.spawn_blocking(remove)),
            Err(_) => remove(),
        }
    }
}

/// Bytes that may wait in the system's memory to be written. All others who flush meanwhile wait for them, too.
const UNFLUSHED: u64 = 64 << 20;

/// Writes and hashes bytes as they come. It makes its file at the first one: an upload that never begins costs nothing.
#[derive(Debug)]
pub(crate) struct Writer {
    staging: Arc<Staging>,
    durable: bool,
    file: Option<(File, StagedFile)>,
    hasher: Hasher,
    size: u64,
    unflushed: u64,
}

/// What a [`Writer`] has made.
#[derive(Debug)]
pub(crate) struct Written {
    pub(crate) file: StagedFile,
    pub(crate) digest: Digest,
    pub(crate) size: u64,
}

impl Writer {
    /// A writer whose file is on the disk when it is finished, if `durable`.
    pub(crate) fn new(staging: Arc<Staging>, durable: bool) -> Self {
        Self { staging, durable, file: None, hasher: Hasher::new(), size: 0, unflushed: 0 }
    }

    /// Takes the next bytes. Blocks.
    pub(crate) fn absorb(mut self, bytes: &[u8]) -> io::Result<Self> {
        let (mut file, staged) = self.open()?;
        file.write_all(bytes)?;
        self.hasher.update(bytes);
        self.size += bytes.len() as u64;
        self.unflushed += bytes.len() as u64;
        if self.durable && self.unflushed >= UNFLUSHED {
            file.sync_data()?;
            self.unflushed = 0;
        }
        self.file = Some((file, staged));
        Ok(self)
    }

    /// Ends the file. Blocks.
    pub(crate) fn finish(mut self) -> io::Result<Written> {
        let (file, staged) = self.open()?;
        if self.durable {
            file.sync_all()?;
        }
        Ok(Written { file: staged, digest: self.hasher.finish(), size: self.size })
    }

    fn open(&mut self) -> io::Result<(File, StagedFile)> {
        self.file.take().map_or_else(|| self.staging.create(), Ok)
    }
}

/// A file's time as the catalog counts it; a time before 1970 is one no upload of ours had.
fn instant(time: SystemTime) -> Instant {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Instant::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn staging() -> (tempfile::TempDir, Arc<Staging>) {
        let folder = tempfile::tempdir().unwrap();
        let staging = Staging::open(folder.path().join("staging")).unwrap();
        (folder, Arc::new(staging))
    }

    fn files(staging: &Staging) -> usize {
        std::fs::read_dir(&staging.directory).unwrap().count()
    }

    const LATER: Instant = Instant::from_micros(i64::MAX);

    #[test]
    fn a_writer_names_what_it_wrote() {
        let (_folder, staging) = staging();
        let writer = Writer::new(Arc::clone(&staging), true);
        assert_eq!(files(&staging), 0);
        let written = writer.absorb(b"ab").unwrap().absorb(b"c").unwrap().finish().unwrap();
        assert_eq!((written.digest, written.size), (Digest::of(b"abc"), 3));
        assert_eq!(std::fs::read(written.file.path()).unwrap(), b"abc");
    }

    #[test]
    fn nothing_written_is_an_empty_file() {
        let (_folder, staging) = staging();
        let written = Writer::new(staging, true).finish().unwrap();
        assert_eq!((written.digest, written.size), (Digest::of(b""), 0));
        assert_eq!(std::fs::metadata(written.file.path()).unwrap().len(), 0);
    }

    #[test]
    fn a_file_that_is_dropped_is_gone() {
        let (_folder, staging) = staging();
        let writer = Writer::new(Arc::clone(&staging), true).absorb(b"abc").unwrap();
        assert_eq!(files(&staging), 1);
        drop(writer);
        assert_eq!(files(&staging), 0);
    }

    #[test]
    fn only_files_older_than_asked_are_stale_and_only_unchanged_ones_are_removed() {
        let (_folder, staging) = staging();
        std::fs::write(staging.directory.join("left"), b"half").unwrap();
        std::fs::create_dir(staging.directory.join("folder")).unwrap();
        assert_eq!(staging.stale(Instant::from_micros(0)).unwrap(), []);
        let stale = staging.stale(LATER).unwrap();
        assert_eq!(stale.iter().map(|file| (&*file.name, file.size)).collect::<Vec<_>>(), [("left", 4)]);
        std::fs::write(staging.directory.join("left"), b"half and more").unwrap();
        assert!(!staging.remove(&stale[0]).unwrap());
        let stale = staging.stale(LATER).unwrap();
        assert!(staging.remove(&stale[0]).unwrap());
        assert!(!staging.remove(&stale[0]).unwrap());
    }

    #[test]
    fn a_name_with_a_path_in_it_reaches_nothing_outside() {
        let (folder, staging) = staging();
        std::fs::write(folder.path().join("victim"), b"x").unwrap();
        let modified = instant(std::fs::metadata(folder.path().join("victim")).unwrap().modified().unwrap());
        for name in ["../victim".to_owned(), folder.path().join("victim").display().to_string()] {
            assert!(!staging.remove(&StaleFile { name, size: 1, modified }).unwrap());
        }
        assert!(folder.path().join("victim").exists());
    }
}
