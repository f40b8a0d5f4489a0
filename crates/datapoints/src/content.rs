//! Bytes behind a datapoint, described before they are read.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};
use holotype_blobs::Blobs;
use holotype_core::{Digest, Instant};

use crate::DatapointError;
use crate::object_storage::Bucket;

/// Bytes to be opened, and what is said about them.
#[derive(Debug)]
pub struct Content {
    /// The name of the file or object.
    pub name: String,
    /// The media type by its ending.
    pub media_type: String,
    /// Bytes of the whole.
    pub size: u64,
    /// A strong entity tag, with its quotation marks.
    pub etag: String,
    /// When the bytes were captured.
    pub modified_at: Instant,
    pub(crate) source: Source,
}

/// Where bytes are.
#[derive(Debug)]
pub(crate) enum Source {
    Blob { blobs: Blobs, digest: Digest },
    Object { bucket: Arc<Bucket>, key: object_store::path::Path },
}

/// Bytes on their way.
pub struct Opened {
    /// Which bytes of the whole these are; the end is excluded.
    pub range: Range<u64>,
    /// The bytes.
    pub stream: BoxStream<'static, Result<Bytes, DatapointError>>,
}

impl Content {
    /// Begins to read the whole, or a range of it.
    ///
    /// # Errors
    /// If the range holds no byte of it, or the bytes cannot be reached.
    pub async fn open(&self, range: Option<Range<u64>>) -> Result<Opened, DatapointError> {
        match &self.source {
            Source::Blob { blobs, digest } => {
                let reading = blobs.get(*digest, range).await?;
                Ok(Opened { range: reading.range, stream: reading.stream.map_err(DatapointError::from).boxed() })
            }
            Source::Object { bucket, key } => bucket.open_object(key, range).await,
        }
    }
}
