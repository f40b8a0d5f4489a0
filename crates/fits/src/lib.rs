//! FITS bytes to headers, pixels and tables, and back.
//!
//! Pure and synchronous: what is read comes from a [`std::io::Read`] (and [`std::io::Seek`] where HDUs are skipped), what is
//! written goes to a [`std::io::Write`], and both are given. Every byte read is taken for hostile: sizes are checked before
//! anything is allocated for them, and a file that does not hold what its header claims is an error with fields.

pub mod checksum;
pub mod display;
pub mod hdu;
pub mod header;
pub mod image;
pub mod pack;
pub mod stats;
pub mod table;
pub mod time;
pub mod unpack;
pub mod wcs;
pub mod write;

mod error;
mod structure;

pub use error::FitsError;
pub use hdu::{Hdu, Kind, Walk};
pub use header::{Card, Header, Value};
pub use image::{Image, Pixels};
