//! How long to wait for a server that has gone quiet.
//!
//! A limit on a whole call would end long transfers, so the limit is on silence: as long as bytes move, time is given.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::time::Instant;

/// When something last moved.
#[derive(Debug, Clone)]
pub(crate) struct Motion(Arc<Mutex<Instant>>);

impl Motion {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Mutex::new(Instant::now())))
    }

    fn touch(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    fn last(&self) -> Instant {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns once nothing has moved for `limit`.
    pub(crate) async fn stalled(&self, limit: Duration) {
        loop {
            let quiet = self.last().elapsed();
            if quiet >= limit {
                return;
            }
            tokio::time::sleep(limit - quiet).await;
        }
    }
}

/// A body that notes every frame that leaves it.
pub(crate) struct Watched<B> {
    inner: B,
    motion: Motion,
}

impl<B> Watched<B> {
    pub(crate) fn new(inner: B, motion: Motion) -> Self {
        Self { inner, motion }
    }
}

impl<B: Body<Data = Bytes> + Unpin> Body for Watched<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let frame = Pin::new(&mut self.inner).poll_frame(context);
        if frame.is_ready() {
            self.motion.touch();
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::{BodyExt, Full};

    use super::*;

    #[tokio::test]
    async fn a_frame_that_leaves_starts_the_count_again() {
        let motion = Motion::new();
        let before = motion.last();
        let body = Watched::new(Full::new(Bytes::from_static(b"frame")), motion.clone());
        assert_eq!(motion.last(), before);
        assert_eq!(body.collect().await.unwrap().to_bytes(), "frame");
        assert!(motion.last() > before);
    }

    #[tokio::test]
    async fn silence_beyond_the_limit_ends_the_wait() {
        Motion::new().stalled(Duration::from_millis(5)).await;
    }
}
