//! How much of a pixel a circle covers.
//!
//! Points of an image are counted from its outer corner here and in everything that measures pixels: pixel (i, j) covers
//! i to i + 1 and j to j + 1, its centre is (i + 0.5, j + 0.5). So it is in AstroImageJ (Collins et al. 2017, AJ 153, 77),
//! and what FITS counts is greater by one half.

use std::f64::consts::FRAC_1_SQRT_2;
use std::ops::Range;

use holotype_fits::display::{Plane, Sample};
use holotype_fits::wcs::Pixel;

/// Into how many parts each side of a pixel is divided that the circle may cut.
const PARTS: usize = 5;

/// What some of the points of a pixel are of all of them.
const SHARES: [f64; PARTS * PARTS + 1] = {
    let mut shares = [0.0; PARTS * PARTS + 1];
    let mut points = 0;
    while points <= PARTS * PARTS {
        shares[points] = points as f64 / (PARTS * PARTS) as f64;
        points += 1;
    }
    shares
};

/// A point of an image, counted from the outer corner of its first pixel.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// Along `NAXIS1`, the column.
    pub x: f64,
    /// Along `NAXIS2`, the row.
    pub y: f64,
}

impl Point {
    /// The same point as FITS counts it.
    pub fn to_pixel(self) -> Pixel {
        Pixel { x: self.x + 0.5, y: self.y + 0.5 }
    }

    /// The point that FITS counts so.
    pub fn of_pixel(pixel: Pixel) -> Self {
        Self { x: pixel.x - 0.5, y: pixel.y - 0.5 }
    }

    /// The distance to another point, in pixels.
    pub fn distance(self, other: Self) -> f64 {
        (self.x - other.x).hypot(self.y - other.y)
    }

    /// Whether both coordinates are numbers.
    pub fn is_finite(self) -> bool {
        self.x.is_finite() && self.y.is_finite()
    }
}

/// The part of pixel (`column`, `row`) that lies within `radius` of `centre`, 0 to 1: of 25 points of it, as many as do. A
/// pixel that the circle cannot cut counts as a whole or not at all.
pub fn fraction(column: i64, row: i64, centre: Point, radius: f64) -> f64 {
    let (dx, dy) = (column as f64 + 0.5 - centre.x, row as f64 + 0.5 - centre.y);
    let square = dx * dx + dy * dy;
    let (inner, outer) = (radius - FRAC_1_SQRT_2, radius + FRAC_1_SQRT_2);
    if inner >= 0.0 && square <= inner * inner {
        return 1.0;
    }
    if square >= outer * outer {
        return 0.0;
    }
    let step = |part: usize| (part as f64 + 0.5) / PARTS as f64;
    let along = |start: i64, centre: f64| {
        let mut squares = [0.0; PARTS];
        for (part, square) in squares.iter_mut().enumerate() {
            let distance = start as f64 + step(part) - centre;
            *square = distance * distance;
        }
        squares
    };
    let (xs, ys) = (along(column, centre.x), along(row, centre.y));
    let limit = radius * radius;
    let within = ys.iter().map(|y| xs.iter().filter(|&x| x + y <= limit).count()).sum::<usize>();
    within as f64 / (PARTS * PARTS) as f64
}

/// The pixels from `from` to `to` that the image has, both truncated towards zero.
pub(crate) fn span(from: f64, to: f64, length: usize) -> Range<usize> {
    // The casts cannot wrap: they take what is outside of the type to its nearer end.
    let (first, last) = ((from as i64).max(0), (to as i64).min(length as i64 - 1));
    if last < first { 0..0 } else { first as usize..last as usize + 1 }
}

/// Gives each pixel that the circle covers in part or whole, and how much of it by [`fraction`]; pixels that are no number are
/// passed over.
pub(crate) fn covered<T: Sample>(plane: &Plane<T>, centre: Point, radius: f64, mut give: impl FnMut(f64, f64)) {
    if !(centre.is_finite() && radius >= 0.0) {
        return;
    }
    let columns = span(centre.x - radius - 1.0, centre.x + radius + 1.0, plane.width());
    let rows = span(centre.y - radius - 1.0, centre.y + radius + 1.0, plane.height());
    if columns.is_empty() {
        return;
    }
    // Rows lie far apart in memory: fetched one behind the other without anything between, they do not wait for each other.
    let mut held = Vec::with_capacity(columns.len() * rows.len());
    for row in rows.clone() {
        held.extend_from_slice(&plane.values()[row * plane.width()..][columns.clone()]);
    }
    let mut points = vec![0_i32; columns.len() + 1];
    for (row, values) in rows.zip(held.chunks_exact(columns.len())) {
        points.fill(0);
        for part in 0..PARTS {
            let y = row as f64 + (part as f64 + 0.5) / PARTS as f64 - centre.y;
            if let Some((first, last)) = chord(centre.x, radius, y, &columns) {
                add(&mut points, first, last);
            }
        }
        let mut within = 0;
        // Of each pixel the points, as the differences to the pixel before: most are the same from one to the next.
        for (value, change) in values.iter().zip(&points) {
            within += change;
            let value = value.to_f64();
            if within > 0 && value.is_finite() {
                give(value, SHARES[within as usize]);
            }
        }
    }
}

/// The first and last point of a line of points that is `y` from the centre which lie within the circle, counted from the first
/// pixel of `columns`; nothing if none does.
fn chord(centre: f64, radius: f64, y: f64, columns: &Range<usize>) -> Option<(usize, usize)> {
    let limit = radius * radius;
    let square = limit - y * y;
    if square < -1e-9 {
        return None;
    }
    let half = square.max(0.0).sqrt();
    let most = (columns.len() * PARTS) as f64;
    let place = |x: f64| ((x - columns.start as f64) * PARTS as f64 - 0.5).clamp(-1.0, most);
    let (from, to) = (place(centre - half), place(centre + half));
    // Casts instead of rounding, for which many a processor needs a call: both are -1 at least.
    let (below, under) = ((from + 1.0) as i64 - 1, (to + 1.0) as i64 - 1);
    let is_close = |exact: f64, below: i64| {
        let share = exact - below as f64;
        !(1e-6..=1.0 - 1e-6).contains(&share)
    };
    let (mut first, mut last) = (below + 1, under);
    if is_close(from, below) || is_close(to, under) {
        // Where the circle goes through a point, the rounding of its distance decides, as it does in `fraction`.
        let is_within = |point: &i64| {
            let parts = PARTS as i64;
            let (column, part) = (columns.start as i64 + point.div_euclid(parts), point.rem_euclid(parts));
            let x = column as f64 + (part as f64 + 0.5) / PARTS as f64 - centre;
            x * x + y * y <= limit
        };
        first = (below - 1..=below + 2).find(is_within)?;
        last = (under - 1..=under + 2).rev().find(is_within)?;
    }
    let (first, last) = (first.max(0), last.min((columns.len() * PARTS) as i64 - 1));
    (first <= last).then_some((first as usize, last as usize))
}

/// Adds the points from `first` to `last` to the pixels that hold them, as differences to the pixel before.
fn add(points: &mut [i32], first: usize, last: usize) {
    let whole = PARTS as i32;
    let (left, right) = (first / PARTS, last / PARTS);
    let (before, after) = ((first % PARTS) as i32, whole - 1 - (last % PARTS) as i32);
    points[left] += whole - before;
    points[left + 1] += before;
    points[right] -= after;
    points[right + 1] -= whole - after;
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// As [`covered`], pixel by pixel.
    fn covered_one_by_one<T: Sample>(plane: &Plane<T>, centre: Point, radius: f64) -> Vec<(f64, f64)> {
        let pixels = (0..plane.values().len()).map(|index| {
            let (column, row) = ((index % plane.width()) as i64, (index / plane.width()) as i64);
            (plane.values()[index].to_f64(), fraction(column, row, centre, radius))
        });
        pixels.filter(|(value, part)| *part > 0.0 && value.is_finite()).collect()
    }

    proptest! {
        #[test]
        fn a_circle_covers_what_its_pixels_say_one_by_one(
            x in -6.0..30.0_f64, y in -6.0..30.0_f64, radius in 0.0..14.0_f64, coarse in any::<bool>(),
        ) {
            // Also at tenths, where circles go through points.
            let number = |value: f64| if coarse { (value * 10.0).round() / 10.0 } else { value };
            let values: Vec<f64> = (0..24 * 20).map(f64::from).collect();
            let plane = Plane::new(24, 20, &values).unwrap();
            let (centre, radius) = (Point { x: number(x), y: number(y) }, number(radius));
            let mut found = Vec::new();
            covered(&plane, centre, radius, |value, part| found.push((value, part)));
            prop_assert_eq!(found, covered_one_by_one(&plane, centre, radius));
        }
    }

    #[test]
    fn the_parts_of_all_pixels_make_the_area_of_the_circle() {
        let values = vec![1.0f32; 64 * 64];
        let plane = Plane::new(64, 64, &values).unwrap();
        for (x, y, radius) in [(32.0, 32.0, 10.0), (30.3, 31.9, 7.64), (20.1, 40.7, 0.4), (32.5, 32.5, 1.0)] {
            let mut area = 0.0;
            covered(&plane, Point { x, y }, radius, |value, part| area += value * part);
            let exact = std::f64::consts::PI * radius * radius;
            assert!((area - exact).abs() < 0.15 * radius.max(1.0), "{area} is not {exact}");
        }
    }

    #[test]
    fn a_pixel_that_cannot_be_cut_is_whole_or_nothing() {
        let centre = Point { x: 5.5, y: 5.5 };
        assert_eq!([(5, 5), (8, 8), (6, 5), (6, 6)].map(|(i, j)| fraction(i, j, centre, 1.0)), [1.0, 0.0, 0.44, 0.12]);
    }

    #[test]
    fn circles_beside_the_image_and_impossible_ones_cover_nothing() {
        let plane = Plane::new(2, 2, &[1.0f64, f64::NAN, 1.0, 1.0]).unwrap();
        let area = |x: f64, y: f64, radius: f64| {
            let mut area = 0.0;
            covered(&plane, Point { x, y }, radius, |_, part| area += part);
            area
        };
        assert_eq!([area(-50.0, 1.0, 3.0), area(f64::NAN, 1.0, 3.0), area(1.0, 1.0, -1.0)], [0.0; 3]);
        assert_eq!([area(1.0, 1.0, 1e300), area(f64::INFINITY, 1.0, 3.0)], [3.0, 0.0]);
        assert_eq!(span(-0.5, 1.0, 5), 0..2);
        assert_eq!(span(f64::NEG_INFINITY, f64::INFINITY, 5), 0..5);
    }
}
