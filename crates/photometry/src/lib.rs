//! What is measured in frames: sources and their places, counts, magnitudes, periods and colour-magnitude diagrams.
//!
//! Frames come as [`Frame`]s, named bytes that are opened when they are needed, and results are plain values that serialise to
//! the JSON that clients know. Nothing here knows a network, a database or a clock. Work that takes long tells a
//! [`Progress`] how far it is and stops when it is told; it goes over all cores, frame by frame, so that memory does not
//! grow with the number of frames.
//!
//! ```text
//!   source_catalogue, centroiding        one frame, one answer
//!   light_curve, variable                magnitudes of the frames' own tables
//!   series                               magnitudes measured in the frames, against comparison stars
//!   hr_diagram                           a colour-magnitude diagram with Gaia
//!   detect                               sources of a frame that has no table of them
//! ```
//!
//! Points of an image are counted from its outer corner ([`overlap::Point`]); only tables and headers count as FITS does.

pub mod aperture;
pub mod background;
pub mod catalogue;
pub mod centroid;
pub mod centroiding;
pub mod detect;
pub mod frame;
pub mod hr_diagram;
pub mod light_curve;
pub mod overlap;
pub mod period;
pub mod request;
pub mod series;
pub mod source_catalogue;
pub mod variable;

mod error;
mod progress;
mod sphere;
mod statistics;

pub use error::PhotometryError;
pub use frame::Frame;
pub use progress::{Observer, Progress};

/// Magnitudes per relative change of a flux (Pogson 1856, MNRAS 17, 12): 1.0857.
pub(crate) const MAGNITUDES_PER_PART: f64 = 2.5 / std::f64::consts::LN_10;
