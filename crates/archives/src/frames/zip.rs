//! Many frames in one file: a zip that is written while it is sent.
//!
//! Zip and FITS are written and read by code that knows no async, so a thread does both and hands pieces over. It waits for
//! the reader, and ends when there is none any more.

use std::collections::HashSet;
use std::io::{self, Read as _, Seek as _, SeekFrom, Write};

use ::zip::ZipWriter;
use ::zip::result::ZipError;
use ::zip::write::SimpleFileOptions;
use bytes::Bytes;
use futures::StreamExt as _;
use futures::stream::BoxStream;
use holotype_fits::unpack::{plain_header, unpack_stream};
use holotype_fits::{FitsError, Hdu, Kind, write as fits_write};
use tokio::runtime::Handle;
use tokio::sync::mpsc;

use super::file::BlobFile;
use super::list::whole;
use super::table;
use super::{Frame, Shape, Version, Viewer};
use crate::{ArchiveError, Archives};

/// Most frames in a zip.
pub const MOST_ZIPPED: usize = 10_000;

/// Bytes that are handed over at a time.
const PIECE: usize = 128 << 10;

/// Pieces that wait for the reader.
const WAITING: usize = 4;

/// From this size on a member may not fit into the fields of a small zip: the sizes of its headers count too.
const LARGE: u64 = (4 << 30) - (64 << 20);

/// The extension whose table is the catalogue of sources.
const CATALOGUE: &str = "CAT";

/// How frames go into a zip.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ZipOptions {
    /// Whether packed FITS is unpacked.
    pub uncompress: bool,
    /// Whether only the header and the catalogue of sources of each frame are wanted.
    pub catalog_only: bool,
}

/// A zip on its way.
pub struct FrameZip {
    /// What it is called, without `.zip`; the members are in a folder of this name.
    pub name: String,
    /// The bytes. If it breaks off, the last item is an error.
    pub stream: BoxStream<'static, Result<Bytes, ArchiveError>>,
}

impl std::fmt::Debug for FrameZip {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FrameZip").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Archives {
    /// The frames among `ids` that a viewer sees, as a zip.
    ///
    /// # Errors
    /// [`ArchiveError::NoFrame`] if the viewer sees none of them; [`ArchiveError::TooMany`].
    pub async fn zip(&self, viewer: Viewer, ids: Vec<i64>, options: ZipOptions) -> Result<FrameZip, ArchiveError> {
        let turn = std::sync::Arc::clone(&self.workshop().zips);
        let turn = turn.try_acquire_owned().map_err(|_| ArchiveError::TooMany { what: "zips" })?;
        let frames = self.zipped(viewer, ids).await?;
        if frames.is_empty() {
            return Err(ArchiveError::NoFrame);
        }
        let today = self.catalog().clock().now().timestamp().strftime("%Y%m%d").to_string();
        let name = format!("ocs_archive_data-{today}-{}", frames.len());
        let (sender, receiver) = mpsc::channel(WAITING);
        let (archives, folder, runtime) = (self.clone(), name.clone(), Handle::current());
        drop(tokio::task::spawn_blocking(move || {
            let _turn = turn;
            let outcome = write_zip(&archives, &runtime, &folder, &frames, options, &sender);
            if let Err(error) = outcome {
                // If nobody reads any more there is nobody to tell.
                drop(sender.blocking_send(Err(error)));
            }
        }));
        let stream = futures::stream::unfold(receiver, |mut receiver| async move {
            receiver.recv().await.map(|piece| (piece, receiver))
        });
        Ok(FrameZip { name, stream: stream.boxed() })
    }

    /// The visible ones of some frames, each once, in the order in which they are asked for.
    async fn zipped(&self, viewer: Viewer, mut ids: Vec<i64>) -> Result<Vec<Frame>, ArchiveError> {
        let mut met = HashSet::new();
        ids.retain(|id| met.insert(*id));
        self.catalog()
            .read(move |tx| {
                let ids = ids.clone();
                Box::pin(async move {
                    let seen: HashSet<i64> = table::visible_ids(tx, viewer, &ids).await?.into_iter().collect();
                    let ids: Vec<i64> = ids.into_iter().filter(|id| seen.contains(id)).collect();
                    whole(tx, &ids, Shape::default()).await
                })
            })
            .await
    }
}

fn write_zip(
    archives: &Archives,
    runtime: &Handle,
    folder: &str,
    frames: &[Frame],
    options: ZipOptions,
    sender: &mpsc::Sender<Result<Bytes, ArchiveError>>,
) -> Result<(), ArchiveError> {
    let mut zip = ZipWriter::new_stream(Pieces { sender, piece: Vec::with_capacity(PIECE) });
    let mut names = Names::default();
    for frame in frames {
        if let Some(version) = frame.versions.first() {
            let blobs = archives.blobs().clone();
            let mut file = BlobFile::new(blobs, runtime.clone(), version.digest, version.size);
            add(&mut zip, &mut file, folder, frame, version, options, &mut names)?;
        }
    }
    let mut pieces = zip.finish().map_err(written)?;
    pieces.flush().map_err(|error| written(error.into()))
}

/// Adds a frame as a member, or leaves it out if it has no catalogue and only that is wanted.
fn add<W: Write + io::Seek>(
    zip: &mut ZipWriter<W>,
    file: &mut BlobFile,
    folder: &str,
    frame: &Frame,
    version: &Version,
    options: ZipOptions,
    names: &mut Names,
) -> Result<(), ArchiveError> {
    let basename = &frame.facts.basename;
    let packed = version.extension.to_ascii_lowercase().ends_with(".fz");
    if options.catalog_only {
        let hdus = Hdu::walk(file)?;
        let Some(catalogue) = hdus.iter().find(|hdu| hdu.name == CATALOGUE) else { return Ok(()) };
        let name = names.one(frame, &format!("{basename}-catalog.fits"));
        start(zip, folder, &name, catalogue.end())?;
        return copy_catalogue(zip, file, &hdus, catalogue);
    }
    if options.uncompress && packed {
        let stem = version.extension.len().saturating_sub(".fz".len());
        let extension = version.extension.get(..stem).unwrap_or(".fits");
        let name = names.one(frame, &format!("{basename}{extension}"));
        let size = unpacked_size(&Hdu::walk(file)?);
        start(zip, folder, &name, size)?;
        unpack_stream(file, zip)?;
        return Ok(());
    }
    let name = names.one(frame, &format!("{basename}{}", version.extension));
    start(zip, folder, &name, version.size)?;
    io::copy(file, zip).map_err(FitsError::from)?;
    Ok(())
}

fn start<W: Write + io::Seek>(zip: &mut ZipWriter<W>, folder: &str, name: &str, size: u64) -> Result<(), ArchiveError> {
    // FITS that is worth packing is packed already, and unpacked FITS is to be read at once.
    let options = SimpleFileOptions::default().compression_method(::zip::CompressionMethod::Stored);
    zip.start_file(format!("{folder}/{name}"), options.large_file(size >= LARGE)).map_err(written)
}

/// The header that describes the frame, without its image, and the catalogue as it is.
fn copy_catalogue(
    sink: &mut impl Write,
    file: &mut BlobFile,
    hdus: &[Hdu],
    catalogue: &Hdu,
) -> Result<(), ArchiveError> {
    let described = hdus.iter().find(|hdu| hdu.is_image()).or(hdus.first());
    let header = match described {
        Some(hdu) if hdu.kind == Kind::CompressedImage => plain_header(&hdu.header, true)?,
        Some(hdu) => hdu.header.clone(),
        None => holotype_fits::Header::default(),
    };
    fits_write::empty_primary(sink, &header)?;
    let length = catalogue.end() - catalogue.offset;
    file.seek(SeekFrom::Start(catalogue.offset)).map_err(FitsError::from)?;
    let copied = io::copy(&mut file.take(length), sink).map_err(FitsError::from)?;
    // The filling of a last block may be missing from the file.
    let filling = vec![0; usize::try_from((length - copied).min(2880)).unwrap_or(0)];
    Ok(sink.write_all(&filling).map_err(FitsError::from)?)
}

/// An upper limit of the bytes that a packed file has when it is unpacked.
fn unpacked_size(hdus: &[Hdu]) -> u64 {
    let size = |hdu: &Hdu| match hdu.kind {
        Kind::CompressedImage => {
            let bits = hdu.header.integer("ZBITPIX").unwrap_or(64).unsigned_abs();
            let pixels = hdu.shape.iter().fold(1_u64, |product, axis| product.saturating_mul(*axis));
            pixels.saturating_mul(bits / 8).saturating_add(2 * (hdu.data_offset - hdu.offset) + 2880)
        }
        _ => hdu.end() - hdu.offset,
    };
    hdus.iter().map(size).fold(0, u64::saturating_add)
}

/// Names of members. Two projects may have frames of one name.
#[derive(Default)]
struct Names(HashSet<String>);

impl Names {
    fn one(&mut self, frame: &Frame, name: &str) -> String {
        let name = match self.0.contains(name) {
            false => name.to_owned(),
            true => format!("{}-{name}", frame.id),
        };
        self.0.insert(name.clone());
        name
    }
}

fn written(error: ZipError) -> ArchiveError {
    ArchiveError::Aborted { what: "writing a zip", problem: error.to_string() }
}

/// Where the zip goes: to whoever reads the stream.
struct Pieces<'s> {
    sender: &'s mpsc::Sender<Result<Bytes, ArchiveError>>,
    piece: Vec<u8>,
}

impl Write for Pieces<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.piece.extend_from_slice(bytes);
        if self.piece.len() >= PIECE {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.piece.is_empty() {
            return Ok(());
        }
        let piece = std::mem::replace(&mut self.piece, Vec::with_capacity(PIECE));
        let gone = |_| io::Error::new(io::ErrorKind::BrokenPipe, "nobody reads the zip any more");
        self.sender.blocking_send(Ok(piece.into())).map_err(gone)
    }
}
