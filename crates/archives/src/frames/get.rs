//! One frame: its record, its headers, its relatives, its bytes.

use std::ops::Range;

use bytes::Bytes;
use futures::stream::BoxStream;
use futures::{StreamExt as _, TryStreamExt as _};
use holotype_blobs::Blobs;
use holotype_catalog::Tx;
use holotype_core::{Digest, Instant};
use serde_json::{Map, Value};

use super::list::whole;
use super::model::hexadecimal;
use super::table;
use super::{Frame, FrameId, Shape, Version, VersionId, Viewer};
use crate::{ArchiveError, Archives};

/// Everything that a single frame is told with.
const ALL: Shape = Shape { related: true, thumbnails: false };

/// Bytes of a frame, to be opened.
#[derive(Debug)]
pub struct FrameContent {
    /// What the file is called.
    pub file_name: String,
    /// Bytes of the whole.
    pub size: u64,
    /// Their MD5 in hexadecimal.
    pub md5: String,
    /// When they came.
    pub modified_at: Instant,
    pub(crate) digest: Digest,
    pub(crate) blobs: Blobs,
}

/// Bytes on their way.
pub struct OpenedFrame {
    /// Which bytes of the whole these are; the end is excluded.
    pub range: Range<u64>,
    /// The bytes.
    pub stream: BoxStream<'static, Result<Bytes, ArchiveError>>,
}

impl std::fmt::Debug for OpenedFrame {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OpenedFrame").field("range", &self.range).finish_non_exhaustive()
    }
}

impl FrameContent {
    /// Begins to read the whole, or a range of it.
    ///
    /// # Errors
    /// If the range holds no byte of it, or the bytes cannot be reached.
    pub async fn open(&self, range: Option<Range<u64>>) -> Result<OpenedFrame, ArchiveError> {
        let reading = self.blobs.get(self.digest, range).await?;
        Ok(OpenedFrame { range: reading.range, stream: reading.stream.map_err(ArchiveError::from).boxed() })
    }
}

impl Archives {
    /// A frame, if the viewer sees it.
    ///
    /// # Errors
    /// [`ArchiveError::NoFrame`], also for a frame that the viewer does not see.
    pub async fn frame(&self, viewer: Viewer, id: FrameId) -> Result<Frame, ArchiveError> {
        self.catalog()
            .read(move |tx| {
                Box::pin(async move {
                    expect_visible(tx, viewer, id).await?;
                    whole(tx, &[id.0], ALL).await?.pop().ok_or(ArchiveError::NoFrame)
                })
            })
            .await
    }

    /// The keywords of a frame's header.
    ///
    /// # Errors
    /// As [`frame`](Self::frame).
    pub async fn headers(&self, viewer: Viewer, id: FrameId) -> Result<Map<String, Value>, ArchiveError> {
        self.catalog()
            .read(move |tx| {
                Box::pin(async move {
                    expect_visible(tx, viewer, id).await?;
                    table::headers_of(tx, id).await
                })
            })
            .await
    }

    /// The frames that a frame was made from or with, and those made from it, as far as the viewer sees them.
    ///
    /// # Errors
    /// As [`frame`](Self::frame).
    pub async fn related(&self, viewer: Viewer, id: FrameId) -> Result<Vec<Frame>, ArchiveError> {
        self.catalog()
            .read(move |tx| {
                Box::pin(async move {
                    expect_visible(tx, viewer, id).await?;
                    let related = table::relatives(tx, &[id]).await?.remove(&id).unwrap_or_default();
                    let related: Vec<i64> = related.into_iter().map(|id| id.0).collect();
                    let mut seen = table::visible_ids(tx, viewer, &related).await?;
                    seen.sort_unstable();
                    whole(tx, &seen, ALL).await
                })
            })
            .await
    }

    /// The bytes of a version of a frame. With `viewer` none, whoever asks has been let in by other means.
    ///
    /// # Errors
    /// As [`frame`](Self::frame).
    pub async fn content(
        &self,
        viewer: Option<Viewer>,
        frame: FrameId,
        version: VersionId,
    ) -> Result<FrameContent, ArchiveError> {
        let viewer = viewer.unwrap_or(Viewer::Everything);
        let Frame { facts, versions, .. } = self.frame(viewer, frame).await?;
        let version = versions.into_iter().find(|known| known.id == version).ok_or(ArchiveError::NoFrame)?;
        Ok(FrameContent {
            file_name: format!("{}{}", facts.basename, version.extension),
            size: version.size,
            md5: hexadecimal(&version.md5),
            modified_at: version.created_at,
            digest: version.digest,
            blobs: self.blobs().clone(),
        })
    }

    /// Versions of all frames: their number, and a part of them in the order of their numbers. For administrators.
    ///
    /// # Errors
    /// What the catalog refuses.
    pub async fn versions(
        &self,
        md5: Option<Vec<u8>>,
        limit: u64,
        offset: u64,
    ) -> Result<(u64, Vec<(Version, String)>), ArchiveError> {
        self.catalog()
            .read(move |tx| {
                let md5 = md5.clone();
                Box::pin(async move {
                    let (count, versions) = table::all_versions(tx, md5.as_deref(), limit, offset).await?;
                    let mut frames: Vec<i64> = versions.iter().map(|version| version.frame.0).collect();
                    frames.sort_unstable();
                    frames.dedup();
                    let rows = table::frame_rows(tx, &frames).await?;
                    let name = |version: &Version| {
                        let row = rows.iter().find(|row| row.id == version.frame);
                        row.map(|row| format!("{}{}", row.facts.basename, version.extension)).unwrap_or_default()
                    };
                    let named = versions.into_iter().map(|version| {
                        let name = name(&version);
                        (version, name)
                    });
                    Ok((count, named.collect()))
                })
            })
            .await
    }
}

pub(crate) async fn expect_visible(tx: &mut Tx, viewer: Viewer, id: FrameId) -> Result<(), ArchiveError> {
    match table::visible_ids(tx, viewer, &[id.0]).await?.is_empty() {
        true => Err(ArchiveError::NoFrame),
        false => Ok(()),
    }
}
