//! `data_download.log`: what a fetch does, line by line, in the pipeline's form. It is added to, so it tells of earlier fetches too.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use holotype_core::Instant;

use super::files;
use crate::ArchiveError;

/// What the file is called in the configuration's `log_dir`.
const NAME: &str = "data_download.log";

/// An open log.
#[derive(Debug)]
pub(super) struct LogFile(Mutex<File>);

impl LogFile {
    /// Opens the log of a directory, which is made if it is not there.
    ///
    /// # Errors
    /// [`ArchiveError::File`].
    pub(super) fn open(directory: &Path) -> Result<Self, ArchiveError> {
        files::make_directory(directory)?;
        let path = directory.join(NAME);
        let file = OpenOptions::new().create(true).append(true).open(&path);
        let file = file.map_err(|error| ArchiveError::io(&path, "cannot be written", error))?;
        Ok(Self(Mutex::new(file)))
    }

    /// Adds a line. A log that cannot be written, on a full disk for example, stops no fetch: the job keeps a log of its own.
    pub(super) fn say(&self, at: Instant, text: &str) {
        let at = at.timestamp().strftime("%Y-%m-%dT%H:%M:%S").to_string();
        let one_line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        let mut file = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = file.write_all(format!("{at} {one_line}\n").as_bytes()) {
            tracing::warn!(%error, "a line of the fetch's log file was not written");
        }
    }
}
