//! Server-sent events: a stream of small messages that the server keeps open.

use serde::Deserialize;

use crate::ClientError;
use crate::download::Download;
use crate::lines::Lines;

/// One event: its name, and its data as it was sent.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Event {
    pub(crate) name: String,
    pub(crate) data: String,
}

/// The events of one answer.
pub(crate) struct Events(Lines);

impl Events {
    pub(crate) fn new(download: Download) -> Self {
        Self(Lines::new(download))
    }

    /// The next event, or `None` when the server has ended the stream. Comments, which keep the connection alive,
    /// are passed over; the event `error` is an error.
    pub(crate) async fn next(&mut self) -> Result<Option<Event>, ClientError> {
        let mut event = Event { name: "message".to_owned(), data: String::new() };
        let mut has_data = false;
        while let Some(line) = self.0.next().await? {
            let line = String::from_utf8_lossy(&line);
            if line.is_empty() {
                match (has_data, event.name.as_str()) {
                    (true, "error") => return Err(self.ended(&event.data)),
                    (true, _) => return Ok(Some(event)),
                    // A name without data is no event.
                    (false, _) => "message".clone_into(&mut event.name),
                }
                continue;
            }
            let (field, value) = line.split_once(':').unwrap_or((&line, ""));
            let value = value.strip_prefix(' ').unwrap_or(value);
            match field {
                "event" => value.clone_into(&mut event.name),
                "data" => {
                    if has_data {
                        event.data.push('\n');
                    }
                    event.data.push_str(value);
                    has_data = true;
                }
                _ => {}
            }
        }
        Ok(None)
    }

    /// What the server says when it ends a stream because something failed.
    fn ended(&self, data: &str) -> ClientError {
        #[derive(Deserialize)]
        struct Said {
            category: String,
            detail: String,
        }
        match serde_json::from_str(data) {
            Ok(Said { category, detail }) => ClientError::Ended { category, detail },
            Err(source) => self.unreadable(source),
        }
    }

    pub(crate) fn unreadable(&self, source: serde_json::Error) -> ClientError {
        self.0.unreadable(source)
    }
}
