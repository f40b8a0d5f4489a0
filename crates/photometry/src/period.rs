//! The period of a star: the Lomb-Scargle periodogram with a floating mean, the chance that noise alone makes its peak, and
//! what the times of observation make of a constant star.
//!
//! The power is that of Zechmeister and Kuerster 2009 (A&A 496, 577), each frequency evaluated directly: sums over a regular
//! grid of interpolated points are faster for long series, and off by some 0.002 in power. The false-alarm probability is
//! the upper limit of Baluev 2008 (MNRAS 385, 1279).

use std::f64::consts::{PI, TAU};

use rayon::prelude::*;
use serde::Serialize;

/// Points that a search needs.
pub const LEAST_POINTS: usize = 8;

/// What is said of twice the period.
const DOUBLE: &str = "Twice the strongest peak's period, for stars with two alike minima in a turn.";

/// How many frequencies there are in the width of a peak.
const SAMPLES_PER_PEAK: f64 = 5.0;

/// The highest frequency in units of the mean Nyquist frequency.
const NYQUIST_FACTOR: f64 = 5.0;

/// A magnitude or flux at a time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Observation {
    /// When, in days from any epoch.
    pub time: f64,
    /// What was measured.
    pub value: f64,
    /// Its error, above zero.
    pub error: f64,
}

impl Observation {
    fn is_usable(&self) -> bool {
        self.time.is_finite() && self.value.is_finite() && self.error.is_finite() && self.error > 0.0
    }
}

/// What a candidate is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// The highest peak.
    Peak,
    /// Twice its period: stars that eclipse each other show two dips in a turn.
    Double,
}

/// A period that the star may have.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Candidate {
    /// In days.
    pub period: f64,
    /// The part of the variance that a sine of this period takes away, 0 to 1.
    pub power: f64,
    /// How likely noise alone has a peak as high anywhere.
    pub false_alarm_probability: f64,
    /// What it is.
    pub kind: Kind,
    /// The same in words.
    pub description: &'static str,
}

/// A search and what came of it. The members serialise by the names that clients know.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PeriodSearch {
    /// The period of the highest peak, in days.
    pub period: f64,
    /// How likely noise alone has a peak as high.
    pub fap: f64,
    /// The frequencies, in 1/day.
    pub frequency: Vec<f64>,
    /// The power at each frequency.
    pub power: Vec<f64>,
    /// The periods to look at.
    #[serde(rename = "period_candidates")]
    pub candidates: Vec<Candidate>,
    /// The power that the times alone make of a constant, at each frequency.
    pub window_power: Vec<f64>,
}

impl PeriodSearch {
    /// Searches observations, of which those that are no numbers or have no error are left out. Nothing if fewer than
    /// [`LEAST_POINTS`] are left, if they are all of one time, or if nothing varies.
    pub fn of(observations: &[Observation]) -> Option<Self> {
        let usable: Vec<Observation> = observations.iter().copied().filter(Observation::is_usable).collect();
        if usable.len() < LEAST_POINTS {
            return None;
        }
        let frequency = grid(&usable)?;
        let series = Series::of(&usable)?;
        let power: Vec<f64> = frequency.par_iter().map(|&frequency| series.power(frequency)).collect();
        let window_power = frequency.par_iter().map(|&frequency| series.window(frequency)).collect();
        let (peak, &highest) = power.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1))?;
        let greatest = *frequency.last()?;
        let candidate = |frequency: f64, power: f64, kind, description| Candidate {
            period: 1.0 / frequency,
            power,
            false_alarm_probability: series.false_alarm_probability(power, greatest),
            kind,
            description,
        };
        let half = frequency[peak] / 2.0;
        let candidates = vec![
            candidate(frequency[peak], highest, Kind::Peak, "Strongest periodogram peak."),
            candidate(half, series.power(half), Kind::Double, DOUBLE),
        ];
        let first = &candidates[0];
        Some(Self {
            period: first.period,
            fap: first.false_alarm_probability,
            frequency,
            power,
            candidates,
            window_power,
        })
    }
}

/// The frequencies from half a step on, in steps of a fifth of the inverse span, to five times the mean Nyquist frequency.
fn grid(observations: &[Observation]) -> Option<Vec<f64>> {
    let times = observations.iter().map(|observation| observation.time);
    let (first, last) = times.fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), time| (a.min(time), b.max(time)));
    let span = last - first;
    // In this order: the number of steps is a tie for rounding where the number of points is even.
    let step = 1.0 / span / SAMPLES_PER_PEAK;
    let greatest = NYQUIST_FACTOR * (0.5 * observations.len() as f64 / span);
    let start = step / 2.0;
    let count = 1.0 + ((greatest - start) / step).round_ties_even();
    (span > 0.0 && count.is_finite() && step.is_finite())
        .then(|| (0..count as usize).map(|index| start + index as f64 * step).collect())
}

/// Observations as the sums want them.
struct Series {
    /// Times from the first one on.
    times: Vec<f64>,
    /// The weights, which are 1 together.
    weights: Vec<f64>,
    /// The values less their weighted mean.
    values: Vec<f64>,
    /// The weighted variance of the values.
    variance: f64,
}

impl Series {
    /// Nothing if the values do not vary.
    fn of(observations: &[Observation]) -> Option<Self> {
        let first = observations.iter().map(|observation| observation.time).fold(f64::INFINITY, f64::min);
        // Scaled by the smallest error, so that squares neither overflow nor vanish.
        let least = observations.iter().map(|observation| observation.error).fold(f64::INFINITY, f64::min);
        let raw: Vec<f64> = observations.iter().map(|observation| (least / observation.error).powi(2)).collect();
        let total: f64 = raw.iter().sum();
        let weights: Vec<f64> = raw.iter().map(|weight| weight / total).collect();
        let weighed =
            |values: &mut dyn Iterator<Item = f64>| weights.iter().zip(values).map(|(w, v)| w * v).sum::<f64>();
        let mean = weighed(&mut observations.iter().map(|observation| observation.value));
        let values: Vec<f64> = observations.iter().map(|observation| observation.value - mean).collect();
        let variance = weighed(&mut values.iter().map(|value| value * value));
        // Equal values differ from their mean by no more than rounding.
        let rounding = (mean.abs() * f64::EPSILON * 16.0).powi(2);
        (variance.is_finite() && variance > rounding).then(|| Self {
            times: observations.iter().map(|observation| observation.time - first).collect(),
            weights,
            values,
            variance,
        })
    }

    /// The part of the variance that the best sine of this frequency about the best mean takes away
    /// (Zechmeister and Kuerster 2009, equations 4 to 15).
    fn power(&self, frequency: f64) -> f64 {
        let (mut c, mut s, mut cc, mut cs, mut yc, mut ys) = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0);
        for ((time, weight), value) in self.times.iter().zip(&self.weights).zip(&self.values) {
            let (sin, cos) = (TAU * frequency * time).sin_cos();
            c += weight * cos;
            s += weight * sin;
            cc += weight * cos * cos;
            cs += weight * cos * sin;
            yc += weight * value * cos;
            ys += weight * value * sin;
        }
        let ss = 1.0 - cc - s * s;
        let (cc, cs) = (cc - c * c, cs - c * s);
        share(self.variance, [cc, ss, cs], [yc, ys])
    }

    /// The power of a constant 1 about zero, each time counting the same.
    fn window(&self, frequency: f64) -> f64 {
        let count = self.times.len() as f64;
        let (mut c, mut s, mut cc, mut cs) = (0.0, 0.0, 0.0, 0.0);
        for time in &self.times {
            let (sin, cos) = (TAU * frequency * time).sin_cos();
            c += cos;
            s += sin;
            cc += cos * cos;
            cs += cos * sin;
        }
        let [c, s, cc, cs] = [c, s, cc, cs].map(|sum| sum / count);
        share(1.0, [cc, 1.0 - cc, cs], [c, s])
    }

    /// How likely noise alone has a peak of this power at any frequency up to `greatest`
    /// (Baluev 2008, equations 5 and 6 and table 1 for the power normalised by the variance).
    fn false_alarm_probability(&self, power: f64, greatest: f64) -> f64 {
        let count = self.times.len() as f64;
        let weighed = |part: &dyn Fn(f64) -> f64| {
            self.weights.iter().zip(&self.times).map(|(weight, time)| weight * part(*time)).sum::<f64>()
        };
        let mean = weighed(&|time| time);
        let width = greatest * (4.0 * PI * weighed(&|time| (time - mean).powi(2))).sqrt();
        let rest = (1.0 - power).max(0.0);
        let single = rest.powf((count - 3.0) / 2.0);
        let gamma = (2.0 / (count - 1.0)).sqrt() * gamma_ratio(self.times.len());
        let tau = gamma * width * rest.powf((count - 4.0) / 2.0) * ((count - 1.0) * power.max(0.0) / 2.0).sqrt();
        -(-tau).exp_m1() + single * (-tau).exp()
    }
}

/// How much of `variance` the best combination of cosine and sine takes away, by their moments.
fn share(variance: f64, [cc, ss, cs]: [f64; 3], [yc, ys]: [f64; 2]) -> f64 {
    let determinant = cc * ss - cs * cs;
    // At a frequency at which the times tell sine and cosine not apart, one of them remains.
    let taken = if determinant > 1e-14 {
        (ss * yc * yc + cc * ys * ys - 2.0 * cs * yc * ys) / determinant
    } else if cc + ss > 1e-14 {
        (yc * yc + ys * ys) / (cc + ss)
    } else {
        0.0
    };
    taken / variance
}

/// Gamma((n - 1) / 2) / Gamma((n - 2) / 2), by Gamma(x + 1) = x Gamma(x) from Gamma(1/2) = sqrt(pi) on.
fn gamma_ratio(n: usize) -> f64 {
    let (mut ratio, mut x) = if n.is_multiple_of(2) { (PI.sqrt() / 2.0, 1.0) } else { (1.0 / PI.sqrt(), 0.5) };
    while x < (n as f64 - 2.0) / 2.0 {
        ratio *= (x + 0.5) / x;
        x += 1.0;
    }
    ratio
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(count: usize, value: impl Fn(f64) -> f64) -> Vec<Observation> {
        let time = |index: usize| index as f64 * 0.37 + (index as f64 * 12.9898).sin() * 0.1;
        (0..count).map(|index| Observation { time: time(index), value: value(time(index)), error: 0.01 }).collect()
    }

    #[test]
    fn a_sine_is_found_with_its_period() {
        let observations = series(60, |time| 15.0 + 0.2 * (TAU * time / 1.7).sin());
        let search = PeriodSearch::of(&observations).unwrap();
        assert!((search.period - 1.7).abs() < 0.01, "{}", search.period);
        assert!(search.fap < 1e-30 && search.candidates[0].power > 0.98, "{:?}", search.candidates);
        assert_eq!(search.candidates[1].period, 2.0 * search.period);
        assert_eq!(search.frequency.len(), search.window_power.len());
        let limits = 0.0..=1.0 + 1e-9;
        assert!(search.power.iter().chain(&search.window_power).all(|power| limits.contains(power)));
    }

    #[test]
    fn what_cannot_have_a_period_has_none() {
        assert_eq!(PeriodSearch::of(&series(7, f64::sin)), None);
        assert_eq!(PeriodSearch::of(&series(60, |_| 15.1)), None);
        assert_eq!(PeriodSearch::of(&series(60, |_| f64::NAN)), None);
        let mut together = series(20, f64::sin);
        together.iter_mut().for_each(|observation| observation.time = 7.0);
        assert_eq!(PeriodSearch::of(&together), None);
        let mut errorless = series(20, f64::sin);
        errorless.iter_mut().for_each(|observation| observation.error = 0.0);
        assert_eq!(PeriodSearch::of(&errorless), None);
    }

    #[test]
    fn the_ratio_of_gamma_functions_is_exact() {
        // Gamma(3.5) / Gamma(3) and Gamma(4) / Gamma(3.5), from sqrt(pi) by hand.
        assert!((gamma_ratio(8) - 15.0 / 16.0 * PI.sqrt()).abs() < 1e-14);
        assert!((gamma_ratio(9) - 6.0 / (15.0 / 8.0 * PI.sqrt())).abs() < 1e-14);
        // For large numbers it is near sqrt(x) (1 - 1/(8x)).
        let x = 499.0_f64;
        assert!((gamma_ratio(1000) / (x.sqrt() * (1.0 - 0.125 / x)) - 1.0).abs() < 1e-6);
    }
}
