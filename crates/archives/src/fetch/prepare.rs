//! One frame, made ready: its bytes in the store, its file unpacked under a hidden name.

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use futures::StreamExt;
use holotype_blobs::{Held, Upload};
use holotype_core::Digest;
use holotype_fits::Hdu;
use holotype_fits::Header;
use holotype_jobs::Job;

use super::coming::{Coming, coming};
use super::fields::Fields;
use super::files;
use super::make::Made;
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

/// The file that marks a dataset as being worked on.
pub(super) const LOCK: &str = "dataset.lock";

/// A frame that is ready to be put in its place.
#[derive(Debug)]
pub(super) struct Ready {
    pub waiting: Waiting,
    pub shelf: Shelf,
    pub listing: Listing,
    pub blob: Digest,
    /// How many bytes it has.
    pub size: u64,
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

/// A frame that is to be fetched, and what is known of it.
#[derive(Clone, Copy)]
struct Wanted<'w> {
    waiting: &'w Waiting,
    shelf: &'w Shelf,
    listing: &'w Listing,
    listed: &'w Listed,
    before: Option<&'w HeldFrame>,
}

/// Where a frame's bytes arrive, where its file waits, and how the one is made of the other.
struct Paths {
    packed: PathBuf,
    hidden: PathBuf,
    form: Form,
}

impl Run {
    /// Makes a frame ready. Its bytes are in the store and named by a record before its file has its name.
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
        let (file, form) = self.request.packing_of(archive).of(&waiting.name);
        let config = &self.request.config;
        let paths = Paths {
            packed: aside(&config.download_directory, &listed, &waiting.name)?,
            hidden: aside(&config.reduction_directory, &listed, &file)?,
            form,
        };
        let (blob, size, made) = match self.known_bytes(&shelf, &listed, before.as_ref()).await? {
            Some(blob) => (blob, bring_from_store(&self.archives, blob, &paths.packed).await?, None),
            None => {
                let wanted =
                    Wanted { waiting, shelf: &shelf, listing: &listing, listed: &listed, before: before.as_ref() };
                let (held, made) = self.fetch_bytes(job, &wanted, &paths, transferred).await?;
                (held.digest, held.size, made)
            }
        };
        let Made { hidden, header } = match made {
            Some(made) => made,
            None => self.make(form, Coming::whole(&paths.packed), paths.hidden).await?,
        };
        let fields = Fields { name: &waiting.name, listed: &listing.fields, header: header.as_ref() };
        let place = match self.request.rules_of(archive).place(archive, fields) {
            Ok(Some(place)) => Ok(place),
            Ok(None) => Err("no rule has a place for it".to_owned()),
            Err(unknown) => Err(unknown.to_string()),
        };
        transfer::remove(&paths.packed).await?;
        let (waiting, transferred) = (waiting.clone(), *transferred);
        Ok(Ready { waiting, shelf, listing, blob, size, before, hidden, file, header, place, transferred })
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

    /// Fetches a frame's bytes and puts them into the store, under the name of a frame of the catalog. What is made of them while
    /// they come is an attempt: it may have failed because they came otherwise than was thought.
    async fn fetch_bytes(
        &self,
        job: &Job,
        wanted: &Wanted<'_>,
        paths: &Paths,
        transferred: &mut u64,
    ) -> Result<(Held, Option<Made>), ArchiveError> {
        let Wanted { waiting, listing, listed, .. } = *wanted;
        let source = self.sources.get(listing.archive).and_then(Option::as_ref).ok_or(ArchiveError::Stopped)?;
        let mut tries = 0;
        loop {
            tries += 1;
            let (arriving, coming) = coming(&paths.packed);
            let stored = async {
                let (address, blobs) = (self.address(waiting.position), self.archives.blobs());
                let frame = transfer::Frame { source: source.as_ref(), listed, path: &paths.packed };
                let arrived = transfer::transfer(frame, address, blobs, arriving).await?;
                *transferred += arrived.transferred;
                let held = keep(listed, arrived.upload).await?;
                self.record(job, wanted, &paths.packed, &held).await?;
                Ok(held)
            };
            let (stored, made) = futures::join!(stored, self.make(paths.form, coming, paths.hidden.clone()));
            let error = match stored {
                Ok(held) => return Ok((held, made.ok())),
                Err(error) => error,
            };
            if let Ok(made) = made {
                transfer::remove(&made.hidden).await?;
            }
            if !matches!(error, ArchiveError::Damaged { .. }) {
                return Err(error);
            }
            transfer::remove(&paths.packed).await?;
            self.forget_address(waiting.position);
            if tries == TRIES {
                return Err(error);
            }
        }
    }

    /// Names the bytes: as a version of a frame, and as what this tree holds.
    async fn record(&self, job: &Job, wanted: &Wanted<'_>, packed: &Path, held: &Held) -> Result<(), ArchiveError> {
        let Wanted { shelf, listing, listed, before, .. } = *wanted;
        let (basename, extension) = frames::split_name(&listed.name);
        let facts = Facts::of_listing(&listing.fields).or(facts_of_file(basename, packed).await);
        // Its file is what it is called by, whatever else the archive says.
        let facts = Facts { basename: basename.to_owned(), ..facts };
        let holding = HeldFrame {
            state: FrameState::Held,
            checksum: listing.checksum.clone(),
            version: listing.version.clone(),
            size: i64::try_from(held.size).ok(),
            blob: Some(held.digest),
            // What stands there stays known until the new file takes its place.
            path: before.and_then(|before| before.path.clone()),
            stamp: before.and_then(|before| before.stamp.clone()),
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
}

/// Where a frame's bytes arrive, or what is made of them waits. The name tells versions apart, so that none is gone on with as another.
fn aside(directory: &Path, listed: &Listed, file: &str) -> Result<PathBuf, ArchiveError> {
    let version = match &listed.checksum {
        Some(checksum) => checksum.to_string().replace(':', "-"),
        None => "unchecked".to_owned(),
    };
    files::hidden(&directory.join(format!("{version}-{file}")))
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

/// Copies a blob to where it can be read from its middle, and tells how many bytes it has.
pub(super) async fn bring_from_store(archives: &Archives, blob: Digest, path: &Path) -> Result<u64, ArchiveError> {
    let mut reading = archives.blobs().get(blob, None).await?;
    let failed = |error| ArchiveError::io(path, "cannot be written", error);
    let mut file = tokio::fs::File::create(path).await.map_err(failed)?;
    while let Some(chunk) = reading.stream.next().await {
        let chunk: Bytes = chunk?;
        tokio::io::AsyncWriteExt::write_all(&mut file, &chunk).await.map_err(failed)?;
    }
    tokio::io::AsyncWriteExt::flush(&mut file).await.map_err(failed)?;
    Ok(reading.size)
}
