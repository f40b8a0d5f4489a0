//! A store in a directory: a staged file becomes a blob by being renamed.
//!
//! The rename replaces whatever has the name. Its bytes can only be the same, or damaged; and a blob that another process
//! linked a moment ago, whose directory is not flushed yet, is never taken for a durable one.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use holotype_core::Digest;
use object_store::local::LocalFileSystem;
use object_store::{ObjectStore, ObjectStoreExt};

use crate::file;
use crate::key::{BLOBS, Keys};
use crate::staged::Staged;

/// The folder of unfinished files under the root.
pub(crate) const STAGING: &str = "staging";

/// Folders of blobs: one for each value of the first two bytes of a digest.
const SHARDS: usize = 1 << 16;

/// The file system's side of a directory store.
#[derive(Debug, Clone)]
pub(crate) struct Directory {
    blobs: PathBuf,
    /// Which folders are known to be on the disk, with the names of those above them. Another process may have made a
    /// folder and not have flushed it yet, so that it exists proves nothing.
    durable: Arc<[AtomicBool]>,
}

impl Directory {
    /// Uses a directory as a store, and makes it if it is absent. Blocks.
    pub(crate) fn open(root: &Path) -> io::Result<(Self, LocalFileSystem)> {
        let blobs = root.join(BLOBS);
        file::create_directory(&blobs)?;
        let objects = LocalFileSystem::new_with_prefix(root).map_err(io::Error::other)?.with_fsync(true);
        let durable = std::iter::repeat_with(AtomicBool::default).take(SHARDS).collect();
        Ok((Self { blobs, durable }, objects))
    }

    /// Moves a staged file to its name, durably.
    pub(crate) async fn publish(
        &self,
        objects: &dyn ObjectStore,
        keys: &Keys,
        staged: &Staged,
    ) -> object_store::Result<()> {
        let digest = staged.digest();
        self.prepare(digest).await.map_err(generic)?;
        let from = object_store::path::Path::from_iter([STAGING, &*staged.file().name()]);
        let to = keys.blob(&digest);
        let result = objects.rename(&from, &to).await;
        match result {
            // The file has no name in staging any more: an earlier rename was done, and its answer was lost.
            Err(object_store::Error::NotFound { .. })
                if objects.head(&to).await.is_ok_and(|found| found.size == staged.size()) =>
            {
                let shard = self.shard(digest);
                file::blocking(move || file::flush_directory(&shard)).await.map_err(generic)
            }
            other => other,
        }
    }

    /// Makes the folder that a blob goes to, durable up to the root.
    async fn prepare(&self, digest: Digest) -> io::Result<()> {
        let [first, second, ..] = *digest.as_bytes();
        let number = usize::from(u16::from_be_bytes([first, second]));
        let Some(durable) = self.durable.get(number) else { return Ok(()) };
        if durable.load(Ordering::Acquire) {
            return Ok(());
        }
        let (shard, blobs) = (self.shard(digest), self.blobs.clone());
        file::blocking(move || {
            std::fs::create_dir_all(&shard)?;
            shard.parent().map_or(Ok(()), file::flush_directory)?;
            file::flush_directory(&blobs)
        })
        .await?;
        durable.store(true, Ordering::Release);
        Ok(())
    }

    /// Where a blob is, or would be.
    pub(crate) fn path(&self, digest: Digest) -> PathBuf {
        self.shard(digest).join(digest.to_string())
    }

    fn shard(&self, digest: Digest) -> PathBuf {
        let [first, second, ..] = *digest.as_bytes();
        self.blobs.join(format!("{first:02x}")).join(format!("{second:02x}"))
    }
}

fn generic(source: io::Error) -> object_store::Error {
    object_store::Error::Generic { store: "LocalFileSystem", source: Box::new(source) }
}
