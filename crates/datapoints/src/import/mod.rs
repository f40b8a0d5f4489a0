//! Taking over an existing laboratory: a `mongodump` of its database and the tree of its files.
//!
//! Every record is stored as it was, its `path` included, and every file beside it. An import may be repeated: what is there
//! already is compared and left alone. A record whose file is not found waits for a run that finds it. What was stored is read
//! back and compared before it counts.

mod dump;
mod tree;
mod value;

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use holotype_blobs::Held;
use holotype_core::{Caller, Digest, Hasher, Instant, ProjectId, Role};
use serde_json::json;

pub use dump::{Checksum, Dump};
pub use tree::FileTree;

use crate::import::dump::{Documents, refused};
use crate::import::tree::Located;
use crate::model::{Content, Submission};
use crate::submit::{Part, Placement, Prepared, Stored};
use crate::table;
use crate::{DatapointError, Datapoints};

/// Records stored in one transaction.
const PORTION: usize = 500;

/// Bytes of records stored in one transaction.
const PORTION_BYTES: usize = 4 * 1024 * 1024;

/// The records that a report names; all of them are counted.
const MOST_NAMED: usize = 1_000;

/// Bytes read from a file at once.
const READ_BYTES: usize = 1024 * 1024;

/// What an import has done.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ImportReport {
    /// Records in the dump.
    pub documents: u64,
    /// Records that this run stored.
    pub imported: u64,
    /// Records that were there before, with the same content.
    pub present: u64,
    /// Records that were read back and found to be what the dump says: all of `imported` and `present`, or something is wrong.
    pub verified: u64,
    /// Files that this run stored.
    pub files: u64,
    /// Bytes of them.
    pub bytes: u64,
    /// How many records were left out.
    pub left_out: u64,
    /// The first of them, and why.
    pub reasons: Vec<LeftOut>,
}

/// A record that was not imported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    /// Its id, or the byte of the dump where it begins if it has none that can be read.
    pub record: String,
    /// Why, and what would help.
    pub reason: String,
}

impl ImportReport {
    /// Whether everything in the dump is stored and was read back.
    pub fn is_complete(&self) -> bool {
        self.left_out == 0 && self.verified == self.documents
    }

    fn leave_out(&mut self, record: String, reason: String) {
        self.left_out += 1;
        if self.reasons.len() < MOST_NAMED {
            self.reasons.push(LeftOut { record, reason });
        }
    }
}

impl Datapoints {
    /// Imports a dump into a project. `progress` is told after every portion.
    ///
    /// A schema set for a label does not hold for what is imported: it was measured before.
    ///
    /// # Errors
    /// If the caller may not write to the project, the dump breaks off, or the catalog or the store fails. What was imported until
    /// then stays, and the next run goes on.
    pub async fn import(
        &self,
        caller: &Caller,
        project: ProjectId,
        dump: &Dump,
        tree: &FileTree,
        progress: impl Fn(&ImportReport) + Send + Sync,
    ) -> Result<ImportReport, DatapointError> {
        self.require(caller, project, Role::Editor).await?;
        let mut import = Import { datapoints: self, caller, project, tree, report: ImportReport::default() };
        let mut documents = dump.documents()?;
        loop {
            let (records, rest) = tokio::task::spawn_blocking(move || {
                let records = portion(&mut documents);
                records.map(|records| (records, documents))
            })
            .await??;
            documents = rest;
            if records.is_empty() {
                let report = import.report;
                self.note_import(caller, project, dump, &report).await?;
                return Ok(report);
            }
            import.store(records).await?;
            progress(&import.report);
        }
    }
}

impl Datapoints {
    /// Writes down who imported what.
    async fn note_import(
        &self,
        caller: &Caller,
        project: ProjectId,
        dump: &Dump,
        report: &ImportReport,
    ) -> Result<(), DatapointError> {
        let (caller, target) = (Arc::new(caller.clone()), dump.file().display().to_string());
        let detail = json!({
            "project": project, "documents": report.documents, "imported": report.imported, "present": report.present,
            "files": report.files, "left_out": report.left_out,
        });
        self.inner
            .catalog
            .write(move |tx| {
                let (caller, target, detail) = (Arc::clone(&caller), target.clone(), detail.clone());
                Box::pin(async move {
                    tx.audit(&caller, "datapoint.import", &target, detail).await.map_err(DatapointError::from)
                })
            })
            .await
    }
}

/// A record of the dump: where it begins, and what it is.
type Record = (u64, dump::Document);

/// The next records of the dump, at most what one transaction takes.
fn portion(documents: &mut Documents) -> Result<Vec<Record>, DatapointError> {
    let (mut records, mut bytes) = (Vec::new(), 0);
    while records.len() < PORTION && bytes < PORTION_BYTES {
        let Some((start, length, document)) = documents.next()? else { break };
        bytes += length;
        records.push((start, document));
    }
    Ok(records)
}

/// An import under way.
struct Import<'i> {
    datapoints: &'i Datapoints,
    caller: &'i Caller,
    project: ProjectId,
    tree: &'i FileTree,
    report: ImportReport,
}

impl Import<'_> {
    async fn store(&mut self, records: Vec<Record>) -> Result<(), DatapointError> {
        let mut prepared = Vec::with_capacity(records.len());
        for (start, document) in records {
            self.report.documents += 1;
            match self.prepare(start, document).await? {
                Ok(ready) => prepared.push(ready),
                Err(LeftOut { record, reason }) => self.report.leave_out(record, reason),
            }
        }
        let expected: Vec<(String, Digest)> =
            prepared.iter().map(|ready| (ready.row.id.clone(), ready.row.content)).collect();
        let files: Vec<(u64, u64)> = prepared.iter().map(|ready| (ready.file_count(), ready.file_bytes())).collect();
        let stored = self.datapoints.store(self.caller, self.project, prepared).await;
        for (stored, (count, bytes)) in stored.into_iter().zip(files) {
            match stored {
                Ok(Stored { created: true, .. }) => {
                    self.report.imported += 1;
                    self.report.files += count;
                    self.report.bytes += bytes;
                }
                Ok(_) => self.report.present += 1,
                Err(DatapointError::Clash { id }) => {
                    let reason = "another datapoint has this id; import into a project of its own".to_owned();
                    self.report.leave_out(id, reason);
                }
                Err(DatapointError::Deleted { id }) => {
                    let reason =
                        format!("it was imported and deleted here; `holotype datapoint restore {id}` brings it back");
                    self.report.leave_out(id, reason);
                }
                Err(error) => return Err(error),
            }
        }
        self.report.verified += self.read_back(expected).await?;
        Ok(())
    }

    /// A record ready to be stored, its file in the store; or why it is left out.
    async fn prepare(&self, start: u64, document: dump::Document) -> Result<Result<Prepared, LeftOut>, DatapointError> {
        let settings = &self.datapoints.inner.settings;
        let unread = |reason: String| LeftOut { record: format!("the document at byte {start}"), reason };
        let document = match document {
            Ok(document) => document,
            Err(problem) => return Ok(Err(unread(problem))),
        };
        let named = document.get("_id").and_then(|id| id.as_str()).map(str::to_owned);
        let left_out =
            |reason: String| LeftOut { record: named.clone().unwrap_or_else(|| unread(String::new()).record), reason };
        let submission = match Submission::from_value(document, &settings.time_zone) {
            Ok(submission) => submission,
            Err(errors) => return Ok(Err(left_out(DatapointError::Invalid { errors }.to_string()))),
        };
        let Some(id) = submission.id.clone() else { return Ok(Err(left_out("it has no id".to_owned()))) };
        let now = self.datapoints.inner.catalog.clock().now();
        let (files, placement) = match &submission.content {
            Content::File { path } => match self.file(&id, path).await? {
                Ok((file, modified_at)) => (vec![file], Placement::AsSubmitted { modified_at }),
                Err(reason) => return Ok(Err(left_out(format!("{path}: {reason}")))),
            },
            _ => (Vec::new(), Placement::Dated { at: now }),
        };
        Ok(Ok(self.datapoints.inner.prepare(&submission, id, files, placement)))
    }

    /// The file of a record, brought into the store; or why there is none.
    async fn file(&self, id: &str, path: &str) -> Result<Result<(Part, Instant), &'static str>, DatapointError> {
        let (tree, wanted) = (self.tree.clone(), path.to_owned());
        let found = match tokio::task::spawn_blocking(move || tree.locate(&wanted)).await? {
            Located::File(found) => found,
            Located::Missing(reason) => return Ok(Err(reason)),
        };
        let (source, modified_at) = open(&found).await?;
        let (digest, size, held) = self.hold(&found, source, id).await?;
        // The server put the id before the name that the client gave.
        let name = path.rsplit(['/', '\\']).next().unwrap_or(path);
        let name = name.strip_prefix(&format!("{id}_")).unwrap_or(name).to_owned();
        Ok(Ok((Part { name, digest, size, held }, modified_at)))
    }

    /// Brings a file into the store, unless the datapoint holds it already.
    async fn hold(&self, path: &Path, source: File, id: &str) -> Result<(Digest, u64, Option<Held>), DatapointError> {
        let mut source = source;
        if let Some(first) = self.datapoints.read_files(self.project, id).await?.into_iter().next() {
            let (digest, size) = read_through(path, source).await?;
            if digest == first.digest {
                return Ok((digest, size, None));
            }
            (source, _) = open(path).await?;
        }
        let held = self.upload(path, source).await?;
        Ok((held.digest, held.size, Some(held)))
    }

    async fn upload(&self, path: &Path, mut source: File) -> Result<Held, DatapointError> {
        let mut upload = self.datapoints.inner.blobs.begin();
        loop {
            let (bytes, rest) = read(path.to_owned(), source).await?;
            source = rest;
            if bytes.is_empty() {
                return Ok(upload.finish().await?);
            }
            upload.write(&bytes).await?;
        }
    }

    /// How many of the records are stored with the content that the dump has.
    async fn read_back(&self, expected: Vec<(String, Digest)>) -> Result<u64, DatapointError> {
        let (expected, project) = (Arc::new(expected), self.project);
        let wanted = Arc::clone(&expected);
        let there = self
            .datapoints
            .inner
            .catalog
            .read(move |tx| {
                let wanted = Arc::clone(&wanted);
                Box::pin(async move {
                    let ids: Vec<&str> = wanted.iter().map(|(id, _)| id.as_str()).collect();
                    table::existing(tx, project, &ids).await.map_err(DatapointError::from)
                })
            })
            .await?;
        let is_same = |(id, content): &&(String, Digest)| {
            there.get(id).is_some_and(|found| found.content == *content && !found.deleted)
        };
        Ok(expected.iter().filter(is_same).count() as u64)
    }
}

/// Digest and length of a file.
async fn read_through(path: &Path, mut source: File) -> Result<(Digest, u64), DatapointError> {
    let (mut hasher, mut size) = (Hasher::new(), 0);
    loop {
        let (bytes, rest) = read(path.to_owned(), source).await?;
        source = rest;
        if bytes.is_empty() {
            return Ok((hasher.finish(), size));
        }
        hasher.update(&bytes);
        size += bytes.len() as u64;
    }
}

async fn open(path: &Path) -> Result<(File, Instant), DatapointError> {
    let path = path.to_owned();
    tokio::task::spawn_blocking(move || {
        let failed = |error: std::io::Error| refused(&path, error.to_string());
        let file = File::open(&path).map_err(failed)?;
        let modified = file.metadata().and_then(|metadata| metadata.modified()).map_err(failed)?;
        let since = modified.duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        Ok((file, Instant::from_micros(0).after(since)))
    })
    .await?
}

/// The next bytes of a file; none at its end.
async fn read(path: PathBuf, mut file: File) -> Result<(Vec<u8>, File), DatapointError> {
    tokio::task::spawn_blocking(move || {
        let mut bytes = Vec::with_capacity(READ_BYTES);
        let read = file.by_ref().take(READ_BYTES as u64).read_to_end(&mut bytes);
        read.map_err(|error| refused(&path, error.to_string()))?;
        Ok((bytes, file))
    })
    .await?
}
