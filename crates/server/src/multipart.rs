//! The parts of a `multipart/form-data` body, one after the other and in flat memory.
//!
//! The parser underneath takes what is ready before it looks, and keeps looking for the end of a part's headers for as
//! long as bytes come. The body is therefore metered on its way in: it pauses after every frame, and it ends with an error
//! when more than [`UNCLAIMED`] bytes have come in since the last piece went out.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use axum::body::{Body, BodyDataStream};
use axum::extract::multipart::{Field, MultipartError};
use axum::extract::{DefaultBodyLimit, FromRequest, Multipart, Request};
use axum::http::StatusCode;
use bytes::Bytes;
use futures::Stream;
use holotype_core::Category;

use crate::problem::Failure;

/// Most bytes that may come in without a piece going out: far more than the headers of a part and a frame of its content.
const UNCLAIMED: usize = 4 * 1024 * 1024;

/// Most parts in a body.
const PARTS: usize = 10_000;

/// The parts of a body.
#[derive(Debug)]
pub(crate) struct Parts {
    multipart: Multipart,
    unclaimed: Arc<AtomicUsize>,
    seen: usize,
}

impl Parts {
    /// Reads the body of a request, which has at most `limit` bytes.
    pub(crate) async fn of(request: Request, limit: u64) -> Result<Self, Failure> {
        let unclaimed = Arc::new(AtomicUsize::new(0));
        let (parts, body) = request.into_parts();
        let body = body.into_data_stream();
        let metered = Metered { body, unclaimed: Arc::clone(&unclaimed), left: limit, pause: false };
        let mut request = Request::from_parts(parts, Body::from_stream(metered));
        // The extractor's own limit would be two mebibytes.
        DefaultBodyLimit::disable().apply(&mut request);
        match Multipart::from_request(request, &()).await {
            Ok(multipart) => Ok(Self { multipart, unclaimed, seen: 0 }),
            Err(rejection) => Err(broken(&rejection.body_text())),
        }
    }

    /// The next part, if there is one; what was left of the one before is passed over.
    pub(crate) async fn next(&mut self) -> Result<Option<Part<'_>>, Failure> {
        self.seen += 1;
        if self.seen > PARTS {
            return Err(broken(&format!("it has more than {PARTS} parts")));
        }
        let unclaimed = &self.unclaimed;
        unclaimed.store(0, Ordering::Relaxed);
        let field = self.multipart.next_field().await.map_err(|error| failed(&error))?;
        unclaimed.store(0, Ordering::Relaxed);
        Ok(field.map(|field| Part { field, unclaimed }))
    }
}

/// One part of a body.
#[derive(Debug)]
pub(crate) struct Part<'p> {
    field: Field<'p>,
    unclaimed: &'p AtomicUsize,
}

impl Part<'_> {
    /// The name of the form's field.
    pub(crate) fn name(&self) -> &str {
        self.field.name().unwrap_or_default()
    }

    /// The name of the file, exactly as it was sent.
    pub(crate) fn file_name(&self) -> Option<&str> {
        self.field.file_name()
    }

    /// The next piece of the content.
    pub(crate) async fn piece(&mut self) -> Result<Option<Bytes>, Failure> {
        let piece = self.field.chunk().await.map_err(|error| failed(&error));
        self.unclaimed.store(0, Ordering::Relaxed);
        piece
    }

    /// The whole content, if it has at most `limit` bytes.
    pub(crate) async fn bytes(mut self, what: &str, limit: usize) -> Result<Vec<u8>, Failure> {
        let mut content = Vec::new();
        while let Some(piece) = self.piece().await? {
            if content.len() + piece.len() > limit {
                return Err(Failure::too_large(what, limit));
            }
            content.extend_from_slice(&piece);
        }
        Ok(content)
    }
}

fn failed(error: &MultipartError) -> Failure {
    match error.status() {
        StatusCode::PAYLOAD_TOO_LARGE => {
            Failure::with_status(StatusCode::PAYLOAD_TOO_LARGE, Category::Invalid, error.body_text())
        }
        _ => broken(&error.body_text()),
    }
}

fn broken(why: &str) -> Failure {
    let detail = format!("The form in the body cannot be read to its end: {why}. Nothing of it was stored.");
    Failure::with_status(StatusCode::BAD_REQUEST, Category::Invalid, detail)
}

/// A body that pauses after every frame and counts what nobody has asked for.
struct Metered {
    body: BodyDataStream,
    unclaimed: Arc<AtomicUsize>,
    /// Bytes that may still come.
    left: u64,
    pause: bool,
}

impl Stream for Metered {
    type Item = Result<Bytes, axum::Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if std::mem::take(&mut self.pause) {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        let frame = Pin::new(&mut self.body).poll_next(context);
        if let Poll::Ready(Some(Ok(bytes))) = &frame {
            self.pause = true;
            match self.left.checked_sub(bytes.len() as u64) {
                Some(left) => self.left = left,
                None => return Poll::Ready(Some(Err(axum::Error::new("it is larger than upload_limit allows")))),
            }
            let before = self.unclaimed.fetch_add(bytes.len(), Ordering::Relaxed);
            // A single frame may be as large as it likes: it is in memory already.
            if before > UNCLAIMED {
                return Poll::Ready(Some(Err(axum::Error::new("a part has headers without end"))));
            }
        }
        frame
    }
}

#[cfg(test)]
mod tests {
    use axum::http::header::CONTENT_TYPE;

    use super::*;

    fn request(body: Body) -> Request {
        Request::post("/").header(CONTENT_TYPE, "multipart/form-data; boundary=B").body(body).unwrap()
    }

    fn pieces(count: usize, piece: &'static [u8]) -> impl Stream<Item = Result<Bytes, std::io::Error>> {
        futures::stream::iter((0..count).map(move |_| Ok(Bytes::from_static(piece))))
    }

    #[tokio::test]
    async fn parts_come_out_in_order_with_what_was_told_of_them() {
        let body = "--B\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n\
                    --B\r\nContent-Disposition: form-data; name=\"files\"; filename=\"résultat%22q.bin\"\r\n\
                    Content-Type: text/csv\r\n\r\n2\r\n--B--\r\n";
        let mut parts = Parts::of(request(Body::from(body)), u64::MAX).await.unwrap();
        let first = parts.next().await.unwrap().unwrap();
        assert_eq!((first.name(), first.file_name()), ("a", None));
        assert_eq!(first.bytes("It", 1).await.unwrap(), b"1");
        let second = parts.next().await.unwrap().unwrap();
        assert_eq!((second.name(), second.file_name()), ("files", Some("résultat%22q.bin")));
        assert_eq!(
            second.bytes("The part", 0).await.unwrap_err().detail(),
            "The part is larger than the 0 bytes allowed here."
        );
        assert!(parts.next().await.unwrap().is_none());
    }

    #[tokio::test]
    async fn a_body_that_ends_early_is_an_error_wherever_it_ends() {
        let body = "--B\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n12345\r\n--B--\r\n";
        for end in 0..body.len() - 4 {
            let mut parts = Parts::of(request(Body::from(body[..end].to_owned())), u64::MAX).await.unwrap();
            let outcome = async {
                while let Some(part) = parts.next().await? {
                    part.bytes("It", 100).await?;
                }
                Ok::<(), Failure>(())
            };
            assert!(outcome.await.is_err(), "cut at {end}");
        }
    }

    #[tokio::test]
    async fn headers_without_end_are_not_collected() {
        let head = "--B\r\nContent-Disposition: form-data; name=\"a\"; x=\"";
        let start = futures::stream::iter([Ok(Bytes::from_static(head.as_bytes()))]);
        let body = Body::from_stream(futures::StreamExt::chain(start, pieces(1_000, &[b'x'; 65_536])));
        let mut parts = Parts::of(request(body), u64::MAX).await.unwrap();
        assert!(parts.next().await.is_err());
    }

    #[tokio::test]
    async fn a_body_has_a_largest_size() {
        let body = "--B\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n12345\r\n--B--\r\n";
        for (limit, fits) in [(body.len() as u64, true), (body.len() as u64 - 1, false)] {
            let mut parts = Parts::of(request(Body::from(body)), limit).await.unwrap();
            assert_eq!(parts.next().await.is_ok(), fits, "{limit}");
        }
    }

    #[tokio::test]
    async fn a_large_part_passes_in_pieces() {
        let head = "--B\r\nContent-Disposition: form-data; name=\"a\"; filename=\"f\"\r\n\r\n";
        let start = futures::stream::iter([Ok(Bytes::from_static(head.as_bytes()))]);
        let end = futures::stream::iter([Ok(Bytes::from_static(b"\r\n--B--\r\n"))]);
        let content = futures::StreamExt::chain(start, pieces(500, &[b'x'; 65_536]));
        let mut parts =
            Parts::of(request(Body::from_stream(futures::StreamExt::chain(content, end))), u64::MAX).await.unwrap();
        let mut part = parts.next().await.unwrap().unwrap();
        let (mut size, mut largest) = (0, 0);
        while let Some(piece) = part.piece().await.unwrap() {
            size += piece.len();
            largest = largest.max(piece.len());
        }
        assert_eq!(size, 500 * 65_536);
        assert!(largest <= 4 * 65_536, "{largest}");
    }
}
