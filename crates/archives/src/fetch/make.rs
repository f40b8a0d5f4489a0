//! What is made of a frame's bytes: its header is read and its file unpacked, while the bytes still arrive.
//!
//! The file waits under a hidden name at the root of the tree. Nothing is made there that the frame's place would ask for: where that is,
//! and whether the bytes are the right ones, is known only once all have come.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use holotype_fits::{FitsError, Header, Walk, unpack};
use tokio::sync::Semaphore;

use super::coming::Coming;
use super::files;
use super::packing::Form;
use super::run::Run;
use super::transfer::blocking;
use crate::ArchiveError;

/// Bytes that are read at a time.
const READ: usize = 64 * 1024;

/// Bytes that are gathered before the disk is asked to take them.
const WRITE: usize = 64 * 1024;

/// Bytes that the disk is asked to begin with together.
const EARLY: usize = 4 << 20;

/// What was made of a frame's bytes.
#[derive(Debug)]
pub(super) struct Made {
    /// Its file under a hidden name.
    pub hidden: PathBuf,
    /// The primary header, if it is a FITS file.
    pub header: Option<Header>,
}

impl Run {
    /// Makes of a file that may still be on its way the one at `hidden`, which the disk has afterwards.
    pub(super) async fn make(&self, form: Form, mut packed: Coming, hidden: PathBuf) -> Result<Made, ArchiveError> {
        // No thread waits for a frame whose turn at the archive has not come.
        if !packed.begun().await {
            return Err(ArchiveError::Stopped);
        }
        let turns = Arc::clone(&self.making);
        blocking(move || {
            let made = make(form, packed, turns, &hidden);
            if made.is_err() {
                drop(std::fs::remove_file(&hidden));
            }
            made.map(|header| Made { hidden, header })
        })
        .await
    }
}

fn make(form: Form, packed: Coming, turns: Arc<Semaphore>, hidden: &Path) -> Result<Option<Header>, ArchiveError> {
    let path = packed.path().to_owned();
    let reading = |error| ArchiveError::io(&path, "cannot be read", error);
    let mut source = BufReader::with_capacity(READ, packed.open(turns).map_err(reading)?);
    let header = match form {
        Form::Other => None,
        Form::Gzip => Some(Header::read(&mut BufReader::new(flate2::read::MultiGzDecoder::new(&mut source)))?),
        Form::Fits => Some(primary_header(&mut source)?),
    };
    let empty = || ArchiveError::file(&path, "it is empty, and a FITS file was listed");
    let header = header.map(|header| header.ok_or_else(empty)).transpose()?;
    source.rewind().map_err(reading)?;
    let file = unpack(&mut source, form, hidden)?;
    // The turn is another's while this one waits for the disk.
    drop(source);
    file.sync_data().map_err(|error| ArchiveError::io(hidden, "cannot be written", error))?;
    Ok(header)
}

/// The header of the first HDU as it is once unpacked: that of the image, where a packed file begins with an empty one.
fn primary_header(source: &mut (impl Read + Seek)) -> Result<Option<Header>, FitsError> {
    let mut walk = Walk::default();
    let Some(first) = walk.next(source)? else { return Ok(None) };
    if first.data_length == 0
        && let Some(second) = walk.next(source)?
        && second.header.logical("ZSIMPLE") == Some(true)
    {
        return unpack::plain_header(&second.header, true).map(Some);
    }
    Ok(Some(first.header))
}

/// Unpacks a file over the one of an earlier version.
pub(super) async fn unpack_over(packed: &Path, form: Form, to: &Path) -> Result<(), ArchiveError> {
    let (packed, to) = (packed.to_owned(), to.to_owned());
    blocking(move || {
        let hidden = files::hidden(&to)?;
        let source = File::open(&packed).map_err(|error| ArchiveError::io(&packed, "cannot be read", error))?;
        let file = unpack(&mut BufReader::with_capacity(READ, source), form, &hidden)?;
        file.sync_all().map_err(|error| ArchiveError::io(&to, "cannot be written", error))?;
        files::put_in_place(&hidden, &to)
    })
    .await
}

/// Unpacks what stands in `source`, from its beginning, to a file.
fn unpack(source: &mut (impl Read + Seek), form: Form, to: &Path) -> Result<File, ArchiveError> {
    let writing = |error| ArchiveError::io(to, "cannot be written", error);
    let mut sink = BufWriter::with_capacity(WRITE, Early::create(to).map_err(writing)?);
    match form {
        Form::Fits => {
            let unpacked = unpack::unpack(source, &mut sink)?;
            let length = source.seek(SeekFrom::End(0)).map_err(FitsError::from)?;
            // A plain file is copied to the byte, also where it is no FITS any more.
            if unpacked.images + unpacked.tables == 0 && unpacked.bytes != length {
                source.rewind().and_then(|()| sink.rewind()).map_err(writing)?;
                io::copy(source, &mut sink).map_err(writing)?;
                sink.get_ref().file.set_len(length).map_err(writing)?;
            }
        }
        Form::Gzip => {
            unpack::gunzip(source, &mut sink)?;
        }
        Form::Other => {
            io::copy(source, &mut sink).map_err(writing)?;
        }
    }
    let sink = sink.into_inner().map_err(|error| writing(error.into_error()))?;
    Ok(sink.file)
}

/// A file that the disk begins to take while it is written: a flush of it at the end has little left to do.
struct Early {
    file: File,
    path: PathBuf,
    unflushed: usize,
}

impl Early {
    fn create(path: &Path) -> io::Result<Self> {
        Ok(Self { file: File::create(path)?, path: path.to_owned(), unflushed: 0 })
    }
}

impl Write for Early {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.file.write(bytes)?;
        self.unflushed += count;
        if self.unflushed >= EARLY {
            self.unflushed = 0;
            // Opened anew: what fails here, the flush at the end must still be told.
            let file = File::open(&self.path)?;
            drop(tokio::task::spawn_blocking(move || file.sync_data()));
        }
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Seek for Early {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file.seek(to)
    }
}
