//! From pixels to a picture to look at: the choice of black and white, the stretch to grey levels, and small grey JPEGs.
//!
//! The rules are those of the pictures that astronomers know from their archive: black is the median, white comes from a line
//! through the sorted samples ("zscale"), and a power curve brings out what is faint. The first row of a FITS image is its
//! lowest; the first row of a picture is its highest.
//!
//! ```
//! use holotype_fits::display::{Autoscale, Plane, Stretch};
//! # fn main() -> Result<(), holotype_fits::FitsError> {
//! let values: Vec<f32> = (0..300 * 100).map(|i| (i % 300) as f32).collect();
//! let plane = Plane::new(300, 100, &values)?;
//! let scale = Autoscale::of(&plane).expect("there are numbers among the pixels");
//! let picture = Stretch::new(scale.median, scale.high).expect("white is brighter than black").picture(&plane);
//! let jpeg = picture.thumbnail(200)?.jpeg()?;
//! # assert!(jpeg.starts_with(&[0xff, 0xd8]));
//! # Ok(())
//! # }
//! ```

mod autoscale;
mod picture;
mod plane;
mod stretch;

pub use autoscale::Autoscale;
pub use picture::Picture;
pub use plane::{Plane, Sample};
pub use stretch::{Stretch, gamma};
