//! What is done to pixels: many frames combined to one, subtracted, divided, aligned and resampled, and written as FITS with
//! their pictures.
//!
//! Pure and synchronous, on all cores: frames are read from whatever the caller opens ([`Frame`]), row by row or strip by strip,
//! so that memory does not grow with their number. Pixels are 32-bit reals throughout.

pub mod align;
pub mod arithmetic;
pub mod colour;
pub mod combine;
mod error;
pub mod frame;
mod network;
pub mod picture;
pub mod product;
pub mod profile;
mod progress;
mod raster;
pub mod raw_data;
pub mod reproject;
pub mod stack;

pub use error::ImagingError;
pub use frame::{Frame, Source};
pub use progress::{Progress, unwatched};
pub use raster::Raster;
