//! Files that are whole or absent, in folders that belong to somebody else.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};

use crate::ArchiveError;

/// What our files are called before they have their names. No pipeline looks at hidden files.
const HIDDEN: &str = ".holotype-";

/// What the lock of a directory is called.
const LOCK: &str = ".holotype-lock";

/// The name beside `path` under which its content is written first. On the same file system, so that the last step is a rename.
pub(super) fn hidden(path: &Path) -> Result<PathBuf, ArchiveError> {
    match path.file_name() {
        Some(name) => {
            let mut hidden = std::ffi::OsString::from(HIDDEN);
            hidden.push(name);
            Ok(path.with_file_name(hidden))
        }
        None => Err(ArchiveError::file(path, "it is not the name of a file")),
    }
}

/// Whether a file has one of our hidden names.
pub(super) fn is_hidden(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(HIDDEN.as_bytes()))
}

/// Whether a file is the lock of a directory.
pub(super) fn is_lock(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name == LOCK)
}

/// Writes a file that is there whole and durable afterwards, or as it was before.
pub(super) fn write_whole(path: &Path, content: &[u8]) -> Result<(), ArchiveError> {
    let hidden = hidden(path)?;
    let failed = |error| ArchiveError::io(path, "cannot be written", error);
    let written = File::create(&hidden).and_then(|mut file| {
        file.write_all(content)?;
        file.sync_all()
    });
    if let Err(error) = written {
        // What is left of it is in nobody's way, and is written over the next time.
        drop(fs::remove_file(&hidden));
        return Err(failed(error));
    }
    put_in_place(&hidden, path)
}

/// Gives a file that is written and flushed its name, durably.
pub(super) fn put_in_place(hidden: &Path, path: &Path) -> Result<(), ArchiveError> {
    let failed = |error| ArchiveError::io(path, "cannot be put in place", error);
    fs::rename(hidden, path).map_err(failed)?;
    flush_directory(path.parent().unwrap_or(Path::new("/"))).map_err(failed)
}

/// Has the names in a directory outlast a crash of the machine.
pub(super) fn flush_directory(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}

/// Moves a file, also from one file system to another. Its name is not flushed: that is done for many at a time.
pub(super) fn move_file(from: &Path, to: &Path) -> Result<(), ArchiveError> {
    match fs::rename(from, to) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::CrossesDevices => {
            let hidden = hidden(to)?;
            fs::copy(from, &hidden)
                .and_then(|_| File::open(&hidden)?.sync_all())
                .map_err(|error| ArchiveError::io(to, "cannot be written", error))?;
            put_in_place(&hidden, to)?;
            fs::remove_file(from).map_err(|error| ArchiveError::io(from, "cannot be removed", error))
        }
        Err(error) => Err(ArchiveError::io(to, "cannot be put in place", error)),
    }
}

/// Makes a directory and those above it.
pub(super) fn make_directory(path: &Path) -> Result<(), ArchiveError> {
    fs::create_dir_all(path).map_err(|error| ArchiveError::io(path, "cannot be made", error))
}

/// A directory that one fetch works in at a time. The lock ends with the process, however it ends.
#[derive(Debug)]
pub(super) struct Claim {
    path: PathBuf,
    _file: File,
}

impl Claim {
    /// Claims a directory.
    ///
    /// # Errors
    /// [`ArchiveError::InUse`] while another fetch has it.
    pub(super) fn take(directory: &Path) -> Result<Self, ArchiveError> {
        let path = directory.join(LOCK);
        loop {
            let file = OpenOptions::new()
                .create(true)
                .truncate(false)
                .write(true)
                .open(&path)
                .map_err(|error| ArchiveError::io(&path, "cannot be opened", error))?;
            match flock(&file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => {}
                Err(rustix::io::Errno::WOULDBLOCK) => {
                    return Err(ArchiveError::InUse { directory: directory.to_owned() });
                }
                Err(error) => return Err(ArchiveError::io(&path, "cannot be locked", error.into())),
            }
            // Whoever held it before has removed it: then this is the lock of a file without a name.
            if same_file(&file, &path) {
                return Ok(Self { path, _file: file });
            }
        }
    }
}

fn same_file(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    match (file.metadata(), fs::metadata(path)) {
        (Ok(held), Ok(named)) => (held.dev(), held.ino()) == (named.dev(), named.ino()),
        _ => false,
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        // A fetch leaves nothing in the directory that the pipeline did not know.
        drop(fs::remove_file(&self.path));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_is_claimed_by_one_at_a_time_and_left_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let claim = Claim::take(folder.path()).unwrap();
        assert!(matches!(Claim::take(folder.path()), Err(ArchiveError::InUse { .. })));
        drop(claim);
        drop(Claim::take(folder.path()).unwrap());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_file_is_replaced_whole_and_nothing_is_left_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("list.txt");
        for content in ["long content", "short"] {
            write_whole(&path, content.as_bytes()).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), content);
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        let error = write_whole(&folder.path().join("absent/list.txt"), b"x").unwrap_err();
        assert!(error.to_string().contains("absent/list.txt cannot be written"), "{error}");
    }
}
