//! The files of a backup: written durably, named when complete, compared with the manifest.

use std::fs::{self, DirBuilder, File};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use holotype_core::{Digest, Hasher};

use super::{BLOBS, CATALOG, FORMAT, MANIFEST, Manifest, ManifestFile};
use crate::CatalogError;

/// The longest manifest that is read; one of ours has about a kilobyte.
const LONGEST_MANIFEST: u64 = 1 << 20;

/// The longest line of the list of blobs: 64 digits, a space, 20 digits and the end.
const LONGEST_LINE: u64 = 86;

/// A backup that is being made; it is removed again if it does not come to its end.
#[derive(Debug)]
pub(super) struct Unfinished {
    folder: PathBuf,
    partial: PathBuf,
    finished: bool,
}

impl Unfinished {
    /// Begins a backup that is to become `folder`. What it holds is for its owner's eyes: hashes of passwords and
    /// tokens.
    pub(super) fn begin(folder: &Path) -> Result<Self, CatalogError> {
        if folder.try_exists().map_err(CatalogError::file(folder))? {
            return Err(CatalogError::conflict(format!("{} is there already", folder.display())));
        }
        let mut partial = folder.to_owned().into_os_string();
        partial.push(".partial");
        let partial = PathBuf::from(partial);
        // Of a program that was killed.
        remove(&partial).map_err(CatalogError::file(&partial))?;
        DirBuilder::new().recursive(true).mode(0o700).create(&partial).map_err(CatalogError::file(&partial))?;
        Ok(Self { folder: folder.to_owned(), partial, finished: false })
    }

    /// Where its files go until it is complete.
    pub(super) fn path(&self) -> &Path {
        &self.partial
    }

    /// Writes the manifest, and gives the folder its name once everything is on the disk.
    pub(super) fn finish(mut self, manifest: &Manifest) -> Result<(), CatalogError> {
        let path = self.partial.join(MANIFEST);
        let failed = CatalogError::file(&path);
        let write = || {
            let mut file = File::create(&path)?;
            serde_json::to_writer_pretty(&mut file, manifest)?;
            file.write_all(b"\n")?;
            for name in [CATALOG, BLOBS, MANIFEST, "."] {
                File::open(self.partial.join(name))?.sync_all()?;
            }
            fs::rename(&self.partial, &self.folder)?;
            File::open(self.folder.parent().unwrap_or(Path::new(".")))?.sync_all()
        };
        write().map_err(failed)?;
        self.finished = true;
        Ok(())
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        if !self.finished
            && let Err(error) = remove(&self.partial)
        {
            tracing::warn!(%error, folder = %self.partial.display(), "an unfinished backup was not removed");
        }
    }
}

fn remove(folder: &Path) -> std::io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Reads a manifest, whose format must be ours.
pub(super) fn read_manifest(folder: &Path) -> Result<Manifest, CatalogError> {
    let bad = |problem: String| CatalogError::BadBackup { folder: folder.to_owned(), problem };
    let mut text = Vec::new();
    let file = File::open(folder.join(MANIFEST)).map_err(|error| bad(format!("{MANIFEST}: {error}")))?;
    file.take(LONGEST_MANIFEST).read_to_end(&mut text).map_err(CatalogError::file(folder.join(MANIFEST)))?;
    let manifest: Manifest = serde_json::from_slice(&text).map_err(|error| bad(format!("{MANIFEST}: {error}")))?;
    if manifest.format != FORMAT {
        return Err(bad(format!("its format is {}, and this program reads {FORMAT}", manifest.format)));
    }
    Ok(manifest)
}

/// Compares the files with the manifest.
pub(super) async fn verify(folder: &Path, manifest: &Manifest) -> Result<(), CatalogError> {
    for (name, expected) in [(CATALOG, &manifest.catalog), (BLOBS, &manifest.blobs.list)] {
        let found = describe(folder, name).await?;
        if found != *expected {
            let problem = format!("{name} is not the file that the manifest describes");
            return Err(CatalogError::BadBackup { folder: folder.to_owned(), problem });
        }
    }
    Ok(())
}

/// The entry of a file, from its bytes.
pub(super) async fn describe(folder: &Path, name: &'static str) -> Result<ManifestFile, CatalogError> {
    let path = folder.join(name);
    let read = move || {
        let mut file = File::open(&path).map_err(CatalogError::file(&path))?;
        let (mut hasher, mut size, mut buffer) = (Hasher::new(), 0, vec![0; 1 << 17]);
        loop {
            let count = file.read(&mut buffer).map_err(CatalogError::file(&path))?;
            if count == 0 {
                return Ok(ManifestFile { file: name.to_owned(), size, sha256: hasher.finish() });
            }
            hasher.update(&buffer[..count]);
            size += count as u64;
        }
    };
    tokio::task::spawn_blocking(read).await.map_err(|_| CatalogError::Panicked)?
}

/// The blobs that a backup needs, in the order of their digests.
#[derive(Debug)]
pub struct BlobList {
    path: PathBuf,
    reader: BufReader<File>,
}

impl BlobList {
    pub(super) fn open(folder: &Path) -> Result<Self, CatalogError> {
        let path = folder.join(BLOBS);
        let file = File::open(&path).map_err(CatalogError::file(&path))?;
        Ok(Self { path, reader: BufReader::new(file) })
    }

    fn read(&mut self) -> Result<Option<(Digest, u64)>, CatalogError> {
        let mut line = String::new();
        let mut bounded = self.reader.by_ref().take(LONGEST_LINE);
        if bounded.read_line(&mut line).map_err(CatalogError::file(&self.path))? == 0 {
            return Ok(None);
        }
        let entry = line.strip_suffix('\n').and_then(|line| line.split_once(' '));
        let entry = entry.and_then(|(digest, size)| Some((digest.parse().ok()?, size.parse().ok()?)));
        let problem = "a line is not a digest, a space and a size".to_owned();
        entry.map(Some).ok_or_else(|| CatalogError::BadBackup { folder: self.path.clone(), problem })
    }
}

impl Iterator for BlobList {
    type Item = Result<(Digest, u64), CatalogError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.read().transpose()
    }
}
