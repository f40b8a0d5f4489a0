//! The counts of a star: what a circle holds above the sky, and how sure that is.

use holotype_fits::display::{Plane, Sample};
use holotype_fits::{FitsError, Header};
use rayon::prelude::*;

use crate::background::Background;
use crate::frame::{Raster, with_plane};
use crate::overlap::{Point, covered};

/// The square of the error of turning a charge into a whole number, in counts: 0.289 of a step (Merline and Howell 1995,
/// Experimental Astronomy 6, 163).
const DIGITISATION: f64 = 0.083_521;

/// What a camera adds to the noise.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Detector {
    /// Electrons per count.
    pub gain: f64,
    /// Noise of a readout, in electrons.
    pub read_noise: f64,
    /// Electrons of the dark current in a pixel during the exposure.
    pub dark: f64,
}

impl Detector {
    /// The camera as a header has it: `GAIN` or `EGAIN` (else 1), `RDNOISE`, `READNOIS` or `READNOISE` (else 0). A gain that
    /// is not above zero is none.
    pub fn of(header: &Header) -> Self {
        let first = |keywords: &[&str], is: fn(f64) -> bool| {
            keywords.iter().filter_map(|keyword| header.real(keyword)).find(|&value| value.is_finite() && is(value))
        };
        Self {
            gain: first(&["GAIN", "EGAIN"], |gain| gain > 0.0).unwrap_or(1.0),
            read_noise: first(&["RDNOISE", "READNOIS", "READNOISE"], |noise| noise >= 0.0).unwrap_or(0.0),
            dark: 0.0,
        }
    }
}

/// What a circle holds.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Sum {
    /// The pixels, each as far as the circle covers it, in counts.
    pub counts: f64,
    /// The pixels that were added up, each as far as the circle covers it.
    pub area: f64,
    /// The highest pixel that the circle touches; minus infinity if it touches none.
    pub peak: f64,
}

/// Adds up the pixels within `radius` of `centre`. Those that are no number, and those beside the image, are no part of it.
pub fn sum<T: Sample>(plane: &Plane<T>, centre: Point, radius: f64) -> Sum {
    let mut sum = Sum { peak: f64::NEG_INFINITY, ..Sum::default() };
    covered(plane, centre, radius, |value, part| {
        sum.counts += value * part;
        sum.area += part;
        if value > sum.peak {
            sum.peak = value;
        }
    });
    sum
}

/// Adds up the pixels within `radius` of each of `centres`, on all cores.
///
/// # Errors
/// None in truth: the sides of the raster were checked when it was made.
pub fn sums(raster: &Raster, centres: &[Point], radius: f64) -> Result<Vec<Sum>, FitsError> {
    with_plane!(raster, plane => centres.par_iter().map(|&centre| sum(&plane, centre, radius)).collect())
}

/// The counts of a star.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Counts {
    /// Counts above the sky.
    pub net: f64,
    /// Their error.
    pub error: f64,
    /// The pixels within the circle.
    pub area: f64,
    /// The highest of them, the sky included.
    pub peak: f64,
}

/// The counts of a star above its sky. A sky below zero counts as zero.
///
/// The error is that of the "CCD equation" (Merline and Howell 1995) as AstroImageJ has it (Collins et al. 2017, AJ 153,
/// 77, equation 1): the noise of the star, of the sky within the circle and in the ring that told it, of the dark current, of
/// the readout and of its whole numbers.
pub fn measure<T: Sample>(
    plane: &Plane<T>,
    centre: Point,
    radius: f64,
    background: &Background,
    detector: Detector,
) -> Counts {
    let Sum { counts, area, peak } = sum(plane, centre, radius);
    let sky = background.mean.max(0.0);
    let Detector { gain, read_noise, dark } = detector;
    let net = counts - sky * area;
    let pixel = sky * gain + dark + read_noise * read_noise + DIGITISATION * gain * gain;
    let variance = net.max(0.0) * gain + area * (1.0 + area / background.pixels as f64) * pixel;
    Counts { net, error: variance.sqrt() / gain, area, peak }
}

#[cfg(test)]
mod tests {
    use holotype_fits::Value;

    use super::*;

    #[test]
    fn a_star_on_an_even_sky_has_the_counts_that_were_put_there() {
        let mut values = vec![50.0f32; 900];
        values[15 * 30 + 14] += 400.0;
        values[14 * 30 + 14] += 100.0;
        let plane = Plane::new(30, 30, &values).unwrap();
        let background = Background { mean: 50.0, pixels: 400, plane: None };
        let detector = Detector { gain: 2.0, read_noise: 5.0, dark: 0.0 };
        let found = measure(&plane, Point { x: 14.5, y: 15.0 }, 5.0, &background, detector);
        assert!((found.net - 500.0).abs() < 1e-9, "{found:?}");
        assert_eq!(found.peak, 450.0);
        let area = found.area;
        assert!((area - 25.0 * std::f64::consts::PI).abs() < 0.5);
        let variance = 1000.0 + area * (1.0 + area / 400.0) * (100.0 + 25.0 + 4.0 * 0.083521);
        assert!((found.error - variance.sqrt() / 2.0).abs() < 1e-12);
    }

    #[test]
    fn a_camera_is_read_by_any_of_its_keywords() {
        let mut header = Header::default();
        assert_eq!(Detector::of(&header), Detector { gain: 1.0, read_noise: 0.0, dark: 0.0 });
        header.set("GAIN", Value::Integer(0), None).unwrap();
        header.set("EGAIN", Value::Real(1.5), None).unwrap();
        header.set("READNOIS", Value::Integer(4), None).unwrap();
        assert_eq!(Detector::of(&header), Detector { gain: 1.5, read_noise: 4.0, dark: 0.0 });
    }
}
