//! The sky around a star: the mean of a ring of pixels without those that stand out, or a plane through them.
//!
//! The rule is that of AstroImageJ (Collins et al. 2017, AJ 153, 77, section 4.1).

use holotype_fits::display::{Plane, Sample};

use crate::overlap::{Point, span};

/// Pixels farther from the mean than this many standard deviations are taken for stars.
const SIGMAS: f64 = 2.0;

/// How often pixels are rejected at most while the mean still moves.
const PASSES: usize = 9;

/// The mean has come to rest when it moves by less than this, in counts.
const REST: f64 = 0.1;

/// A ring around a star, in pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Annulus {
    /// Pixels whose centre is nearer are within the ring's hole.
    pub inner: f64,
    /// Pixels whose centre is farther are outside.
    pub outer: f64,
}

/// How the pixels of the ring become a background.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// Whether pixels that stand out are left out.
    pub reject_stars: bool,
    /// Whether a plane is laid through the pixels instead of a level.
    pub plane: bool,
}

impl Default for Rules {
    fn default() -> Self {
        Self { reject_stars: true, plane: false }
    }
}

/// The sky at a place.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Background {
    /// The mean of the pixels that were kept, in counts.
    pub mean: f64,
    /// How many were kept.
    pub pixels: usize,
    /// The level at the centre and the slopes along x and y in counts per pixel, if a plane was asked for and there is one.
    pub plane: Option<[f64; 3]>,
}

impl Background {
    /// The background at the distance (`dx`, `dy`) from the centre.
    pub fn at(&self, dx: f64, dy: f64) -> f64 {
        self.plane.map_or(self.mean, |[level, along_x, along_y]| level + along_x * dx + along_y * dy)
    }

    /// The sky in the ring around `centre`; nothing if no pixel there is a number.
    pub fn of<T: Sample>(plane: &Plane<T>, centre: Point, ring: Annulus, rules: Rules) -> Option<Self> {
        let all = pixels(plane, centre, ring);
        let mut kept = Kept::of(&all, 0.0, f64::INFINITY)?;
        // Those within so many counts of a level are kept; at first all are.
        let mut limits = (0.0, f64::INFINITY);
        if rules.reject_stars {
            let mut clip = |kept: &mut Kept| {
                let next = (kept.mean, SIGMAS * kept.deviation);
                // Equal pixels can all be a rounding away from their mean: then there is nothing to reject.
                let Some(near) = Kept::of(&all, next.0, next.1) else { return 0.0 };
                limits = next;
                let moved = (near.mean - kept.mean).abs();
                *kept = near;
                moved
            };
            for _ in 0..PASSES {
                if clip(&mut kept) < REST {
                    break;
                }
            }
            clip(&mut kept);
        }
        let plane = if rules.plane {
            fitted(&all.into_iter().filter(|pixel| is_near(pixel, limits.0, limits.1)).collect::<Vec<_>>())
        } else {
            None
        };
        Some(Self { mean: kept.mean, pixels: kept.count, plane })
    }
}

/// The pixels within some counts of a level, all together.
#[derive(Debug, Clone, Copy)]
struct Kept {
    count: usize,
    mean: f64,
    deviation: f64,
}

impl Kept {
    /// Nothing if no pixel is that near.
    fn of(pixels: &[RingPixel], level: f64, limit: f64) -> Option<Self> {
        let (mut count, mut sum, mut square) = (0_usize, 0.0, 0.0);
        // Counted from a pixel of theirs if they are all taken, so that squares lose no digits.
        let origin = if limit.is_finite() { level } else { pixels.first()?.value };
        for pixel in pixels {
            if is_near(pixel, level, limit) {
                let off = pixel.value - origin;
                count += 1;
                sum += off;
                square += off * off;
            }
        }
        let mean = sum / count as f64;
        let deviation = (square / count as f64 - mean * mean).max(0.0).sqrt();
        (count > 0).then_some(Self { count, mean: origin + mean, deviation })
    }
}

fn is_near(pixel: &RingPixel, level: f64, limit: f64) -> bool {
    (pixel.value - level).abs() <= limit
}

#[derive(Clone, Copy)]
struct RingPixel {
    dx: f64,
    dy: f64,
    value: f64,
}

/// The pixels of the ring that are numbers.
fn pixels<T: Sample>(plane: &Plane<T>, centre: Point, ring: Annulus) -> Vec<RingPixel> {
    let Annulus { inner, outer } = ring;
    let (least, greatest) = (inner * inner, outer * outer);
    let columns = span(centre.x - outer, centre.x + outer, plane.width());
    let mut pixels = Vec::new();
    for row in span(centre.y - outer, centre.y + outer, plane.height()) {
        let dy = row as f64 + 0.5 - centre.y;
        let values = &plane.values()[row * plane.width()..][columns.clone()];
        for (column, value) in columns.clone().zip(values) {
            let dx = column as f64 + 0.5 - centre.x;
            let square = dx * dx + dy * dy;
            if square >= least && square <= greatest {
                let value = value.to_f64();
                if value.is_finite() {
                    pixels.push(RingPixel { dx, dy, value });
                }
            }
        }
    }
    pixels
}

/// The plane of least squares, by its normal equations about the mean; nothing for fewer than four pixels or pixels in a line.
fn fitted(pixels: &[RingPixel]) -> Option<[f64; 3]> {
    if pixels.len() < 4 {
        return None;
    }
    let count = pixels.len() as f64;
    let mean = |part: fn(&RingPixel) -> f64| pixels.iter().map(part).sum::<f64>() / count;
    let (x, y, value) = (mean(|it| it.dx), mean(|it| it.dy), mean(|it| it.value));
    let (mut xx, mut xy, mut yy, mut xv, mut yv) = (0.0, 0.0, 0.0, 0.0, 0.0);
    for pixel in pixels {
        let (dx, dy, dv) = (pixel.dx - x, pixel.dy - y, pixel.value - value);
        xx += dx * dx;
        xy += dx * dy;
        yy += dy * dy;
        xv += dx * dv;
        yv += dy * dv;
    }
    let determinant = xx * yy - xy * xy;
    if determinant <= 1e-12 * xx * yy {
        return None;
    }
    let (along_x, along_y) = ((xv * yy - yv * xy) / determinant, (yv * xx - xv * xy) / determinant);
    let level = value - along_x * x - along_y * y;
    [level, along_x, along_y].iter().all(|it| it.is_finite()).then_some([level, along_x, along_y])
}

#[cfg(test)]
mod tests {
    use super::*;

    const RING: Annulus = Annulus { inner: 6.0, outer: 12.0 };

    fn background(values: &[f64], rules: Rules) -> Option<Background> {
        Background::of(&Plane::new(40, 40, values).unwrap(), Point { x: 20.0, y: 20.0 }, RING, rules)
    }

    #[test]
    fn a_star_in_the_ring_is_left_out() {
        let mut values: Vec<f64> = (0..1600).map(|index| 100.0 + f64::from(index * 7919 % 11) - 5.0).collect();
        let clean = background(&values, Rules::default()).unwrap();
        (0..3).for_each(|k| values[28 * 40 + 19 + k] = 5_000.0);
        let found = background(&values, Rules::default()).unwrap();
        assert_eq!(clean.pixels - found.pixels, 3);
        assert!((found.mean - 100.0).abs() < 0.5, "{found:?}");
        assert!(background(&values, Rules { reject_stars: false, plane: false }).unwrap().mean > 130.0);
    }

    #[test]
    fn a_plane_through_a_slope_is_the_slope() {
        let slope = |index: i32| 50.0 + 0.25 * f64::from(index % 40) - 0.5 * f64::from(index / 40);
        let values: Vec<f64> = (0..1600).map(slope).collect();
        let found = background(&values, Rules { reject_stars: false, plane: true }).unwrap();
        let [level, along_x, along_y] = found.plane.unwrap();
        // The centre of the ring is the corner of four pixels, half a pixel before the centre of pixel 20.
        assert!((level - 45.125).abs() < 1e-9, "{found:?}");
        assert!((along_x - 0.25).abs() < 1e-12 && (along_y + 0.5).abs() < 1e-12, "{found:?}");
        assert!((found.at(2.0, 0.0) - level - 0.5).abs() < 1e-9);
    }

    #[test]
    fn rings_without_numbers_have_no_background_and_equal_pixels_have_theirs() {
        assert_eq!(background(&[f64::NAN; 1600], Rules::default()), None);
        let even = background(&[0.1; 1600], Rules { reject_stars: true, plane: true }).unwrap();
        assert!((even.mean - 0.1).abs() < 1e-12 && even.pixels > 300, "{even:?}");
        let plane = Plane::new(1, 40, &[1.0f32; 40]).unwrap();
        let rules = Rules { reject_stars: true, plane: true };
        let line = Background::of(&plane, Point { x: 0.5, y: 20.0 }, RING, rules).unwrap();
        assert_eq!((line.mean, line.plane), (1.0, None));
    }
}
