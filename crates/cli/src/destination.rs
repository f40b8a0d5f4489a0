//! A file that appears whole, or not at all.

use std::io;
use std::path::{Path, PathBuf};

use tokio::fs::{File, OpenOptions};
use tokio::io::AsyncWriteExt;

use crate::failure::Failure;

/// A file being written beside its final name. Unless it is kept, it leaves nothing behind.
pub(crate) struct Destination {
    path: PathBuf,
    partial: PathBuf,
    file: File,
    force: bool,
    kept: bool,
}

impl Destination {
    /// Begins to write `path`; something that is there is refused, or replaced at the end with `force`.
    pub(crate) async fn create(path: &Path, force: bool) -> Result<Self, Failure> {
        if !force && tokio::fs::symlink_metadata(path).await.is_ok() {
            return Err(in_the_way(path));
        }
        let mut partial = path.as_os_str().to_owned();
        partial.push(format!(".{}.part", std::process::id()));
        let partial = PathBuf::from(partial);
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&partial)
            .await
            .map_err(|source| failed(&partial, source))?;
        Ok(Self { path: path.to_owned(), partial, file, force, kept: false })
    }

    /// Where the bytes go.
    pub(crate) fn writer(&mut self) -> &mut File {
        &mut self.file
    }

    /// Where the bytes go, for a writer that waits for the disk itself.
    pub(crate) async fn file(&mut self) -> Result<std::fs::File, Failure> {
        let file = self.file.try_clone().await.map_err(|source| failed(&self.partial, source))?;
        Ok(file.into_std().await)
    }

    /// Gives the file its name.
    pub(crate) async fn keep(mut self) -> Result<(), Failure> {
        let named = async {
            self.file.flush().await?;
            self.file.sync_all().await?;
            // Looked at once more, because the bytes may have been long on their way.
            if !self.force && tokio::fs::symlink_metadata(&self.path).await.is_ok() {
                return Err(io::ErrorKind::AlreadyExists.into());
            }
            tokio::fs::rename(&self.partial, &self.path).await
        };
        match named.await {
            Ok(()) => {
                self.kept = true;
                Ok(())
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(in_the_way(&self.path)),
            Err(error) => Err(failed(&self.path, error)),
        }
    }
}

impl Drop for Destination {
    fn drop(&mut self) {
        if !self.kept {
            // What cannot be removed is named so that anyone sees what it is.
            drop(std::fs::remove_file(&self.partial));
        }
    }
}

fn in_the_way(path: &Path) -> Failure {
    Failure::InTheWay {
        message: format!("{} is there already", path.display()),
        next: "choose another name, or replace it with --force".to_owned(),
    }
}

fn failed(path: &Path, source: io::Error) -> Failure {
    Failure::io(format!("{} cannot be written", path.display()), source)
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn write(path: &Path, force: bool, text: &str) -> Result<(), Failure> {
        let mut destination = Destination::create(path, force).await?;
        destination.writer().write_all(text.as_bytes()).await.unwrap();
        destination.keep().await
    }

    fn names(folder: &Path) -> Vec<String> {
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[tokio::test]
    async fn a_file_is_not_replaced_unless_it_is_forced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.txt");
        write(&path, false, "one").await.unwrap();
        assert!(matches!(write(&path, false, "two").await, Err(Failure::InTheWay { .. })));
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "one");
        write(&path, true, "three").await.unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "three");
        assert_eq!(names(folder.path()), ["a.txt"]);
    }

    #[tokio::test]
    async fn what_is_given_up_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        drop(Destination::create(&folder.path().join("a.txt"), false).await.unwrap());
        assert!(names(folder.path()).is_empty());
    }
}
