//! One datapoint: its record, its files, its value.

use std::sync::Arc;

use holotype_core::{Caller, Digest, Instant, ProjectId, Role};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::content::{Content, Source};
use crate::table::{self, FileRow};
use crate::{DatapointError, Datapoints};

/// A file that belongs to a datapoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Its place among the datapoint's files, from 0. The first one is what the contract's routes answer.
    pub position: u32,
    /// The name the client gave it, made safe.
    pub name: String,
    /// The name of its bytes.
    pub digest: Digest,
    /// Bytes.
    pub size: u64,
    /// The media type it is answered with.
    pub media_type: String,
    /// When it was captured.
    pub modified_at: Instant,
    /// The logical path under the storage root. There is never a file there.
    pub path: String,
}

/// The value of a datapoint.
#[derive(Debug)]
pub enum Value {
    /// The exact JSON text of a `json` datapoint's value.
    Json(Box<RawValue>),
    /// The bytes of a file or an object, to be opened.
    Bytes(Content),
}

impl From<FileRow> for File {
    fn from(row: FileRow) -> Self {
        Self {
            position: u32::try_from(row.position).unwrap_or(u32::MAX),
            name: row.name,
            digest: row.digest,
            size: row.size.unsigned_abs(),
            media_type: row.media_type,
            modified_at: row.modified_at,
            path: row.path,
        }
    }
}

/// The member of a stored document that says what it is.
#[derive(Deserialize)]
struct Head<'d> {
    data_type: &'d str,
}

/// The value of a stored document, unread. An `Option` would take null for absent.
#[derive(Deserialize)]
struct Body<'d> {
    #[serde(borrow)]
    value: &'d RawValue,
}

impl Datapoints {
    /// The exact JSON text of a datapoint.
    ///
    /// # Errors
    /// [`DatapointError::NotFound`] if there is none, it was deleted, or the caller may not read the project.
    pub async fn get(&self, caller: &Caller, project: ProjectId, id: &str) -> Result<Arc<str>, DatapointError> {
        Ok(self.read_record(caller, project, id).await?.0)
    }

    /// The files of a datapoint, in the order in which they were sent.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub async fn files(&self, caller: &Caller, project: ProjectId, id: &str) -> Result<Vec<File>, DatapointError> {
        Ok(self.read_record(caller, project, id).await?.1)
    }

    /// One file of a datapoint, to be opened.
    ///
    /// # Errors
    /// As [`get`](Self::get), and [`DatapointError::NoFile`].
    pub async fn file(
        &self,
        caller: &Caller,
        project: ProjectId,
        id: &str,
        position: u32,
    ) -> Result<Content, DatapointError> {
        let files = self.files(caller, project, id).await?;
        let file = files.into_iter().find(|file| file.position == position);
        let file = file.ok_or_else(|| DatapointError::NoFile { id: id.to_owned(), position })?;
        Ok(self.held(file))
    }

    /// The value of a datapoint: its JSON, or its bytes where we hold them or the configured object storage does.
    ///
    /// A `file` record that came without bytes has none: the path in it is the client's, and is never read here.
    ///
    /// # Errors
    /// As [`get`](Self::get), and [`DatapointError::NoBytes`].
    pub async fn value(&self, caller: &Caller, project: ProjectId, id: &str) -> Result<Value, DatapointError> {
        let (document, files) = self.read_record(caller, project, id).await?;
        let damaged =
            |error: serde_json::Error| DatapointError::Damaged { id: id.to_owned(), problem: error.to_string() };
        let Head { data_type } = serde_json::from_str(&document).map_err(damaged)?;
        if data_type == "json" {
            let Body { value } = serde_json::from_str(&document).map_err(damaged)?;
            return Ok(Value::Json(value.to_owned()));
        }
        if let Some(first) = files.into_iter().next() {
            return Ok(Value::Bytes(self.held(first)));
        }
        if data_type == "object_storage" {
            return self.object(project, id, &document).await.map(Value::Bytes);
        }
        Err(DatapointError::NoBytes {
            id: id.to_owned(),
            reason: "only its record was submitted; submit it with its file",
        })
    }

    fn held(&self, file: File) -> Content {
        Content {
            name: file.name,
            media_type: file.media_type,
            size: file.size,
            etag: format!("\"{}\"", file.digest),
            modified_at: file.modified_at,
            source: Source::Blob { blobs: self.inner.blobs.clone(), digest: file.digest },
        }
    }

    /// The files under an id, also of a deleted datapoint, for whoever may write to the project.
    pub(crate) async fn read_files(&self, project: ProjectId, id: &str) -> Result<Vec<File>, DatapointError> {
        let id: Arc<str> = id.into();
        let rows = self
            .inner
            .catalog
            .read(move |tx| {
                let id = Arc::clone(&id);
                Box::pin(async move { table::files(tx, project, &id).await.map_err(DatapointError::from) })
            })
            .await?;
        Ok(rows.into_iter().map(File::from).collect())
    }

    /// The document and the files of a datapoint, for a caller who may read the project.
    async fn read_record(
        &self,
        caller: &Caller,
        project: ProjectId,
        id: &str,
    ) -> Result<(Arc<str>, Vec<File>), DatapointError> {
        let (caller, wanted): (Arc<Caller>, Arc<str>) = (Arc::new(caller.clone()), id.into());
        let found = self
            .inner
            .catalog
            .read(move |tx| {
                let (caller, id) = (Arc::clone(&caller), Arc::clone(&wanted));
                Box::pin(async move {
                    tx.require(&caller, project, Role::Viewer).await?;
                    // PostgreSQL knows no such text, and no id has it.
                    if id.contains('\0') {
                        return Ok(None);
                    }
                    let Some(document) = table::document(tx, project, &id).await? else { return Ok(None) };
                    Ok::<_, DatapointError>(Some((document, table::files(tx, project, &id).await?)))
                })
            })
            .await?;
        let (document, files) = found.ok_or_else(|| DatapointError::not_found(id))?;
        Ok((document, files.into_iter().map(File::from).collect()))
    }
}
