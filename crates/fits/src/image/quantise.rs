//! Reals that were stored as whole numbers, tile by tile, with or without dither.

use super::pixels::Pixel;
use crate::{FitsError, Header};

/// The length of the standard's table of random numbers.
const RANDOMS: usize = 10_000;

/// The whole number that dither method 2 keeps for a zero.
const EXACT_ZERO: i32 = -2_147_483_646;

/// How the reals of an image became whole numbers.
pub(super) struct Quantisation {
    dither: Option<Dither>,
}

struct Dither {
    /// `ZDITHER0` less one, for the first tile.
    seed: usize,
    keeps_zero: bool,
    randoms: Vec<f32>,
}

/// What the reals of one tile became whole numbers with.
#[derive(Debug, Clone, Copy)]
pub(super) struct Step {
    /// `ZSCALE`.
    pub(super) scale: f64,
    /// `ZZERO`.
    pub(super) zero: f64,
    /// `ZBLANK`: the whole number that stands for NaN.
    pub(super) blank: Option<i32>,
}

impl Quantisation {
    /// By `ZQUANTIZ` and `ZDITHER0`; nothing if reals are stored as they are.
    pub(super) fn of(header: &Header) -> Result<Option<Self>, FitsError> {
        let keeps_zero = match header.text("ZQUANTIZ").map(str::trim_end) {
            Some("NONE") => return Ok(None),
            None | Some("" | "NO_DITHER") => return Ok(Some(Self { dither: None })),
            Some("SUBTRACTIVE_DITHER_1") => false,
            Some("SUBTRACTIVE_DITHER_2") => true,
            Some(other) => {
                return Err(FitsError::Unsupported { what: format!("ZQUANTIZ '{}'", crate::error::shown(other)) });
            }
        };
        let seed = match header.integer("ZDITHER0") {
            None => 1,
            Some(seed @ 1..=10_000) => seed as usize,
            Some(seed) => return Err(FitsError::header("ZDITHER0", format!("{seed} is not between 1 and 10000"))),
        };
        Ok(Some(Self { dither: Some(Dither { seed: seed - 1, keeps_zero, randoms: randoms() }) }))
    }

    /// The reals of the whole numbers of tile `tile`, counted from 0.
    pub(super) fn restore<T: Pixel>(&self, tile: usize, step: Step, values: &[i32]) -> Vec<T> {
        let mut reals = vec![T::default(); values.len()];
        self.restore_to(tile, step, values, &mut reals);
        reals
    }

    /// The same, to `reals`, of which there are as many.
    pub(super) fn restore_to<T: Pixel>(&self, tile: usize, step: Step, values: &[i32], reals: &mut [T]) {
        let Step { scale, zero, blank } = step;
        let Some(Dither { seed, keeps_zero, randoms }) = &self.dither else {
            let real = |value: i32| if Some(value) == blank { f64::NAN } else { f64::from(value) * scale + zero };
            reals.iter_mut().zip(values).for_each(|(pixel, &value)| *pixel = T::from_f64(real(value)));
            return;
        };
        let usual = |value: i32, random: f32| (f64::from(value) - f64::from(random) + 0.5) * scale + zero;
        let real = |value: i32, random: f32| match value {
            value if Some(value) == blank => f64::NAN,
            EXACT_ZERO if *keeps_zero => 0.0,
            value => usual(value, random),
        };
        let (mut start, mut left, mut reals) = ((tile + seed) % RANDOMS, values, reals);
        while !left.is_empty() {
            let next = (randoms[start] * 500.0) as usize;
            let length = left.len().min(RANDOMS - next);
            let (run, rest) = left.split_at(length);
            let (made, room) = reals.split_at_mut(length);
            let all = made.iter_mut().zip(run.iter().zip(&randoms[next..]));
            // Most frames have no value with a meaning of its own: without a question the loop works on several at a time.
            match (blank, keeps_zero) {
                (None, false) => all.for_each(|(pixel, (&value, &random))| *pixel = T::from_f64(usual(value, random))),
                _ => all.for_each(|(pixel, (&value, &random))| *pixel = T::from_f64(real(value, random))),
            }
            (start, left, reals) = ((start + 1) % RANDOMS, rest, room);
        }
    }
}

/// The standard's random numbers: Park and Miller's generator from 1, as parts of its range.
fn randoms() -> Vec<f32> {
    let (factor, modulus) = (16_807_u64, 2_147_483_647_u64);
    let mut state = 1_u64;
    let next = |_| {
        state = state * factor % modulus;
        (state as f64 / modulus as f64) as f32
    };
    (0..RANDOMS).map(next).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_random_numbers_end_where_the_standard_says() {
        // The standard's check: the seed after 10,000 steps is 1043618065.
        assert_eq!(randoms().last(), Some(&((1_043_618_065.0_f64 / 2_147_483_647.0) as f32)));
    }

    #[test]
    fn a_long_tile_goes_on_with_the_next_random_start() {
        let quantisation = Quantisation { dither: Some(Dither { seed: 9_999, keeps_zero: true, randoms: randoms() }) };
        let mut values = vec![0; 25_000];
        values[3] = EXACT_ZERO;
        values[4] = -1;
        let step = Step { scale: 1.0, zero: 100.0, blank: Some(-1) };
        let reals: Vec<f64> = quantisation.restore(1, step, &values);
        assert_eq!(reals.len(), values.len());
        assert_eq!(reals[3], 0.0);
        assert!(reals[4].is_nan());
        let apart = |index: usize| index != 3 && index != 4;
        assert!(reals.iter().enumerate().all(|(index, value)| !apart(index) || (99.5..=100.5).contains(value)));
    }
}
