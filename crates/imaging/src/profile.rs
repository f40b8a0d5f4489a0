//! The values of an image along a line.

use holotype_fits::wcs::{Pixel, SkyPosition, Wcs};

use crate::{ImagingError, Raster};

/// A point of an image, counted from 0 at the centre of its first pixel; it may lie outside.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// Along the columns of the image, upwards.
    pub row: f64,
    /// Along its rows.
    pub column: f64,
}

/// What is given for a point outside of the image.
const OUTSIDE: f64 = -1.0;

/// The most points of a profile.
const MAX_POINTS: f64 = 1e6;

/// The values along the straight line between two points, both of them included, at distances of one pixel or a little less, each
/// between the four pixels around it (bilinear), and -1 for those outside of the image.
///
/// # Errors
/// [`ImagingError::Invalid`] if an end is not finite, or the line is longer than a million pixels.
pub fn line_profile(raster: &Raster, start: Point, end: Point) -> Result<Vec<f64>, ImagingError> {
    let (rows, columns) = (end.row - start.row, end.column - start.column);
    let count = (rows.hypot(columns) + 1.0).ceil();
    // NaN is not below the limit either.
    let ends = [start.row, start.column, end.row, end.column];
    if !ends.iter().all(|end| end.is_finite()) || count > MAX_POINTS {
        let problem = format!("from {start:?} to {end:?} is longer than {MAX_POINTS} pixels, or no line");
        return Err(ImagingError::Invalid { what: "the line of a profile", problem });
    }
    let last = count as usize - 1;
    let at = |index: usize| {
        // So that the last one is the end, not a rounding beside it.
        let part = if index == last { 1.0 } else { index as f64 / last.max(1) as f64 };
        let point = if last == 0 {
            start
        } else {
            Point { row: start.row + rows * part, column: start.column + columns * part }
        };
        value(raster, if index == last && last > 0 { end } else { point })
    };
    Ok((0..=last).map(at).collect())
}

fn value(raster: &Raster, point: Point) -> f64 {
    let within = |place: f64, length: usize| length > 0 && place >= 0.0 && place <= (length - 1) as f64;
    if !within(point.row, raster.height) || !within(point.column, raster.width) {
        return OUTSIDE;
    }
    let (row, column) = (point.row as usize, point.column as usize);
    let (up, right) = (point.row.fract(), point.column.fract());
    let pixel = |row: usize, column: usize| f64::from(raster.values[row * raster.width + column]);
    // A neighbour that counts nothing may lie outside.
    let across = |row: usize| match right {
        0.0 => pixel(row, column),
        _ => pixel(row, column) * (1.0 - right) + pixel(row, column + 1) * right,
    };
    if up == 0.0 { across(row) } else { across(row) * (1.0 - up) + across(row + 1) * up }
}

/// Where a line lies on the sky.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SkyLine {
    /// Its beginning.
    pub start: SkyPosition,
    /// Its end.
    pub end: SkyPosition,
    /// Its length in seconds of arc.
    pub arcsec: f64,
    /// Its direction at the beginning, from north through east, in degrees.
    pub position_angle: f64,
}

impl SkyLine {
    /// The line between two points of an image with these coordinates.
    pub fn of(wcs: &Wcs, start: Point, end: Point) -> Self {
        // The first pixel of a header is (1, 1).
        let sky = |point: Point| wcs.sky(Pixel { x: point.column + 1.0, y: point.row + 1.0 });
        let (start, end) = (sky(start), sky(end));
        Self { start, end, arcsec: start.separation(end) * 3600.0, position_angle: start.position_angle(end) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(row: f64, column: f64) -> Point {
        Point { row, column }
    }

    #[test]
    fn values_lie_between_their_neighbours_and_outside_there_are_none() {
        let raster = Raster { width: 3, height: 2, values: vec![0.0, 1.0, 2.0, 10.0, 11.0, 12.0] };
        assert_eq!(line_profile(&raster, point(0.0, 0.0), point(0.0, 2.0)).unwrap(), [0.0, 1.0, 2.0]);
        assert_eq!(line_profile(&raster, point(0.5, 0.5), point(0.5, 0.5)).unwrap(), [5.5]);
        assert_eq!(line_profile(&raster, point(1.0, 2.0), point(1.0, 3.0)).unwrap(), [12.0, -1.0]);
        assert_eq!(line_profile(&raster, point(-0.1, 0.0), point(-0.1, 0.0)).unwrap(), [-1.0]);
        let nothing = Raster { width: 0, height: 0, values: Vec::new() };
        assert_eq!(line_profile(&nothing, point(0.0, 0.0), point(0.0, 0.0)).unwrap(), [-1.0]);
    }

    #[test]
    fn a_line_that_never_ends_is_refused() {
        let raster = Raster { width: 1, height: 1, values: vec![1.0] };
        for end in [point(f64::NAN, 0.0), point(f64::INFINITY, 0.0), point(1e9, 0.0)] {
            assert!(matches!(line_profile(&raster, point(0.0, 0.0), end), Err(ImagingError::Invalid { .. })));
        }
    }
}
