//! From pixels to a picture to look at: the choice of black and white, the stretch to grey levels, and small grey JPEGs.
//!
//! The rules are those of the pictures that astronomers know from their archive: black is the median, white comes from a line
//! through the sorted samples ("zscale"), and a power curve brings out what is faint. The first row of a FITS image is its
//! lowest; the first row of a picture is its highest.
//!
//! ```
//! use holotype_fits::{Image, Pixels, display};
//! # fn main() -> Result<(), holotype_fits::FitsError> {
//! let pixels = Pixels::F32((0..300 * 100).map(|i| (i % 300) as f32).collect());
//! let picture = display::picture(&Image { shape: vec![100, 300], pixels }, None)?;
//! let small = picture.thumbnail(200)?;
//! assert_eq!((small.width(), small.height()), (200, 67));
//! let jpeg = small.jpeg()?;
//! # assert!(jpeg.starts_with(&[0xff, 0xd8]));
//! # Ok(())
//! # }
//! ```

mod autoscale;
mod picture;
mod plane;
mod resample;
mod stretch;

pub use autoscale::{Autoscale, samples};
pub use picture::Picture;
pub use plane::{Plane, Sample};
pub use resample::thumbnail;
pub use stretch::{Stretch, gamma};

use crate::{FitsError, Image, Pixels};

/// The picture of a two-dimensional image between the values that are shown black and white: those of `limits`, or else the
/// median and the upper limit of its [`Autoscale`]. An image without any number is black.
///
/// # Errors
/// [`FitsError::Unwritable`] if the image is not two-dimensional or empty, and for limits that [`Stretch::new`] refuses.
pub fn picture(image: &Image, limits: Option<(f64, f64)>) -> Result<Picture, FitsError> {
    match &image.pixels {
        Pixels::U8(values) => show(&image.shape, values, limits),
        Pixels::I8(values) => show(&image.shape, values, limits),
        Pixels::U16(values) => show(&image.shape, values, limits),
        Pixels::I16(values) => show(&image.shape, values, limits),
        Pixels::U32(values) => show(&image.shape, values, limits),
        Pixels::I32(values) => show(&image.shape, values, limits),
        Pixels::U64(values) => show(&image.shape, values, limits),
        Pixels::I64(values) => show(&image.shape, values, limits),
        Pixels::F32(values) => show(&image.shape, values, limits),
        Pixels::F64(values) => show(&image.shape, values, limits),
    }
}

fn show<T: Sample>(shape: &[usize], values: &[T], limits: Option<(f64, f64)>) -> Result<Picture, FitsError> {
    let unwritable = |problem: String| FitsError::Unwritable { what: "a picture".to_owned(), problem };
    let [height, width] = *shape else {
        return Err(unwritable(format!("the image has {} axes, and 2 are needed", shape.len())));
    };
    let plane = Plane::new(width, height, values)?;
    let (black, white) =
        limits.or_else(|| Autoscale::of(&plane).map(|scale| (scale.median, scale.high))).unwrap_or((0.0, 1.0));
    let stretch = Stretch::new(black, white)
        .ok_or_else(|| unwritable(format!("{black} to {white} are no limits: black must be less than white")))?;
    Ok(stretch.picture(&plane))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(shape: &[usize], pixels: Pixels) -> Image {
        Image { shape: shape.to_vec(), pixels }
    }

    #[test]
    fn every_type_of_pixel_gives_the_same_picture() {
        let ramp = || (0..120).map(|value| value as u8);
        let all = [
            Pixels::U8(ramp().collect()),
            Pixels::I8(ramp().map(|value| value as i8).collect()),
            Pixels::U16(ramp().map(u16::from).collect()),
            Pixels::I16(ramp().map(i16::from).collect()),
            Pixels::U32(ramp().map(u32::from).collect()),
            Pixels::I32(ramp().map(i32::from).collect()),
            Pixels::U64(ramp().map(u64::from).collect()),
            Pixels::I64(ramp().map(i64::from).collect()),
            Pixels::F32(ramp().map(f32::from).collect()),
            Pixels::F64(ramp().map(f64::from).collect()),
        ];
        let first = picture(&image(&[10, 12], all[0].clone()), None).unwrap();
        assert_eq!((first.width(), first.height()), (12, 10));
        assert!(first.levels().contains(&0) && first.levels().contains(&255));
        for pixels in all {
            assert_eq!(picture(&image(&[10, 12], pixels), None).unwrap(), first);
        }
    }

    #[test]
    fn given_limits_come_before_those_of_the_image() {
        let levels = picture(&image(&[1, 3], Pixels::I16(vec![-5, 20, 90])), Some((20.0, 275.0))).unwrap();
        assert_eq!(levels.levels(), [0, 0, gamma(70)]);
    }

    #[test]
    fn an_image_without_numbers_is_black() {
        let black = picture(&image(&[2, 2], Pixels::F32(vec![f32::NAN; 4])), None).unwrap();
        assert_eq!(black.levels(), [0; 4]);
    }

    #[test]
    fn what_cannot_be_a_picture_is_refused() {
        let pixels = || Pixels::U8(vec![0; 6]);
        for (shape, limits) in [
            (&[6][..], None),
            (&[1, 2, 3], None),
            (&[2, 2], None),
            (&[2, 3], Some((5.0, 1.0))),
            (&[2, 3], Some((f64::NAN, 1.0))),
        ] {
            assert!(matches!(picture(&image(shape, pixels()), limits), Err(FitsError::Unwritable { .. })));
        }
        assert!(picture(&image(&[0, 0], Pixels::U8(vec![])), None).is_err());
    }
}
