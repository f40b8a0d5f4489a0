//! Small pictures of frames, made once and kept beside them.

use std::io::{Read, Seek};
use std::sync::Arc;

use holotype_blobs::{BlobReference, Held};
use holotype_fits::display;
use holotype_fits::{Hdu, Image};
use tokio::runtime::Handle;

use super::file::{self, BlobFile};
use super::get::FrameContent;
use super::{
    Filter, Frame, FrameId, FrameQuery, KIND, PageRequest, Shape, Thumbnail, ThumbnailId, ThumbnailSize, VersionId,
    Viewer, table,
};
use crate::{ArchiveError, Archives};

/// Frames of one name that are pictured because somebody asks for their thumbnails.
const PICTURED_ON_DEMAND: u64 = 4;

/// Which thumbnails are wanted; everything that is given must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ThumbnailQuery {
    /// This one.
    pub id: Option<ThumbnailId>,
    /// Of frames of this name.
    pub basename: Option<String>,
    /// Of frames of this proposal.
    pub proposal_id: Option<String>,
    /// Of this observation.
    pub observation_id: Option<i64>,
    /// Of this request.
    pub request_id: Option<i64>,
    /// Of this size.
    pub size: Option<ThumbnailSize>,
}

impl Archives {
    /// Thumbnails of frames that a viewer sees: their number, and a part of them. Those of a frame that is asked for by its
    /// name are made now if there are none.
    ///
    /// # Errors
    /// What the catalog refuses.
    pub async fn thumbnails(
        &self,
        viewer: Viewer,
        query: ThumbnailQuery,
        limit: u64,
        offset: u64,
    ) -> Result<(u64, Vec<Thumbnail>), ArchiveError> {
        if let Some(basename) = &query.basename {
            self.illustrate_named(viewer, basename).await?;
        }
        let query = Arc::new(query);
        self.catalog()
            .read(move |tx| {
                let query = Arc::clone(&query);
                Box::pin(async move { Ok(table::visible_thumbnails(tx, viewer, &query, limit, offset).await?) })
            })
            .await
    }

    /// A thumbnail's bytes. With `viewer` none, whoever asks has been let in by other means.
    ///
    /// # Errors
    /// [`ArchiveError::NoThumbnail`], also for one of a frame that the viewer does not see.
    pub async fn picture(&self, viewer: Option<Viewer>, id: ThumbnailId) -> Result<FrameContent, ArchiveError> {
        let query = ThumbnailQuery { id: Some(id), ..ThumbnailQuery::default() };
        let (_, mut found) = self.thumbnails(viewer.unwrap_or(Viewer::Everything), query, 1, 0).await?;
        let thumbnail = found.pop().ok_or(ArchiveError::NoThumbnail)?;
        Ok(FrameContent {
            file_name: thumbnail.file_name(),
            size: thumbnail.bytes,
            md5: thumbnail.md5_text(),
            modified_at: thumbnail.created_at,
            digest: thumbnail.digest,
            blobs: self.blobs().clone(),
        })
    }

    async fn illustrate_named(&self, viewer: Viewer, basename: &str) -> Result<(), ArchiveError> {
        let query = FrameQuery { filters: vec![Filter::Name(basename.to_owned())], ..FrameQuery::default() };
        let page = PageRequest::Numbered { limit: PICTURED_ON_DEMAND, offset: 0 };
        let shape = Shape { related: false, thumbnails: true };
        for frame in self.frames(viewer, query, page, shape).await?.frames {
            let has_none = frame.thumbnails.as_ref().is_some_and(Vec::is_empty);
            let is_plain = frame.versions.first().is_none_or(|version| self.workshop().is_plain(version.id));
            if has_none
                && !is_plain
                && let Err(error) = self.illustrate(frame.id).await
            {
                tracing::debug!(frame = %frame.id, %error, "no thumbnails were made");
            }
        }
        Ok(())
    }

    /// Makes the thumbnails of a frame's newest version, from its first image.
    ///
    /// # Errors
    /// A file without an image that can be shown, and what store and catalog refuse.
    pub async fn illustrate(&self, frame: FrameId) -> Result<(), ArchiveError> {
        let Frame { project, versions, .. } = self.frame(Viewer::Everything, frame).await?;
        let version = versions.into_iter().next().ok_or(ArchiveError::NoFrame)?;
        // It goes along with the work, which goes on when nobody waits for it any more.
        let turn = Arc::clone(&self.workshop().pictures).acquire_owned().await;
        let mut file = BlobFile::new(self.blobs().clone(), Handle::current(), version.digest, version.size);
        let extension = version.extension.clone();
        let drawing = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            match file::is_gzipped(&extension) {
                true => draw(&mut file::inflate(&mut file)?),
                false => draw(&mut file),
            }
        });
        let drawn = drawing.await;
        let drawn =
            drawn.map_err(|error| ArchiveError::Aborted { what: "drawing a picture", problem: error.to_string() });
        let drawn = drawn.flatten();
        // Not when store or memory were in the way: then it may be tried again.
        if drawn.as_ref().map_or_else(|error| !error.category().is_transient(), Vec::is_empty) {
            self.workshop().note_plain(version.id);
        }
        for (size, jpeg) in drawn? {
            let mut upload = self.blobs().begin();
            upload.write(&jpeg).await?;
            let held = upload.finish().await?;
            self.keep_picture(project, frame, version.id, size, held).await?;
        }
        Ok(())
    }

    async fn keep_picture(
        &self,
        project: holotype_core::ProjectId,
        frame: FrameId,
        version: VersionId,
        size: ThumbnailSize,
        held: Held,
    ) -> Result<(), ArchiveError> {
        self.catalog()
            .write(move |tx| {
                let held = held.clone();
                Box::pin(async move {
                    let picture = (held.digest, held.md5, held.size);
                    if table::insert_thumbnail(tx, version, size, picture).await? {
                        let name = format!("thumbnail-{size}-{version}");
                        let reference = BlobReference { project, kind: KIND, record: frame.to_string(), name };
                        held.reference(tx, reference).await?;
                    }
                    Ok(())
                })
            })
            .await
    }
}

/// The pictures of the first image of a file that has two axes.
fn draw(source: &mut (impl Read + Seek)) -> Result<Vec<(ThumbnailSize, Vec<u8>)>, ArchiveError> {
    let hdus = Hdu::walk(source)?;
    let Some(hdu) = hdus.iter().find(|hdu| hdu.is_image() && hdu.shape.len() == 2) else { return Ok(Vec::new()) };
    let picture = display::picture(&Image::read(source, hdu)?, None)?;
    let jpeg = |size: ThumbnailSize| Ok((size, picture.thumbnail(size.side())?.jpeg()?));
    ThumbnailSize::ALL.into_iter().map(jpeg).collect()
}
