//! Files that are handed in: whoever made them, whatever their headers say.

use std::sync::Arc;

use holotype_blobs::Held;
use holotype_core::{Caller, ProjectId, Role};
use tokio::runtime::Handle;

use super::Facts;
use super::file::{self, BlobFile};
use super::name::{check_name, split_name};
use super::put::{Recorded, put};
use crate::{ArchiveError, Archives};

/// What became of a file that was handed in.
#[derive(Debug, Clone, PartialEq)]
pub struct Ingested {
    /// What was recorded.
    pub recorded: Recorded,
    /// What the file says of itself.
    pub facts: Facts,
    /// The ending of its name.
    pub extension: String,
}

impl Archives {
    /// Makes a frame of a project from a FITS file that is held. What its headers lack stays unknown.
    ///
    /// # Errors
    /// A name that is none, a file that is no FITS file or is cut, and a caller who may not write to the project.
    pub async fn ingest(
        &self,
        caller: &Caller,
        project: ProjectId,
        file_name: &str,
        held: Held,
    ) -> Result<Ingested, ArchiveError> {
        check_name(file_name)?;
        let (basename, extension) = split_name(file_name);
        let facts = Arc::new(self.read_facts(basename, extension, &held).await?);
        let (author, known, ending) = (caller.clone(), Arc::clone(&facts), extension.to_owned());
        let recorded = self
            .catalog()
            .write(move |tx| {
                let (caller, facts, held, extension) =
                    (author.clone(), Arc::clone(&known), held.clone(), ending.clone());
                Box::pin(async move {
                    tx.require(&caller, project, Role::Editor).await?;
                    put(tx, project, caller.user, &facts, &held, &extension).await
                })
            })
            .await?;
        if recorded.is_new_version
            && let Err(error) = self.illustrate(recorded.frame).await
        {
            // A frame without a picture is a frame: a spectrum in a table has none.
            tracing::debug!(frame = %recorded.frame, %error, "no thumbnails were made");
        }
        Ok(Ingested { recorded, facts: Arc::unwrap_or_clone(facts), extension: extension.to_owned() })
    }

    async fn read_facts(&self, basename: &str, extension: &str, held: &Held) -> Result<Facts, ArchiveError> {
        let mut file = BlobFile::new(self.blobs().clone(), Handle::current(), held.digest, held.size);
        let (basename, extension) = (basename.to_owned(), extension.to_owned());
        let read = tokio::task::spawn_blocking(move || {
            let hdus = file::hdus(&mut file, &extension)?;
            Ok(Facts::of_header(&basename, &hdus))
        });
        read.await.map_err(|error| ArchiveError::Aborted { what: "reading a header", problem: error.to_string() })?
    }
}
