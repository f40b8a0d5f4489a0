//! Storing a datapoint with its files, once, whatever is repeated.
//!
//! The bytes of the files are in the store before this begins; here what the client left out is filled in. Submitting
//! the same content under the same id again is answered with what is stored.

use std::sync::Arc;

use holotype_blobs::Held;
use holotype_catalog::random;
use holotype_core::{Caller, Digest, Hasher, Instant, ProjectId, Role};
use ulid::Ulid;

use crate::model::{Content, ObjectRecord, Ownership, Rendering, Submission, is_indexed_owner};
use crate::name::{logical_path, media_type, safe};
use crate::narrow::label_key;
use crate::schema::{self, ProjectSchemas};
use crate::store::for_each;
use crate::table::{FileRow, NewRow};
use crate::timestamp::Timestamp;
use crate::{DatapointError, Datapoints, Inner};

/// A file that came with a datapoint, already held in the store.
#[derive(Debug, Clone)]
pub struct NewFile {
    /// What the client calls it.
    pub name: String,
    /// Its bytes.
    pub held: Held,
}

/// A datapoint as it is stored now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// Its id.
    pub id: String,
    /// Its exact JSON text.
    pub document: Arc<str>,
    /// Whether this submission stored it: false when the same datapoint was there before.
    pub created: bool,
}

/// A submission with everything filled in, ready to be stored.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub(crate) row: NewRow,
    pub(crate) files: Vec<(FileRow, Option<Held>)>,
}

/// A file of a submission that is being prepared.
#[derive(Debug)]
pub(crate) struct Part {
    pub(crate) name: String,
    pub(crate) digest: Digest,
    pub(crate) size: u64,
    /// What keeps its bytes; none if the datapoint is known to hold them already.
    pub(crate) held: Option<Held>,
}

impl From<NewFile> for Part {
    fn from(file: NewFile) -> Self {
        Self { name: file.name, digest: file.held.digest, size: file.held.size, held: Some(file.held) }
    }
}

/// Where the files of a submission are said to lie.
#[derive(Debug)]
pub(crate) enum Placement {
    /// In the dated layout, under the storage root.
    Dated {
        /// The moment of the upload.
        at: Instant,
    },
    /// In the bucket, as this record says; and in the dated layout among our own files.
    Bucket {
        /// The moment of the upload.
        at: Instant,
        /// The record that takes the place of the submitted one.
        record: Box<ObjectRecord>,
    },
    /// Where the record says, which is not changed: it comes from another server.
    AsSubmitted {
        /// When the file was captured there.
        modified_at: Instant,
    },
}

impl Submission {
    /// Gives a submission without an id one that follows from `key`: the same key in the same project makes the same datapoint.
    ///
    /// This is how a client that chooses no ids repeats a creation safely.
    #[must_use]
    pub fn with_idempotency_key(mut self, project: ProjectId, key: &str) -> Self {
        if self.id.is_none() {
            let digest = Digest::of(format!("{project} {key}").as_bytes());
            let bits = digest.as_bytes().iter().take(16).fold(0_u128, |bits, byte| bits << 8 | u128::from(*byte));
            self.id = Some(Ulid(bits).to_string());
        }
        self
    }
}

impl Datapoints {
    /// Stores a datapoint and its files. Durable when this answers; repeating it changes nothing.
    ///
    /// # Errors
    /// If the caller may not write to the project, the value breaks its label's schema, or the id is taken by another content.
    pub async fn submit(
        &self,
        caller: &Caller,
        project: ProjectId,
        submission: Submission,
        files: Vec<NewFile>,
    ) -> Result<Stored, DatapointError> {
        let schemas = self.inner.schemas(project).await?;
        if !schemas.is_empty() || self.inner.bucket.is_some() {
            // The transaction checks it too, and would be late: a stranger learns nothing of a schema and puts nothing into a bucket.
            self.require(caller, project, Role::Editor).await?;
        }
        let submission = schema::checked(schemas, submission).await?;
        let now = self.inner.catalog.clock().now();
        let id = chosen_id(&submission, now)?;
        let placement = match self.upload(project, &submission, &id, &files).await? {
            Some(record) => Placement::Bucket { at: now, record: Box::new(record) },
            None => Placement::Dated { at: now },
        };
        let files = files.into_iter().map(Part::from).collect();
        let prepared = self.inner.prepare(&submission, id, files, placement);
        self.store_with_others(caller, project, prepared).await
    }

    /// Stores datapoints without files in one transaction, and answers for each in turn.
    ///
    /// One that is refused does not hinder the others. Some hundred at a time are stored fastest.
    pub async fn submit_batch(
        &self,
        caller: &Caller,
        project: ProjectId,
        submissions: Vec<Submission>,
    ) -> Vec<Result<Stored, DatapointError>> {
        let count = submissions.len();
        match self.prepare_batch(caller, project, submissions).await {
            Ok(prepared) => self.store_prepared(caller, project, prepared).await,
            Err(error) => for_each(error, count),
        }
    }

    async fn prepare_batch(
        &self,
        caller: &Caller,
        project: ProjectId,
        submissions: Vec<Submission>,
    ) -> Result<Vec<Result<Prepared, DatapointError>>, DatapointError> {
        self.require(caller, project, Role::Editor).await?;
        let (inner, schemas) = (Arc::clone(&self.inner), self.inner.schemas(project).await?);
        let work = move || submissions.iter().map(|submission| inner.prepare_value(&schemas, submission)).collect();
        Ok(tokio::task::spawn_blocking(work).await?)
    }

    /// Stores those of a batch that could be prepared, and answers for all in their order.
    pub(crate) async fn store_prepared(
        &self,
        caller: &Caller,
        project: ProjectId,
        batch: Vec<Result<Prepared, DatapointError>>,
    ) -> Vec<Result<Stored, DatapointError>> {
        let (mut prepared, mut answers) = (Vec::with_capacity(batch.len()), Vec::with_capacity(batch.len()));
        for result in batch {
            match result {
                Ok(ready) => {
                    prepared.push(ready);
                    answers.push(None);
                }
                Err(error) => answers.push(Some(error)),
            }
        }
        let mut stored = self.store(caller, project, prepared).await.into_iter();
        let answer = |refused: Option<DatapointError>| match refused {
            Some(error) => Err(error),
            None => stored.next().unwrap_or(Err(DatapointError::Interrupted)),
        };
        answers.into_iter().map(answer).collect()
    }
}

impl Inner {
    /// Prepares a datapoint that came without files, if its value is as its label's schema says.
    pub(crate) fn prepare_value(
        &self,
        schemas: &ProjectSchemas,
        submission: &Submission,
    ) -> Result<Prepared, DatapointError> {
        schemas.check(submission)?;
        let now = self.catalog.clock().now();
        let id = chosen_id(submission, now)?;
        Ok(self.prepare(submission, id, Vec::new(), Placement::Dated { at: now }))
    }

    /// Fills in what the client left to us, and writes the document.
    pub(crate) fn prepare(
        &self,
        submission: &Submission,
        id: String,
        files: Vec<Part>,
        placement: Placement,
    ) -> Prepared {
        let zone = &self.settings.time_zone;
        let rows = self.file_rows(submission, &id, &files, &placement);
        let said = said(submission, &id);
        let content = content_digest(submission, &said, &rows);
        let timestamp =
            submission.timestamp.clone().unwrap_or_else(|| Timestamp::local(self.catalog.clock().now(), zone));
        let ownership = match &submission.ownership {
            Ownership::Unsaid => &self.ownership,
            said => said,
        };
        let (moved, extra_path) = placement.moved(&submission.content, rows.first().map(|row| row.path.as_str()));
        let holds = moved.as_ref().unwrap_or(&submission.content);
        let document = if submission.says_everything() && moved.is_none() && extra_path.is_none() {
            said
        } else {
            submission.render(&Rendering { id: &id, ownership, timestamp: &timestamp.text, content: holds, extra_path })
        };
        let owners = match ownership {
            Ownership::Known(members) => members.iter().filter(|(field, _)| is_indexed_owner(field)).cloned().collect(),
            Ownership::Unsaid | Ownership::Nobody => Vec::new(),
        };
        let row = NewRow {
            label: label_key(submission.label.as_deref()).to_owned(),
            data_type: holds.data_type(),
            timestamp: timestamp.text,
            instant: timestamp.instant,
            document: document.into(),
            content,
            owners,
            id,
        };
        let held = files.into_iter().map(|file| file.held);
        Prepared { row, files: rows.into_iter().zip(held).collect() }
    }

    fn file_rows(&self, submission: &Submission, id: &str, files: &[Part], placement: &Placement) -> Vec<FileRow> {
        let path = |file: &Part| match (placement, &submission.content) {
            (Placement::AsSubmitted { .. }, Content::File { path }) => path.clone(),
            _ => {
                let date = placement.captured_at().timestamp().to_zoned(self.settings.time_zone.clone()).date();
                logical_path(&self.settings.storage_root, date, id, &file.name)
            }
        };
        let row = |(position, file): (i64, &Part)| FileRow {
            position,
            name: safe(&file.name),
            digest: file.digest,
            size: i64::try_from(file.size).unwrap_or(i64::MAX),
            media_type: media_type(&file.name),
            modified_at: placement.captured_at(),
            path: path(file),
        };
        (0..).zip(files).map(row).collect()
    }
}

impl Placement {
    fn captured_at(&self) -> Instant {
        match self {
            Self::Dated { at } | Self::Bucket { at, .. } => *at,
            Self::AsSubmitted { modified_at } => *modified_at,
        }
    }

    /// What a datapoint holds instead of `content` once its first file lies at `path`, and the path that a value has beside it.
    fn moved<'p>(&self, content: &Content, path: Option<&'p str>) -> (Option<Content>, Option<&'p str>) {
        match (self, content, path) {
            (Self::Bucket { record, .. }, ..) => (Some(Content::ObjectStorage(record.clone())), None),
            (Self::Dated { .. }, Content::File { .. }, Some(path)) => {
                (Some(Content::File { path: path.to_owned() }), None)
            }
            (Self::Dated { .. }, Content::ObjectStorage(record), Some(path)) => {
                let moved = ObjectRecord { path: path.to_owned(), ..(**record).clone() };
                (Some(Content::ObjectStorage(Box::new(moved))), None)
            }
            (Self::Dated { .. }, Content::Json { .. }, path) => (None, path),
            _ => (None, None),
        }
    }
}

impl Prepared {
    /// The bytes of its files.
    pub(crate) fn file_bytes(&self) -> u64 {
        self.files.iter().map(|(file, _)| file.size.unsigned_abs()).sum()
    }

    /// How many files it has.
    pub(crate) fn file_count(&self) -> u64 {
        self.files.len() as u64
    }
}

impl Submission {
    /// Whether nothing is left for the server to fill in but an id.
    fn says_everything(&self) -> bool {
        self.timestamp.is_some() && self.ownership != Ownership::Unsaid
    }
}

fn chosen_id(submission: &Submission, now: Instant) -> Result<String, DatapointError> {
    match &submission.id {
        Some(id) => Ok(id.clone()),
        None => {
            let milliseconds = u64::try_from(now.as_micros() / 1_000).unwrap_or(0);
            Ok(Ulid::from_parts(milliseconds, random::bits()?).to_string())
        }
    }
}

/// What the client said, as a document; what it did not say is left empty.
fn said(submission: &Submission, id: &str) -> String {
    submission.render(&Rendering {
        id,
        ownership: &submission.ownership,
        timestamp: submission.timestamp.as_ref().map_or("", |timestamp| &timestamp.text),
        content: &submission.content,
        extra_path: None,
    })
}

/// A digest of what the client said and sent: equal for a repeated submission, whenever and wherever it arrives.
fn content_digest(submission: &Submission, said: &str, files: &[FileRow]) -> Digest {
    let mut hasher = Hasher::new();
    hasher.update(said.as_bytes());
    // The document has no line break, so each line below is a part of its own.
    if submission.ownership == Ownership::Unsaid {
        hasher.update(b"\nownership unsaid");
    }
    for file in files {
        hasher.update(format!("\nfile {} {}", file.digest, file.name).as_bytes());
    }
    hasher.finish()
}
