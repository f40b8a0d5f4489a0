//! Directions on the sky as vectors: means, the tangent plane, and sources found by their place.

use std::collections::HashMap;

use holotype_fits::wcs::SkyPosition;

/// Degrees in an arcsecond.
pub(crate) const ARCSECOND: f64 = 1.0 / 3600.0;

/// A vector of any length.
pub(crate) type Vector = [f64; 3];

/// The unit vector that points to a position.
pub(crate) fn direction(position: SkyPosition) -> Vector {
    let (sin_ra, cos_ra) = position.right_ascension.to_radians().sin_cos();
    let (sin_dec, cos_dec) = position.declination.to_radians().sin_cos();
    [cos_dec * cos_ra, cos_dec * sin_ra, sin_dec]
}

/// The position that a vector points to.
pub(crate) fn towards([x, y, z]: Vector) -> SkyPosition {
    let right_ascension = y.atan2(x).to_degrees();
    SkyPosition {
        right_ascension: if right_ascension < 0.0 { right_ascension + 360.0 } else { right_ascension },
        declination: z.atan2(x.hypot(y)).to_degrees(),
    }
}

pub(crate) fn add(a: Vector, b: Vector) -> Vector {
    [a[0] + b[0], a[1] + b[1], a[2] + b[2]]
}

fn dot(a: Vector, b: Vector) -> f64 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

/// The mean direction of positions; nothing for none.
pub(crate) fn mean(positions: impl IntoIterator<Item = SkyPosition>) -> Option<SkyPosition> {
    let sum = positions.into_iter().map(direction).reduce(add)?;
    Some(towards(sum))
}

/// The plane that touches the sphere at a position (Calabretta and Greisen 2002, A&A 395, 1077, section 5.1.3).
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Tangent {
    centre: Vector,
    east: Vector,
    north: Vector,
}

impl Tangent {
    pub(crate) fn at(position: SkyPosition) -> Self {
        let (sin_ra, cos_ra) = position.right_ascension.to_radians().sin_cos();
        let (sin_dec, cos_dec) = position.declination.to_radians().sin_cos();
        Self {
            centre: direction(position),
            east: [-sin_ra, cos_ra, 0.0],
            north: [-sin_dec * cos_ra, -sin_dec * sin_ra, cos_dec],
        }
    }

    /// Degrees east and north; nothing for what lies a quarter of the sky away.
    pub(crate) fn point(&self, position: SkyPosition) -> Option<[f64; 2]> {
        let direction = direction(position);
        let depth = dot(direction, self.centre);
        (depth > 1e-6).then(|| [self.east, self.north].map(|axis| (dot(direction, axis) / depth).to_degrees()))
    }

    pub(crate) fn position(&self, [east, north]: [f64; 2]) -> SkyPosition {
        let (east, north) = (east.to_radians(), north.to_radians());
        towards([0, 1, 2].map(|axis| self.centre[axis] + east * self.east[axis] + north * self.north[axis]))
    }
}

/// Sources by their place, for those within a fixed distance of a position. Directions are sorted into cubes whose sides are
/// that distance: a sphere around one reaches into its own and the 26 around it, at the poles as anywhere.
#[derive(Debug)]
pub(crate) struct SkyIndex {
    /// The distance in degrees.
    radius: f64,
    side: f64,
    cubes: HashMap<[i32; 3], Vec<(usize, SkyPosition)>>,
}

impl SkyIndex {
    /// An index for sources within `radius` degrees.
    pub(crate) fn new(radius: f64) -> Self {
        // A chord is shorter than its arc. The side is bounded, so that a cube's number fits its type.
        Self { radius, side: radius.to_radians().max(1e-8), cubes: HashMap::new() }
    }

    fn cube(&self, position: SkyPosition) -> [i32; 3] {
        direction(position).map(|part| (part / self.side).floor() as i32)
    }

    pub(crate) fn insert(&mut self, source: usize, position: SkyPosition) {
        let cube = self.cube(position);
        self.cubes.entry(cube).or_default().push((source, position));
    }

    /// Moves a source that was inserted at `from`.
    pub(crate) fn move_to(&mut self, source: usize, from: SkyPosition, to: SkyPosition) {
        let cube = self.cube(from);
        if let Some(held) = self.cubes.get_mut(&cube) {
            held.retain(|(other, _)| *other != source);
        }
        self.insert(source, to);
    }

    /// The sources within the distance of a position, with their distances in degrees.
    pub(crate) fn within(&self, position: SkyPosition) -> Vec<(usize, f64)> {
        let [x, y, z] = self.cube(position);
        let mut found = Vec::new();
        for (dx, dy, dz) in (0..27).map(|k| (k % 3 - 1, k / 3 % 3 - 1, k / 9 - 1)) {
            let Some(held) = self.cubes.get(&[x + dx, y + dy, z + dz]) else { continue };
            let distances = held.iter().map(|&(source, other)| (source, position.separation(other)));
            found.extend(distances.filter(|(_, distance)| *distance <= self.radius));
        }
        found
    }

    /// The nearest source within the distance that `wanted` says yes to; of equally near ones the first.
    pub(crate) fn nearest(&self, position: SkyPosition, wanted: impl Fn(usize) -> bool) -> Option<(usize, f64)> {
        let within = self.within(position).into_iter().filter(|(source, _)| wanted(*source));
        within.min_by(|a, b| a.1.total_cmp(&b.1).then(a.0.cmp(&b.0)))
    }
}

/// The distance of each position to its nearest other, in degrees; infinite for a single one.
pub(crate) fn isolations(positions: &[SkyPosition]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..positions.len()).collect();
    order.sort_by(|&a, &b| positions[a].declination.total_cmp(&positions[b].declination));
    let mut isolations = vec![f64::INFINITY; positions.len()];
    for (place, &source) in order.iter().enumerate() {
        let nearest = &mut isolations[source];
        let mut look = |other: usize| {
            // From here on the declinations alone are farther apart than the nearest.
            if (positions[other].declination - positions[source].declination).abs() > *nearest {
                return false;
            }
            *nearest = nearest.min(positions[source].separation(positions[other]));
            true
        };
        let _ = order[place + 1..].iter().all(|&other| look(other));
        let _ = order[..place].iter().rev().all(|&other| look(other));
    }
    isolations
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(right_ascension: f64, declination: f64) -> SkyPosition {
        SkyPosition { right_ascension, declination }
    }

    proptest! {
        #[test]
        fn the_index_finds_what_a_walk_over_all_finds(
            places in prop::collection::vec((0.0..0.02_f64, -0.01..0.01_f64), 1..60),
            pole in any::<bool>(),
        ) {
            // Around the crossing of the equator with 0 hours, or around the pole.
            let place = |(a, b): (f64, f64)| if pole { at(a * 18_000.0, 89.99 + b) } else { at((359.99 + a) % 360.0, b) };
            let positions: Vec<_> = places.into_iter().map(place).collect();
            let mut index = SkyIndex::new(0.003);
            positions.iter().enumerate().for_each(|(source, &position)| index.insert(source, position));
            let mut found = index.within(positions[0]);
            found.sort_by_key(|(source, _)| *source);
            let walk = positions.iter().map(|it| it.separation(positions[0])).enumerate();
            prop_assert_eq!(found, walk.filter(|(_, distance)| *distance <= 0.003).collect::<Vec<_>>());
            let isolations = isolations(&positions);
            let others = |source: usize| positions.iter().enumerate().filter(move |(other, _)| *other != source);
            for (source, position) in positions.iter().enumerate() {
                let nearest = others(source).map(|(_, it)| it.separation(*position)).fold(f64::INFINITY, f64::min);
                prop_assert_eq!(isolations[source], nearest);
            }
        }
    }

    #[test]
    fn a_source_that_moves_is_found_where_it_went() {
        let mut index = SkyIndex::new(0.001);
        index.insert(3, at(10.0, 0.0));
        index.move_to(3, at(10.0, 0.0), at(10.01, 0.0));
        assert_eq!(index.nearest(at(10.0, 0.0), |_| true), None);
        assert_eq!(index.nearest(at(10.01, 0.0), |_| true), Some((3, 0.0)));
        assert_eq!(index.nearest(at(10.01, 0.0), |source| source != 3), None);
    }

    #[test]
    fn the_tangent_plane_leads_there_and_back() {
        let plane = Tangent::at(at(359.9, 60.0));
        let point = plane.point(at(0.1, 60.0)).unwrap();
        assert!((point[0] - 0.1).abs() < 1e-3 && plane.position(point).separation(at(0.1, 60.0)) < 1e-12);
        assert_eq!(plane.point(at(179.9, -60.0)), None);
        assert!(mean([at(359.0, 10.0), at(1.0, 10.0)]).unwrap().separation(at(0.0, 10.0)) < 0.01);
    }
}
