//! The files of results, opened.

use std::ops::Range;

use bytes::Bytes;
use futures::stream::BoxStream;
use futures::{StreamExt as _, TryStreamExt as _};
use holotype_blobs::Blobs;
use holotype_core::Caller;

use crate::{FileName, ResultFile, SessionError, Sessions, table};

/// A file of a result, to be opened.
#[derive(Debug)]
pub struct ResultContent {
    /// What it is.
    pub file: ResultFile,
    blobs: Blobs,
}

/// Bytes on their way.
pub struct OpenedFile {
    /// Which bytes of the whole these are; the end is excluded.
    pub range: Range<u64>,
    /// The bytes.
    pub stream: BoxStream<'static, Result<Bytes, SessionError>>,
}

impl std::fmt::Debug for OpenedFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OpenedFile").field("range", &self.range).finish_non_exhaustive()
    }
}

impl ResultContent {
    /// Begins to read the whole, or a range of it.
    ///
    /// # Errors
    /// If the range holds no byte of it, or the bytes cannot be reached.
    pub async fn open(&self, range: Option<Range<u64>>) -> Result<OpenedFile, SessionError> {
        let reading = self.blobs.get(self.file.digest, range).await?;
        Ok(OpenedFile { range: reading.range, stream: reading.stream.map_err(SessionError::from).boxed() })
    }
}

impl Sessions {
    /// A file of a result that an operation of the caller's points to. Without a caller, whoever asks has been let in by other means.
    ///
    /// # Errors
    /// [`SessionError::NoFile`], also where the caller has no such operation.
    pub async fn file(&self, caller: Option<&Caller>, name: &FileName) -> Result<ResultContent, SessionError> {
        let (user, wanted) = (caller.map(|caller| caller.user), name.clone());
        let found = self
            .catalog()
            .read(move |tx| {
                let name = wanted.clone();
                Box::pin(async move {
                    let key = name.key().ok_or(SessionError::NoFile)?;
                    match user {
                        Some(user) if !table::has_result(tx, user, &key).await? => Err(SessionError::NoFile),
                        _ => table::file(tx, &name).await?.ok_or(SessionError::NoFile),
                    }
                })
            })
            .await?;
        Ok(ResultContent { file: found, blobs: self.blobs().clone() })
    }
}
