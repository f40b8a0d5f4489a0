//! Pictures to look at: grey ones of a frame, coloured ones of several, as JPEG, TIFF and PNG.

use holotype_fits::FitsError;
use holotype_fits::display::{self, Autoscale, Picture, Plane, Stretch};
use image::ExtendedColorType;
use image::codecs::jpeg::JpegEncoder;
use rayon::prelude::*;

use crate::{ImagingError, Raster};

/// The quality of the JPEGs, of 100.
const QUALITY: u8 = 95;

/// The longest side of a thumbnail, in pixels.
pub const THUMBNAIL: u16 = 200;

/// The grey picture of an image between the values that are shown black and white: those of `limits`, or else the median and the
/// upper limit of its scale.
///
/// # Errors
/// [`ImagingError::Product`] for an image without pixels, and for limits that are not in order.
pub fn grey(raster: &Raster, limits: Option<(f64, f64)>) -> Result<Picture, ImagingError> {
    let plane = Plane::new(raster.width, raster.height, &raster.values).map_err(ImagingError::Product)?;
    let (black, white) =
        limits.or_else(|| Autoscale::of(&plane).map(|scale| (scale.median, scale.high))).unwrap_or((0.0, 1.0));
    let stretch = Stretch::new(black, white).ok_or_else(|| ImagingError::Invalid {
        what: "the limits of a picture",
        problem: format!("{black} to {white}: black must be less than white"),
    })?;
    let width = raster.width;
    let mut levels = vec![0; raster.values.len()];
    // The lowest row of an image is the last of its picture.
    let rows = raster.values.par_chunks_exact(width).rev();
    levels.par_chunks_exact_mut(width).zip(rows).with_min_len(16).for_each(|(levels, row)| stretch.grey(row, levels));
    let none = || FitsError::Unwritable { what: "a picture".to_owned(), problem: "it has no pixel".to_owned() };
    Picture::of_levels(width, levels).ok_or_else(none).map_err(ImagingError::Product)
}

/// The JPEGs of a product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Previews {
    /// Full size.
    pub large: Vec<u8>,
    /// Within [`THUMBNAIL`] pixels.
    pub small: Vec<u8>,
}

/// The JPEGs of a grey picture.
///
/// # Errors
/// [`ImagingError::Product`] if it is larger than the format can write.
pub fn previews(picture: &Picture) -> Result<Previews, ImagingError> {
    let small = || picture.thumbnail(THUMBNAIL)?.jpeg();
    let (large, small) = rayon::join(|| picture.jpeg(), small);
    Ok(Previews { large: large.map_err(ImagingError::Product)?, small: small.map_err(ImagingError::Product)? })
}

/// A picture of three colours of 8 bits, row by row, the highest row first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Coloured {
    width: u32,
    height: u32,
    /// Red, green and blue of each pixel.
    levels: Vec<u8>,
}

impl Coloured {
    /// Of `levels`: red, green and blue of each pixel, row by row, the highest row first.
    ///
    /// # Errors
    /// [`ImagingError::TooLarge`] for a side that no format can have, [`ImagingError::Invalid`] if there are not as many levels.
    pub fn new(width: usize, height: usize, levels: Vec<u8>) -> Result<Self, ImagingError> {
        const LONGEST: u64 = 65_535;
        let side = |length: usize| match u32::try_from(length) {
            Ok(side) if u64::from(side) <= LONGEST => Ok(side),
            _ => Err(ImagingError::TooLarge {
                what: "a side of a picture".to_owned(),
                size: length as u64,
                limit: LONGEST,
            }),
        };
        let (columns, rows) = (side(width)?, side(height)?);
        if levels.is_empty() || levels.len() != 3 * width * height {
            let problem = format!("there are {} levels for {width} x {height} pixels", levels.len());
            return Err(ImagingError::Invalid { what: "a picture", problem });
        }
        Ok(Self { width: columns, height: rows, levels })
    }

    /// Of a grey picture.
    ///
    /// # Errors
    /// As [`Coloured::new`].
    pub fn of_grey(picture: &Picture) -> Result<Self, ImagingError> {
        let levels = picture.levels().iter().flat_map(|&level| [level; 3]).collect();
        Self::new(picture.width(), picture.height(), levels)
    }

    /// Pixels in a row.
    pub fn width(&self) -> u32 {
        self.width
    }

    /// The number of rows.
    pub fn height(&self) -> u32 {
        self.height
    }

    /// Red, green and blue of each pixel, row by row.
    pub fn levels(&self) -> &[u8] {
        &self.levels
    }

    /// The picture as a JPEG of quality 95.
    ///
    /// # Errors
    /// [`ImagingError::Product`] if the encoder refuses it.
    pub fn jpeg(&self) -> Result<Vec<u8>, ImagingError> {
        let mut bytes = Vec::new();
        JpegEncoder::new_with_quality(&mut bytes, QUALITY)
            .encode(&self.levels, self.width, self.height, ExtendedColorType::Rgb8)
            .map_err(|error| self.unwritable(&error.to_string()))?;
        Ok(bytes)
    }

    /// The picture as large as fits into a square of `side` pixels, resampled by Lanczos' kernel over three lobes; the picture
    /// itself if it fits already.
    #[must_use]
    pub fn thumbnail(&self, side: u16) -> Self {
        match display::thumbnail(&self.levels, 3, (self.width, self.height), side) {
            Some((levels, (width, height))) => Self { width, height, levels },
            None => self.clone(),
        }
    }

    /// The picture as a TIFF that is not compressed.
    pub fn tiff(&self) -> Vec<u8> {
        tiff(self.width, self.height, &self.levels)
    }

    /// The picture as a PNG.
    ///
    /// # Errors
    /// [`ImagingError::Product`] if the encoder refuses it.
    pub fn png(&self) -> Result<Vec<u8>, ImagingError> {
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, self.width, self.height);
        encoder.set_color(png::ColorType::Rgb);
        encoder.set_depth(png::BitDepth::Eight);
        let written = encoder.write_header().and_then(|mut writer| writer.write_image_data(&self.levels));
        written.map_err(|error| self.unwritable(&error.to_string()))?;
        Ok(bytes)
    }

    fn unwritable(&self, problem: &str) -> ImagingError {
        let what = format!("a picture of {} x {} pixels", self.width, self.height);
        ImagingError::Product(FitsError::Unwritable { what, problem: problem.to_owned() })
    }
}

/// A baseline TIFF (Adobe, TIFF 6.0, section 6: RGB full colour images), least significant byte first, the pixels in one strip.
fn tiff(width: u32, height: u32, levels: &[u8]) -> Vec<u8> {
    const SHORT: u16 = 3;
    const LONG: u16 = 4;
    const RATIONAL: u16 = 5;
    // The header, the directory of 12 entries, the bits of the three colours, one resolution twice; then the pixels.
    const DIRECTORY: u32 = 8;
    const BITS: u32 = DIRECTORY + 2 + 12 * 12 + 4;
    const RESOLUTION: u32 = BITS + 6 + 2;
    const PIXELS: u32 = RESOLUTION + 8;
    let entries: [(u16, u16, u32, u32); 12] = [
        (256, LONG, 1, width),
        (257, LONG, 1, height),
        (258, SHORT, 3, BITS),
        // Not compressed.
        (259, SHORT, 1, 1),
        // Red, green, blue.
        (262, SHORT, 1, 2),
        (273, LONG, 1, PIXELS),
        (277, SHORT, 1, 3),
        (278, LONG, 1, height),
        (279, LONG, 1, levels.len() as u32),
        (282, RATIONAL, 1, RESOLUTION),
        (283, RATIONAL, 1, RESOLUTION),
        // Of no unit.
        (296, SHORT, 1, 1),
    ];
    let mut bytes = Vec::with_capacity(PIXELS as usize + levels.len());
    bytes.extend_from_slice(b"II\x2A\0");
    bytes.extend_from_slice(&DIRECTORY.to_le_bytes());
    bytes.extend_from_slice(&(entries.len() as u16).to_le_bytes());
    for (tag, kind, count, value) in entries {
        bytes.extend_from_slice(&tag.to_le_bytes());
        bytes.extend_from_slice(&kind.to_le_bytes());
        bytes.extend_from_slice(&count.to_le_bytes());
        // A short stands in the first two bytes: least significant first, that is the same.
        bytes.extend_from_slice(&value.to_le_bytes());
    }
    bytes.extend_from_slice(&[0; 4]);
    bytes.extend([8_u16; 3].iter().flat_map(|bits| bits.to_le_bytes()));
    bytes.extend_from_slice(&[0; 2]);
    bytes.extend([1_u32; 2].iter().flat_map(|part| part.to_le_bytes()));
    bytes.extend_from_slice(levels);
    bytes
}
