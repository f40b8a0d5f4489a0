//! A blob as a file to read and seek in, for code that knows no async: FITS is read in whole blocks, here and there.

use std::io::{self, Read, Seek, SeekFrom};

use flate2::read::MultiGzDecoder;
use futures::TryStreamExt as _;
use holotype_blobs::Blobs;
use holotype_core::Digest;
use holotype_fits::{FitsError, Hdu};
use tokio::runtime::Handle;

use crate::ArchiveError;

/// Bytes that are read at a time.
const WINDOW: u64 = 1 << 20;

/// Most bytes that a gzipped file may have when it is inflated to look at its headers.
const MOST_INFLATED: u64 = 16 << 30;

/// Most bytes of a gzipped file that are inflated into memory.
const INFLATED_IN_MEMORY: u64 = 256 << 20;

/// A blob, read through a window. Only for threads that may block.
#[derive(Debug)]
pub(crate) struct BlobFile {
    blobs: Blobs,
    runtime: Handle,
    digest: Digest,
    size: u64,
    position: u64,
    window: Vec<u8>,
    window_start: u64,
}

impl BlobFile {
    /// Opens a blob. `runtime` is the one that the store works on.
    pub(crate) fn new(blobs: Blobs, runtime: Handle, digest: Digest, size: u64) -> Self {
        Self { blobs, runtime, digest, size, position: 0, window: Vec::new(), window_start: 0 }
    }

    /// What is in the window from the present position on; another window if that is nothing.
    fn ahead(&mut self) -> io::Result<&[u8]> {
        let within = self.position.checked_sub(self.window_start).filter(|at| *at < self.window.len() as u64);
        let at = match within {
            Some(at) => at,
            None => {
                self.window = self.fetch()?;
                self.window_start = self.position;
                0
            }
        };
        // The position lies within the window, whose length is a usize.
        Ok(self.window.get(at as usize..).unwrap_or_default())
    }

    fn fetch(&self) -> io::Result<Vec<u8>> {
        let range = self.position..self.position.saturating_add(WINDOW).min(self.size);
        let (blobs, digest) = (self.blobs.clone(), self.digest);
        self.runtime.block_on(async move {
            let reading = blobs.get(digest, Some(range)).await.map_err(io::Error::other)?;
            let collect = |mut bytes: Vec<u8>, piece: bytes::Bytes| async move {
                bytes.extend_from_slice(&piece);
                Ok(bytes)
            };
            reading.stream.try_fold(Vec::new(), collect).await.map_err(io::Error::other)
        })
    }
}

impl Read for BlobFile {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.position >= self.size || buffer.is_empty() {
            return Ok(0);
        }
        let ahead = self.ahead()?;
        let count = ahead.len().min(buffer.len());
        if let (Some(from), Some(to)) = (ahead.get(..count), buffer.get_mut(..count)) {
            to.copy_from_slice(from);
        }
        self.position += count as u64;
        Ok(count)
    }
}

impl Seek for BlobFile {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let position = match to {
            SeekFrom::Start(position) => Some(position),
            SeekFrom::End(offset) => self.size.checked_add_signed(offset),
            SeekFrom::Current(offset) => self.position.checked_add_signed(offset),
        };
        self.position = position.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
        Ok(self.position)
    }
}

/// Whether a file is gzipped as a whole, by the ending of its name.
pub(crate) fn is_gzipped(extension: &str) -> bool {
    extension.to_ascii_lowercase().ends_with(".gz")
}

/// The HDUs of a file, gzipped as a whole or not.
///
/// # Errors
/// As [`Hdu::walk`].
pub(crate) fn hdus(file: &mut BlobFile, extension: &str) -> Result<Vec<Hdu>, ArchiveError> {
    match is_gzipped(extension) {
        true => walk(&mut MultiGzDecoder::new(file).take(MOST_INFLATED)).map_err(inflating),
        false => Ok(Hdu::walk(file)?),
    }
}

/// What the file itself is the fault of, told from what the store is.
fn inflating(error: FitsError) -> ArchiveError {
    use io::ErrorKind::{InvalidData, InvalidInput, UnexpectedEof};
    match error {
        FitsError::Io(error) if matches!(error.kind(), InvalidData | InvalidInput | UnexpectedEof) => {
            ArchiveError::Gzip { problem: error.to_string() }
        }
        other => other.into(),
    }
}

/// The HDUs of a file that can only be read on.
fn walk(source: &mut impl Read) -> Result<Vec<Hdu>, FitsError> {
    let mut hdus: Vec<Hdu> = Vec::new();
    let mut offset = 0;
    while let Some(hdu) = Hdu::read(source, hdus.len(), offset)? {
        let data = io::copy(&mut source.by_ref().take(hdu.end() - hdu.data_offset), &mut io::sink())?;
        if data < hdu.data_length {
            let what = format!("the data of HDU {}", hdu.index);
            return Err(FitsError::Cut { what, needed: hdu.data_length, found: data });
        }
        offset = hdu.end();
        hdus.push(hdu);
    }
    Ok(hdus)
}

/// The inflated content of a gzipped file, if it is small enough to be held.
pub(crate) fn inflate(file: &mut BlobFile) -> Result<io::Cursor<Vec<u8>>, ArchiveError> {
    let mut bytes = Vec::new();
    let read = MultiGzDecoder::new(file).take(INFLATED_IN_MEMORY + 1).read_to_end(&mut bytes);
    let size = read.map_err(|error| inflating(error.into()))? as u64;
    if size > INFLATED_IN_MEMORY {
        let what = "an inflated file (in bytes)".to_owned();
        return Err(FitsError::TooLarge { what, size, limit: INFLATED_IN_MEMORY }.into());
    }
    Ok(io::Cursor::new(bytes))
}
