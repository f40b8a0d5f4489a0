//! A grey picture, its small form and its JPEG.

use ::image::ExtendedColorType;
use ::image::codecs::jpeg::JpegEncoder;

use super::resample::{fitting, lanczos};
use crate::FitsError;

/// The quality of the JPEGs, of 100.
const QUALITY: u8 = 95;

/// The longest side that the format JPEG can write, in pixels.
const LONGEST_SIDE: u64 = 65_535;

/// A picture of grey levels, 0 black and 255 white, row by row, the highest row first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    width: usize,
    levels: Vec<u8>,
}

impl Picture {
    /// `levels` are one or more rows of `width`.
    pub(super) fn new(width: usize, levels: Vec<u8>) -> Self {
        Self { width, levels }
    }

    /// Of grey levels, row by row, the highest row first; nothing if they are not one or more rows of `width`.
    pub fn of_levels(width: usize, levels: Vec<u8>) -> Option<Self> {
        (width > 0 && !levels.is_empty() && levels.len().is_multiple_of(width)).then_some(Self { width, levels })
    }

    /// Pixels in a row.
    pub fn width(&self) -> usize {
        self.width
    }

    /// The number of rows.
    pub fn height(&self) -> usize {
        self.levels.len() / self.width
    }

    /// The grey levels, row by row.
    pub fn levels(&self) -> &[u8] {
        &self.levels
    }

    /// The picture as large as fits into a square of `side` pixels, resampled by Lanczos' kernel over three lobes; the picture
    /// itself if it fits already.
    ///
    /// # Errors
    /// [`FitsError::TooLarge`] if a side of this picture is too long to be resampled.
    pub fn thumbnail(&self, side: u16) -> Result<Self, FitsError> {
        let (width, height) = self.sides()?;
        let (small_width, small_height) = fitting(width, height, u32::from(side.max(1)));
        if (small_width, small_height) == (width, height) {
            return Ok(self.clone());
        }
        let small = (small_width as usize, small_height as usize);
        Ok(Self::new(small.0, lanczos(&self.levels, 1, (self.width, self.height()), small)))
    }

    /// The picture as a grey JPEG of quality 95.
    ///
    /// # Errors
    /// [`FitsError::TooLarge`] if a side is longer than the format can write (65,535 pixels).
    pub fn jpeg(&self) -> Result<Vec<u8>, FitsError> {
        let (width, height) = self.sides()?;
        let mut bytes = Vec::new();
        JpegEncoder::new_with_quality(&mut bytes, QUALITY)
            .encode(&self.levels, width, height, ExtendedColorType::L8)
            .map_err(|error| unwritable(width, height, &error.to_string()))?;
        Ok(bytes)
    }

    fn sides(&self) -> Result<(u32, u32), FitsError> {
        let side = |what: &str, length: usize| match u32::try_from(length) {
            Ok(side) if u64::from(side) <= LONGEST_SIDE => Ok(side),
            _ => Err(FitsError::TooLarge {
                what: format!("the {what} of a picture"),
                size: length as u64,
                limit: LONGEST_SIDE,
            }),
        };
        Ok((side("width", self.width)?, side("height", self.height())?))
    }
}

fn unwritable(width: u32, height: u32, problem: &str) -> FitsError {
    FitsError::Unwritable { what: format!("a picture of {width} x {height} pixels"), problem: problem.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thumbnail_keeps_the_proportion_and_is_never_larger() {
        for (width, height, expected) in [
            (512, 512, (200, 200)),
            (1024, 256, (200, 50)),
            (300, 100, (200, 67)),
            (100, 300, (67, 200)),
            (65_535, 1, (200, 1)),
            (200, 200, (200, 200)),
            (100, 20, (100, 20)),
        ] {
            assert_eq!(fitting(width, height, 200), expected);
        }
    }

    /// A bright spot on a slope, as smooth as a real frame.
    fn picture(width: usize, height: usize) -> Picture {
        let level = |x: f64, y: f64| {
            let spot = (-((x - 0.3).powi(2) + (y - 0.6).powi(2)) / 0.01).exp();
            (x * 60.0 + y * 40.0 + 150.0 * spot) as u8
        };
        let at = |index: usize| level((index % width) as f64 / width as f64, (index / width) as f64 / height as f64);
        Picture::new(width, (0..width * height).map(at).collect())
    }

    /// The root of the mean square of the differences, in levels.
    fn difference(a: &[u8], b: &[u8]) -> f64 {
        assert_eq!(a.len(), b.len());
        let sum: f64 = a.iter().zip(b).map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2)).sum();
        (sum / a.len() as f64).sqrt()
    }

    #[test]
    fn a_jpeg_is_the_picture_again_when_it_is_decoded() {
        let picture = picture(123, 77);
        let bytes = picture.jpeg().unwrap();
        let decoded = ::image::load_from_memory_with_format(&bytes, ::image::ImageFormat::Jpeg).unwrap();
        assert_eq!((decoded.width(), decoded.height(), decoded.color()), (123, 77, ::image::ColorType::L8));
        let off = difference(decoded.as_bytes(), picture.levels());
        assert!(off < 1.0, "{off} levels");
    }

    #[test]
    fn a_thumbnail_shows_the_same_as_the_picture() {
        let small = picture(800, 400).thumbnail(200).unwrap();
        assert_eq!((small.width(), small.height()), (200, 100));
        let off = difference(small.levels(), picture(200, 100).levels());
        assert!(off < 1.0, "{off} levels");
        let fits = picture(200, 100);
        assert_eq!(fits.thumbnail(200).unwrap(), fits);
    }

    #[test]
    fn a_picture_longer_than_the_format_allows_is_refused() {
        let long = Picture::new(65_536, vec![0; 65_536]);
        assert!(matches!(long.jpeg(), Err(FitsError::TooLarge { size: 65_536, limit: 65_535, .. })));
        let high = Picture::new(1, vec![0; 65_536]);
        assert!(matches!(high.thumbnail(200), Err(FitsError::TooLarge { .. })));
        assert!(Picture::new(65_535, vec![9; 65_535]).jpeg().is_ok());
    }
}
