//! Images from one grid on the sky to another, and many of them on one grid.
//!
//! The resampling is DeForest's (2004, Solar Physics 219, 3): each new pixel is the mean of the old ones about the place that it
//! shows, by a Gaussian as wide as the new pixel is there (and never narrower than an old one), so that nothing is left out where
//! pixels get larger, and nothing steps where they get smaller.

use std::ops::Range;

use holotype_fits::wcs::{Pixel, Wcs};
use rayon::prelude::*;

use crate::Raster;

/// The width of the Gaussian, between a standard deviation to both sides, in new pixels.
const KERNEL: f64 = 1.3;

/// The diameter of the circle about a new pixel within whose bounding box in the old image pixels count, in new pixels.
const REGION: f64 = 4.0;

/// A part of a grid: its columns and rows, counted from 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Area {
    /// The columns.
    pub columns: Range<usize>,
    /// The rows.
    pub rows: Range<usize>,
}

impl Area {
    /// What both have; nothing if that is nothing.
    pub fn intersection(&self, other: &Self) -> Option<Self> {
        let both = |a: &Range<usize>, b: &Range<usize>| a.start.max(b.start)..a.end.min(b.end);
        let (columns, rows) = (both(&self.columns, &other.columns), both(&self.rows, &other.rows));
        (!columns.is_empty() && !rows.is_empty()).then_some(Self { columns, rows })
    }
}

/// Resamples an image with the coordinates `from` onto the part `area` of the grid `to`, so that sums over stars stay what they were.
/// What lies beside the image, or too near to its edge, is NaN, and so is what NaN pixels count for.
pub fn resample(raster: &Raster, from: &Wcs, to: &Wcs, area: &Area) -> Raster {
    let width = area.columns.len();
    let mut values = vec![f32::NAN; width * area.rows.len()];
    each_row(from, to, area, &mut values, |view, value| {
        *value = View::of(view, (raster.width, raster.height)).map_or(f32::NAN, |view| view.value(raster) as f32);
    });
    Raster { width, height: area.rows.len(), values }
}

/// Which pixels of a part of the grid `to` an image of `size` (columns, rows) with the coordinates `from` covers.
pub fn coverage(size: (usize, usize), from: &Wcs, to: &Wcs, area: &Area) -> Vec<bool> {
    let mut covered = vec![false; area.columns.len() * area.rows.len()];
    each_row(from, to, area, &mut covered, |view, covered| *covered = View::of(view, size).is_some());
    covered
}

/// What a new pixel shows: the place in the old image, counted from 0, and how far that moves from column to column and from row to
/// row of the new one.
type Place = ([f64; 2], Matrix);

/// Two rows of two numbers.
type Matrix = [[f64; 2]; 2];

/// Goes through a part of a grid with all cores.
fn each_row<T: Send>(from: &Wcs, to: &Wcs, area: &Area, made: &mut [T], one: impl Fn(Option<Place>, &mut T) + Sync) {
    const ROWS: usize = 16;
    let width = area.columns.len();
    let place = |column: i64, row: i64| {
        let pixel = Pixel { x: column as f64 + 1.0, y: row as f64 + 1.0 };
        to.pixel_of(from, pixel).map(|pixel| [pixel.x - 1.0, pixel.y - 1.0])
    };
    let line = |row: i64| -> Vec<Option<[f64; 2]>> {
        (area.columns.start as i64 - 1..=area.columns.end as i64).map(|column| place(column, row)).collect()
    };
    made.par_chunks_mut((ROWS * width).max(1)).enumerate().for_each(|(index, part)| {
        let first = (area.rows.start + index * ROWS) as i64;
        let (mut below, mut here) = (line(first - 1), line(first));
        for (row, made) in part.chunks_exact_mut(width).enumerate() {
            let above = line(first + row as i64 + 1);
            for (column, made) in made.iter_mut().enumerate() {
                let place = || {
                    let (left, right) = (here[column]?, here[column + 2]?);
                    let (down, up) = (below[column + 1]?, above[column + 1]?);
                    let step = |axis: usize| [(right[axis] - left[axis]) / 2.0, (up[axis] - down[axis]) / 2.0];
                    Some((here[column + 1]?, [step(0), step(1)]))
                };
                one(place(), made);
            }
            (below, here) = (here, above);
        }
    });
}

/// The old pixels that a new one is made of.
struct View {
    centre: [f64; 2],
    columns: Range<usize>,
    rows: Range<usize>,
    /// From distances in old pixels to such in new ones.
    back: Matrix,
    /// The area of the new pixel in old ones.
    area: f64,
}

impl View {
    /// Nothing if the pixel shows nothing of the image, or if something it is made of lies outside.
    fn of(place: Option<Place>, (width, height): (usize, usize)) -> Option<Self> {
        let (centre, step) = place?;
        let (forth, back) = padded(step)?;
        // As far as the ellipse goes that a circle about the new pixel is in the old image.
        let reach = |row: [f64; 2]| row[0].hypot(row[1]) * REGION / 2.0;
        let range = |axis: usize, length: usize| {
            // Where pixels lie exactly on the edge, on both sides, rounding does not decide.
            let reach = reach(forth[axis]) + 1e-9;
            let (low, high) = ((centre[axis] - reach).ceil(), (centre[axis] + reach).floor());
            (low >= 0.0 && high < length as f64 && low <= high).then(|| low as usize..high as usize + 1)
        };
        let area = (step[0][0] * step[1][1] - step[0][1] * step[1][0]).abs();
        Some(Self { centre, columns: range(0, width)?, rows: range(1, height)?, back, area })
    }

    fn value(&self, raster: &Raster) -> f64 {
        let (mut sum, mut weights) = (0.0, 0.0);
        for row in self.rows.clone() {
            let up = row as f64 - self.centre[1];
            let line = &raster.values[row * raster.width..][self.columns.clone()];
            for (value, column) in line.iter().zip(self.columns.clone()) {
                let right = column as f64 - self.centre[0];
                let [x, y] = self.back.map(|[a, b]| a * right + b * up);
                let weight = (-2.0 * (x * x + y * y) / (KERNEL * KERNEL)).exp();
                sum += weight * f64::from(*value);
                weights += weight;
            }
        }
        sum / weights * self.area
    }
}

/// A 2 by 2 matrix whose singular values are no less than 1, and its inverse: that of `matrix` where they are not.
fn padded(matrix: Matrix) -> Option<(Matrix, Matrix)> {
    let [[a, b], [c, d]] = matrix;
    // The singular value decomposition in closed form: two turns, and a scale along each axis (Blinn 1996, IEEE Computer Graphics
    // and Applications 16(2), 82).
    let (e, f, g, h) = ((a + d) / 2.0, (a - d) / 2.0, (c + b) / 2.0, (c - b) / 2.0);
    let (q, r) = (e.hypot(h), f.hypot(g));
    let (long, short) = (q + r, q - r);
    let (first, second) = (g.atan2(f), h.atan2(e));
    let ((sin_v, cos_v), (sin_u, cos_u)) = (((second - first) / 2.0).sin_cos(), ((second + first) / 2.0).sin_cos());
    let sign = if short < 0.0 { -1.0 } else { 1.0 };
    let (s, t) = (long.max(1.0), short.abs().max(1.0) * sign);
    let turned = |s: f64, t: f64| {
        [
            [cos_u * s * cos_v - sin_u * t * sin_v, -cos_u * s * sin_v - sin_u * t * cos_v],
            [sin_u * s * cos_v + cos_u * t * sin_v, -sin_u * s * sin_v + cos_u * t * cos_v],
        ]
    };
    let forth = turned(s, t);
    let determinant = s * t;
    let back = [
        [forth[1][1] / determinant, -forth[0][1] / determinant],
        [-forth[1][0] / determinant, forth[0][0] / determinant],
    ];
    forth.iter().chain(&back).flatten().all(|part| part.is_finite()).then_some((forth, back))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_matrix_is_padded_to_whole_pixels_and_turned_back() {
        for matrix in
            [[[2.0, 0.0], [0.0, 3.0]], [[-2.0, 0.5], [1.0, 3.0]], [[0.0, 2.0], [2.0, 0.0]], [[1.2, -1.6], [1.6, 1.2]]]
        {
            let (forth, back) = padded(matrix).unwrap();
            for row in 0..2 {
                for column in 0..2 {
                    assert!((forth[row][column] - matrix[row][column]).abs() < 1e-12, "{matrix:?} {forth:?}");
                    let product: f64 = (0..2).map(|k| forth[row][k] * back[k][column]).sum();
                    assert!((product - f64::from(u8::from(row == column))).abs() < 1e-12);
                }
            }
        }
        let near = |found: [[f64; 2]; 2], expected: [[f64; 2]; 2]| {
            found.iter().flatten().zip(expected.iter().flatten()).all(|(a, b)| (a - b).abs() < 1e-12)
        };
        assert!(near(padded([[0.5, 0.0], [0.0, 3.0]]).unwrap().0, [[1.0, 0.0], [0.0, 3.0]]));
        assert!(near(padded([[-0.5, 0.0], [0.0, 0.1]]).unwrap().0, [[-1.0, 0.0], [0.0, 1.0]]));
        assert!(padded([[f64::NAN, 0.0], [0.0, 1.0]]).is_none());
    }
}
