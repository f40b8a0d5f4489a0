//! A picture of each frame that shows what was measured: the target's circles and those of the comparison stars.

use std::io;

use holotype_fits::display::{Autoscale, Plane, Sample, Stretch};
use image::codecs::jpeg::JpegEncoder;
use image::imageops::{FilterType, resize};
use image::{ExtendedColorType, GrayImage, Rgb, RgbImage};
use rayon::prelude::*;

use super::check::Checked;
use super::measure::FrameCounts;
use super::target::Aimed;
use super::{Calibration, band, unwritten};
use crate::frame::with_plane;
use crate::overlap::{Point, span};
use crate::{Frame, PhotometryError as Error, Progress};

/// Takes the JPEG of a frame, by its name; called from any thread.
pub type PictureSink<'a> = &'a (dyn Fn(&str, Vec<u8>) -> io::Result<()> + Sync);

const TARGET: Rgb<u8> = Rgb([255, 149, 0]);
const COMPARISON: Rgb<u8> = Rgb([0, 173, 239]);

/// The long side of a picture, in pixels.
const LONG_SIDE: f64 = 1_500.0;

/// What is shown around the outermost circles, in pixels of the frame.
const MARGIN: f64 = 10.0;

const QUALITY: u8 = 90;

/// The width of the circles' lines, in pixels of the picture.
const LINE: f64 = 2.0;

pub(super) fn render(
    frames: &[Frame],
    aimed: &[Aimed],
    measured: &[FrameCounts],
    calibration: &Calibration,
    pictures: PictureSink,
    progress: Progress,
) -> Result<(), Error> {
    let step = progress.step("Drawing", band::RENDER[0], band::RENDER[1], aimed.len());
    aimed.par_iter().zip(measured).enumerate().try_for_each(|(index, (aimed, counts))| {
        let frame = &aimed.frame;
        let stars = calibration.zero_points[index].as_ref().map_or(&[][..], |zero_point| &zero_point.stars);
        let places = stars.iter().filter_map(|&star| counts.candidates[star]).map(|star| (star.centre, COMPARISON));
        let target = counts.target.map(|target| (target.centre, TARGET));
        let circles: Vec<(Point, Rgb<u8>)> = places.chain(target).collect();
        let raster = frames[frame.index].open()?.raster()?;
        let picture = with_plane!(&raster, plane => draw(&plane, frame, &circles));
        let picture = picture.map_err(|source| Error::fits(&frame.name, source))?;
        let encoding = |problem: String| Error::Encoding { frame: frame.name.clone(), problem };
        let picture = picture.ok_or_else(|| encoding("it has no pixels".to_owned()))?;
        let mut bytes = Vec::new();
        JpegEncoder::new_with_quality(&mut bytes, QUALITY)
            .encode(picture.as_raw(), picture.width(), picture.height(), ExtendedColorType::Rgb8)
            .map_err(|error| encoding(error.to_string()))?;
        pictures(&frame.name, bytes).map_err(|source| unwritten(&frame.name, source))?;
        step.advance()
    })
}

/// The part of the image around all circles, enlarged, the highest row first, with the circles in their colours.
fn draw<T: Sample>(plane: &Plane<T>, frame: &Checked, circles: &[(Point, Rgb<u8>)]) -> Option<RgbImage> {
    let reach = frame.ring.outer + MARGIN;
    let around = |part: fn(&Point) -> f64, length: usize| {
        let ends = |(a, b): (f64, f64), (centre, _): &(Point, Rgb<u8>)| (a.min(part(centre)), b.max(part(centre)));
        let (first, last) = circles.iter().fold((f64::INFINITY, f64::NEG_INFINITY), ends);
        let within = span((first - reach).floor(), (last + reach).ceil(), length);
        if within.is_empty() { 0..length } else { within }
    };
    let (columns, rows) = (around(|it| it.x, plane.width()), around(|it| it.y, plane.height()));
    let (black, white) = Autoscale::of(plane).map_or((0.0, 1.0), |scale| (scale.median, scale.high));
    let stretch = Stretch::new(black, white)?;
    let grey = |value: &T| holotype_fits::display::gamma(stretch.level(value.to_f64()).round_ties_even() as u8);
    let levels: Vec<u8> =
        rows.clone().rev().flat_map(|row| &plane.values()[row * plane.width()..][columns.clone()]).map(grey).collect();
    let scale = LONG_SIDE / columns.len().max(rows.len()) as f64;
    let side = |length: usize| ((length as f64 * scale).round() as u32).max(1);
    let whole = GrayImage::from_raw(columns.len() as u32, rows.len() as u32, levels)?;
    let large = resize(&whole, side(columns.len()), side(rows.len()), FilterType::Lanczos3);
    let mut picture = RgbImage::from_fn(large.width(), large.height(), |x, y| {
        let level = large.get_pixel(x, y).0[0];
        Rgb([level; 3])
    });
    for (centre, colour) in circles {
        let centre = Point { x: (centre.x - columns.start as f64) * scale, y: (rows.end as f64 - centre.y) * scale };
        for radius in [frame.aperture, frame.ring.inner, frame.ring.outer] {
            circle(&mut picture, centre, radius * scale, *colour);
        }
    }
    Some(picture)
}

/// Draws a ring of the line's width over what is there.
fn circle(picture: &mut RgbImage, centre: Point, radius: f64, colour: Rgb<u8>) {
    let reach = radius + LINE;
    let columns = span(centre.x - reach, centre.x + reach, picture.width() as usize);
    for row in span(centre.y - reach, centre.y + reach, picture.height() as usize) {
        for column in columns.clone() {
            let distance = (column as f64 + 0.5 - centre.x).hypot(row as f64 + 0.5 - centre.y);
            // One pixel of transition, so that the line is smooth.
            let cover = (LINE / 2.0 + 0.5 - (distance - radius).abs()).clamp(0.0, 1.0);
            let pixel = picture.get_pixel_mut(column as u32, row as u32);
            for (level, ink) in pixel.0.iter_mut().zip(colour.0) {
                *level = (f64::from(*level) * (1.0 - cover) + f64::from(ink) * cover).round() as u8;
            }
        }
    }
}
