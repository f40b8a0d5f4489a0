//! One frame's bytes, from the archive to a file beside the others that arrive: resumed, bounded, and compared with its checksum.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use bytes::{Bytes, BytesMut};
use futures::StreamExt;
use tokio::task::spawn_blocking;

use crate::ArchiveError;
use crate::http::{ByteRange, Response};
use crate::source::{ArchiveSource, Checksum, Download, Listed, SourceError};

/// Bytes that are gathered before the disk is asked to take them.
const WRITE: usize = 1024 * 1024;

/// How often a transfer that broke off is gone on with, without a byte having come in between.
const FRUITLESS: u32 = 3;

/// The largest frame that is taken where the archive says no size.
const MOST_BYTES: u64 = 64 * 1024 * 1024 * 1024;

/// Brings a frame into `path`, going on with what is there of it; how many bytes came over the network. An MD5 or a SHA-256 is
/// not compared here: who puts the file into the store is told both.
///
/// # Errors
/// The archive's last one; [`ArchiveError::Damaged`] if the bytes are not those that the archive lists.
pub(super) async fn transfer(
    source: &dyn ArchiveSource,
    frame: &Listed,
    address: Option<Download>,
    path: &Path,
) -> Result<u64, ArchiveError> {
    let mut transfer = Transfer { source, frame, path, address, etag: None, transferred: 0 };
    // Without a checksum nothing tells whether what an earlier process left belongs to the same bytes.
    if frame.checksum.is_none() {
        remove(path).await?;
    }
    transfer.complete().await?;
    transfer.verify().await?;
    Ok(transfer.transferred)
}

struct Transfer<'t> {
    source: &'t dyn ArchiveSource,
    frame: &'t Listed,
    path: &'t Path,
    address: Option<Download>,
    /// The entity tag of the answer that began the file.
    etag: Option<String>,
    transferred: u64,
}

impl Transfer<'_> {
    /// Fetches until the file is whole.
    async fn complete(&mut self) -> Result<(), ArchiveError> {
        let (mut fruitless, mut resolved) = (0, self.address.is_none());
        loop {
            let before = length(self.path).await?;
            if self.frame.size.is_some_and(|size| before >= size && size > 0) {
                return Ok(());
            }
            match self.some(before).await {
                Ok(()) => return Ok(()),
                // A signed address has its day; the archive gives another.
                Err(Broken::Archive(error)) if is_expired(&error) && !resolved => {
                    (self.address, resolved) = (None, true);
                }
                Err(Broken::Archive(error)) => {
                    let came = length(self.path).await? > before;
                    fruitless = if came { 0 } else { fruitless + 1 };
                    if !error.is_transient() || fruitless == FRUITLESS {
                        return Err(error.into());
                    }
                }
                Err(Broken::Here(error)) => return Err(error),
            }
        }
    }

    /// Fetches from a byte on, as far as the connection holds.
    async fn some(&mut self, from: u64) -> Result<(), Broken> {
        let ranges = self.source.limits().ranges;
        let address = match self.address.clone() {
            Some(address) => address,
            None => self.address.insert(self.source.resolve(self.frame).await?).clone(),
        };
        let range = (from > 0 && ranges).then_some(ByteRange { start: from, end: None });
        let response = match self.source.http().get(&address, range, self.etag.as_deref()).await {
            // It is not longer than what is there: the checksum tells whether that is all.
            Err(SourceError::Status { status: 416, .. }) if from > 0 => return Ok(()),
            other => other?,
        };
        let begins_at = response.range.map_or(0, |range| range.start);
        if begins_at == 0 {
            self.etag.clone_from(&response.etag);
        }
        self.write(response, begins_at).await
    }

    async fn write(&mut self, response: Response, from: u64) -> Result<(), Broken> {
        let most = self.frame.size.unwrap_or(MOST_BYTES);
        let mut file = open(self.path, from).await?;
        let (mut body, mut at, mut gathered) = (response.body, from, BytesMut::with_capacity(WRITE));
        let mut broken = None;
        while let Some(chunk) = body.next().await {
            let chunk: Bytes = match chunk {
                Ok(chunk) => chunk,
                Err(error) => {
                    broken = Some(error);
                    break;
                }
            };
            at += chunk.len() as u64;
            self.transferred += chunk.len() as u64;
            if at > most {
                let problem = format!("more than the {most} bytes came that the archive lists");
                return Err(Broken::Here(ArchiveError::Damaged { name: self.frame.name.clone(), problem }));
            }
            gathered.extend_from_slice(&chunk);
            if gathered.len() >= WRITE {
                file = append(self.path, file, gathered.split().freeze()).await?;
            }
        }
        // Also of a body that broke off: what came need not come again.
        append(self.path, file, gathered.freeze()).await?;
        match broken {
            Some(error) => Err(error.into()),
            None => Ok(()),
        }
    }

    async fn verify(&self) -> Result<(), ArchiveError> {
        let (path, size, name) = (self.path.to_owned(), self.frame.size, self.frame.name.clone());
        // The store reads all bytes again and makes the MD5 and the SHA-256 of them; others are made here.
        let here = self.frame.checksum.filter(|checksum| !matches!(checksum, Checksum::Md5(_) | Checksum::Sha256(_)));
        blocking(move || {
            let failed = |error| ArchiveError::io(&path, "cannot be read", error);
            let mut file = File::open(&path).map_err(failed)?;
            let length = file.metadata().map_err(failed)?.len();
            if let Some(size) = size.filter(|size| *size != length) {
                let problem = format!("{length} bytes came, and the archive lists {size}");
                return Err(ArchiveError::Damaged { name, problem });
            }
            let Some(checksum) = here else { return Ok(()) };
            let (mut verifier, mut buffer) = (checksum.verifier(), vec![0; WRITE]);
            loop {
                match file.read(&mut buffer).map_err(failed)? {
                    0 => break,
                    count => verifier.update(&buffer[..count]),
                }
            }
            verifier.finish().map_err(|found| damaged(&name, &checksum.to_string(), &found.to_string()))
        })
        .await
    }
}

/// That a frame's bytes are not those that the archive lists.
pub(super) fn damaged(name: &str, listed: &str, found: &str) -> ArchiveError {
    let problem = format!("its bytes have the checksum {found}, and the archive lists {listed}");
    ArchiveError::Damaged { name: name.to_owned(), problem }
}

/// On which side something broke.
enum Broken {
    Archive(SourceError),
    Here(ArchiveError),
}

impl From<SourceError> for Broken {
    fn from(error: SourceError) -> Self {
        Self::Archive(error)
    }
}

impl From<ArchiveError> for Broken {
    fn from(error: ArchiveError) -> Self {
        Self::Here(error)
    }
}

fn is_expired(error: &SourceError) -> bool {
    matches!(error, SourceError::Status { status: 400 | 401 | 403 | 404 | 410, .. })
}

/// Runs what waits for the disk where that holds nobody up.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ArchiveError> + Send + 'static,
) -> Result<T, ArchiveError> {
    spawn_blocking(work).await.map_err(ArchiveError::internal)?
}

async fn length(path: &Path) -> Result<u64, ArchiveError> {
    match tokio::fs::metadata(path).await {
        Ok(metadata) => Ok(metadata.len()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(0),
        Err(error) => Err(ArchiveError::io(path, "cannot be looked at", error)),
    }
}

pub(super) async fn remove(path: &Path) -> Result<(), ArchiveError> {
    match tokio::fs::remove_file(path).await {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(ArchiveError::io(path, "cannot be removed", error))
        }
        _ => Ok(()),
    }
}

/// Opens the file to go on at a byte; what is behind it is cut off.
async fn open(path: &Path, at: u64) -> Result<File, ArchiveError> {
    let path = path.to_owned();
    blocking(move || {
        let opened = OpenOptions::new().create(true).truncate(false).write(true).open(&path).and_then(|mut file| {
            file.set_len(at)?;
            file.seek(SeekFrom::Start(at))?;
            Ok(file)
        });
        opened.map_err(|error| ArchiveError::io(&path, "cannot be written", error))
    })
    .await
}

async fn append(path: &Path, mut file: File, bytes: Bytes) -> Result<File, ArchiveError> {
    let path: PathBuf = path.to_owned();
    blocking(move || {
        file.write_all(&bytes).map_err(|error| ArchiveError::io(&path, "cannot be written", error))?;
        Ok(file)
    })
    .await
}
