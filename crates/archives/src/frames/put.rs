//! Frames on their way in: the record, its version and the reference to its bytes, in one transaction.

use holotype_blobs::{BlobReference, Held};
use holotype_catalog::Tx;
use holotype_core::{ProjectId, UserId};

use super::table::{self, Existing, NewVersion};
use super::{Facts, FrameId, KIND, VersionId};
use crate::ArchiveError;

/// What became of a frame that was put.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recorded {
    /// The frame.
    pub frame: FrameId,
    /// The version that has the bytes.
    pub version: VersionId,
    /// Whether the frame was not known before.
    pub is_new_frame: bool,
    /// Whether the bytes are others than those of the newest version before.
    pub is_new_version: bool,
}

/// Records a frame of a project, found by its name, with bytes that are held: a new version unless the newest one has them.
///
/// What a new version says comes before what was known; the same bytes again only tell what was not known yet. Neither makes
/// a frame public earlier than it was to be.
///
/// # Errors
/// What the catalog refuses; then the transaction must not be committed.
pub async fn put(
    tx: &mut Tx,
    project: ProjectId,
    agent: UserId,
    facts: &Facts,
    held: &Held,
    extension: &str,
) -> Result<Recorded, ArchiveError> {
    let is_new_frame = table::insert(tx, project, agent, facts).await?;
    let Existing { id: frame, facts: known } = table::lock(tx, project, &facts.basename).await?;
    let newest = table::newest_version(tx, frame).await?;
    let same = newest.filter(|version| version.digest == held.digest);
    if !is_new_frame {
        let public_date = known.public_date.max(facts.public_date);
        let merged = match same.is_some() {
            true => known.or(facts.clone()),
            false => facts.clone().or(known),
        };
        table::update(tx, frame, &Facts { public_date, ..merged }).await?;
    }
    if !facts.headers.is_empty() {
        table::put_headers(tx, frame, &facts.headers, same.is_none()).await?;
    }
    table::relate(tx, frame, &facts.related).await?;
    if let Some(same) = same {
        return Ok(Recorded { frame, version: same.id, is_new_frame, is_new_version: false });
    }
    let new = NewVersion { digest: held.digest, md5: held.md5, size: held.size, extension, agent };
    let version = table::insert_version(tx, frame, &new).await?;
    let reference = BlobReference { project, kind: KIND, record: frame.to_string(), name: version_name(version) };
    held.reference(tx, reference).await?;
    Ok(Recorded { frame, version, is_new_frame, is_new_version: true })
}

/// What a version's bytes are called in the frame's references.
pub(crate) fn version_name(version: VersionId) -> String {
    format!("version-{version}")
}
