//! Reading a FITS file while listening for signals.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use holotype_fits::FitsError;

use crate::failure::Failure;
use crate::interrupt::Interrupts;

/// A file that is read until somebody asks to stop.
pub(super) type Source = BufReader<Watched>;

/// See [`Source`].
#[derive(Debug)]
pub(super) struct Watched {
    file: File,
    stop: Arc<AtomicBool>,
}

impl Read for Watched {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.stop.load(Ordering::Relaxed) {
            return Err(io::Error::other("the reading was stopped"));
        }
        self.file.read(buffer)
    }
}

impl Seek for Watched {
    fn seek(&mut self, position: SeekFrom) -> io::Result<u64> {
        self.file.seek(position)
    }
}

/// Opens a file and does `work` with it in a thread of its own. The first signal stops the reading, after which `work` ends
/// and leaves nothing half done; the second ends it at once. `done` says what then cannot be done to the file.
pub(super) async fn work<T: Send + 'static>(
    path: &Path,
    done: &'static str,
    work: impl FnOnce(&mut Source) -> Result<T, FitsError> + Send + 'static,
) -> Result<T, Failure> {
    let failed = |source| Failure::io(format!("{} cannot be {done}", path.display()), source);
    let mut interrupts = Interrupts::listen().map_err(|source| Failure::io("signals cannot be heard", source))?;
    let stop = Arc::new(AtomicBool::new(false));
    // A pipe would keep the program waiting, and cannot be read twice.
    if !std::fs::metadata(path).map_err(failed)?.is_file() {
        return Err(Failure::input(format!("{} is not a file", path.display()), "name a file on the disk"));
    }
    let file = File::open(path).map_err(failed)?;
    let mut source = BufReader::new(Watched { file, stop: Arc::clone(&stop) });
    let mut task = tokio::task::spawn_blocking(move || work(&mut source));
    let result = tokio::select! {
        result = &mut task => result,
        () = interrupts.next() => {
            stop.store(true, Ordering::Relaxed);
            tokio::select! {
                _ = task => {}
                () = interrupts.next() => {}
            }
            return Err(Failure::Interrupted);
        }
    };
    match result.map_err(|error| failed(io::Error::other(error)))? {
        Ok(value) => Ok(value),
        Err(FitsError::Io(source)) => Err(failed(source)),
        Err(source) => Err(Failure::Fits { path: path.to_owned(), source }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_no_file_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let missing = work(&folder.path().join("no.fits"), "read", |_| Ok(())).await.unwrap_err();
        assert!(missing.to_string().contains("no.fits"), "{missing}");
        let directory = work(folder.path(), "read", |_| Ok(())).await.unwrap_err();
        assert!(directory.to_string().contains("is not a file"), "{directory}");
    }

    #[test]
    fn a_stopped_source_gives_nothing_more() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        std::fs::write(&path, "text").unwrap();
        let stop = Arc::new(AtomicBool::new(false));
        let mut source = Watched { file: File::open(&path).unwrap(), stop: Arc::clone(&stop) };
        assert_eq!(source.read(&mut [0; 2]).unwrap(), 2);
        stop.store(true, Ordering::Relaxed);
        assert!(source.read(&mut [0; 2]).is_err());
    }
}
