//! Aperture sums of the same stars in several frames, timed: see `benchmarks/sessions/photometry.sh`.
//!
//! `aperture_sums STARS RADIUS ROUNDS FRAME...`, where STARS is a file with the column and row of a star on each line, the centre
//! of the first pixel being 0 0. Prints one JSON object: the sums of each frame in counts, and the least time of all rounds in
//! milliseconds for the sums of pixels that are held, and for everything from the files on, centroids, backgrounds and
//! errors included.

use std::error::Error;
use std::time::Instant;

use holotype_fits::display::Plane;
use holotype_photometry::Frame;
use holotype_photometry::aperture::{Counts, Detector, measure, sums};
use holotype_photometry::background::{Annulus, Rules};
use holotype_photometry::centroid::centroid;
use holotype_photometry::frame::Raster;
use holotype_photometry::overlap::Point;
use rayon::prelude::*;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [stars, radius, rounds, paths @ ..] = &arguments[..] else {
        return Err("usage: aperture_sums STARS RADIUS ROUNDS FRAME...".into());
    };
    let (radius, rounds): (f64, usize) = (radius.parse()?, rounds.parse()?);
    let stars = read_stars(stars)?;
    let frames: Vec<Frame> = paths.iter().map(|path| Frame::file(path, path)).collect();
    let rasters: Vec<Raster> = frames
        .iter()
        .map(|frame| frame.open()?.raster())
        .collect::<Result<_, holotype_photometry::PhotometryError>>()?;
    let (mut held, mut whole) = (f64::INFINITY, f64::INFINITY);
    let mut found = Vec::new();
    for _ in 0..rounds {
        let start = Instant::now();
        found = rasters.par_iter().map(|raster| sums(raster, &stars, radius)).collect::<Result<Vec<_>, _>>()?;
        held = held.min(start.elapsed().as_secs_f64() * 1e3);
        let start = Instant::now();
        let measured: Vec<Vec<Option<Counts>>> = frames
            .par_iter()
            .map(|frame| -> Result<_, holotype_photometry::PhotometryError> {
                let raster = frame.open()?.raster()?;
                Ok(stars.iter().map(|&star| everything(&raster, star, radius)).collect())
            })
            .collect::<Result<_, _>>()?;
        whole = whole.min(start.elapsed().as_secs_f64() * 1e3);
        assert_eq!(measured.len(), frames.len());
    }
    let counts: Vec<Vec<f64>> = found.iter().map(|frame| frame.iter().map(|sum| sum.counts).collect()).collect();
    println!("{}", serde_json::json!({"held_ms": held, "whole_ms": whole, "sums": counts}));
    Ok(())
}

fn read_stars(path: &str) -> Result<Vec<Point>, Box<dyn Error>> {
    let mut stars = Vec::new();
    for line in std::fs::read_to_string(path)?.lines() {
        let (x, y) = line.split_once(' ').ok_or("a line is not a column and a row")?;
        stars.push(Point { x: x.parse::<f64>()? + 0.5, y: y.parse::<f64>()? + 0.5 });
    }
    Ok(stars)
}

/// The counts of the star near a place, with its centre and its sky.
fn everything(raster: &Raster, star: Point, radius: f64) -> Option<Counts> {
    let ring = Annulus { inner: radius + 4.0, outer: radius + 10.0 };
    let detector = Detector { gain: 1.5, read_noise: 4.0, dark: 0.0 };
    let Raster::Single(samples) = raster else { return None };
    let plane: Plane<f32> = samples.plane().ok()?;
    let found = centroid(&plane, star, radius, ring, Rules::default()).ok()?;
    Some(measure(&plane, found.centre, radius, &found.background, detector))
}
