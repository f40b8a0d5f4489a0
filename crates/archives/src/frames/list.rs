//! Lists of frames: exact counts, pages by number or by place.

use std::collections::HashMap;
use std::sync::Arc;

use holotype_catalog::Tx;

use super::table::{self, Candidate};
use super::{Frame, FrameId, FrameQuery, Position, Viewer};
use crate::{ArchiveError, Archives};

/// Frames that are read at a time where the sphere decides.
const BATCH: u64 = 2_000;

/// Which part of a list is wanted.
#[derive(Debug, Clone, PartialEq)]
pub enum PageRequest {
    /// So many frames after the first `offset`, and how many there are.
    Numbered {
        /// Most frames in the page.
        limit: u64,
        /// Frames before it.
        offset: u64,
    },
    /// So many frames from a place on.
    Placed {
        /// Most frames in the page.
        limit: u64,
        /// The place; the beginning if there is none.
        from: Option<Position>,
    },
}

/// What to tell of each frame beside its facts and versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Shape {
    /// Its relatives.
    pub related: bool,
    /// Its thumbnails.
    pub thumbnails: bool,
}

/// Part of a list.
#[derive(Debug, Clone, PartialEq)]
pub struct FramePage {
    /// The frames, in the order of the list.
    pub frames: Vec<Frame>,
    /// How many there are in the whole list, exactly; nothing for a placed page.
    pub count: Option<u64>,
    /// Where the page after it begins, of a placed page that has one.
    pub next: Option<Position>,
    /// Where the page before it ends, of a placed page that has one.
    pub previous: Option<Position>,
}

/// The frames of a page, by their places.
#[derive(Debug, Default)]
struct Places {
    ids: Vec<i64>,
    count: Option<u64>,
    next: Option<Position>,
    previous: Option<Position>,
}

impl Archives {
    /// The frames that a viewer sees and a query means.
    ///
    /// # Errors
    /// What the catalog refuses.
    pub async fn frames(
        &self,
        viewer: Viewer,
        query: FrameQuery,
        page: PageRequest,
        shape: Shape,
    ) -> Result<FramePage, ArchiveError> {
        let asked = Arc::new((query, page));
        self.catalog()
            .read(move |tx| {
                let asked = Arc::clone(&asked);
                Box::pin(async move {
                    let (query, page) = &*asked;
                    let Places { ids, count, next, previous } = match page {
                        PageRequest::Numbered { limit, offset } => numbered(tx, viewer, query, *limit, *offset).await?,
                        PageRequest::Placed { limit, from } => placed(tx, viewer, query, *limit, from.as_ref()).await?,
                    };
                    Ok(FramePage { frames: whole(tx, &ids, shape).await?, count, next, previous })
                })
            })
            .await
    }
}

async fn numbered(
    tx: &mut Tx,
    viewer: Viewer,
    query: &FrameQuery,
    limit: u64,
    offset: u64,
) -> Result<Places, ArchiveError> {
    if !query.has_area() {
        let count = table::count(tx, viewer, query).await?;
        let found = match offset < count {
            true => table::candidates(tx, viewer, query, None, (limit, offset)).await?,
            false => Vec::new(),
        };
        return Ok(Places {
            ids: found.iter().map(|found| found.place.id).collect(),
            count: Some(count),
            ..Places::default()
        });
    }
    let mut walk = Walk::new(None);
    let (mut count, mut ids) = (0, Vec::new());
    while let Some(batch) = walk.next(tx, viewer, query).await? {
        for place in batch {
            if count >= offset && count - offset < limit {
                ids.push(place.id);
            }
            count += 1;
        }
    }
    Ok(Places { ids, count: Some(count), ..Places::default() })
}

async fn placed(
    tx: &mut Tx,
    viewer: Viewer,
    query: &FrameQuery,
    limit: u64,
    from: Option<&Position>,
) -> Result<Places, ArchiveError> {
    let wanted = usize::try_from(limit).unwrap_or(usize::MAX);
    let mut places: Vec<Position> = Vec::new();
    if query.has_area() {
        let mut walk = Walk::new(from.cloned());
        while places.len() <= wanted
            && let Some(batch) = walk.next(tx, viewer, query).await?
        {
            places.extend(batch);
        }
    } else {
        let found = table::candidates(tx, viewer, query, from, (limit.saturating_add(1), 0)).await?;
        places.extend(found.into_iter().map(|found| found.place));
    }
    let backwards = from.is_some_and(|place| place.backwards);
    let has_more = places.len() > wanted;
    places.truncate(wanted);
    if backwards {
        places.reverse();
    }
    let at = |place: Option<&Position>, backwards| place.map(|place| Position { backwards, ..place.clone() });
    Ok(Places {
        // Whoever comes from a place knows that there is something on its other side.
        next: at(places.last(), false).filter(|_| has_more || backwards),
        previous: at(places.first(), true).filter(|_| if backwards { has_more } else { from.is_some() }),
        ids: places.into_iter().map(|place| place.id).collect(),
        count: None,
    })
}

/// A walk over all that SQL lets pass, in batches, of which only that is kept that the sphere admits.
struct Walk {
    from: Option<Position>,
    ended: bool,
}

impl Walk {
    fn new(from: Option<Position>) -> Self {
        Self { from, ended: false }
    }

    async fn next(
        &mut self,
        tx: &mut Tx,
        viewer: Viewer,
        query: &FrameQuery,
    ) -> Result<Option<Vec<Position>>, ArchiveError> {
        if self.ended {
            return Ok(None);
        }
        let batch = table::candidates(tx, viewer, query, self.from.as_ref(), (BATCH, 0)).await?;
        self.ended = (batch.len() as u64) < BATCH;
        if let Some(last) = batch.last() {
            self.from = Some(last.place.clone());
        }
        let admitted = |found: &Candidate| query.admits(found.area.as_deref());
        Ok(Some(batch.into_iter().filter(admitted).map(|found| found.place).collect()))
    }
}

/// Frames by their ids, in that order, with all that is told of them.
pub(crate) async fn whole(tx: &mut Tx, ids: &[i64], shape: Shape) -> Result<Vec<Frame>, ArchiveError> {
    let mut rows: HashMap<i64, _> = table::frame_rows(tx, ids).await?.into_iter().map(|row| (row.id.0, row)).collect();
    let frames: Vec<FrameId> = ids.iter().copied().map(FrameId).collect();
    let mut versions = table::versions(tx, &frames).await?;
    let mut related = match shape.related {
        true => Some(table::relatives(tx, &frames).await?),
        false => None,
    };
    let newest: Vec<_> = versions.values().filter_map(|versions| versions.first().map(|version| version.id)).collect();
    let mut thumbnails = match shape.thumbnails {
        true => Some(table::thumbnails(tx, &newest).await?),
        false => None,
    };
    let frame = |id: &FrameId| {
        let row = rows.remove(&id.0)?;
        Some(Frame {
            id: *id,
            project: row.project,
            facts: row.facts,
            versions: versions.remove(id).unwrap_or_default(),
            related: related.as_mut().map(|related| related.remove(id).unwrap_or_default()),
            thumbnails: thumbnails.as_mut().map(|thumbnails| thumbnails.remove(id).unwrap_or_default()),
        })
    };
    Ok(frames.iter().filter_map(frame).collect())
}
