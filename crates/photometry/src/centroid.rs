//! Where a star is: the moments of what its columns and rows hold above their mean.
//!
//! The method is Howell's (Howell 2006, Handbook of CCD Astronomy, section 5.1), iterated with a fresh background each time as
//! AstroImageJ does (Collins et al. 2017, AJ 153, 77).

use holotype_fits::display::{Plane, Sample};

use crate::background::{Annulus, Background, Rules};
use crate::overlap::{Point, span};

/// A box less than twice this wide holds too few pixels to find a centre in.
const LEAST_RADIUS: f64 = 3.0;

/// The centre has come to rest when it moves by less than this along each axis, in pixels.
const REST: f64 = 0.01;

/// How often the box is moved at most.
const PASSES: usize = 100;

/// A star's centre with the sky around it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Centroid {
    /// The centre.
    pub centre: Point,
    /// The sky around it.
    pub background: Background,
}

/// Why a star has no centre.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoCentroid {
    /// The ring for the background or the box around the place has no pixel that is a number.
    #[error("there are no pixels at this place")]
    NoPixels,
    /// Nothing in the box rises above the rest.
    #[error("nothing stands out from the background at this place")]
    NoSignal,
    /// The centre left the box in which it was looked for.
    #[error("the centre moved away from this place")]
    MovedAway,
}

/// The centre of the star near `start`, looked for in a box of twice `radius`, at least three pixels.
///
/// # Errors
/// [`NoCentroid`] if there is none near that place.
pub fn centroid<T: Sample>(
    plane: &Plane<T>,
    start: Point,
    radius: f64,
    ring: Annulus,
    rules: Rules,
) -> Result<Centroid, NoCentroid> {
    let radius = radius.max(LEAST_RADIUS);
    if !(start.is_finite() && radius.is_finite()) {
        return Err(NoCentroid::NoPixels);
    }
    let sky = |centre| Background::of(plane, centre, ring, rules).ok_or(NoCentroid::NoPixels);
    let width = (2.0 * radius) as i64;
    let mut found = Centroid { centre: start, background: sky(start)? };
    let mut corner = [(start.x - radius) as i64, (start.y - radius) as i64];
    for _ in 0..PASSES {
        let [dx, dy] = offset(plane, corner, width, &found)?;
        let centre = Point { x: found.centre.x + dx, y: found.centre.y + dy };
        if centre.distance(start) > width as f64 {
            return Err(NoCentroid::MovedAway);
        }
        found = Centroid { centre, background: sky(centre)? };
        corner = [centre.x as i64 - width / 2, centre.y as i64 - width / 2];
        if dx.abs() < REST && dy.abs() < REST {
            break;
        }
    }
    Ok(found)
}

/// How far the centre of what is in the box lies from where it was thought to be.
fn offset<T: Sample>(
    plane: &Plane<T>,
    [left, bottom]: [i64; 2],
    width: i64,
    thought: &Centroid,
) -> Result<[f64; 2], NoCentroid> {
    let centre = thought.centre;
    let columns = span(left as f64, (left + width) as f64, plane.width());
    let rows = span(bottom as f64, (bottom + width) as f64, plane.height());
    if columns.is_empty() || rows.is_empty() {
        return Err(NoCentroid::NoPixels);
    }
    let mut column_sums = vec![0.0; columns.len()];
    let mut row_sums = vec![0.0; rows.len()];
    for (row, row_sum) in rows.clone().zip(&mut row_sums) {
        let dy = row as f64 + 0.5 - centre.y;
        let values = &plane.values()[row * plane.width()..][columns.clone()];
        for ((column, column_sum), value) in columns.clone().zip(&mut column_sums).zip(values) {
            let signal = value.to_f64() - thought.background.at(column as f64 + 0.5 - centre.x, dy);
            if signal.is_finite() {
                *column_sum += signal;
                *row_sum += signal;
            }
        }
    }
    // What of the box lies beside the image counts as empty columns and rows.
    let mean = column_sums.iter().sum::<f64>() / (width + 1) as f64;
    let moment = |sums: &[f64], first: usize, centre: f64| {
        let (mut weights, mut sum) = (0.0, 0.0);
        for (index, value) in sums.iter().enumerate() {
            let weight = (value - mean).max(0.0);
            weights += weight;
            sum += weight * ((first + index) as f64 - centre + 0.5);
        }
        if weights > 0.0 { Ok(sum / weights) } else { Err(NoCentroid::NoSignal) }
    };
    Ok([moment(&column_sums, columns.start, centre.x)?, moment(&row_sums, rows.start, centre.y)?])
}

/// The highest pixel whose centre is within `radius`; nothing if none there is a number.
pub fn peak<T: Sample>(plane: &Plane<T>, centre: Point, radius: f64) -> Option<f64> {
    let columns = span(centre.x - radius - 1.0, centre.x + radius + 1.0, plane.width());
    let mut peak: Option<f64> = None;
    for row in span(centre.y - radius - 1.0, centre.y + radius + 1.0, plane.height()) {
        let dy = row as f64 + 0.5 - centre.y;
        for column in columns.clone() {
            let dx = column as f64 + 0.5 - centre.x;
            let value = plane.values()[row * plane.width() + column].to_f64();
            if dx * dx + dy * dy <= radius * radius && value.is_finite() {
                peak = Some(peak.map_or(value, |peak| peak.max(value)));
            }
        }
    }
    peak
}

#[cfg(test)]
mod tests {
    use super::*;

    const RING: Annulus = Annulus { inner: 10.0, outer: 15.0 };

    fn star(x: f64, y: f64) -> Vec<f32> {
        let value = |index: usize| {
            let (dx, dy) = ((index % 64) as f64 + 0.5 - x, (index / 64) as f64 + 0.5 - y);
            (100.0 + 1_000.0 * (-(dx * dx + dy * dy) / 8.0).exp()) as f32
        };
        (0..64 * 64).map(value).collect()
    }

    fn find(values: &[f32], x: f64, y: f64) -> Result<Centroid, NoCentroid> {
        centroid(&Plane::new(64, 64, values).unwrap(), Point { x, y }, 6.0, RING, Rules::default())
    }

    #[test]
    fn a_star_is_found_where_it_is() {
        let values = star(30.37, 33.81);
        // Cutting off what is below the mean of the box costs a few hundredths of a pixel: the method's own error.
        let found = find(&values, 32.0, 32.0).unwrap();
        assert!(found.centre.distance(Point { x: 30.37, y: 33.81 }) < 0.05, "{found:?}");
        assert!((found.background.mean - 100.0).abs() < 0.01);
        let highest = peak(&Plane::new(64, 64, &values).unwrap(), found.centre, 6.0).unwrap();
        assert!((1_070.0..1_100.0).contains(&highest), "{highest}");
    }

    #[test]
    fn a_place_without_a_star_has_no_centre() {
        assert_eq!(find(&[7.0; 4096], 32.0, 32.0), Err(NoCentroid::NoSignal));
        assert_eq!(find(&[f32::NAN; 4096], 32.0, 32.0), Err(NoCentroid::NoPixels));
        for far in [-500.0, 1e300, f64::NAN, f64::INFINITY] {
            assert_eq!(find(&star(30.0, 30.0), far, 32.0), Err(NoCentroid::NoPixels), "{far}");
        }
        // A slope leads the box away without end.
        let slope: Vec<f32> = (0..4096).map(|index| ((index % 64) * (index % 64)) as f32).collect();
        assert!(find(&slope, 32.0, 32.0).is_err());
    }
}
