//! Scratch folders: one for each execution, removed at its end, or by the next program if this one was killed.
//!
//! Each folder has a file that its maker holds a lock on. The system lets go of it when the process dies, however it dies; so a folder
//! whose lock can be had is nobody's any more, whichever host's program looks.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

/// The file in a folder that is locked.
const LOCK: &str = "in-use";

/// A folder that goes when this does.
#[derive(Debug)]
pub(crate) struct Scratch {
    path: PathBuf,
    _lock: File,
}

impl Scratch {
    /// Makes a folder of this name under `root`, empty.
    pub(crate) fn make(root: &Path, name: &str) -> io::Result<Self> {
        let path = root.join(name);
        remove(&path)?;
        fs::create_dir_all(&path)?;
        let lock = File::create(path.join(LOCK))?;
        lock.try_lock()?;
        Ok(Self { path, _lock: lock })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(error) = remove(&self.path) {
            tracing::warn!(path = %self.path.display(), %error, "a scratch folder was not removed");
        }
    }
}

/// Removes the folders under `root` that nobody holds any more; how many there were.
pub(crate) fn clear(root: &Path) -> io::Result<usize> {
    let entries = match fs::read_dir(root) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        Err(error) => return Err(error),
    };
    let mut removed = 0;
    for entry in entries {
        let path = entry?.path();
        if is_held(&path)? {
            continue;
        }
        remove(&path)?;
        removed += 1;
    }
    Ok(removed)
}

fn is_held(folder: &Path) -> io::Result<bool> {
    match File::open(folder.join(LOCK)) {
        Ok(lock) => match lock.try_lock() {
            Ok(()) => Ok(false),
            Err(TryLockError::WouldBlock) => Ok(true),
            Err(TryLockError::Error(error)) => Err(error),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

fn remove(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_goes_with_its_holder_and_what_a_killed_one_left_is_cleared() {
        let root = tempfile::tempdir().unwrap();
        let held = Scratch::make(root.path(), "a-1").unwrap();
        fs::write(held.path().join("x.fits"), "x").unwrap();
        fs::create_dir_all(root.path().join("b-1")).unwrap();
        fs::write(root.path().join("b-1/in-use"), "").unwrap();
        fs::create_dir_all(root.path().join("c-1")).unwrap();
        assert_eq!(clear(root.path()).unwrap(), 2);
        assert!(held.path().join("x.fits").exists());
        let path = held.path().to_owned();
        drop(held);
        assert!(!path.exists());
        assert_eq!(clear(&root.path().join("never")).unwrap(), 0);
    }
}
