//! Frames as an administrator describes them: for bytes that are held already.

use std::sync::Arc;

use holotype_catalog::{BlobReference, CatalogError, Tx};
use holotype_core::{Caller, ProjectId};

use super::list::whole;
use super::model::hexadecimal;
use super::put::version_name;
use super::table::{self, Existing, NewVersion};
use super::{Facts, Frame, KIND, Shape};
use crate::{ArchiveError, Archives};

/// A frame as it is described.
#[derive(Debug, Clone, PartialEq)]
pub struct FrameRecord {
    /// What is known of it; what is left open stays as it was.
    pub facts: Facts,
    /// The MD5 and the ending of the file name of each version.
    pub versions: Vec<([u8; 16], String)>,
}

impl Archives {
    /// Creates a frame, or changes what is known of it, by its name: in the project that has it, else in the caller's own.
    ///
    /// # Errors
    /// [`CatalogError::AdminOnly`]; [`ArchiveError::NotHeld`] for a version whose bytes are not there.
    pub async fn record(&self, caller: &Caller, record: FrameRecord) -> Result<Frame, ArchiveError> {
        if !caller.admin {
            return Err(CatalogError::AdminOnly { action: "describe frames" }.into());
        }
        let (caller, record) = (Arc::new(caller.clone()), Arc::new(record));
        self.catalog()
            .write(move |tx| {
                let (caller, record) = (Arc::clone(&caller), Arc::clone(&record));
                Box::pin(async move { write(tx, &caller, &record).await })
            })
            .await
    }
}

async fn write(
    tx: &mut Tx,
    caller: &Caller,
    FrameRecord { facts, versions }: &FrameRecord,
) -> Result<Frame, ArchiveError> {
    let project = match table::projects_of(tx, &facts.basename).await?.as_slice() {
        [] => caller.project,
        [only] => *only,
        _ => return Err(ArchiveError::Ambiguous { basename: facts.basename.clone() }),
    };
    table::insert(tx, project, caller.user, facts).await?;
    let Existing { id, facts: known } = table::lock(tx, project, &facts.basename).await?;
    table::update(tx, id, &facts.clone().or(known)).await?;
    if !facts.headers.is_empty() {
        table::put_headers(tx, id, &facts.headers, true).await?;
    }
    table::relate(tx, id, &facts.related).await?;
    for (md5, extension) in versions {
        if table::newest_version(tx, id).await?.is_none_or(|newest| newest.md5 != *md5) {
            let not_held = || ArchiveError::NotHeld { md5: hexadecimal(md5) };
            let (digest, size) = table::held_by_md5(tx, md5).await?.ok_or_else(not_held)?;
            let new = NewVersion { digest, md5: *md5, size, extension, agent: caller.user };
            let name = version_name(table::insert_version(tx, id, &new).await?);
            refer(tx, project, digest, id.to_string(), name).await?;
        }
    }
    tx.audit(caller, "frame.describe", &facts.basename, serde_json::json!({ "id": id.0 })).await?;
    let shape = Shape { related: true, thumbnails: false };
    let frame = whole(tx, &[id.0], shape).await?.pop().ok_or(ArchiveError::NoFrame)?;
    match frame.versions.is_empty() {
        true => Err(ArchiveError::NotHeld { md5: "(none given)".to_owned() }),
        false => Ok(frame),
    }
}

async fn refer(
    tx: &mut Tx,
    project: ProjectId,
    digest: holotype_core::Digest,
    record: String,
    name: String,
) -> Result<(), ArchiveError> {
    let kind = KIND.to_owned();
    Ok(tx.reference_blob(&BlobReference { digest, project, kind, record, name }).await?)
}
