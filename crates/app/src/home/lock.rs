//! Who works on a home: at most one server or in-process command at a time.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::time::Duration;

use holotype_core::Instant;
use serde::{Deserialize, Serialize};

use super::{Home, HomeError};

/// The largest text of a lock that is read, in bytes.
const LARGEST: u64 = 4096;

/// How often a lock that others only look at is tried.
const LOOKS: u32 = 1000;

/// The pause between two tries.
const BETWEEN_LOOKS: Duration = Duration::from_millis(2);

/// A process that holds a home.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// Its process id.
    pub pid: u32,
    /// What it does: the command's name.
    pub command: String,
    /// Since when it holds the home.
    pub since: Instant,
}

/// The right to work on a home. It ends when this value is dropped, or with the process, however that ends.
#[derive(Debug)]
pub struct HomeLock {
    _file: File,
}

impl Home {
    /// Takes the home for this process.
    ///
    /// # Errors
    /// [`HomeError::InUse`] names the process that holds it; [`HomeError::NotWritable`] if no lock can be made.
    pub fn lock(&self, command: &str, now: Instant) -> Result<HomeLock, HomeError> {
        let path = self.root().join("lock");
        let not_writable = |source| HomeError::NotWritable { path: path.clone(), source };
        let opened = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
        let mut file = opened.map_err(not_writable)?;
        if !take(&file).map_err(not_writable)? {
            return Err(HomeError::InUse { path: self.root().to_owned(), holder: read(&mut file) });
        }
        let holder = Holder { pid: std::process::id(), command: command.to_owned(), since: now };
        write(&mut file, &holder).map_err(not_writable)?;
        Ok(HomeLock { _file: file })
    }

    /// Who holds the home now, if anybody does.
    pub fn holder(&self) -> Option<Holder> {
        let mut file = File::open(self.root().join("lock")).ok()?;
        match file.try_lock_shared() {
            Err(TryLockError::WouldBlock) => read(&mut file),
            _ => None,
        }
    }
}

/// Takes the lock unless somebody holds it. Who only looks, in [`Home::holder`], shares it for a moment, which is waited out.
fn take(file: &File) -> std::io::Result<bool> {
    for _ in 0..LOOKS {
        match file.try_lock() {
            Ok(()) => return Ok(true),
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(error)) => return Err(error),
        }
        match file.try_lock_shared() {
            Ok(()) => file.unlock()?,
            Err(TryLockError::WouldBlock) => return Ok(false),
            Err(TryLockError::Error(error)) => return Err(error),
        }
        std::thread::sleep(BETWEEN_LOOKS);
    }
    Ok(false)
}

/// The holder may be about to write it, so what cannot be read is nobody known.
fn read(file: &mut File) -> Option<Holder> {
    let mut text = String::new();
    file.take(LARGEST).read_to_string(&mut text).ok()?;
    serde_json::from_str(&text).ok()
}

fn write(file: &mut File, holder: &Holder) -> std::io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    file.write_all(serde_json::to_string(holder)?.as_bytes())
}

pub(super) fn named(holder: &Option<Holder>) -> String {
    match holder {
        Some(holder) => format!("process {} (holotype {}) since {}", holder.pid, holder.command, holder.since),
        None => "another process".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_holder_is_told_who_the_first_is() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::at(folder.path());
        let since = Instant::from_micros(1_700_000_000_000_000);
        assert_eq!(home.holder(), None);

        let lock = home.lock("serve", since).unwrap();
        let error = home.lock("datapoint", since).unwrap_err();
        assert_eq!(error.category(), holotype_core::Category::Busy);
        let said = error.to_string();
        assert!(said.contains(&format!("process {} (holotype serve)", std::process::id())), "{said}");
        assert!(said.contains("2023-11-14T22:13:20Z"), "{said}");
        assert_eq!(home.holder().unwrap().command, "serve");

        drop(lock);
        assert_eq!(home.holder(), None);
        home.lock("worker", since).unwrap();
    }

    #[test]
    fn to_look_who_holds_a_home_keeps_nobody_from_taking_it() {
        use std::sync::atomic::{AtomicBool, Ordering};
        let folder = tempfile::tempdir().unwrap();
        let home = Home::at(folder.path());
        let done = AtomicBool::new(false);
        std::thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    while !done.load(Ordering::Relaxed) {
                        home.holder();
                    }
                });
            }
            let taken = (0..100).all(|_| home.lock("serve", Instant::from_micros(0)).is_ok());
            done.store(true, Ordering::Relaxed);
            assert!(taken);
        });
    }

    #[test]
    fn a_lock_whose_text_is_damaged_still_locks() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::at(folder.path());
        let _lock = home.lock("serve", Instant::from_micros(0)).unwrap();
        std::fs::write(folder.path().join("lock"), "{").unwrap();
        let error = home.lock("serve", Instant::from_micros(0)).unwrap_err();
        assert!(error.to_string().contains("another process"), "{error}");
    }
}
