//! What can go wrong when frames are measured, told by whose turn it is to act.

use std::io;

use holotype_core::Category;
use holotype_fits::FitsError;

/// A failure of a measurement. Nothing is half-done after it: results come whole or not at all.
#[derive(Debug, thiserror::Error)]
pub enum PhotometryError {
    /// The parameters are wrong, or they do not suit the frames that were chosen.
    #[error("{problem}")]
    Request {
        /// What is wrong and what would be right, for whoever asked.
        problem: String,
    },
    /// The frames are what they should be, and what was asked cannot be found in them.
    #[error("{problem}")]
    NoResult {
        /// What is missing and what would help, for whoever asked.
        problem: String,
    },
    /// One frame lacks what the measurement needs.
    #[error("{frame}: {problem}")]
    Frame {
        /// The frame's name.
        frame: String,
        /// What it lacks.
        problem: String,
    },
    /// The bytes of a frame are no FITS file, or a damaged one.
    #[error("{frame}: {source}")]
    Fits {
        /// The frame's name.
        frame: String,
        /// What is wrong with it.
        source: FitsError,
    },
    /// The bytes of a frame cannot be had.
    #[error("{frame} cannot be opened: {source}")]
    Unopened {
        /// The frame's name.
        frame: String,
        /// What the caller's opener or sink said.
        source: io::Error,
    },
    /// The observer asked to stop.
    #[error("the measurement was cancelled")]
    Cancelled,
    /// A picture could not be made of good pixels.
    #[error("the picture of {frame} cannot be encoded: {problem}")]
    Encoding {
        /// The frame's name.
        frame: String,
        /// What the encoder said.
        problem: String,
    },
}

impl PhotometryError {
    /// What kind of failure this is, as far as whoever asked can act on it.
    pub fn category(&self) -> Category {
        match self {
            Self::Request { .. } | Self::NoResult { .. } | Self::Frame { .. } => Category::Invalid,
            Self::Fits { source, .. } => source.category(),
            Self::Unopened { .. } => Category::Unavailable,
            Self::Cancelled => Category::Conflict,
            Self::Encoding { .. } => Category::Internal,
        }
    }

    /// Whether the text is written for whoever asked; otherwise it is for whoever keeps the system.
    pub fn is_for_the_user(&self) -> bool {
        matches!(self.category(), Category::Invalid | Category::NotFound)
    }

    pub(crate) fn request(problem: impl Into<String>) -> Self {
        Self::Request { problem: problem.into() }
    }

    pub(crate) fn no_result(problem: impl Into<String>) -> Self {
        Self::NoResult { problem: problem.into() }
    }

    pub(crate) fn frame(frame: &str, problem: impl Into<String>) -> Self {
        Self::Frame { frame: frame.to_owned(), problem: problem.into() }
    }

    pub(crate) fn fits(frame: &str, source: FitsError) -> Self {
        Self::Fits { frame: frame.to_owned(), source }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_user_can_change_is_told_from_what_the_system_must() {
        let cut = FitsError::NotFits { problem: "it is empty".to_owned() };
        assert!(PhotometryError::fits("a.fits", cut).is_for_the_user());
        assert!(PhotometryError::request("the radius must be above 0").is_for_the_user());
        let away = PhotometryError::Unopened { frame: "a".to_owned(), source: io::Error::other("away") };
        assert_eq!((away.category(), away.is_for_the_user()), (Category::Unavailable, false));
    }
}
