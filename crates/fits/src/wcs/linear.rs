//! The matrix from pixels to degrees in the tangent plane, in each of the three forms in which headers write it.

use super::number;
use crate::{FitsError, Header};

/// Two rows of two numbers.
pub(super) type Matrix = [[f64; 2]; 2];

/// Reads the matrix whose rows are the world axes 1 and 2 and whose columns are the pixel axes 1 and 2, in degrees per pixel.
/// `latitude` is the index of the world axis that holds the declination: the old form turns about that axis's `CROTA`.
pub(super) fn from_header(header: &Header, latitude: usize) -> Result<Matrix, FitsError> {
    let elements = |prefix: &str| -> Result<[[Option<f64>; 2]; 2], FitsError> {
        let element = |row: usize, column: usize| number(header, &format!("{prefix}{row}_{column}"));
        Ok([[element(1, 1)?, element(1, 2)?], [element(2, 1)?, element(2, 2)?]])
    };
    let (cd, pc) = (elements("CD")?, elements("PC")?);
    let some = |matrix: &[[Option<f64>; 2]; 2]| matrix.iter().flatten().any(Option::is_some);
    match (some(&cd), some(&pc)) {
        (true, true) => {
            Err(FitsError::header("CD1_1", "the header has a PC matrix too, and only one of them can hold"))
        }
        // A `CDELT` beside a CD matrix is a leftover of the old form.
        (true, false) => Ok(cd.map(|row| row.map(|element| element.unwrap_or(0.0)))),
        (false, true) => {
            let [a, b] = scale(header)?;
            let [[xx, xy], [yx, yy]] = pc;
            let (xx, xy, yx, yy) = (xx.unwrap_or(1.0), xy.unwrap_or(0.0), yx.unwrap_or(0.0), yy.unwrap_or(1.0));
            Ok([[a * xx, a * xy], [b * yx, b * yy]])
        }
        (false, false) => {
            let scale = scale(header)?;
            let longitude = 1 - latitude;
            let rotation = number(header, &format!("CROTA{}", latitude + 1))?.unwrap_or(0.0);
            let (sin, cos) = rotation.to_radians().sin_cos();
            let mut matrix = [[0.0; 2]; 2];
            matrix[longitude][longitude] = scale[longitude] * cos;
            matrix[longitude][latitude] = -scale[latitude] * sin;
            matrix[latitude][longitude] = scale[longitude] * sin;
            matrix[latitude][latitude] = scale[latitude] * cos;
            Ok(matrix)
        }
    }
}

fn scale(header: &Header) -> Result<[f64; 2], FitsError> {
    let element = |keyword: &str| {
        number(header, keyword)?.ok_or_else(|| FitsError::header(keyword, "it is missing, and so is a CD matrix"))
    };
    Ok([element("CDELT1")?, element("CDELT2")?])
}

/// The inverse, unless the matrix flattens the plane to a line or holds what is no number.
pub(super) fn inverse([[a, b], [c, d]]: Matrix) -> Option<Matrix> {
    let determinant = a * d - b * c;
    let inverse = [[d / determinant, -b / determinant], [-c / determinant, a / determinant]];
    inverse.iter().flatten().all(|element| element.is_finite()).then_some(inverse)
}

pub(super) fn apply(matrix: &Matrix, [x, y]: [f64; 2]) -> [f64; 2] {
    matrix.map(|[a, b]| a * x + b * y)
}
