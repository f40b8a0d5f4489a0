//! One frame's bytes, from the archive to a file beside the others that arrive, and to the store: resumed, bounded, and compared
//! with its checksum.
//!
//! The store takes the bytes as they come, so that it has hashed them when the last one is there. The file is what a killed fetch
//! goes on with, and what is unpacked.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use bytes::{Bytes, BytesMut};
use futures::StreamExt;
use holotype_blobs::{Blobs, Upload};
use tokio::io::{AsyncReadExt, AsyncSeekExt};
use tokio::task::spawn_blocking;

use super::coming::Arriving;
use crate::ArchiveError;
use crate::http::{ByteRange, Response};
use crate::source::{ArchiveSource, Checksum, Download, Listed, SourceError};

/// Bytes that are gathered before the disk and the store are asked to take them.
const WRITE: usize = 128 * 1024;

/// Bytes that are read at a time of what is there already.
const READ: usize = 256 * 1024;

/// How often a transfer that broke off is gone on with, without a byte having come in between.
const FRUITLESS: u32 = 3;

/// The largest frame that is taken where the archive says no size.
const MOST_BYTES: u64 = 64 * 1024 * 1024 * 1024;

/// A frame's bytes, on their way into the store.
struct Intake<'t> {
    blobs: &'t Blobs,
    upload: Upload,
    taken: u64,
}

/// A frame that is to come, from where, and to where.
#[derive(Clone, Copy)]
pub(super) struct Frame<'t> {
    pub source: &'t dyn ArchiveSource,
    pub listed: &'t Listed,
    pub path: &'t Path,
}

/// A frame that is there.
pub(super) struct Arrived {
    /// Its bytes, all of which the store has taken.
    pub upload: Upload,
    /// How many bytes came over the network.
    pub transferred: u64,
}

/// Brings a frame into its file, going on with what is there of it, and to the store; whoever reads along is told how far it is. An MD5 or
/// a SHA-256 is not compared here: who ends the upload is told both.
///
/// # Errors
/// The archive's last one; [`ArchiveError::Damaged`] if the bytes are not those that the archive lists.
pub(super) async fn transfer(
    frame: Frame<'_>,
    address: Option<Download>,
    blobs: &Blobs,
    arriving: Arriving,
) -> Result<Arrived, ArchiveError> {
    let Frame { source, listed, path } = frame;
    let intake = Intake { blobs, upload: blobs.begin(), taken: 0 };
    let mut transfer = Transfer { source, frame: listed, path, address, etag: None, transferred: 0, intake, arriving };
    // Without a checksum nothing tells whether what an earlier process left belongs to the same bytes.
    if listed.checksum.is_none() {
        remove(path).await?;
    }
    transfer.complete().await?;
    verify(listed, path).await?;
    let whole = length(path).await?;
    transfer.intake.stand_at(whole, path).await?;
    transfer.arriving.reached(whole);
    transfer.arriving.whole();
    Ok(Arrived { upload: transfer.intake.upload, transferred: transfer.transferred })
}

impl Intake<'_> {
    /// Takes bytes that follow those that were taken.
    async fn take(&mut self, bytes: Bytes) -> Result<(), ArchiveError> {
        self.taken += bytes.len() as u64;
        Ok(self.upload.write_whole(bytes).await?)
    }

    /// Has taken the first `at` bytes of the file afterwards, and no other.
    async fn stand_at(&mut self, at: u64, path: &Path) -> Result<(), ArchiveError> {
        if self.taken > at {
            (self.upload, self.taken) = (self.blobs.begin(), 0);
        }
        if self.taken == at {
            return Ok(());
        }
        let failed = |error| ArchiveError::io(path, "cannot be read", error);
        let mut file = tokio::fs::File::open(path).await.map_err(failed)?;
        file.seek(SeekFrom::Start(self.taken)).await.map_err(failed)?;
        let (mut rest, mut buffer) = (file.take(at - self.taken), vec![0; READ]);
        while self.taken < at {
            match rest.read(&mut buffer).await.map_err(failed)? {
                0 => return Err(failed(std::io::ErrorKind::UnexpectedEof.into())),
                count => self.take(Bytes::copy_from_slice(&buffer[..count])).await?,
            }
        }
        Ok(())
    }
}

struct Transfer<'t> {
    source: &'t dyn ArchiveSource,
    frame: &'t Listed,
    path: &'t Path,
    address: Option<Download>,
    /// The entity tag of the answer that began the file.
    etag: Option<String>,
    transferred: u64,
    intake: Intake<'t>,
    arriving: Arriving,
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
        self.intake.stand_at(from, self.path).await?;
        let mut file = open(self.path, from).await?;
        self.arriving.reached(from);
        let (mut body, mut at, mut gathered) = (response.body, from, BytesMut::with_capacity(WRITE));
        let mut broken = None;
        while let Some(chunk) = body.next().await {
            let mut chunk: Bytes = match chunk {
                Ok(chunk) => chunk,
                Err(error) => {
                    broken = Some(error);
                    break;
                }
            };
            self.transferred += chunk.len() as u64;
            if at + (gathered.len() + chunk.len()) as u64 > most {
                let problem = format!("more than the {most} bytes came that the archive lists");
                return Err(Broken::Here(ArchiveError::Damaged { name: self.frame.name.clone(), problem }));
            }
            while gathered.len() + chunk.len() >= WRITE {
                gathered.extend_from_slice(&chunk.split_to(WRITE - gathered.len()));
                let full = std::mem::replace(&mut gathered, BytesMut::with_capacity(WRITE));
                at += full.len() as u64;
                file = self.keep(file, full.freeze()).await?;
                self.arriving.reached(at);
            }
            gathered.extend_from_slice(&chunk);
        }
        // Also of a body that broke off: what came need not come again.
        self.keep(file, gathered.freeze()).await?;
        match broken {
            Some(error) => Err(error.into()),
            None => Ok(()),
        }
    }
}

impl Transfer<'_> {
    /// Gives bytes to the store and to the end of the file.
    async fn keep(&mut self, file: File, bytes: Bytes) -> Result<File, ArchiveError> {
        self.intake.take(bytes.clone()).await?;
        append(self.path, file, bytes).await
    }
}

/// Compares a whole file with what the archive lists of it.
async fn verify(frame: &Listed, path: &Path) -> Result<(), ArchiveError> {
    let (path, size, name) = (path.to_owned(), frame.size, frame.name.clone());
    // The store makes the MD5 and the SHA-256 of what it takes; others are made here.
    let here = frame.checksum.filter(|checksum| !matches!(checksum, Checksum::Md5(_) | Checksum::Sha256(_)));
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
