//! Putting what is ready into its place, one frame after the other in the archive's order.

use std::fs;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use holotype_jobs::Job;

use super::files;
use super::frame_list::FrameList;
use super::model::{FrameState, HeldFrame};
use super::prepare::{LOCK, Ready, Unready};
use super::row;
use super::rules::Place;
use super::run::Run;
use super::table::{self, Outcome, Shelf};
use super::transfer::blocking;
use crate::ArchiveError;

/// The list of a dataset's frames, which the pipeline keeps in its directory.
pub(super) const SUMMARY: &str = "data_summary.txt";

/// Frames whose places are written down together, after one flush of the disk.
const TOGETHER: usize = 32;

/// Frames that have been put in their places, and of which the catalog does not know yet.
#[derive(Debug, Default)]
pub(super) struct Settling {
    done: Vec<Done>,
}

/// What became of a frame, and what its tree holds of it now, if that is another than before.
#[derive(Debug, Clone)]
struct Done {
    outcome: Outcome,
    held: Option<(Shelf, String, HeldFrame)>,
}

/// Where a file was put.
struct Put {
    state: FrameState,
    path: PathBuf,
    reason: Option<String>,
}

impl Run {
    /// Puts one frame in its place, or writes down why it has none.
    pub(super) async fn place(
        &self,
        job: &Job,
        prepared: Result<Ready, Box<Unready>>,
        settling: &mut Settling,
    ) -> Result<FrameState, ArchiveError> {
        let done = match prepared {
            Err(unready) => {
                let Unready { waiting, transferred, error } = *unready;
                self.failed(job, &waiting.name, waiting.position, transferred, &error)
            }
            Ok(ready) => match self.put(&ready).await {
                Ok(put) => self.placed(&ready, put)?,
                Err(error) => {
                    // It is made again from the store the next time.
                    drop(fs::remove_file(&ready.hidden));
                    self.failed(job, &ready.waiting.name, ready.waiting.position, ready.transferred, &error)
                }
            },
        };
        let state = done.outcome.state;
        settling.done.push(done);
        if settling.done.len() >= TOGETHER {
            self.settle(job, settling).await?;
        }
        Ok(state)
    }

    fn failed(&self, job: &Job, name: &str, position: i64, transferred: u64, error: &ArchiveError) -> Done {
        self.say(job, &format!("{name} failed: {error}"));
        let outcome = Outcome {
            position,
            state: FrameState::Failed,
            reason: Some(error.to_string()),
            path: None,
            transferred: i64::try_from(transferred).unwrap_or(i64::MAX),
            replaced: None,
        };
        Done { outcome, held: None }
    }

    fn placed(&self, ready: &Ready, put: Put) -> Result<Done, ArchiveError> {
        let path = put.path.to_string_lossy().into_owned();
        let held = HeldFrame {
            state: put.state,
            checksum: ready.listing.checksum.clone(),
            version: ready.listing.version.clone(),
            size: i64::try_from(ready.size).ok(),
            blob: Some(ready.blob),
            path: Some(path.clone()),
            stamp: Some(stamp(&put.path)?),
            fetch: self.id,
        };
        let replaced = ready.before.as_ref().filter(|before| before.path.is_some() && before.blob != Some(ready.blob));
        let outcome = Outcome {
            position: ready.waiting.position,
            state: put.state,
            reason: put.reason,
            path: Some(path),
            transferred: i64::try_from(ready.transferred).unwrap_or(i64::MAX),
            replaced: replaced.map(serde_json::to_string).transpose().map_err(ArchiveError::internal)?,
        };
        Ok(Done { outcome, held: Some((ready.shelf.clone(), ready.waiting.name.clone(), held)) })
    }

    async fn put(&self, ready: &Ready) -> Result<Put, ArchiveError> {
        let config = &self.request.config;
        let (directory, state, reason) = match &ready.place {
            Err(reason) => (config.download_directory.clone(), FrameState::Aside, Some(reason.clone())),
            Ok(place) => {
                let directory = config.reduction_directory.join(&place.directory);
                self.make_dataset(&directory, place)?;
                let lock = directory.join(LOCK);
                self.note(&format!("Searching for lockfile at {}", lock.display()));
                if lock.symlink_metadata().is_ok() {
                    let reason = format!("its dataset is locked by {}", lock.display());
                    self.note(&format!(" -> {} is locked", name_of(&directory)));
                    (config.download_directory.clone(), FrameState::Waiting, Some(reason))
                } else {
                    self.note(&format!(" -> {} is not locked", name_of(&directory)));
                    (directory, FrameState::Placed, None)
                }
            }
        };
        let path = directory.join(&ready.file);
        self.may_stand_at(ready, &path).await?;
        files::move_file(&ready.hidden, &path)?;
        self.note(&format!("{} --> {}", ready.file, directory.display()));
        self.leave_old_place(ready, &path);
        if state == FrameState::Placed {
            self.list(ready, &directory)?;
        }
        Ok(Put { state, path, reason })
    }

    fn make_dataset(&self, directory: &Path, place: &Place) -> Result<(), ArchiveError> {
        files::make_directory(directory)?;
        if let Some(values) = &place.configuration
            && self.request.template.write(directory, values)?
        {
            self.note(&format!("Created reduction configuration for {}", directory.display()));
        }
        Ok(())
    }

    /// Refuses a place where something stands that is not ours to replace.
    async fn may_stand_at(&self, ready: &Ready, path: &Path) -> Result<(), ArchiveError> {
        let text = path.to_string_lossy().into_owned();
        let (shelf, name, at) = (ready.shelf.clone(), ready.waiting.name.clone(), text.clone());
        let other = self
            .archives
            .catalog()
            .read(move |tx| {
                let (shelf, name, at) = (shelf.clone(), name.clone(), at.clone());
                Box::pin(async move { table::other_at(tx, &shelf, &name, &at).await })
            })
            .await?;
        if let Some(other) = other {
            return Err(ArchiveError::Taken { path: path.to_owned(), by: format!("the frame {other}") });
        }
        let Ok(there) = path.symlink_metadata() else { return Ok(()) };
        if !there.is_file() {
            return Err(ArchiveError::Taken {
                path: path.to_owned(),
                by: "something that is no plain file".to_owned(),
            });
        }
        let before = ready.before.as_ref();
        let ours = before.is_some_and(|before| {
            before.path.as_deref() == Some(text.as_str()) && before.stamp.as_deref() == stamp(path).ok().as_deref()
        });
        if ours || self.request.options.replace_amended {
            return Ok(());
        }
        let (hidden, path) = (ready.hidden.clone(), path.to_owned());
        blocking(move || if same_content(&hidden, &path)? { Ok(()) } else { Err(ArchiveError::Amended { path }) }).await
    }

    /// Removes the file that stood elsewhere, such as in the download directory while the dataset was locked, unless somebody changed it.
    fn leave_old_place(&self, ready: &Ready, now: &Path) {
        let old = ready
            .before
            .as_ref()
            .and_then(|before| Some((PathBuf::from(before.path.as_ref()?), before.stamp.as_ref()?)));
        if let Some((old, old_stamp)) = old
            && old != now
            && stamp(&old).is_ok_and(|stamp| stamp == *old_stamp)
            && let Err(error) = fs::remove_file(&old)
        {
            self.note(&format!("{} could not be removed: {error}", old.display()));
        }
    }

    /// Adds a placed frame to the lists that the pipeline reads.
    fn list(&self, ready: &Ready, directory: &Path) -> Result<(), ArchiveError> {
        let Some(header) = &ready.header else { return Ok(()) };
        let processed = directory.join("raw_flux").join(format!("{}.parquet", ready.file)).exists();
        let line = row::line(&ready.file, header, processed);
        self.add_to_lists(&ready.file, &line)?;
        let summary = directory.join(SUMMARY);
        let list = if self.request.options.data_summary {
            Some(FrameList::open_or_create(&summary)?)
        } else {
            FrameList::open(&summary)?
        };
        match list {
            Some(mut list) => list.add(&ready.file, &line),
            None => Ok(()),
        }
    }

    /// Writes down what has been done, once the disk has it.
    pub(super) async fn settle(&self, job: &Job, settling: &mut Settling) -> Result<(), ArchiveError> {
        let done = std::mem::take(&mut settling.done);
        if done.is_empty() {
            return Ok(());
        }
        self.flush_disks().await?;
        let (job, fetch) = (job.clone(), self.id);
        self.archives
            .catalog()
            .write(move |tx| {
                let (job, done) = (job.clone(), done.clone());
                Box::pin(async move {
                    job.fence(tx).await?;
                    for Done { outcome, held } in &done {
                        table::settle(tx, fetch, outcome).await?;
                        if let Some((shelf, name, held)) = held {
                            table::hold_again(tx, shelf, name, held).await?;
                        }
                    }
                    Ok::<_, ArchiveError>(())
                })
            })
            .await
    }
}

/// A file's size and time of change: another stamp means that somebody wrote to it.
pub(super) fn stamp(path: &Path) -> Result<String, ArchiveError> {
    let metadata = fs::metadata(path).map_err(|error| ArchiveError::io(path, "cannot be looked at", error))?;
    Ok(format!("{}-{}.{:09}", metadata.len(), metadata.mtime(), metadata.mtime_nsec()))
}

fn name_of(directory: &Path) -> String {
    directory.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// Whether two files hold the same bytes.
fn same_content(a: &Path, b: &Path) -> Result<bool, ArchiveError> {
    let open = |path: &Path| fs::File::open(path).map_err(|error| ArchiveError::io(path, "cannot be read", error));
    let (mut first, mut second) = (open(a)?, open(b)?);
    let mut buffers = (vec![0; 256 * 1024], vec![0; 256 * 1024]);
    loop {
        let read = fill(&mut first, &mut buffers.0).map_err(|error| ArchiveError::io(a, "cannot be read", error))?;
        let other = fill(&mut second, &mut buffers.1).map_err(|error| ArchiveError::io(b, "cannot be read", error))?;
        if read != other || buffers.0[..read] != buffers.1[..other] {
            return Ok(false);
        }
        if read == 0 {
            return Ok(true);
        }
    }
}

/// Reads until the buffer is full or the file ends.
fn fill(file: &mut fs::File, buffer: &mut [u8]) -> std::io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match file.read(&mut buffer[filled..])? {
            0 => break,
            count => filled += count,
        }
    }
    Ok(filled)
}
