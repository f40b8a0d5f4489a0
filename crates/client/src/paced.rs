//! A request body that lets its reader breathe.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

/// A body that answers "not yet" once after every frame.
///
/// In process there is no socket to make a multipart parser wait, and it would swallow a body that is always ready
/// whole before it hands out the first chunk. One pause per frame keeps a 1 GiB upload within a few MiB.
pub(crate) struct Paced<B> {
    inner: B,
    pause: bool,
}

impl<B> Paced<B> {
    pub(crate) fn new(inner: B) -> Self {
        Self { inner, pause: false }
    }
}

impl<B: Body<Data = Bytes> + Unpin> Body for Paced<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        if std::mem::take(&mut self.pause) {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        let frame = Pin::new(&mut self.inner).poll_frame(context);
        self.pause = frame.is_ready();
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
    async fn a_paced_body_pauses_after_a_frame_and_loses_nothing() {
        let mut body = Paced::new(Full::new(Bytes::from_static(b"frame")));
        let mut context = Context::from_waker(std::task::Waker::noop());
        assert!(matches!(Pin::new(&mut body).poll_frame(&mut context), Poll::Ready(Some(Ok(_)))));
        assert!(Pin::new(&mut body).poll_frame(&mut context).is_pending());

        let whole = Paced::new(Full::new(Bytes::from_static(b"frame"))).collect().await.unwrap().to_bytes();
        assert_eq!(whole, "frame");
    }
}
