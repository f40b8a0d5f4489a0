//! What can be wrong with frames or with what is asked of them, and what to do about it.

use std::io;

use holotype_core::Category;
use holotype_fits::FitsError;

/// A failure of work on pixels.
#[derive(Debug, thiserror::Error)]
pub enum ImagingError {
    /// A frame cannot be read.
    #[error("frame {frame}: {source}")]
    Frame {
        /// The name of the frame.
        frame: String,
        /// What is wrong with it.
        source: FitsError,
    },
    /// A frame has no image to work on.
    #[error(
        "frame {frame} has no image SCI of two axes, which every frame needs; list its HDUs with 'holotype fits info'"
    )]
    NoImage {
        /// The name of the frame.
        frame: String,
    },
    /// Too few frames for the work.
    #[error("{found} frames were given, and {work} needs at least {least}")]
    TooFew {
        /// The work.
        work: &'static str,
        /// How many it needs.
        least: usize,
        /// How many there are.
        found: usize,
    },
    /// An image by whose median nothing can be divided.
    #[error("the median of {frame} is {median}, and its pixels cannot be divided by that; leave the frame out")]
    Median {
        /// The name of the frame.
        frame: String,
        /// Its median: zero, or not a number if a pixel is not.
        median: f32,
    },
    /// A frame without the celestial coordinates that the work needs.
    #[error("frame {frame} has no celestial coordinates (CTYPE1, CTYPE2 and their kin), which reprojection needs")]
    NoCoordinates {
        /// The name of the frame.
        frame: String,
    },
    /// Frames that do not lie over each other anywhere.
    #[error("the frames have no part of the sky in common; leave out those that lie elsewhere")]
    NothingInCommon,
    /// A number that was given is out of its range.
    #[error("{what}: {problem}")]
    Invalid {
        /// What was given.
        what: &'static str,
        /// What is wrong with it.
        problem: String,
    },
    /// Something is larger than we agree to hold.
    #[error("{what} has {size}, and at most {limit} is accepted")]
    TooLarge {
        /// What is too large, and in what unit.
        what: String,
        /// Its size.
        size: u64,
        /// The largest size accepted.
        limit: u64,
    },
    /// A product or a picture cannot be made or written.
    #[error("the product cannot be written: {0}")]
    Product(#[source] FitsError),
    /// Whoever watches the progress said to stop.
    #[error("the work was cancelled")]
    Cancelled,
}

impl ImagingError {
    /// What kind of failure this is, as far as whoever asked can act on it.
    pub fn category(&self) -> Category {
        match self {
            Self::Frame { source, .. } | Self::Product(source) => source.category(),
            Self::NoImage { .. }
            | Self::TooFew { .. }
            | Self::Median { .. }
            | Self::NoCoordinates { .. }
            | Self::NothingInCommon
            | Self::Invalid { .. }
            | Self::TooLarge { .. } => Category::Invalid,
            Self::Cancelled => Category::Conflict,
        }
    }

    /// What went wrong with the frame of this name.
    pub(crate) fn frame(name: &str) -> impl Fn(FitsError) -> Self + '_ {
        move |source| Self::Frame { frame: name.to_owned(), source }
    }
}

impl From<io::Error> for ImagingError {
    fn from(error: io::Error) -> Self {
        Self::Product(error.into())
    }
}
