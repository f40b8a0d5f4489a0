//! Which stars of a field belong together: they move alike across the sky and are about as far away.

use serde::Serialize;

use super::rounded;
use crate::statistics::{median, percentile};

/// What Gaia says of a star's motion and distance; NaN for what it does not.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Motion {
    /// Proper motion in right ascension, times the cosine of the declination, in mas/yr.
    pub pmra: f64,
    /// Proper motion in declination, in mas/yr.
    pub pmdec: f64,
    /// In mas.
    pub parallax: f64,
    /// In pc.
    pub distance: f64,
    /// The lower end of its range.
    pub distance_lo: f64,
    /// The upper end of its range.
    pub distance_hi: f64,
}

/// What members have in common, by the names that clients know.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MembershipGuess {
    /// The proper motion of the cluster, in mas/yr.
    pub pmra: f64,
    /// The proper motion of the cluster, in mas/yr.
    pub pmdec: f64,
    /// How far from it those of members lie at most, in mas/yr.
    pub pm_radius: f64,
    /// The least parallax of members, in mas; nothing if too few have one.
    pub parallax_min: Option<f64>,
    /// The greatest parallax of members, in mas.
    pub parallax_max: Option<f64>,
    /// The least distance of members, in pc; nothing if too few have one.
    pub distance_min: Option<f64>,
    /// The greatest distance of members, in pc.
    pub distance_max: Option<f64>,
}

/// Stars with a proper motion that a guess needs.
const LEAST_STARS: usize = 10;

/// Stars near the commonest motion that a guess needs, and how near, in mas/yr.
const LEAST_NEAR: usize = 5;
const NEAR: f64 = 2.0;

/// Stars with a parallax or a distance that a range of them needs.
const LEAST_RANGED: usize = 3;

/// The half width of the histogram, in mas/yr.
const HALF_WIDTH: (f64, f64) = (25.0, 150.0);

/// The radius of the members' motions, in mas/yr.
const RADIUS: (f64, f64) = (0.5, 5.0);

/// Windows are this many deviations to each side.
const SIGMAS: f64 = 3.0;

/// From the median absolute deviation to the standard deviation of a normal distribution.
const NORMAL: f64 = 1.4826;

/// The deviation of parallaxes is taken for this at least, in mas.
const LEAST_PARALLAX: f64 = 0.05;

/// Guesses which motion is the cluster's: the commonest one, in cells of 1 mas/yr. Nothing if too few stars have a motion or
/// none is common.
pub fn guess(stars: &[Motion]) -> Option<MembershipGuess> {
    let moving: Vec<&Motion> = stars.iter().filter(|star| star.pmra.is_finite() && star.pmdec.is_finite()).collect();
    if moving.len() < LEAST_STARS {
        return None;
    }
    let peak = commonest(&moving)?;
    let near: Vec<&Motion> = moving.iter().copied().filter(|star| apart(star, peak) <= NEAR).collect();
    if near.len() < LEAST_NEAR {
        return None;
    }
    let centre = [median(near.iter().map(|star| star.pmra)), median(near.iter().map(|star| star.pmdec))];
    let distances: Vec<f64> = near.iter().map(|star| apart(star, centre)).collect();
    let typical = median(distances.iter().copied());
    let spread = (NORMAL * deviation(&distances)).max(typical);
    let radius = (SIGMAS * spread).clamp(RADIUS.0, RADIUS.1);
    let members: Vec<&Motion> = moving.iter().copied().filter(|star| apart(star, centre) <= radius).collect();
    let parallax = window(members.iter().map(|star| star.parallax), LEAST_PARALLAX);
    let ranges = members.iter().map(|star| (star.distance_hi - star.distance_lo) / 2.0);
    let distance = window(members.iter().map(|star| star.distance), median(ranges));
    Some(MembershipGuess {
        pmra: rounded(centre[0], 3),
        pmdec: rounded(centre[1], 3),
        pm_radius: rounded(radius, 3),
        parallax_min: parallax.map(|window| rounded(window[0], 4)),
        parallax_max: parallax.map(|window| rounded(window[1], 4)),
        distance_min: distance.map(|window| rounded(window[0].max(0.0), 1)),
        distance_max: distance.map(|window| rounded(window[1], 1)),
    })
}

fn apart(star: &Motion, [pmra, pmdec]: [f64; 2]) -> f64 {
    (star.pmra - pmra).hypot(star.pmdec - pmdec)
}

/// The median of the distances from the median.
fn deviation(values: &[f64]) -> f64 {
    let middle = median(values.iter().copied());
    median(values.iter().map(|value| (value - middle).abs()))
}

/// The range about the median in which members lie; nothing if too few have a value.
fn window(values: impl Iterator<Item = f64>, least: f64) -> Option<[f64; 2]> {
    let values: Vec<f64> = values.filter(|value| value.is_finite()).collect();
    if values.len() < LEAST_RANGED {
        return None;
    }
    let middle = median(values.iter().copied());
    // Also where the least deviation is not known.
    let half = SIGMAS * (NORMAL * deviation(&values)).max(least);
    Some([middle - half, middle + half])
}

/// The centre of the fullest cell of the histogram about the medians; of equally full ones the first.
fn commonest(stars: &[&Motion]) -> Option<[f64; 2]> {
    let axis = |part: fn(&Motion) -> f64| {
        let values: Vec<f64> = stars.iter().map(|star| part(star)).collect();
        let middle = median(values.iter().copied());
        let reach = (middle - percentile(&values, 1.0)).abs().max((percentile(&values, 99.0) - middle).abs());
        (middle, reach)
    };
    let [(ra, ra_reach), (dec, dec_reach)] = [axis(|star| star.pmra), axis(|star| star.pmdec)];
    let half = ra_reach.max(dec_reach).clamp(HALF_WIDTH.0, HALF_WIDTH.1);
    let cells = (2.0 * half).ceil() as usize;
    let mut histogram = vec![0_usize; cells * cells];
    for star in stars {
        let place = |value: f64, middle: f64| {
            let place = (value - middle + half).floor();
            (place >= 0.0 && place < cells as f64).then_some(place as usize)
        };
        if let (Some(column), Some(row)) = (place(star.pmra, ra), place(star.pmdec, dec)) {
            histogram[column * cells + row] += 1;
        }
    }
    let (fullest, _) = histogram.iter().enumerate().rev().max_by_key(|(_, count)| **count)?;
    let centre = |cell: usize, middle: f64| middle - half + cell as f64 + 0.5;
    Some([centre(fullest / cells, ra), centre(fullest % cells, dec)])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn star(pmra: f64, pmdec: f64) -> Motion {
        Motion { pmra, pmdec, parallax: f64::NAN, distance: f64::NAN, distance_lo: f64::NAN, distance_hi: f64::NAN }
    }

    #[test]
    fn stars_that_move_alike_are_told_from_the_field() {
        let mut stars: Vec<Motion> = (0..20).map(|k| star(7.2 + 0.02 * f64::from(k % 5), -3.1)).collect();
        stars.extend((0..80).map(|k| star(f64::from(k * 37 % 61) - 30.0, f64::from(k * 23 % 53) - 26.0)));
        stars[..4].iter_mut().for_each(|star| star.parallax = 2.0);
        let found = guess(&stars).unwrap();
        assert!((found.pmra - 7.24).abs() < 0.1 && (found.pmdec + 3.1).abs() < 0.01, "{found:?}");
        assert_eq!((found.parallax_min, found.parallax_max), (Some(1.85), Some(2.15)));
        assert_eq!((found.pm_radius, found.distance_min), (0.5, None));
    }

    #[test]
    fn too_few_stars_and_stars_without_a_common_motion_have_no_guess() {
        assert_eq!(guess(&[star(1.0, 1.0); 9]), None);
        assert_eq!(guess(&[star(f64::NAN, 1.0); 50]), None);
        let scattered: Vec<Motion> = (0..12).map(|k| star(f64::from(k) * 10.0, f64::from(k) * -9.0)).collect();
        assert_eq!(guess(&scattered), None);
    }
}
