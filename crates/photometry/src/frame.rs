//! A frame as a measurement sees it: named bytes that are opened when they are needed, the science image, the source
//! table, the position on the sky, and the time.

use std::fs::File;
use std::io::{self, Read, Seek};
use std::path::PathBuf;

use holotype_core::Instant;
use holotype_fits::display::{Plane, Sample};
use holotype_fits::hdu::{self, Hdu};
use holotype_fits::wcs::Wcs;
use holotype_fits::{Header, Image, Pixels, time};

use crate::catalogue::Catalogue;
use crate::{PhotometryError, PhotometryError as Error};

/// Bytes that can be read from any place.
pub trait Bytes: Read + Seek + Send {}

impl<T: Read + Seek + Send> Bytes for T {}

type Opener = dyn Fn() -> io::Result<Box<dyn Bytes>> + Send + Sync;

/// A frame that was chosen for a measurement.
pub struct Frame {
    name: String,
    filter: Option<String>,
    observation_date: Option<String>,
    opener: Box<Opener>,
}

impl std::fmt::Debug for Frame {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Frame").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Frame {
    /// The frame that is shown as `name` and whose bytes `opener` gives, anew each time.
    pub fn new(
        name: impl Into<String>,
        opener: impl Fn() -> io::Result<Box<dyn Bytes>> + Send + Sync + 'static,
    ) -> Self {
        Self { name: name.into(), filter: None, observation_date: None, opener: Box::new(opener) }
    }

    /// The frame of a file.
    pub fn file(name: impl Into<String>, path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        Self::new(name, move || Ok(Box::new(File::open(&path)?)))
    }

    /// With the filter that the request says the frame was taken through.
    #[must_use]
    pub fn with_filter(mut self, filter: Option<String>) -> Self {
        self.filter = filter;
        self
    }

    /// With the date that the request says the frame was taken on.
    #[must_use]
    pub fn with_observation_date(mut self, date: Option<String>) -> Self {
        self.observation_date = date;
        self
    }

    /// The name that results show.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The filter that the request names.
    pub fn filter(&self) -> Option<&str> {
        self.filter.as_deref()
    }

    /// The date that the request names.
    pub fn observation_date(&self) -> Option<&str> {
        self.observation_date.as_deref()
    }

    /// Opens the frame and reads its headers.
    ///
    /// # Errors
    /// [`PhotometryError::Unopened`] and [`PhotometryError::Fits`].
    pub fn open(&self) -> Result<OpenFrame<'_>, PhotometryError> {
        let mut bytes = (self.opener)().map_err(|source| Error::Unopened { frame: self.name.clone(), source })?;
        let hdus = Hdu::walk(&mut bytes).map_err(|source| Error::fits(&self.name, source))?;
        Ok(OpenFrame { name: &self.name, bytes, hdus })
    }
}

/// The pixels of a science image as they are measured: 32-bit reals where they hold every value, else 64-bit ones.
#[derive(Debug, Clone, PartialEq)]
pub enum Raster {
    /// Of reals of 32 bits and whole numbers of up to 16.
    Single(Samples<f32>),
    /// Of everything longer.
    Double(Samples<f64>),
}

/// The pixels of an image of one type, of which there is at least one.
#[derive(Debug, Clone, PartialEq)]
pub struct Samples<T> {
    width: usize,
    values: Vec<T>,
}

impl<T: Sample> Samples<T> {
    /// The pixels as a plane.
    ///
    /// # Errors
    /// None in truth: the sides were checked when the pixels were read.
    pub fn plane(&self) -> Result<Plane<'_, T>, holotype_fits::FitsError> {
        Plane::new(self.width, self.values.len() / self.width.max(1), &self.values)
    }
}

/// Runs the same expression over the plane of a [`Raster`], whichever type its pixels have.
macro_rules! with_plane {
    ($raster:expr, $plane:ident => $body:expr) => {
        match $raster {
            $crate::frame::Raster::Single(samples) => samples.plane().map(|$plane| $body),
            $crate::frame::Raster::Double(samples) => samples.plane().map(|$plane| $body),
        }
    };
}

pub(crate) use with_plane;

impl Raster {
    /// The pixels of a two-dimensional image with at least one pixel; nothing for any other.
    pub fn of(image: Image) -> Option<Self> {
        let [height, width] = *image.shape else { return None };
        if width == 0 || height == 0 || width.checked_mul(height) != Some(image.pixels.len()) {
            return None;
        }
        fn single<T: Into<f32> + Copy>(width: usize, values: &[T]) -> Raster {
            Raster::Single(Samples { width, values: values.iter().map(|&value| value.into()).collect() })
        }
        fn double<T: Sample>(width: usize, values: &[T]) -> Raster {
            Raster::Double(Samples { width, values: values.iter().map(|value| value.to_f64()).collect() })
        }
        Some(match image.pixels {
            Pixels::F32(values) => Self::Single(Samples { width, values }),
            Pixels::F64(values) => Self::Double(Samples { width, values }),
            Pixels::U8(values) => single(width, &values),
            Pixels::I8(values) => single(width, &values),
            Pixels::U16(values) => single(width, &values),
            Pixels::I16(values) => single(width, &values),
            Pixels::U32(values) => double(width, &values),
            Pixels::I32(values) => double(width, &values),
            Pixels::U64(values) => double(width, &values),
            Pixels::I64(values) => double(width, &values),
        })
    }
}

/// A frame whose headers were read and whose bytes are at hand.
pub struct OpenFrame<'a> {
    name: &'a str,
    bytes: Box<dyn Bytes>,
    hdus: Vec<Hdu>,
}

impl std::fmt::Debug for OpenFrame<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OpenFrame").field("name", &self.name).finish_non_exhaustive()
    }
}

impl OpenFrame<'_> {
    /// The name that results show.
    pub fn name(&self) -> &str {
        self.name
    }

    /// The science image's HDU: the one named `SCI`, which must be two-dimensional.
    ///
    /// # Errors
    /// [`PhotometryError::Frame`] if there is none.
    pub fn science(&self) -> Result<&Hdu, PhotometryError> {
        let science = hdu::find(&self.hdus, "SCI");
        let science = science.ok_or_else(|| Error::frame(self.name, "it has no SCI extension"))?;
        match (science.is_image(), science.shape.len()) {
            (true, 2) => Ok(science),
            (false, _) => Err(Error::frame(self.name, "its SCI extension holds no image")),
            (true, axes) => Err(Error::frame(self.name, format!("its SCI image has {axes} axes, and 2 are needed"))),
        }
    }

    /// The science image's width (`NAXIS1`) and height (`NAXIS2`), in pixels.
    ///
    /// # Errors
    /// As [`OpenFrame::science`].
    pub fn size(&self) -> Result<(usize, usize), PhotometryError> {
        match self.science()?.shape[..] {
            [height, width] => Ok((width as usize, height as usize)),
            _ => Err(Error::frame(self.name, "its SCI image is not two-dimensional")),
        }
    }

    /// Whether there is a table of sources.
    pub fn has_catalogue(&self) -> bool {
        hdu::find(&self.hdus, "CAT").is_some()
    }

    /// Reads the table of sources: the HDU named `CAT`.
    ///
    /// # Errors
    /// [`PhotometryError::Frame`] if there is none, [`PhotometryError::Fits`] if it is damaged.
    pub fn catalogue(&mut self) -> Result<Catalogue, PhotometryError> {
        let Some(catalogue) = hdu::find(&self.hdus, "CAT") else {
            return Err(Error::frame(self.name, "it has no CAT extension with a table of sources"));
        };
        Catalogue::read(&mut self.bytes, catalogue).map_err(|source| Error::fits(self.name, source))
    }

    /// How the science image lies on the sky.
    ///
    /// # Errors
    /// [`PhotometryError::Frame`] if its header says nothing, [`PhotometryError::Fits`] if what it says is not understood.
    pub fn wcs(&self) -> Result<Wcs, PhotometryError> {
        let wcs = Wcs::from_header(&self.science()?.header).map_err(|source| Error::fits(self.name, source))?;
        wcs.ok_or_else(|| Error::frame(self.name, "its header has no position on the sky (WCS)"))
    }

    /// Decodes the science image.
    ///
    /// # Errors
    /// As [`OpenFrame::science`], and [`PhotometryError::Fits`] if it is damaged.
    pub fn raster(&mut self) -> Result<Raster, PhotometryError> {
        let science = self.science()?.clone();
        let image = Image::read(&mut self.bytes, &science).map_err(|source| Error::fits(self.name, source))?;
        Raster::of(image).ok_or_else(|| Error::frame(self.name, "its SCI image is not two-dimensional"))
    }

    /// The header of the science image.
    ///
    /// # Errors
    /// As [`OpenFrame::science`].
    pub fn header(&self) -> Result<&Header, PhotometryError> {
        Ok(&self.science()?.header)
    }

    /// When the exposure began: `DATE-OBS` of the science image, or of the primary header if that has none there.
    ///
    /// # Errors
    /// [`PhotometryError::Frame`] if there is none, [`PhotometryError::Fits`] if it is no date.
    pub fn date(&self) -> Result<Instant, PhotometryError> {
        let primary = self.hdus.first().and_then(|primary| primary.header.text("DATE-OBS"));
        let text = self.header()?.text("DATE-OBS").or(primary);
        let text = text.ok_or_else(|| Error::frame(self.name, "its header has no DATE-OBS"))?;
        time::instant("DATE-OBS", text).map_err(|source| Error::fits(self.name, source))
    }
}
