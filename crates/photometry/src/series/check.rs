//! Which frames can be used, told from headers and tables before any pixel is read.

use holotype_core::Instant;
use holotype_fits::time;
use holotype_fits::wcs::{SkyPosition, Wcs};
use rayon::prelude::*;

use super::{Parameters, Place, band};
use crate::aperture::Detector;
use crate::background::Annulus;
use crate::catalogue::{Catalogue, Quantity};
use crate::frame::OpenFrame;
use crate::overlap::Point;
use crate::{Frame, PhotometryError as Error, Progress};

/// The modified Julian date counts from here.
const MJD_EPOCH: f64 = 2_400_000.5;

/// A centre that comes back from the sky farther from itself than this, in pixels, was never there.
const ROUND_TRIP: f64 = 0.01;

/// A source of a frame's table.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Source {
    pub(super) position: SkyPosition,
    pub(super) magnitude: f64,
    pub(super) flux: f64,
}

/// A frame that can be used.
pub(super) struct Checked {
    /// Its place among the frames that were given.
    pub(super) index: usize,
    pub(super) name: String,
    pub(super) date: Instant,
    /// The middle of the exposure.
    pub(super) middle: f64,
    pub(super) wcs: Wcs,
    pub(super) width: usize,
    pub(super) height: usize,
    /// Radii in pixels.
    pub(super) aperture: f64,
    pub(super) ring: Annulus,
    pub(super) detector: Detector,
    pub(super) saturation: f64,
    pub(super) sources: Vec<Source>,
    /// Where the header has the target, if it was asked for.
    pub(super) target: Option<SkyPosition>,
}

impl Checked {
    /// Where a position lies in the image or beside it.
    pub(super) fn point(&self, position: SkyPosition) -> Option<Point> {
        self.wcs.pixel(position).map(Point::of_pixel)
    }
}

/// The frames that can be used, in the order of their dates, and what there is to say of the others.
pub(super) struct CheckedFrames {
    pub(super) frames: Vec<Checked>,
    pub(super) notes: Vec<String>,
}

pub(super) fn check(frames: &[Frame], parameters: &Parameters, progress: Progress) -> Result<CheckedFrames, Error> {
    let step = progress.step("Checking files", band::CHECK[0], band::CHECK[1], frames.len());
    let checked: Vec<Result<Checked, Error>> = frames
        .par_iter()
        .enumerate()
        .map(|(index, frame)| {
            let checked = check_one(index, frame, parameters);
            step.advance().map(|()| checked)
        })
        .collect::<Result<_, Error>>()?;
    let (mut usable, mut notes) = (Vec::new(), Vec::new());
    for checked in checked {
        match checked {
            Ok(frame) => usable.push(frame),
            // A target that may not be measured so is no matter of one frame.
            Err(refused @ Error::Request { .. }) => return Err(refused),
            Err(problem) => notes.push(format!("Left out {problem}.")),
        }
    }
    if usable.is_empty() {
        let first = notes.first().map_or("there is none", |note| note);
        let problem = format!("no file can be used; the first: {first}");
        return Err(Error::no_result(problem));
    }
    usable.sort_by(|a, b| a.date.cmp(&b.date).then_with(|| a.name.cmp(&b.name)));
    Ok(CheckedFrames { frames: usable, notes })
}

fn check_one(index: usize, frame: &Frame, parameters: &Parameters) -> Result<Checked, Error> {
    let mut open = frame.open()?;
    let (width, height) = open.size()?;
    let date = open.date()?;
    let wcs = open.wcs()?;
    let centre = Point { x: width as f64 / 2.0, y: height as f64 / 2.0 };
    let back = wcs.pixel(wcs.sky(centre.to_pixel())).map(Point::of_pixel);
    if !back.is_some_and(|back| back.distance(centre) < ROUND_TRIP) {
        return Err(Error::frame(frame.name(), "its position on the sky (WCS) does not lead back to its own centre"));
    }
    let [along_x, along_y] = wcs.pixel_scales();
    let scale = (along_x + along_y) / 2.0 * 3600.0;
    let radii = parameters.radii();
    let (aperture, outer) = (radii.aperture() / scale, radii.outer() / scale);
    if !(outer.is_finite() && outer < width.min(height) as f64) {
        let problem = format!("its pixels of {scale:.3} arcseconds make the outer radius larger than the image");
        return Err(Error::frame(frame.name(), problem));
    }
    let catalogue = open.catalogue()?;
    let header = open.header()?;
    let target = if *parameters.place() == Place::Headers { Some(header_target(&open, frame.name())?) } else { None };
    Ok(Checked {
        index,
        name: frame.name().to_owned(),
        date,
        middle: middle(&open, date)?,
        width,
        height,
        aperture,
        ring: Annulus { inner: radii.inner() / scale, outer },
        detector: Detector::of(header),
        saturation: header.real("SATURATE").filter(|level| *level > 0.0).unwrap_or(f64::INFINITY),
        sources: sources(frame.name(), &catalogue)?,
        target,
        wcs,
    })
}

/// The middle of the exposure as a modified Julian date: `MJD-OBS`, else the date, and half of `EXPTIME`.
fn middle(open: &OpenFrame, date: Instant) -> Result<f64, Error> {
    let header = open.header()?;
    let start = header.real("MJD-OBS").filter(|start| start.is_finite());
    let start = start.unwrap_or_else(|| time::julian_date(date) - MJD_EPOCH);
    let exposure = header.real("EXPTIME").filter(|seconds| seconds.is_finite() && *seconds >= 0.0).unwrap_or(0.0);
    Ok(start + exposure / 86_400.0 / 2.0)
}

/// Where the telescope's catalogue had the target.
fn header_target(open: &OpenFrame, name: &str) -> Result<SkyPosition, Error> {
    let header = open.header()?;
    if header.text("SRCTYPE").is_some_and(|kind| kind.trim().eq_ignore_ascii_case("EXTRASOLAR")) {
        return Err(Error::request(format!(
            "the target of {name} stands still among the stars (SRCTYPE is EXTRASOLAR): measure it with Aperture Photometry"
        )));
    }
    SkyPosition::from_header(header, "CAT-RA", "CAT-DEC").map_err(|source| Error::fits(name, source))
}

/// The sources of the table of which everything that is needed is known.
fn sources(name: &str, catalogue: &Catalogue) -> Result<Vec<Source>, Error> {
    use Quantity::{Declination, Flux, Magnitude, RightAscension};
    let column = |quantity: Quantity| {
        let missing = || Error::frame(name, format!("its CAT table has no column {}", quantity.column()));
        catalogue.column(quantity).ok_or_else(missing)
    };
    let (ra, dec, magnitude, flux) = (column(RightAscension)?, column(Declination)?, column(Magnitude)?, column(Flux)?);
    let source = |row: usize| Source {
        position: SkyPosition { right_ascension: ra[row], declination: dec[row] },
        magnitude: magnitude[row],
        flux: flux[row],
    };
    let is_whole = |source: &Source| {
        crate::catalogue::is_finite(source.position) && source.magnitude.is_finite() && source.flux.is_finite()
    };
    Ok((0..catalogue.rows()).map(source).filter(is_whole).collect())
}
