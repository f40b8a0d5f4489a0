//! From values to grey levels.

use super::{Picture, Plane, Sample};

/// The grey level that is shown for a level: a power curve with the exponent 1/2.5, which brings out what is faint.
const GAMMA: [u8; 256] = gamma_table();

/// `256 * (k / 256)^(1/2.5)` without its fraction, in whole numbers: the greatest m with m^5 < 256^3 k^2. The one level at which
/// both sides are equal (k = 8) goes down, as it does in floating point, where 1/2.5 is not exact.
const fn gamma_table() -> [u8; 256] {
    let mut table = [0; 256];
    let (mut level, mut shown): (u64, u64) = (0, 0);
    while level < 256 {
        while (shown + 1).pow(5) < (1 << 24) * level * level {
            shown += 1;
        }
        table[level as usize] = shown as u8;
        level += 1;
    }
    table
}

/// What a display shows for a level from 0 to 255.
pub fn gamma(level: u8) -> u8 {
    GAMMA[usize::from(level)]
}

/// The values that are shown black and white.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stretch {
    black: f64,
    white: f64,
}

impl Stretch {
    /// Shows `black` and what is below it black, `white` and what is above it white. If both are equal they are moved apart by 1
    /// each, so that an image of one value becomes grey. Nothing if one is not finite or `white` is less than `black`.
    pub fn new(black: f64, white: f64) -> Option<Self> {
        if !(black.is_finite() && white.is_finite() && black <= white) {
            return None;
        }
        Some(if black < white { Self { black, white } } else { Self { black: black - 1.0, white: white + 1.0 } })
    }

    /// The level of a value, 0 (black) to 255 (white), in proportion; what is no number is black.
    pub fn level(&self, value: f64) -> f64 {
        // Of NaN and a number `max` gives the number.
        (value.max(self.black).min(self.white) - self.black) * 255.0 / (self.white - self.black)
    }

    /// What is shown for values: each level rounded (halves to even) and put through [`gamma`]. There are as many of both.
    pub fn grey<T: Sample>(&self, values: &[T], into: &mut [u8]) {
        // Beside 2^52 a double has no room for a fraction: the sum is rounded, and its last byte is the level.
        const ROUNDING: f64 = 4_503_599_627_370_496.0;
        let rounded = |value: &T| (self.level(value.to_f64()) + ROUNDING).to_bits() as u8;
        // First the arithmetic, several at a time, then the table.
        into.iter_mut().zip(values).for_each(|(level, value)| *level = rounded(value));
        into.iter_mut().for_each(|level| *level = gamma(*level));
    }

    /// The picture of an image: each level rounded (halves to even) and shown through [`gamma`], the highest row first.
    pub fn picture<T: Sample>(&self, plane: &Plane<T>) -> Picture {
        let mut levels = vec![0; plane.values().len()];
        let rows = plane.values().chunks_exact(plane.width()).rev();
        levels.chunks_exact_mut(plane.width()).zip(rows).for_each(|(levels, row)| self.grey(row, levels));
        Picture::new(plane.width(), levels)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_curve_is_that_of_floating_point_with_its_fractions_cut_off() {
        let expected: Vec<u8> = (0..256).map(|k| (256.0 * (f64::from(k) / 256.0).powf(1.0 / 2.5)) as u8).collect();
        for level in (0..=255).filter(|level| *level != 8) {
            assert_eq!(gamma(level), expected[usize::from(level)], "{level}");
        }
        assert_eq!([gamma(0), gamma(1), gamma(8), gamma(128), gamma(255)], [0, 27, 63, 194, 255]);
    }

    #[test]
    fn levels_are_in_proportion_between_black_and_white_and_rounded_to_even() {
        let stretch = Stretch::new(0.0, 510.0).unwrap();
        assert_eq!([-5.0, 0.0, 51.0, 510.0, 9e9].map(|value| stretch.level(value)), [0.0, 0.0, 25.5, 255.0, 255.0]);
        assert_eq!([f64::NAN, f64::INFINITY, f64::NEG_INFINITY].map(|value| stretch.level(value)), [0.0, 255.0, 0.0]);
        let halves = [1.0f64, 3.0, 5.0];
        let picture = stretch.picture(&Plane::new(3, 1, &halves).unwrap());
        assert_eq!(picture.levels(), [gamma(0), gamma(2), gamma(2)]);
    }

    #[test]
    fn the_lowest_row_of_an_image_is_the_last_of_its_picture() {
        let picture = Stretch::new(0.0, 255.0).unwrap().picture(&Plane::new(2, 3, &[0u8, 1, 2, 3, 4, 5]).unwrap());
        assert_eq!((picture.width(), picture.height()), (2, 3));
        assert_eq!(picture.levels(), [4, 5, 2, 3, 0, 1].map(gamma));
    }

    #[test]
    fn an_image_of_one_value_is_grey_and_impossible_limits_are_refused() {
        assert_eq!(Stretch::new(7.0, 7.0).unwrap().level(7.0), 127.5);
        for (black, white) in [(2.0, 1.0), (f64::NAN, 1.0), (0.0, f64::INFINITY)] {
            assert_eq!(Stretch::new(black, white), None);
        }
    }

    #[test]
    fn limits_at_the_ends_of_the_numbers_do_no_harm() {
        let stretch = Stretch::new(-f64::MAX, f64::MAX).unwrap();
        let picture = stretch.picture(&Plane::new(3, 1, &[-f64::MAX, 0.0, f64::MAX]).unwrap());
        assert_eq!(picture.levels().len(), 3);
    }
}
