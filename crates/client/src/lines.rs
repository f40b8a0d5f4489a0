//! Lines out of a stream of bytes, one at a time.

use bytes::{Bytes, BytesMut};

use crate::ClientError;
use crate::download::Download;

/// The longest line that is taken: a datapoint of the largest size the server's limits allow, and room for its frame.
const LONGEST_LINE: usize = 32 << 20;

/// The lines of an answer, without their ends.
pub(crate) struct Lines {
    download: Download,
    buffer: BytesMut,
    /// Bytes of the buffer known to hold no end of line.
    searched: usize,
    ended: bool,
}

impl Lines {
    pub(crate) fn new(download: Download) -> Self {
        Self { download, buffer: BytesMut::new(), searched: 0, ended: false }
    }

    /// The next line, or `None` after the last one.
    pub(crate) async fn next(&mut self) -> Result<Option<Bytes>, ClientError> {
        loop {
            if let Some(found) = self.buffer[self.searched..].iter().position(|byte| *byte == b'\n') {
                let line = self.buffer.split_to(self.searched + found + 1).freeze();
                self.searched = 0;
                return Ok(Some(without_end(&line)));
            }
            self.searched = self.buffer.len();
            if self.ended {
                self.searched = 0;
                let rest = self.buffer.split().freeze();
                return Ok((!rest.is_empty()).then_some(rest));
            }
            if self.searched > LONGEST_LINE {
                return Err(self.download.too_large(LONGEST_LINE));
            }
            match self.download.chunk().await? {
                Some(chunk) => self.buffer.extend_from_slice(&chunk),
                None => self.ended = true,
            }
        }
    }

    /// Reads a line as JSON.
    pub(crate) fn parse<T: serde::de::DeserializeOwned>(&self, line: &[u8]) -> Result<T, ClientError> {
        serde_json::from_slice(line).map_err(|source| self.download.unreadable(source))
    }

    pub(crate) fn unreadable(&self, source: serde_json::Error) -> ClientError {
        self.download.unreadable(source)
    }
}

fn without_end(line: &Bytes) -> Bytes {
    let end = line.strip_suffix(b"\n").unwrap_or(line);
    let end = end.strip_suffix(b"\r").unwrap_or(end);
    line.slice(..end.len())
}
