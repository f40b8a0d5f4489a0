//! A frame: where its pixels are, read as they are needed.

use std::fs::File;
use std::io::{self, Read, Seek};
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use holotype_fits::image::Rows;
use holotype_fits::{FitsError, Hdu, Header, hdu};
use rayon::prelude::*;

use crate::{ImagingError, Raster};

/// Something to read a FITS file from.
pub trait Source: Read + Seek + Send {}

impl<T: Read + Seek + Send> Source for T {}

type Open = dyn Fn() -> io::Result<Box<dyn Source>> + Send + Sync;

/// The image of a FITS file. It holds no pixels and no open file: for each strip that is read the file is opened again, by
/// whichever thread reads it, so that any number of frames needs as many open files as there are threads.
#[derive(Clone)]
pub struct Frame {
    name: Arc<str>,
    open: Arc<Open>,
    rows: Arc<Rows>,
    header_at: u64,
}

impl Frame {
    /// The image `SCI` (by `EXTNAME`, whatever the letter case) of what `open` opens; `name` is for messages.
    ///
    /// # Errors
    /// [`ImagingError::NoImage`] if there is none, or it has not two axes; [`ImagingError::Frame`] if the file cannot be read.
    pub fn science(
        name: &str,
        open: impl Fn() -> io::Result<Box<dyn Source>> + Send + Sync + 'static,
    ) -> Result<Self, ImagingError> {
        Self::found(name, Arc::new(open), |hdus| hdu::find(hdus, "SCI").filter(|hdu| is_plane(hdu)))
    }

    /// The image `SCI` of a file on disk.
    ///
    /// # Errors
    /// As [`Frame::science`].
    pub fn at_path(path: &Path) -> Result<Self, ImagingError> {
        let (name, path) = (path.display().to_string(), path.to_owned());
        Self::science(&name, move || Ok(Box::new(File::open(&path)?)))
    }

    /// The first image of two axes of what `open` opens, whatever its name: what there is to look at.
    ///
    /// # Errors
    /// As [`Frame::science`].
    pub fn first(
        name: &str,
        open: impl Fn() -> io::Result<Box<dyn Source>> + Send + Sync + 'static,
    ) -> Result<Self, ImagingError> {
        Self::found(name, Arc::new(open), |hdus| hdus.iter().find(|hdu| is_plane(hdu)))
    }

    fn found(name: &str, open: Arc<Open>, choose: impl Fn(&[Hdu]) -> Option<&Hdu>) -> Result<Self, ImagingError> {
        let failed = ImagingError::frame(name);
        let mut source = open().map_err(FitsError::from).map_err(&failed)?;
        let hdus = Hdu::walk(&mut source).map_err(&failed)?;
        let chosen = choose(&hdus).ok_or_else(|| ImagingError::NoImage { frame: name.to_owned() })?;
        let rows = Rows::of(chosen).map_err(&failed)?;
        Ok(Self { name: name.into(), rows: rows.into(), header_at: chosen.offset, open })
    }

    /// The name it was given.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Pixels in a row (`NAXIS1`).
    pub fn width(&self) -> usize {
        self.rows.width()
    }

    /// The number of rows (`NAXIS2`).
    pub fn height(&self) -> usize {
        self.rows.height()
    }

    /// The bits of a pixel as it is stored (`BITPIX`), negative for reals.
    pub fn bits(&self) -> i64 {
        self.rows.bits()
    }

    /// The header of the image, which is read again: frames may be many, and headers long.
    ///
    /// # Errors
    /// [`ImagingError::Frame`] if it cannot be read any more.
    pub fn header(&self) -> Result<Header, ImagingError> {
        let read = || {
            let mut source = (self.open)()?;
            source.seek(io::SeekFrom::Start(self.header_at))?;
            Header::read(&mut source)?.ok_or_else(|| FitsError::NotFound { what: "header of the image".to_owned() })
        };
        read().map_err(ImagingError::frame(&self.name))
    }

    /// Opens the file of the frame, for what stands in it beside the image.
    ///
    /// # Errors
    /// [`ImagingError::Frame`] if it cannot be opened any more.
    pub fn source(&self) -> Result<Box<dyn Source>, ImagingError> {
        (self.open)().map_err(FitsError::from).map_err(ImagingError::frame(&self.name))
    }

    /// Decodes the first `width` pixels of each of `rows` into `into`, which they fill.
    ///
    /// # Errors
    /// [`ImagingError::Frame`] if the rows cannot be read.
    pub(crate) fn read(&self, rows: Range<usize>, width: usize, into: &mut [f32]) -> Result<(), ImagingError> {
        let mut source = self.source()?;
        let failed = ImagingError::frame(&self.name);
        if width == self.width() {
            return self.rows.read(&mut source, rows, into).map_err(failed);
        }
        let mut whole = vec![0.0; rows.len() * self.width()];
        self.rows.read(&mut source, rows, &mut whole).map_err(failed)?;
        for (part, row) in into.chunks_exact_mut(width).zip(whole.chunks_exact(self.width())) {
            part.copy_from_slice(&row[..width]);
        }
        Ok(())
    }

    /// How many rows are decoded together, because they share tiles.
    pub(crate) fn group(&self) -> usize {
        self.rows.group()
    }

    /// Decodes the whole image, on all cores.
    ///
    /// # Errors
    /// [`ImagingError::Frame`] if it cannot be read.
    pub fn raster(&self) -> Result<Raster, ImagingError> {
        let (width, height) = (self.width(), self.height());
        let mut values = vec![0.0; width * height];
        let shares = 4 * rayon::current_num_threads();
        let strip = height.div_ceil(shares).next_multiple_of(self.group()).min(height);
        values.par_chunks_mut(strip * width).enumerate().try_for_each(|(index, part)| {
            let first = index * strip;
            self.read(first..first + part.len() / width, width, part)
        })?;
        Ok(Raster { width, height, values })
    }
}

fn is_plane(hdu: &Hdu) -> bool {
    hdu.is_image() && hdu.shape.len() == 2
}

/// The sides that all frames have: each from its first pixel, as far as the smallest goes.
pub fn common_size<'a>(frames: impl IntoIterator<Item = &'a Frame>) -> (usize, usize) {
    let sides = frames.into_iter().map(|frame| (frame.width(), frame.height()));
    sides.reduce(|(width, height), (w, h)| (width.min(w), height.min(h))).unwrap_or_default()
}
