//! What sessions, operations and their results are.

use std::fmt;

use holotype_core::{ActivityId, Digest, Instant, ProjectId, UserId};
use serde_json::Value;

/// The number of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SessionId(pub i64);

/// The number of an operation, unique over all sessions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct OperationId(pub i64);

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for OperationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Frames that somebody works on, and what they have done with them.
#[derive(Debug, Clone, PartialEq)]
pub struct Session {
    /// Its number.
    pub id: SessionId,
    /// Whose it is; to others it does not exist.
    pub owner: UserId,
    /// What the owner is called.
    pub owner_name: String,
    /// The project it belongs to.
    pub project: ProjectId,
    /// What its owner calls it: at most 256 characters.
    pub name: String,
    /// The frames: a list of objects, as they were given.
    pub input_data: Value,
    /// When it was made.
    pub created: Instant,
    /// When it was last looked at.
    pub accessed: Instant,
    /// When it was last changed.
    pub modified: Instant,
    /// What was done, in order; only where one session is asked for, or a list with them.
    pub operations: Vec<OperationRecord>,
}

/// How far an operation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Status {
    /// Nobody works on it yet.
    Pending,
    /// It waits for a worker, or one works on it.
    InProgress,
    /// Its output is there, whole.
    Completed,
    /// It ended without an output; the message says why. To ask for it again is to try again.
    Failed,
}

impl Status {
    /// The name in answers.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::InProgress => "IN_PROGRESS",
            Self::Completed => "COMPLETED",
            Self::Failed => "FAILED",
        }
    }
}

/// An operation of a session, with what is known of its result.
#[derive(Debug, Clone, PartialEq)]
pub struct OperationRecord {
    /// Its number.
    pub id: OperationId,
    /// The session it belongs to.
    pub session: SessionId,
    /// What is done, as `Median`.
    pub name: String,
    /// With what: the request after it was put in order.
    pub input_data: Value,
    /// When it was asked for.
    pub created: Instant,
    /// Which result it points to.
    pub key: Digest,
    /// How far that is.
    pub status: Status,
    /// 0 to 1.
    pub progress: f64,
    /// What is being done, or why it failed.
    pub message: String,
    /// What was made so far, files as `{"$file": NAME}`; all of it once the status is [`Status::Completed`].
    pub output: Option<Value>,
    /// The job that does it, or did.
    pub job: Option<ActivityId>,
}

/// A file that a result has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResultFile {
    /// What it is called, unique in the result.
    pub name: FileName,
    /// Its bytes.
    pub digest: Digest,
    /// How many these are.
    pub size: u64,
    /// When they were made.
    pub created: Instant,
}

/// The name of a file of a result: letters, digits, dots and dashes, beginning with the result's key.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FileName(String);

impl FileName {
    /// The name of the result `key`'s file that ends in `ending`, as `-1-large.jpg`.
    pub fn new(key: &Digest, ending: &str) -> Self {
        Self(format!("{key}{ending}"))
    }

    /// A name, if it is one.
    pub fn parse(text: &str) -> Option<Self> {
        let plain = |character: char| character.is_ascii_alphanumeric() || ".-".contains(character);
        let named = text.len() <= 120 && text.is_ascii() && text.chars().all(plain);
        (named && text.get(..64)?.parse::<Digest>().is_ok()).then(|| Self(text.to_owned()))
    }

    /// The key of the result that has it.
    pub fn key(&self) -> Option<Digest> {
        self.0.get(..64)?.parse().ok()
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What kind of bytes a browser finds in it.
    pub fn media_type(&self) -> &'static str {
        match self.0.rsplit('.').next() {
            Some("jpg") => "image/jpeg",
            Some("tif") => "image/tiff",
            Some("png") => "image/png",
            _ => "application/fits",
        }
    }
}

impl fmt::Display for FileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_named_after_its_result_and_by_nothing_that_leads_elsewhere() {
        let key = Digest::of(b"work");
        let name = FileName::new(&key, "-1-large.jpg");
        assert_eq!(FileName::parse(name.as_str()), Some(name.clone()));
        assert_eq!((name.key(), name.media_type()), (Some(key), "image/jpeg"));
        for text in ["", "a.fits", &format!("{key}/../x.fits"), &format!("{key}%2f"), &format!("{key}é")] {
            assert_eq!(FileName::parse(text), None, "{text}");
        }
    }
}
