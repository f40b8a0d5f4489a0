//! Inputs as files of this machine, for code that reads here and there in them.

use std::path::{Path, PathBuf};

use holotype_catalog::random;
use holotype_core::{Caller, Digest, ProjectId, UserId};

use crate::scratch::Scratch;
use crate::{BroughtInput, InputError, InputItem, Place, Resolved, SessionError, Sessions};

/// An input that can be read, for as long as this lives.
#[derive(Debug)]
pub struct LocalInput {
    /// What the file is called, with its ending.
    pub file_name: String,
    /// Which bytes these are.
    pub digest: Digest,
    /// Where they are; only to be read.
    pub path: PathBuf,
    _scratch: Scratch,
}

impl Sessions {
    /// Finds an input with the caller's rights and brings it to this machine.
    ///
    /// # Errors
    /// [`SessionError::Input`]; the store's.
    pub async fn local_input(&self, caller: &Caller, item: &InputItem) -> Result<LocalInput, SessionError> {
        let field = || "basename".to_owned();
        let resolved =
            self.resolve(caller, item).await.map_err(|problem| SessionError::Input { field: field(), problem })?;
        let scratch = self.scratch(&format!("look-{:032x}", random::bits()?))?;
        let (path, digest) = self
            .bring(caller.user, caller.project, &resolved, scratch.path())
            .await
            .map_err(|error| error.in_field(field()))?;
        Ok(LocalInput { file_name: resolved.file_name, digest, path, _scratch: scratch })
    }

    /// Brings a blob to this machine.
    ///
    /// # Errors
    /// The store's.
    pub(crate) async fn local_blob(&self, digest: Digest) -> Result<LocalInput, SessionError> {
        let scratch = self.scratch(&format!("look-{:032x}", random::bits()?))?;
        let path = self.blobs().file(digest, &scratch.path().join("blob")).await?;
        Ok(LocalInput { file_name: digest.to_string(), digest, path, _scratch: scratch })
    }

    /// Makes a scratch folder.
    pub(crate) fn scratch(&self, name: &str) -> Result<Scratch, SessionError> {
        let failed =
            |error: std::io::Error| SessionError::File { what: "making a scratch folder", problem: error.to_string() };
        Scratch::make(&self.settings().scratch, name).map_err(failed)
    }

    /// Removes scratch folders that a killed program left behind; how many there were. Call it when workers start.
    ///
    /// # Errors
    /// [`SessionError::File`].
    pub fn clear_scratch(&self) -> Result<usize, SessionError> {
        let failed =
            |error: std::io::Error| SessionError::File { what: "clearing scratch folders", problem: error.to_string() };
        crate::scratch::clear(&self.settings().scratch).map_err(failed)
    }

    /// The bytes of an input as a file: the store's own, or a copy in `folder`.
    pub(crate) async fn bring(
        &self,
        agent: UserId,
        project: ProjectId,
        resolved: &Resolved,
        folder: &Path,
    ) -> Result<(PathBuf, Digest), Unbrought> {
        let BroughtInput { digest, .. } = match &resolved.place {
            Place::Held { digest, size } => BroughtInput { digest: *digest, size: *size },
            Place::Elsewhere { reference } => self.frames().bring(agent, project, reference).await?,
        };
        let path = self.blobs().file(digest, &folder.join(format!("input-{digest}"))).await.map_err(SessionError::from);
        Ok((path?, digest))
    }
}

/// Why an input is not on this machine.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unbrought {
    /// The source's reason.
    #[error(transparent)]
    Source(#[from] InputError),
    /// Ours.
    #[error(transparent)]
    Session(#[from] SessionError),
}

impl Unbrought {
    pub(crate) fn category(&self) -> holotype_core::Category {
        match self {
            Self::Source(error) => error.category(),
            Self::Session(error) => error.category(),
        }
    }

    fn in_field(self, field: String) -> SessionError {
        match self {
            Self::Source(problem) => SessionError::Input { field, problem },
            Self::Session(error) => error,
        }
    }
}
