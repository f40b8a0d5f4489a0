//! Bytes on their way to the caller, a piece at a time.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use reqwest::header::{CONTENT_LENGTH, CONTENT_TYPE};
use reqwest::{Response, StatusCode};
use serde::de::DeserializeOwned;
use tokio::io::{AsyncWrite, AsyncWriteExt};

use crate::ClientError;

/// The most that is read into memory as one JSON answer.
const LARGEST_ANSWER: usize = 256 << 20;

/// An answer whose body streams. Only the piece in hand is in memory.
#[derive(Debug)]
pub struct Download {
    response: Response,
    call: String,
    target: String,
    silence: Duration,
}

/// Why a download did not reach its destination.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// The source of the bytes failed.
    #[error(transparent)]
    Source(#[from] ClientError),
    /// The destination failed.
    #[error("the bytes cannot be written")]
    Destination(#[from] std::io::Error),
}

impl Download {
    pub(crate) fn new(response: Response, call: String, target: String, silence: Duration) -> Self {
        Self { response, call, target, silence }
    }

    /// Bytes that will come, when the server says so.
    pub fn size(&self) -> Option<u64> {
        self.header(CONTENT_LENGTH)?.parse().ok()
    }

    /// The media type of the bytes, when the server says so.
    pub fn media_type(&self) -> Option<&str> {
        self.header(CONTENT_TYPE)
    }

    fn header(&self, name: reqwest::header::HeaderName) -> Option<&str> {
        self.response.headers().get(name)?.to_str().ok()
    }

    /// Whether the server says that this call created something.
    pub(crate) fn created(&self) -> bool {
        self.response.status() == StatusCode::CREATED
    }

    /// The next piece, or `None` after the last one.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, ClientError> {
        match tokio::time::timeout(self.silence, self.response.chunk()).await {
            Ok(Ok(chunk)) => Ok(chunk),
            Ok(Err(source)) => Err(ClientError::Broken { target: self.target.clone(), source: source.without_url() }),
            Err(_) => Err(ClientError::Stalled { target: self.target.clone(), limit: self.silence }),
        }
    }

    /// Writes all bytes to `destination`, telling `moved` how many each piece had. Answers the number of bytes.
    pub async fn copy_to<W>(mut self, destination: &mut W, mut moved: impl FnMut(u64)) -> Result<u64, CopyError>
    where
        W: AsyncWrite + Unpin,
    {
        let mut total = 0;
        while let Some(chunk) = self.chunk().await? {
            destination.write_all(&chunk).await?;
            let length = chunk.len() as u64;
            total += length;
            moved(length);
        }
        destination.flush().await?;
        Ok(total)
    }

    /// The whole body as JSON.
    pub(crate) async fn json<T: DeserializeOwned>(mut self) -> Result<T, ClientError> {
        let mut body = BytesMut::new();
        while let Some(chunk) = self.chunk().await? {
            if body.len() + chunk.len() > LARGEST_ANSWER {
                return Err(self.too_large(LARGEST_ANSWER));
            }
            body.extend_from_slice(&chunk);
        }
        serde_json::from_slice(&body).map_err(|source| self.unreadable(source))
    }

    pub(crate) fn too_large(&self, limit: usize) -> ClientError {
        ClientError::TooLarge { call: self.call.clone(), limit }
    }

    pub(crate) fn unreadable(&self, source: serde_json::Error) -> ClientError {
        ClientError::Unreadable { call: self.call.clone(), source }
    }
}
