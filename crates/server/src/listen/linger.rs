//! A request body that is read to its end even when nobody wants the rest of it.
//!
//! A request may be answered before all of it has come: it carries a wrong token, or a form that turns out wrong in the
//! middle. If its connection were closed then, a client that is still sending would see it break and never read why. So what
//! is left of a body is read and dropped behind the answer, for a while; afterwards the connection can be used again.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use futures::StreamExt;
use hyper::body::{Frame, SizeHint};

/// How long the rest of a body is read for.
const PATIENCE: Duration = Duration::from_secs(300);

/// The body; dropping it does not drop what is still to come.
pub(super) struct Lingering(Body);

impl Lingering {
    pub(super) fn new(body: Body) -> Self {
        Self(body)
    }
}

impl HttpBody for Lingering {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.0).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.0.size_hint()
    }
}

impl Drop for Lingering {
    fn drop(&mut self) {
        if self.0.is_end_stream() {
            return;
        }
        // Without a runtime there is no connection either.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            drop(runtime.spawn(tokio::time::timeout(PATIENCE, pass_over(std::mem::take(&mut self.0)))));
        }
    }
}

async fn pass_over(body: Body) {
    let mut frames = body.into_data_stream();
    while let Some(Ok(_frame)) = frames.next().await {}
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[tokio::test]
    async fn what_nobody_wants_is_read_to_its_end() {
        let (read, (sent, mut all_sent)) = (Arc::new(AtomicUsize::new(0)), tokio::sync::mpsc::channel::<()>(1));
        let counter = Arc::clone(&read);
        let frames = futures::stream::iter(0..10).map(move |_| {
            counter.fetch_add(1, Ordering::SeqCst);
            // Held until the stream is dropped at its end.
            let _held = &sent;
            Ok::<_, std::io::Error>(Bytes::from_static(b"frame"))
        });
        drop(Lingering::new(Body::from_stream(frames)));
        assert_eq!(all_sent.recv().await, None);
        assert_eq!(read.load(Ordering::SeqCst), 10);
    }
}
