//! A list that is asked for page by page, as a stream.

use std::collections::VecDeque;

use async_trait::async_trait;
use futures::stream::{self, BoxStream, StreamExt};

use super::{Listed, SourceError};

/// What a page holds: frames, and in the place of some the reason why they cannot be taken.
pub(super) type Page = Vec<Result<Listed, SourceError>>;

/// A list under way.
#[async_trait]
pub(super) trait Pages: Send {
    /// The next page, which may be empty without being the last; nothing after the last.
    async fn next(&mut self) -> Result<Option<Page>, SourceError>;
}

/// The frames of all pages, and the first error that is not about one frame as the last item.
pub(super) fn stream_of<'a>(pages: impl Pages + 'a) -> BoxStream<'a, Result<Listed, SourceError>> {
    let start = (Some(pages), VecDeque::new());
    stream::unfold(start, |(mut pages, mut ready)| async move {
        loop {
            if let Some(item) = ready.pop_front() {
                return Some((item, (pages, ready)));
            }
            match pages.as_mut()?.next().await {
                Ok(Some(page)) => ready.extend(page),
                Ok(None) => return None,
                Err(error) => return Some((Err(error), (None, ready))),
            }
        }
    })
    .boxed()
}
