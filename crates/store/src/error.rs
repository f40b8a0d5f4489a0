//! What can go wrong between us and the disk or the bucket, and what to do about it.

use std::error::Error;
use std::io;
use std::ops::Range;

use holotype_core::{Category, Digest};

/// How much of a cause is shown: a remote server may answer an error with a whole page.
const SHOWN_OF_A_CAUSE: usize = 400;

/// A failure of the store. Nothing is half-stored after any of them.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// There is no such blob.
    #[error("there is no blob {digest} in the store")]
    NotFound {
        /// The blob that was asked for.
        digest: Digest,
    },
    /// The range holds no byte of the blob.
    #[error("bytes {} to {} are not within the {size} bytes of blob {digest}", range.start, range.end)]
    InvalidRange {
        /// The blob that was asked for.
        digest: Digest,
        /// The bytes that were asked for, the end excluded.
        range: Range<u64>,
        /// The size of the blob in bytes.
        size: u64,
    },
    /// The stored bytes are not the blob.
    #[error(
        "blob {digest} is damaged: {problem}; run 'holotype store verify', then submit the file again to repair it"
    )]
    Corrupt {
        /// The blob whose bytes are wrong.
        digest: Digest,
        /// What is wrong with them.
        problem: String,
    },
    /// The bucket did not answer, or answered with a failure of its own, and kept doing so.
    #[error("cannot reach {place}: {cause}; check its address and that it is up ('holotype doctor')")]
    Unreachable {
        /// The store, without secrets.
        place: String,
        /// What the bucket or the network said, shortened.
        cause: String,
    },
    /// No room is left.
    #[error("{place} is full: {cause}; make room (see 'holotype store sweep'), then try again")]
    Full {
        /// The store, without secrets.
        place: String,
        /// What the system said, shortened.
        cause: String,
    },
    /// The service itself may not read or write there.
    #[error(
        "{place} refuses the service: {cause}; check owner and mode of the directory, or the keys and policy of the bucket"
    )]
    Denied {
        /// The store, without secrets.
        place: String,
        /// What the system said, shortened.
        cause: String,
    },
    /// The disk failed in another way.
    #[error("{place} failed: {cause}; see the system's log for the disk")]
    Io {
        /// The store, without secrets.
        place: String,
        /// What the system said, shortened.
        cause: String,
    },
    /// The configured location cannot be a store.
    #[error("cannot use {place} as the store: {problem}")]
    Unusable {
        /// The location, without secrets.
        place: String,
        /// What must be changed.
        problem: String,
    },
}

impl StoreError {
    /// What kind of failure this is, as far as whoever asked can act on it.
    pub fn category(&self) -> Category {
        match self {
            Self::NotFound { .. } => Category::NotFound,
            Self::InvalidRange { .. } => Category::Invalid,
            Self::Unreachable { .. } | Self::Full { .. } | Self::Denied { .. } => Category::Unavailable,
            Self::Corrupt { .. } | Self::Io { .. } | Self::Unusable { .. } => Category::Internal,
        }
    }

    /// A failed call to the file system at `place`.
    pub(crate) fn from_io(place: &str, error: &io::Error) -> Self {
        Self::from_kind(place, Some(error.kind()), shown(error)).unwrap_or_else(|cause| Self::io(place, cause))
    }

    /// A failed call to `object_store`; `remote` says whether a bucket is behind it, `digest` which blob was asked for.
    pub(crate) fn from_object(place: &str, remote: bool, digest: Option<Digest>, error: &object_store::Error) -> Self {
        use object_store::Error as Object;
        let cause = shown(error);
        match (error, digest) {
            (Object::NotFound { .. }, Some(digest)) => Self::NotFound { digest },
            (Object::PermissionDenied { .. } | Object::Unauthenticated { .. }, _) => {
                Self::Denied { place: place.to_owned(), cause }
            }
            _ => Self::from_kind(place, io_kind(error), cause).unwrap_or_else(|cause| {
                if remote { Self::Unreachable { place: place.to_owned(), cause } } else { Self::io(place, cause) }
            }),
        }
    }

    fn io(place: &str, cause: String) -> Self {
        Self::Io { place: place.to_owned(), cause }
    }

    /// The outcomes that a kind of IO failure stands for, or the cause back if it stands for none.
    fn from_kind(place: &str, kind: Option<io::ErrorKind>, cause: String) -> Result<Self, String> {
        let place = || place.to_owned();
        match kind {
            Some(io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge) => {
                Ok(Self::Full { place: place(), cause })
            }
            Some(io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem) => {
                Ok(Self::Denied { place: place(), cause })
            }
            _ => Err(cause),
        }
    }
}

/// The kind of the system call's failure at the bottom of `error`, if there is one.
fn io_kind(error: &object_store::Error) -> Option<io::ErrorKind> {
    let mut source = error.source();
    while let Some(error) = source {
        if let Some(error) = error.downcast_ref::<io::Error>() {
            return Some(error.kind());
        }
        source = error.source();
    }
    None
}

/// One line of bounded length: causes come from outside.
fn shown(error: &dyn Error) -> String {
    let text = error.to_string();
    let mut line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(SHOWN_OF_A_CAUSE).collect();
    if line.len() < text.len() {
        line.push('…');
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    fn generic(source: impl Error + Send + Sync + 'static) -> object_store::Error {
        object_store::Error::Generic { store: "S3", source: Box::new(source) }
    }

    #[test]
    fn a_full_disk_is_told_from_a_refusal_and_from_a_broken_one() {
        let outcome = |kind: io::ErrorKind| StoreError::from_io("directory /x", &io::Error::from(kind));
        assert!(matches!(outcome(io::ErrorKind::StorageFull), StoreError::Full { .. }));
        assert!(matches!(outcome(io::ErrorKind::QuotaExceeded), StoreError::Full { .. }));
        assert!(matches!(outcome(io::ErrorKind::ReadOnlyFilesystem), StoreError::Denied { .. }));
        assert!(matches!(outcome(io::ErrorKind::Other), StoreError::Io { .. }));
    }

    #[test]
    fn the_system_call_is_found_at_the_bottom_of_the_chain() {
        let full = generic(io::Error::from(io::ErrorKind::StorageFull));
        assert!(matches!(StoreError::from_object("here", false, None, &full), StoreError::Full { .. }));
        let refused = generic(io::Error::from(io::ErrorKind::ConnectionRefused));
        assert!(matches!(StoreError::from_object("here", true, None, &refused), StoreError::Unreachable { .. }));
    }

    #[test]
    fn a_cause_from_outside_is_one_line_of_bounded_length() {
        let error = StoreError::from_object("bucket b", true, None, &generic(io::Error::other("x\n".repeat(5_000))));
        let text = error.to_string();
        assert!(text.len() < 700 && !text.contains('\n'), "{text}");
        assert!(text.starts_with("cannot reach bucket b: "), "{text}");
    }
}
