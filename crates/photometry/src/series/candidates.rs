//! Stars that may serve for comparison: sources of the frames' tables that are the same one on the sky.

use holotype_fits::wcs::SkyPosition;

use super::check::{Checked, Source};
use super::target::Aimed;
use super::{Parameters, band};
use crate::overlap::Point;
use crate::sphere::{ARCSECOND, SkyIndex, Vector, add, direction, isolations, towards};
use crate::statistics::median;
use crate::{PhotometryError as Error, Progress};

/// Sources of two frames that are nearer than this are one star, in degrees.
const SAME: f64 = 2.5 * ARCSECOND;

/// A ring that comes nearer to the edge of the image than this, in pixels, is cut by it.
const MARGIN: f64 = 2.0;

/// In how many of the frames a star must be for a target that stands still.
const COVERAGE: f64 = 0.8;

/// How many stars are measured in all frames together at most, and how many at least whatever their number.
const MOST_MEASUREMENTS: usize = 200_000;
const LEAST_POOL: usize = 50;

/// A star that may serve for comparison.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Candidate {
    pub(super) id: String,
    pub(super) position: SkyPosition,
    /// The median of the tables' magnitudes.
    pub(super) magnitude: f64,
    /// To the nearest other star, in degrees.
    pub(super) isolation: f64,
    /// In each frame: what the table says of its counts, if it has the star.
    pub(super) fluxes: Vec<Option<f64>>,
    /// How near to the target any of the tables has it, in pixels.
    pub(super) separation: f64,
}

impl Candidate {
    fn coverage(&self) -> usize {
        self.fluxes.iter().flatten().count()
    }
}

/// The stars that the tables of the frames have in common, best first if there are more than can be measured.
pub(super) fn find(frames: &[Aimed], parameters: &Parameters, progress: Progress) -> Result<Vec<Candidate>, Error> {
    let step = progress.step("Matching source tables", band::CANDIDATES[0], band::CANDIDATES[1], frames.len());
    let mut clusters = Clusters::new();
    for (index, aimed) in frames.iter().enumerate() {
        clusters.take_in(&eligible(index, aimed));
        step.advance()?;
    }
    let mut stars = clusters.merged(parameters.radii().aperture() * ARCSECOND);
    stars.sort_by(|a, b| {
        let (a, b) = (a.position(), b.position());
        a.right_ascension.total_cmp(&b.right_ascension).then(a.declination.total_cmp(&b.declination))
    });
    let positions: Vec<SkyPosition> = stars.iter().map(Cluster::position).collect();
    let isolations = isolations(&positions);
    let candidate = |(index, star): (usize, &Cluster)| Candidate {
        id: format!("cand-{:03}", index + 1),
        position: positions[index],
        magnitude: median(star.members.iter().map(|member| member.source.magnitude)),
        isolation: isolations[index],
        fluxes: star.fluxes(frames.len()),
        separation: star.members.iter().map(|member| member.separation).fold(f64::INFINITY, f64::min),
    };
    let needed = if parameters.place().moves() { 1 } else { (COVERAGE * frames.len() as f64).ceil().max(1.0) as usize };
    let mut candidates: Vec<Candidate> =
        stars.iter().enumerate().map(candidate).filter(|candidate| candidate.coverage() >= needed).collect();
    let most = (MOST_MEASUREMENTS / frames.len().max(1)).max(LEAST_POOL);
    if candidates.len() > most {
        candidates.sort_by(|a, b| {
            b.coverage().cmp(&a.coverage()).then(b.isolation.total_cmp(&a.isolation)).then_with(|| a.id.cmp(&b.id))
        });
        candidates.truncate(most);
    }
    Ok(candidates)
}

/// The sources of a frame whose rings are whole and hold neither the target nor the edge.
fn eligible(frame: usize, aimed: &Aimed) -> Vec<Member> {
    let Aimed { frame: checked, target } = aimed;
    let least = (2.0 * checked.aperture).max(checked.ring.outer);
    let target = checked.point(*target);
    let member = |&source: &Source| {
        let point = checked.point(source.position).filter(|point| is_whole(checked, *point))?;
        let separation = target.map_or(f64::INFINITY, |target| point.distance(target));
        (separation > least).then_some(Member { frame, source, separation })
    };
    checked.sources.iter().filter_map(member).collect()
}

fn is_whole(frame: &Checked, point: Point) -> bool {
    let within = |place: f64, length: usize| {
        place - frame.ring.outer >= MARGIN && place + frame.ring.outer <= length as f64 - MARGIN
    };
    within(point.x, frame.width) && within(point.y, frame.height)
}

/// Sources of several frames that are one star.
#[derive(Debug, Clone)]
struct Cluster {
    /// The sum of the directions of its members.
    sum: Vector,
    members: Vec<Member>,
}

/// A source of a frame's table.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Member {
    frame: usize,
    source: Source,
    /// From the target, in pixels; infinite where that is not in this part of the sky.
    separation: f64,
}

impl Cluster {
    fn position(&self) -> SkyPosition {
        towards(self.sum)
    }

    fn fluxes(&self, frames: usize) -> Vec<Option<f64>> {
        let mut fluxes = vec![None; frames];
        for member in &self.members {
            // Two sources that were merged have their light in one circle.
            let flux: &mut Option<f64> = &mut fluxes[member.frame];
            *flux = Some(flux.unwrap_or(0.0) + member.source.flux);
        }
        fluxes
    }
}

struct Clusters {
    clusters: Vec<Cluster>,
    index: SkyIndex,
}

impl Clusters {
    fn new() -> Self {
        Self { clusters: Vec::new(), index: SkyIndex::new(SAME) }
    }

    /// Each source of a frame joins the nearest star that this frame has not yet added to, or begins one.
    fn take_in(&mut self, members: &[Member]) {
        for &member in members {
            let position = member.source.position;
            let is_free =
                |star: usize| self.clusters[star].members.last().is_none_or(|last| last.frame != member.frame);
            match self.index.nearest(position, is_free) {
                Some((star, _)) => {
                    let cluster = &mut self.clusters[star];
                    let before = cluster.position();
                    cluster.sum = add(cluster.sum, direction(position));
                    cluster.members.push(member);
                    self.index.move_to(star, before, cluster.position());
                }
                None => {
                    let cluster = Cluster { sum: direction(position), members: vec![member] };
                    self.index.insert(self.clusters.len(), cluster.position());
                    self.clusters.push(cluster);
                }
            }
        }
    }

    /// The stars, those nearer to each other than `distance` degrees made one: a circle cannot hold one without the other.
    fn merged(self, distance: f64) -> Vec<Cluster> {
        let mut index = SkyIndex::new(distance);
        let mut groups = Groups::new(self.clusters.len());
        for (star, cluster) in self.clusters.iter().enumerate() {
            let position = cluster.position();
            index.within(position).into_iter().for_each(|(other, _)| groups.join(star, other));
            index.insert(star, position);
        }
        let mut merged: Vec<Option<Cluster>> = vec![None; self.clusters.len()];
        for (star, cluster) in self.clusters.into_iter().enumerate() {
            match &mut merged[groups.first(star)] {
                Some(whole) => {
                    whole.sum = add(whole.sum, cluster.sum);
                    whole.members.extend(cluster.members);
                }
                empty => *empty = Some(cluster),
            }
        }
        merged.into_iter().flatten().collect()
    }
}

/// Things that belong together, each group by its first one (a disjoint-set forest with path halving).
pub(super) struct Groups {
    parents: Vec<usize>,
}

impl Groups {
    pub(super) fn new(count: usize) -> Self {
        Self { parents: (0..count).collect() }
    }

    pub(super) fn first(&mut self, mut of: usize) -> usize {
        while self.parents[of] != of {
            self.parents[of] = self.parents[self.parents[of]];
            of = self.parents[of];
        }
        of
    }

    pub(super) fn join(&mut self, a: usize, b: usize) {
        let (a, b) = (self.first(a), self.first(b));
        self.parents[a.max(b)] = a.min(b);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(frame: usize, arcseconds: f64) -> Member {
        let position = SkyPosition { right_ascension: 10.0, declination: arcseconds * ARCSECOND };
        Member { frame, source: Source { position, magnitude: 15.0, flux: 100.0 }, separation: 50.0 }
    }

    #[test]
    fn sources_within_reach_are_one_star_and_each_frame_adds_one() {
        let mut clusters = Clusters::new();
        clusters.take_in(&[0.0, 2.0, 20.0].map(|it| member(0, it)));
        clusters.take_in(&[0.3, 2.2].map(|it| member(1, it)));
        let mut places: Vec<(i64, usize)> = clusters
            .clusters
            .iter()
            .map(|star| ((star.position().declination * 36_000.0).round() as i64, star.members.len()))
            .collect();
        places.sort_unstable();
        // In tenths of arcseconds: the mean of two sources each, and one that only the first frame has.
        assert_eq!(places, [(2, 2), (21, 2), (200, 1)]);
        let merged = clusters.merged(4.0 * ARCSECOND);
        assert_eq!(merged.len(), 2);
        assert_eq!(merged[0].fluxes(3), [Some(200.0), Some(200.0), None]);
    }

    #[test]
    fn groups_join_in_any_order() {
        let mut groups = Groups::new(5);
        groups.join(4, 3);
        groups.join(1, 2);
        groups.join(2, 4);
        assert_eq!([0, 1, 2, 3, 4].map(|of| groups.first(of)), [0, 1, 1, 1, 1]);
    }
}
