//! The track of a moving target: through places where it was seen, made better by what the tables of the frames have near it.

use holotype_fits::wcs::SkyPosition;

use super::TargetPosition;
use super::check::Checked;
use crate::PhotometryError as Error;
use crate::sphere::{ARCSECOND, Tangent, mean};
use crate::statistics::median;

/// A source that other frames have within this is one that stands still, in degrees; and a target that moves by less is not
/// told from one.
const STILL: f64 = 1.5 * ARCSECOND;

/// In how many frames a source that stands still is looked for at most.
const STILL_IN: usize = 3;

/// Frames and sources that a better track needs.
const LEAST_PICKS: usize = 3;

/// Sources farther from the track than this many deviations are others.
const SIGMAS: f64 = 3.0;
const CLIPS: usize = 3;

/// The deviation is taken for this at least, in degrees.
const LEAST_DEVIATION: f64 = ARCSECOND;

/// A track that is longer than this must not be made of sources that lie nearer together, in degrees.
const LEAST_SPAN: f64 = 2.0 * ARCSECOND;

/// A place in the tangent plane at a time.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Sample {
    time: f64,
    point: [f64; 2],
}

/// A polynomial in time for each axis of a tangent plane.
#[derive(Debug, Clone, PartialEq)]
struct Track {
    plane: Tangent,
    epoch: f64,
    /// The unit of time, so that powers of it stay near 1, in days.
    unit: f64,
    axes: [[f64; 3]; 2],
}

impl Track {
    /// Through samples at two or more times: a straight line through two, else a parabola.
    fn through(plane: &Tangent, samples: &[Sample]) -> Option<Self> {
        let epoch = crate::statistics::mean(&samples.iter().map(|sample| sample.time).collect::<Vec<_>>());
        let unit = samples.iter().map(|sample| (sample.time - epoch).abs()).fold(0.0, f64::max);
        if !(unit > 0.0 && unit.is_finite()) {
            return None;
        }
        let mut times: Vec<f64> = samples.iter().map(|sample| sample.time).collect();
        times.sort_by(f64::total_cmp);
        times.dedup();
        let terms = times.len().min(3);
        let axis = |axis: usize| {
            let points = samples.iter().map(|sample| ((sample.time - epoch) / unit, sample.point[axis]));
            polynomial(points, terms)
        };
        Some(Self { plane: plane.clone(), epoch, unit, axes: [axis(0)?, axis(1)?] })
    }

    fn point(&self, time: f64) -> [f64; 2] {
        let time = (time - self.epoch) / self.unit;
        self.axes.map(|[level, slope, bend]| level + time * (slope + time * bend))
    }

    fn position(&self, time: f64) -> SkyPosition {
        self.plane.position(self.point(time))
    }
}

/// The polynomial of `terms` (up to three) of least squares, by its normal equations.
fn polynomial(points: impl Iterator<Item = (f64, f64)>, terms: usize) -> Option<[f64; 3]> {
    let mut matrix = [[0.0; 4]; 3];
    for (x, y) in points {
        let powers = [1.0, x, x * x];
        for (row, power) in matrix.iter_mut().zip(powers) {
            let values = [powers[0], powers[1], powers[2], y];
            row.iter_mut().zip(values).for_each(|(sum, value)| *sum += power * value);
        }
    }
    // Terms that are not fitted are held at zero.
    for unused in terms..3 {
        matrix[unused] = [0.0; 4];
        matrix.iter_mut().for_each(|row| row[unused] = 0.0);
        matrix[unused][unused] = 1.0;
    }
    for pivot in 0..3 {
        let best = (pivot..3).max_by(|&a, &b| matrix[a][pivot].abs().total_cmp(&matrix[b][pivot].abs()))?;
        matrix.swap(pivot, best);
        if matrix[pivot][pivot].abs() < 1e-12 {
            return None;
        }
        let upper = matrix[pivot];
        for (_, row) in matrix.iter_mut().enumerate().filter(|(index, _)| *index != pivot) {
            let factor = row[pivot] / upper[pivot];
            row.iter_mut().zip(upper).for_each(|(value, above)| *value -= factor * above);
        }
    }
    Some([0, 1, 2].map(|term| matrix[term][3] / matrix[term][term]))
}

/// The target's place in each frame. Where the tables do not help, that of the track through the given places, with a note.
pub(super) fn follow(
    frames: &[Checked],
    positions: &[TargetPosition],
    search_radius: f64,
    notes: &mut Vec<String>,
) -> Result<Vec<SkyPosition>, Error> {
    let refused = || Error::request("target_positions received invalid input: they make no track".to_owned());
    let centre = mean(positions.iter().map(|position| position.sky())).ok_or_else(refused)?;
    let plane = Tangent::at(centre);
    let mut given: Vec<Sample> = positions
        .iter()
        .filter_map(|position| Some(Sample { time: position.mjd?, point: plane.point(position.sky())? }))
        .collect();
    given.sort_by(|a, b| a.time.total_cmp(&b.time));
    given.dedup_by(|later, earlier| later.time == earlier.time);
    let predicted = Track::through(&plane, &given).ok_or_else(refused)?;
    let track = match refined(frames, &predicted, &given, search_radius * ARCSECOND) {
        Ok((track, picks)) => {
            notes.push(format!("The track was made better by the target's place in {picks} source tables."));
            track
        }
        Err(reason) => {
            notes.push(format!("The track is that of the given positions alone: {reason}."));
            predicted
        }
    };
    Ok(frames.iter().map(|frame| track.position(frame.middle)).collect())
}

/// The track through the given places and what the tables have near it, and how many tables that is.
fn refined(
    frames: &[Checked],
    predicted: &Track,
    given: &[Sample],
    search_radius: f64,
) -> Result<(Track, usize), String> {
    if frames.len() < LEAST_PICKS {
        return Err(format!("{} frames are too few to make it better", frames.len()));
    }
    let mut picks: Vec<Sample> = (0..frames.len())
        .filter_map(|frame| {
            let position = pick(frames, frame, predicted, search_radius)?;
            Some(Sample { time: frames[frame].middle, point: predicted.plane.point(position)? })
        })
        .collect();
    let few =
        |count: usize| format!("the source tables of {count} frames have the target, and {LEAST_PICKS} are needed");
    if picks.len() < LEAST_PICKS {
        return Err(few(picks.len()));
    }
    let fitted = |picks: &[Sample]| {
        let all: Vec<Sample> = picks.iter().chain(given).copied().collect();
        Track::through(&predicted.plane, &all).ok_or_else(|| "the sources near it make no track".to_owned())
    };
    for _ in 0..CLIPS {
        let track = fitted(&picks)?;
        let off = |pick: &Sample| distance(track.point(pick.time), pick.point);
        let limit = SIGMAS * (1.4826 * median(picks.iter().map(off))).max(LEAST_DEVIATION);
        let before = picks.len();
        picks.retain(|pick| off(pick) <= limit);
        if picks.len() < LEAST_PICKS {
            return Err(few(picks.len()));
        }
        if picks.len() == before {
            break;
        }
    }
    let moves = span(frames.iter().map(|frame| predicted.point(frame.middle)));
    if moves >= LEAST_SPAN && span(picks.iter().map(|pick| pick.point)) < LEAST_SPAN {
        return Err("the sources near it do not move as it should".to_owned());
    }
    Ok((fitted(&picks)?, picks.len()))
}

fn distance([a, b]: [f64; 2], [c, d]: [f64; 2]) -> f64 {
    (a - c).hypot(b - d)
}

/// The diagonal of the box around some points, in degrees.
fn span(points: impl Iterator<Item = [f64; 2]>) -> f64 {
    let none = [[f64::INFINITY, f64::NEG_INFINITY]; 2];
    let sides = points.fold(none, |sides, point| {
        [0, 1].map(|axis: usize| [sides[axis][0].min(point[axis]), sides[axis][1].max(point[axis])])
    });
    (sides[0][1] - sides[0][0]).hypot(sides[1][1] - sides[1][0])
}

/// The source of a frame's table that is nearest to the track and does not stand still.
fn pick(frames: &[Checked], frame: usize, track: &Track, search_radius: f64) -> Option<SkyPosition> {
    let here = track.position(frames[frame].middle);
    let mut near: Vec<(f64, SkyPosition)> = frames[frame]
        .sources
        .iter()
        .filter(|source| (source.position.declination - here.declination).abs() <= search_radius)
        .map(|source| (source.position.separation(here), source.position))
        .filter(|(distance, _)| *distance <= search_radius)
        .collect();
    near.sort_by(|a, b| a.0.total_cmp(&b.0));
    near.into_iter().map(|(_, position)| position).find(|position| !is_still(frames, frame, *position, track))
}

/// Whether frames in which the target should be elsewhere have a source at this place.
fn is_still(frames: &[Checked], frame: usize, position: SkyPosition, track: &Track) -> bool {
    let is_away = |other: &&Checked| track.position(other.middle).separation(position) > STILL;
    let others = frames.iter().enumerate().filter(|(index, _)| *index != frame).map(|(_, other)| other);
    let away: Vec<&Checked> = others.filter(is_away).collect();
    if away.len() < 2 {
        return false;
    }
    let has = |other: &&&Checked| {
        other.sources.iter().any(|source| {
            (source.position.declination - position.declination).abs() <= STILL
                && source.position.separation(position) <= STILL
        })
    };
    away.iter().filter(has).take(STILL_IN).count() >= away.len().min(STILL_IN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_goes_through_two_places_and_a_parabola_through_three() {
        let points = |values: &'static [(f64, f64)]| values.iter().copied();
        let near = |found: Option<[f64; 3]>, expected: [f64; 3]| {
            let found = found.unwrap();
            assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-9), "{found:?}");
        };
        near(polynomial(points(&[(-1.0, 1.0), (1.0, 5.0)]), 2), [3.0, 2.0, 0.0]);
        near(polynomial(points(&[(-1.0, 2.0), (0.0, 1.0), (1.0, 4.0)]), 3), [1.0, 1.0, 2.0]);
        assert_eq!(polynomial(points(&[(0.0, 1.0), (0.0, 2.0)]), 2), None);
    }

    #[test]
    fn a_track_leads_through_its_samples_in_days_of_any_size() {
        let plane = Tangent::at(SkyPosition { right_ascension: 150.0, declination: 2.0 });
        let sample = |time: f64| Sample { time, point: [0.01 * (time - 61_164.0), 0.002 * (time - 61_164.0).powi(2)] };
        let samples = [61_164.0, 61_164.1, 61_164.3, 61_164.9].map(sample);
        let track = Track::through(&plane, &samples).unwrap();
        for sample in samples {
            assert!(distance(track.point(sample.time), sample.point) < 1e-12);
        }
        assert_eq!(Track::through(&plane, &samples[..1]), None);
        let line = Track::through(&plane, &samples[..2]).unwrap();
        assert!(line.axes.iter().all(|axis| axis[2] == 0.0));
    }
}
