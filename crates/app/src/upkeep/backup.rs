//! Making, listing and rotating backups in `backups/` of the home.
//!
//! A backup is the catalog's own (docs/formats/backup.md), with the home's `holotype.toml` and `registry.json` beside it and,
//! if wished, the bytes of its blobs under `blobs/`. It has its name only once everything in it is on the disk.

use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::Duration;

use holotype_blobs::Progress;
use holotype_catalog::{Catalog, CatalogError, random};
use holotype_core::{Digest, Instant};
use holotype_store::Store;

use super::BackupError;
use super::proof::{self, Places, Proof};
use crate::{App, AppError, Home, disk, files, home};

/// The folder of a backup that holds copies of its blobs.
pub(super) const BLOBS: &str = "blobs";

/// What the name of a backup begins with that is being made or removed.
const UNFINISHED: &str = ".unfinished-";

/// An unfinished backup that nothing was written to for so long belongs to a process that was killed.
const ABANDONED: Duration = Duration::from_secs(86_400);

/// A backup to make.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct BackupRequest {
    /// Whether to copy the bytes of the blobs too.
    pub with_blobs: bool,
    /// What follows the time in its name, if it is made for a reason. Such backups are rotated apart from the others.
    pub suffix: Option<&'static str>,
}

/// A backup that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackupInfo {
    /// The name of its folder.
    pub name: String,
    /// The folder.
    pub folder: PathBuf,
    /// When it was made.
    pub created_at: Instant,
    /// The engine the catalog was kept in.
    pub engine: String,
    /// The version of its tables.
    pub schema_version: i64,
    /// Its bytes on disk.
    pub size: u64,
    /// Whether it holds the bytes of its blobs.
    pub with_blobs: bool,
}

/// A backup that was made, and what became of the older ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackupMade {
    /// The backup.
    pub info: BackupInfo,
    /// Whether every blob that it needs is there.
    pub proof: Proof,
    /// The names of backups that were removed because there are newer ones.
    pub rotated: Vec<String>,
}

/// Makes a backup, proves it, and removes those that are too old. `tell` hears how far the blobs have come, and may end it.
///
/// # Errors
/// If the disk is full or the catalog fails; nothing is left of it then.
pub async fn back_up(
    app: &App,
    request: BackupRequest,
    tell: impl Fn(Progress) -> ControlFlow<()> + Send + Sync,
) -> Result<BackupMade, AppError> {
    let (home, now) = (&app.config().home, app.clock().now());
    let unfinished = Unfinished::begin(home)?;
    app.catalog().backup(&unfinished.0).await?;
    copy_settings(home, &unfinished.0)?;
    if request.with_blobs {
        copy_blobs(app, &unfinished.0, &tell).await?;
    }
    let places = Places { store: app.store(), blobs: app.blobs(), copies: proof::copies(&unfinished.0)? };
    let proof = places.prove(&unfinished.0, app.catalog()).await?;
    let folder = unfinished.finish(now, request.suffix)?;
    let rotated = rotate(home, app.config().upkeep.backup_keep)?;
    Ok(BackupMade { info: describe(&folder)?, proof, rotated })
}

/// Every backup of a home, the oldest first. Folders without a manifest of ours are passed over.
///
/// # Errors
/// If the directory cannot be read.
pub fn list_backups(home: &Home) -> Result<Vec<BackupInfo>, AppError> {
    let directory = home.backups_directory();
    let entries = match fs::read_dir(&directory) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(BackupError::file(&directory))?,
    };
    let mut backups = Vec::new();
    for entry in entries {
        let path = entry.map_err(BackupError::file(&directory))?.path();
        if is_unfinished(&path) {
            continue;
        }
        if let Ok(info) = describe(&path) {
            backups.push(info);
        }
    }
    backups.sort_by(|one, other| (one.created_at, &one.name).cmp(&(other.created_at, &other.name)));
    Ok(backups)
}

/// The name of a backup's folder: the time in UTC, and why it was made.
pub(super) fn name(at: Instant, suffix: Option<&str>) -> String {
    let suffix = suffix.map(|suffix| format!("-{suffix}")).unwrap_or_default();
    format!("{}{suffix}", at.timestamp().strftime("%Y%m%dT%H%M%SZ"))
}

fn describe(folder: &Path) -> Result<BackupInfo, AppError> {
    let manifest = Catalog::read_backup(folder)?;
    Ok(BackupInfo {
        name: folder.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        folder: folder.to_owned(),
        created_at: manifest.created_at,
        engine: manifest.engine,
        schema_version: manifest.schema_version,
        size: size(folder).map_err(BackupError::file(folder))?,
        with_blobs: folder.join(BLOBS).is_dir(),
    })
}

/// The bytes of all files in a directory.
fn size(directory: &Path) -> std::io::Result<u64> {
    let mut total = 0;
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let metadata = entry.metadata()?;
        total += if metadata.is_dir() { size(&entry.path())? } else { metadata.len() };
    }
    Ok(total)
}

/// Removes the oldest backups until `keep` are left, of those made regularly and of those made for a reason each.
fn rotate(home: &Home, keep: usize) -> Result<Vec<String>, AppError> {
    let (regular, special): (Vec<_>, Vec<_>) =
        list_backups(home)?.into_iter().partition(|backup| !backup.name.contains('-'));
    let mut removed = Vec::new();
    for group in [regular, special] {
        let too_many = group.len().saturating_sub(keep);
        for backup in group.into_iter().take(too_many) {
            // Under another name first, so that half of it never looks like a backup.
            let going = unfinished_path(home)?;
            fs::rename(&backup.folder, &going).map_err(BackupError::file(&backup.folder))?;
            fs::remove_dir_all(&going).map_err(BackupError::file(&going))?;
            removed.push(backup.name);
        }
    }
    remove_abandoned(home)?;
    Ok(removed)
}

/// Removes what killed processes left behind.
fn remove_abandoned(home: &Home) -> Result<(), BackupError> {
    let directory = home.backups_directory();
    for entry in fs::read_dir(&directory).map_err(BackupError::file(&directory))? {
        let path = entry.map_err(BackupError::file(&directory))?.path();
        let idle = path.metadata().and_then(|metadata| metadata.modified()).map(|modified| modified.elapsed());
        if is_unfinished(&path) && matches!(idle, Ok(Ok(idle)) if idle > ABANDONED) {
            fs::remove_dir_all(&path).map_err(BackupError::file(&path))?;
        }
    }
    Ok(())
}

fn unfinished_path(home: &Home) -> Result<PathBuf, CatalogError> {
    Ok(home.backups_directory().join(format!("{UNFINISHED}{:032x}", random::bits()?)))
}

fn is_unfinished(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(UNFINISHED))
}

/// Copies what the home says of itself: the settings for people to look up, the identity to bring back.
fn copy_settings(home: &Home, folder: &Path) -> Result<(), BackupError> {
    for source in [home.config_file(), home.registry_file()] {
        let target = folder.join(source.file_name().unwrap_or_default());
        if let Some(text) = files::read_text(&source, 16 << 20).map_err(BackupError::file(&source))? {
            files::write_text(&target, &text).map_err(BackupError::file(&target))?;
        }
    }
    Ok(())
}

/// Copies every blob that the backup lists and that is there; the proof says what is not.
async fn copy_blobs(
    app: &App,
    folder: &Path,
    tell: &(impl Fn(Progress) -> ControlFlow<()> + Send + Sync),
) -> Result<(), AppError> {
    let blobs = Catalog::read_backup(folder)?.blobs;
    let (free, _) = disk::space(folder).map_err(BackupError::file(folder))?;
    if free < blobs.bytes {
        return Err(BackupError::NoRoom { path: folder.to_owned(), needed: blobs.bytes, free }.into());
    }
    fs::create_dir(folder.join(BLOBS)).map_err(BackupError::file(folder))?;
    let Some(target) = proof::copies(folder)? else { return Ok(()) };
    let mut progress = Progress { total: blobs.count, ..Progress::default() };
    for listed in Catalog::backup_blobs(folder)? {
        let (digest, _) = listed?;
        progress.bytes += copy_blob(app, digest, &target).await?;
        progress.done += 1;
        if tell(progress).is_break() {
            return Err(BackupError::Stopped.into());
        }
    }
    Ok(())
}

/// Copies one blob; gives its bytes. One that is not there, or that is damaged, is not copied.
async fn copy_blob(app: &App, digest: Digest, target: &Store) -> Result<u64, AppError> {
    let reading = match app.blobs().get(digest, None).await {
        Ok(reading) => reading,
        Err(error) if error.category() == holotype_core::Category::NotFound => return Ok(0),
        Err(error) => return Err(error.into()),
    };
    let size = reading.size;
    let mut upload = target.begin();
    let mut stream = reading.stream;
    while let Some(bytes) = futures::StreamExt::next(&mut stream).await {
        upload.write(&bytes?).await?;
    }
    let staged = upload.finish().await?;
    if staged.digest() != digest {
        tracing::error!(%digest, "a blob is damaged, so it is not in the backup: run `holotype store verify`");
        return Ok(0);
    }
    staged.publish().await.map_err(|unpublished| unpublished.error)?;
    Ok(size)
}

/// A backup that is being made; it is removed again unless it comes to its end.
#[derive(Debug)]
struct Unfinished(PathBuf);

impl Unfinished {
    fn begin(home: &Home) -> Result<Self, AppError> {
        let directory = home.backups_directory();
        home::private_directory(&directory).map_err(BackupError::file(&directory))?;
        Ok(Self(unfinished_path(home)?))
    }

    /// Gives the backup the name of its time, or of the next second that has none. It is there for good then.
    fn finish(mut self, now: Instant, suffix: Option<&str>) -> Result<PathBuf, BackupError> {
        files::sync_directory(&self.0).map_err(BackupError::file(&self.0))?;
        let directory = self.0.parent().unwrap_or(Path::new(".")).to_owned();
        let mut at = now;
        let folder = loop {
            let folder = directory.join(name(at, suffix));
            match fs::rename(&self.0, &folder) {
                Ok(()) => break folder,
                // A name that is taken: a directory is not put over one that has something in it.
                Err(_) if folder.exists() => at = at.after(Duration::from_secs(1)),
                Err(error) => return Err(BackupError::file(folder)(error)),
            }
        };
        self.0 = PathBuf::new();
        files::sync_directory(&directory).map_err(BackupError::file(directory))?;
        Ok(folder)
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        if self.0.exists()
            && let Err(error) = fs::remove_dir_all(&self.0)
        {
            tracing::warn!(%error, folder = %self.0.display(), "an unfinished backup was not removed");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_backup_is_its_time_and_its_reason() {
        let at: Instant = "2026-11-20T15:30:00.5Z".parse().unwrap();
        assert_eq!(name(at, None), "20261120T153000Z");
        assert_eq!(name(at, Some("before-restore")), "20261120T153000Z-before-restore");
    }
}
