//! Chance that is the same every time: numbers that follow from a seed alone.

/// A generator of numbers (SplitMix64): small, quick, and the same on every machine.
#[derive(Debug, Clone)]
pub(super) struct Chance(u64);

impl Chance {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(super) fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    /// 128 bits, for ids.
    pub(super) fn wide(&mut self) -> u128 {
        u128::from(self.bits()) << 64 | u128::from(self.bits())
    }

    /// Evenly between 0 and 1.
    pub(super) fn share(&mut self) -> f64 {
        // 53 bits are what an f64 holds exactly, so both numbers are exact.
        (self.bits() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Evenly between two numbers.
    pub(super) fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.share()
    }

    /// Noise around zero with this standard deviation: the sum of twelve even numbers is near enough to normal.
    pub(super) fn noise(&mut self, deviation: f64) -> f64 {
        let sum: f64 = (0..12).map(|_| self.share()).sum();
        (sum - 6.0) * deviation
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_numbers() {
        let numbers =
            |seed| (0..4).map(|_| 0).scan(Chance::new(seed), |chance, _| Some(chance.bits())).collect::<Vec<_>>();
        assert_eq!(numbers(7), numbers(7));
        assert_ne!(numbers(7), numbers(8));
    }

    #[test]
    fn noise_keeps_near_its_deviation() {
        let mut chance = Chance::new(1);
        let samples: Vec<f64> = (0..1000).map(|_| chance.noise(2.0)).collect();
        let mean = samples.iter().sum::<f64>() / 1000.0;
        let deviation = (samples.iter().map(|sample| (sample - mean).powi(2)).sum::<f64>() / 1000.0).sqrt();
        assert!(mean.abs() < 0.3 && (1.7..2.3).contains(&deviation), "{mean} {deviation}");
        assert!(samples.iter().all(|sample| sample.abs() <= 12.0));
    }
}
