//! One frame, made ready: its bytes in the store, its file unpacked beside the place where it will stand.

use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Seek, Write};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use futures::StreamExt;
use holotype_blobs::{Held, Upload};
use holotype_core::Digest;
use holotype_fits::{Hdu, Header, Kind, unpack};
use holotype_jobs::Job;

use super::fields::Fields;
use super::files;
use super::model::{FrameState, HeldFrame};
use super::packing::Form;
use super::plan::Listing;
use super::rules::Place;
use super::run::Run;
use super::table::{self, Shelf, Waiting};
use super::transfer::{self, blocking, damaged};
use crate::frames::{self, Facts};
use crate::source::{Checksum, Listed};
use crate::{ArchiveError, Archives};

/// How often a frame whose bytes are wrong is fetched from its beginning.
const TRIES: u32 = 2;

/// Bytes that are read at a time.
const READ: usize = 256 * 1024;

/// The file that marks a dataset as being worked on.
pub(super) const LOCK: &str = "dataset.lock";

/// A frame that is ready to be put in its place.
#[derive(Debug)]
pub(super) struct Ready {
    pub waiting: Waiting,
    pub shelf: Shelf,
    pub listing: Listing,
    pub blob: Digest,
    /// What the tree held of it before.
    pub before: Option<HeldFrame>,
    /// Its file under a hidden name.
    pub hidden: PathBuf,
    /// What its file will be called.
    pub file: String,
    /// The primary header, if it is a FITS file.
    pub header: Option<Header>,
    /// Where it goes, and why nowhere if there is no such place.
    pub place: Result<Place, String>,
    pub transferred: u64,
}

/// A frame that could not be made ready.
#[derive(Debug)]
pub(super) struct Unready {
    pub waiting: Waiting,
    pub transferred: u64,
    pub error: ArchiveError,
}

impl Run {
    /// Makes a frame ready. Its bytes are in the store and named by a record before anything is unpacked.
    pub(super) async fn prepare(&self, job: &Job, waiting: Waiting) -> Result<Ready, Box<Unready>> {
        let mut transferred = 0;
        match self.try_prepare(job, &waiting, &mut transferred).await {
            Ok(ready) => Ok(ready),
            Err(error) => Err(Box::new(Unready { waiting, transferred, error })),
        }
    }

    async fn try_prepare(&self, job: &Job, waiting: &Waiting, transferred: &mut u64) -> Result<Ready, ArchiveError> {
        let listing: Listing = serde_json::from_str(&waiting.listing).map_err(ArchiveError::internal)?;
        let archive = self.request.config.archives.get(listing.archive).ok_or(ArchiveError::Stopped)?;
        let (shelf, listed) = (self.shelf(archive), listing.listed(&waiting.name));
        let before = self.archives.held_frame(&shelf, &waiting.name).await?;
        let packed = self.incoming(&listed)?;
        let blob = match self.known_bytes(&shelf, &listed, before.as_ref()).await? {
            Some(blob) => {
                bring_from_store(&self.archives, blob, &packed).await?;
                blob
            }
            None => self.fetch_bytes(job, waiting, &shelf, &listing, &listed, &packed, transferred).await?,
        };
        let (file, form) = self.request.packing_of(archive).of(&waiting.name);
        let header = match form {
            Form::Other => None,
            form => Some(read_header(&packed, form).await?),
        };
        let fields = Fields { name: &waiting.name, listed: &listing.fields, header: header.as_ref() };
        let place = match self.request.rules_of(archive).place(archive, fields) {
            Ok(Some(place)) => Ok(place),
            Ok(None) => Err("no rule has a place for it".to_owned()),
            Err(unknown) => Err(unknown.to_string()),
        };
        let hidden = self.unpack(&packed, form, &file, place.as_ref().ok()).await?;
        transfer::remove(&packed).await?;
        let (waiting, transferred) = (waiting.clone(), *transferred);
        Ok(Ready { waiting, shelf, listing, blob, before, hidden, file, header, place, transferred })
    }

    /// Where a frame's bytes arrive. The name tells versions apart, so that none is gone on with as another.
    fn incoming(&self, listed: &Listed) -> Result<PathBuf, ArchiveError> {
        let version = match (&listed.checksum, &listed.version) {
            (Some(checksum), _) => checksum.to_string().replace(':', "-"),
            (None, Some(_)) | (None, None) => "unchecked".to_owned(),
        };
        files::hidden(&self.request.config.download_directory.join(format!("{version}-{}", listed.name)))
    }

    /// The frame's bytes, if the store has them from an earlier fetch, into whichever tree.
    async fn known_bytes(
        &self,
        shelf: &Shelf,
        listed: &Listed,
        before: Option<&HeldFrame>,
    ) -> Result<Option<Digest>, ArchiveError> {
        let checksum = listed.checksum.map(|checksum| checksum.to_string());
        if let Some(before) = before
            && before.blob.is_some()
            && match (&checksum, &before.checksum) {
                (Some(listed), Some(held)) => listed == held,
                _ => listed.version.is_some() && listed.version == before.version,
            }
        {
            return Ok(before.blob);
        }
        let (shelf, name, version) = (shelf.clone(), listed.name.clone(), listed.version.clone());
        let found = self
            .archives
            .catalog()
            .read(move |tx| {
                let (shelf, name, checksum, version) = (shelf.clone(), name.clone(), checksum.clone(), version.clone());
                Box::pin(async move {
                    table::bytes_elsewhere(tx, &shelf, &name, checksum.as_deref(), version.as_deref()).await
                })
            })
            .await?;
        Ok(found)
    }

    /// Fetches a frame's bytes and puts them into the store, under the name of a frame of the catalog.
    #[expect(clippy::too_many_arguments, reason = "each is a thing of its own, and nothing else takes them together")]
    async fn fetch_bytes(
        &self,
        job: &Job,
        waiting: &Waiting,
        shelf: &Shelf,
        listing: &Listing,
        listed: &Listed,
        packed: &Path,
        transferred: &mut u64,
    ) -> Result<Digest, ArchiveError> {
        let source = self.sources.get(listing.archive).and_then(Option::as_ref).ok_or(ArchiveError::Stopped)?;
        let mut tries = 0;
        loop {
            tries += 1;
            let (address, blobs) = (self.address(waiting.position), self.archives.blobs());
            let arrived = transfer::transfer(source.as_ref(), listed, address, packed, blobs).await;
            let checked = match arrived {
                Ok(arrived) => {
                    *transferred += arrived.transferred;
                    keep(listed, arrived.upload).await
                }
                Err(error) => Err(error),
            };
            match checked {
                Ok(held) => {
                    self.record(job, shelf, listing, listed, packed, &held).await?;
                    return Ok(held.digest);
                }
                Err(error @ ArchiveError::Damaged { .. }) => {
                    transfer::remove(packed).await?;
                    self.forget_address(waiting.position);
                    if tries == TRIES {
                        return Err(error);
                    }
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Names the bytes: as a version of a frame, and as what this tree holds.
    async fn record(
        &self,
        job: &Job,
        shelf: &Shelf,
        listing: &Listing,
        listed: &Listed,
        packed: &Path,
        held: &Held,
    ) -> Result<(), ArchiveError> {
        let (basename, extension) = frames::split_name(&listed.name);
        let facts = Facts::of_listing(&listing.fields).or(facts_of_file(basename, packed).await);
        // Its file is what it is called by, whatever else the archive says.
        let facts = Facts { basename: basename.to_owned(), ..facts };
        let before = self.archives.held_frame(shelf, &listed.name).await?;
        let holding = HeldFrame {
            state: FrameState::Held,
            checksum: listing.checksum.clone(),
            version: listing.version.clone(),
            size: i64::try_from(held.size).ok(),
            blob: Some(held.digest),
            // What stands there stays known until the new file takes its place.
            path: before.as_ref().and_then(|before| before.path.clone()),
            stamp: before.as_ref().and_then(|before| before.stamp.clone()),
            fetch: self.id,
        };
        let (job, shelf, held, extension) = (job.clone(), shelf.clone(), held.clone(), extension.to_owned());
        let (name, proposal, observed_at) = (listed.name.clone(), listing.proposal.clone(), listing.observed_at());
        self.archives
            .catalog()
            .write(move |tx| {
                let (job, shelf, held, facts, extension) =
                    (job.clone(), shelf.clone(), held.clone(), facts.clone(), extension.clone());
                let (name, proposal, holding) = (name.clone(), proposal.clone(), holding.clone());
                Box::pin(async move {
                    job.fence(tx).await?;
                    frames::put(tx, job.project, job.agent, &facts, &held, &extension).await?;
                    let known = table::Facts { name: &name, proposal: &proposal, observed_at };
                    table::hold(tx, &shelf, &known, &holding).await?;
                    Ok::<_, ArchiveError>(())
                })
            })
            .await
    }

    /// Unpacks a frame's file beside the place where it will stand.
    async fn unpack(
        &self,
        packed: &Path,
        form: Form,
        file: &str,
        place: Option<&Place>,
    ) -> Result<PathBuf, ArchiveError> {
        let directory = match place {
            Some(place) => {
                let directory = self.request.config.reduction_directory.join(&place.directory);
                if directory.join(LOCK).symlink_metadata().is_ok() {
                    self.request.config.download_directory.clone()
                } else {
                    directory
                }
            }
            None => self.request.config.download_directory.clone(),
        };
        let (packed, file) = (packed.to_owned(), file.to_owned());
        let turn = self.unpacking.acquire().await.map_err(ArchiveError::internal)?;
        let hidden = blocking(move || {
            files::make_directory(&directory)?;
            let hidden = files::hidden(&directory.join(file))?;
            let unpacked = unpack_file(&packed, form, &hidden);
            if unpacked.is_err() {
                drop(std::fs::remove_file(&hidden));
                // Only an empty directory goes, and one that was made for this is empty.
                drop(std::fs::remove_dir(&directory));
            }
            unpacked.map(|()| hidden)
        })
        .await?;
        drop(turn);
        // The disk writes while others are unpacked: the flush of all of them has little left to do.
        blocking(move || match File::open(&hidden).and_then(|file| file.sync_data()) {
            Ok(()) => Ok(hidden),
            Err(error) => {
                drop(std::fs::remove_file(&hidden));
                Err(ArchiveError::io(&hidden, "cannot be written", error))
            }
        })
        .await
    }
}

/// Ends an upload. The store has made both digests as the bytes passed, and one of them is that of the archive.
async fn keep(listed: &Listed, upload: Upload) -> Result<Held, ArchiveError> {
    let held = upload.finish().await?;
    let found = match listed.checksum {
        Some(Checksum::Md5(_)) => Some(Checksum::Md5(held.md5)),
        Some(Checksum::Sha256(_)) => Some(Checksum::Sha256(*held.digest.as_bytes())),
        _ => None,
    };
    match (listed.checksum, found) {
        (Some(wanted), Some(found)) if wanted != found => {
            Err(damaged(&listed.name, &wanted.to_string(), &found.to_string()))
        }
        _ => Ok(held),
    }
}

/// The header of the first HDU as it is once unpacked: that of the image, where a packed file begins with an empty one.
async fn read_header(packed: &Path, form: Form) -> Result<Header, ArchiveError> {
    let packed = packed.to_owned();
    blocking(move || {
        let failed = |error| ArchiveError::io(&packed, "cannot be read", error);
        let file = File::open(&packed).map_err(failed)?;
        let header = match form {
            Form::Gzip => Header::read(&mut BufReader::new(flate2::read::MultiGzDecoder::new(BufReader::new(file))))?,
            Form::Fits | Form::Other => first_image_header(&mut BufReader::new(file))?,
        };
        header.ok_or_else(|| ArchiveError::file(&packed, "it is empty, and a FITS file was listed"))
    })
    .await
}

/// Unpacks a file over the one of an earlier version.
pub(super) async fn unpack_over(packed: &Path, form: Form, to: &Path) -> Result<(), ArchiveError> {
    let (packed, to) = (packed.to_owned(), to.to_owned());
    blocking(move || {
        let hidden = files::hidden(&to)?;
        unpack_file(&packed, form, &hidden)?;
        let flushed = File::open(&hidden).and_then(|file| file.sync_all());
        flushed.map_err(|error| ArchiveError::io(&to, "cannot be written", error))?;
        files::put_in_place(&hidden, &to)
    })
    .await
}

fn first_image_header(source: &mut (impl Read + Seek)) -> Result<Option<Header>, ArchiveError> {
    let hdus = Hdu::walk(source)?;
    Ok(match hdus.as_slice() {
        [] => None,
        [first, second, ..] if first.data_length == 0 && second.header.logical("ZSIMPLE") == Some(true) => {
            Some(unpack::plain_header(&second.header, true)?)
        }
        [first, ..] => Some(first.header.clone()),
    })
}

fn unpack_file(packed: &Path, form: Form, to: &Path) -> Result<(), ArchiveError> {
    let reading = |error| ArchiveError::io(packed, "cannot be read", error);
    let writing = |error| ArchiveError::io(to, "cannot be written", error);
    let mut source = BufReader::with_capacity(READ, File::open(packed).map_err(reading)?);
    let mut sink = BufWriter::with_capacity(READ, File::create(to).map_err(writing)?);
    match form {
        Form::Fits if packed_images(&mut source)? => {
            unpack::unpack(&mut source, &mut sink)?;
        }
        Form::Fits | Form::Other => {
            source.rewind().map_err(reading)?;
            std::io::copy(&mut source, &mut sink).map_err(writing)?;
        }
        Form::Gzip => {
            unpack::gunzip(&mut source, &mut sink)?;
        }
    }
    sink.flush().map_err(writing)
}

/// Whether there is anything to unpack; a plain file is copied to the byte.
fn packed_images(source: &mut (impl Read + Seek)) -> Result<bool, ArchiveError> {
    let hdus = Hdu::walk(source)?;
    source.rewind().map_err(holotype_fits::FitsError::from)?;
    Ok(hdus.iter().any(|hdu| matches!(hdu.kind, Kind::CompressedImage | Kind::CompressedTable)))
}

/// What the file's own headers say; nothing if it is none that has any.
async fn facts_of_file(basename: &str, packed: &Path) -> Facts {
    let (basename, packed) = (basename.to_owned(), packed.to_owned());
    let described = blocking(move || {
        let file = File::open(&packed).map_err(|error| ArchiveError::io(&packed, "cannot be read", error))?;
        let hdus = Hdu::walk(&mut BufReader::new(file))?;
        Ok(Facts::of_header(&basename, &hdus))
    });
    // A tarball or a page of paper has none, and is a frame all the same.
    described.await.unwrap_or_default()
}

/// Copies a blob to where it can be read from its middle.
pub(super) async fn bring_from_store(archives: &Archives, blob: Digest, path: &Path) -> Result<(), ArchiveError> {
    let mut reading = archives.blobs().get(blob, None).await?;
    let failed = |error| ArchiveError::io(path, "cannot be written", error);
    let mut file = tokio::fs::File::create(path).await.map_err(failed)?;
    while let Some(chunk) = reading.stream.next().await {
        let chunk: Bytes = chunk?;
        tokio::io::AsyncWriteExt::write_all(&mut file, &chunk).await.map_err(failed)?;
    }
    tokio::io::AsyncWriteExt::flush(&mut file).await.map_err(failed)
}
