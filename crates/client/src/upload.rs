//! Files on their way to the server, a piece at a time.

use std::path::{Path, PathBuf};

use futures::StreamExt;
use reqwest::multipart::Part;
use tokio::io::AsyncReadExt;
use tokio_util::io::ReaderStream;

use crate::ClientError;

/// What is read from a file at a time.
const PIECE: usize = 128 << 10;

/// A file to send. It is read while it is sent, and never whole into memory.
pub struct FileUpload {
    name: String,
    size: u64,
    body: reqwest::Body,
}

impl std::fmt::Debug for FileUpload {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FileUpload").field("name", &self.name).field("size", &self.size).finish_non_exhaustive()
    }
}

impl FileUpload {
    /// Opens a file to send it under its own name, telling `moved` how many bytes each piece had.
    pub async fn open(path: &Path, mut moved: impl FnMut(u64) + Send + 'static) -> Result<Self, ClientError> {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
        check_name(&name)?;
        let failed = |source| ClientError::File { path: PathBuf::from(path), source };
        let file = tokio::fs::File::open(path).await.map_err(failed)?;
        let metadata = file.metadata().await.map_err(failed)?;
        if !metadata.is_file() {
            return Err(failed(std::io::Error::from(std::io::ErrorKind::IsADirectory)));
        }
        let length = metadata.len();
        // A file that grows meanwhile is sent as it was announced.
        let pieces = ReaderStream::with_capacity(file.take(length), PIECE)
            .inspect(move |piece| moved(piece.as_ref().map_or(0, |piece| piece.len() as u64)));
        Ok(Self { name, size: length, body: reqwest::Body::wrap_stream(pieces) })
    }

    /// Bytes that will be sent.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The part of a form that carries it.
    pub(crate) fn into_part(self) -> Part {
        Part::stream_with_length(self.body, self.size).file_name(self.name)
    }

    /// The name it is sent under.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The bytes, as the body of a request.
    pub(crate) fn into_body(self) -> reqwest::Body {
        self.body
    }
}

/// Refuses names that would end or forge a header of the form.
fn check_name(name: &str) -> Result<(), ClientError> {
    let reason = if name.is_empty() {
        "it is empty or not UTF-8"
    } else if name.chars().any(char::is_control) {
        "it has control characters"
    } else {
        return Ok(());
    };
    Err(ClientError::Name { name: name.chars().take(80).collect(), reason })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_file_that_is_not_there_is_named_in_the_error() {
        let error = FileUpload::open(Path::new("/nowhere/frame.fits"), |_| {}).await.unwrap_err();
        assert!(error.to_string().contains("/nowhere/frame.fits"), "{error}");
    }

    #[test]
    fn a_name_cannot_forge_a_header() {
        assert!(check_name("a\r\nb.txt").is_err());
        assert!(check_name("Messung \"ä\".csv").is_ok());
    }
}
