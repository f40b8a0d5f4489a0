//! Areas on the sky: whether one holds a position, and whether two meet.
//!
//! Positions are unit vectors and the sides of an area are great circles, so nothing happens at 0 or 180 degrees of right
//! ascension, and nothing at the poles. An area is less than a hemisphere.

/// Degrees by which limits are widened, so that rounding excludes nothing.
const MARGIN: f64 = 1e-9;

/// Most corners of an area.
const MOST_CORNERS: usize = 1_000;

type Vector = [f64; 3];

/// A position on the sky.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    direction: Vector,
}

/// An area on the sky.
#[derive(Debug, Clone, PartialEq)]
pub struct Region {
    /// The corners in their order, the first not repeated.
    corners: Vec<Vector>,
    centre: Vector,
    /// The greatest angle between the centre and a corner, in radians.
    radius: f64,
}

/// What encloses an area: limits in degrees. `west` is within -180 to 180, and `east` is greater.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Limits {
    pub(crate) west: f64,
    pub(crate) east: f64,
    pub(crate) south: f64,
    pub(crate) north: f64,
}

impl Point {
    /// The position at a right ascension and declination in degrees, if there is one; right ascensions may be some turns off.
    pub fn new(right_ascension: f64, declination: f64) -> Option<Self> {
        let sound = right_ascension.abs() <= 720.0 && declination.abs() <= 90.0;
        sound.then(|| Self { direction: direction(right_ascension, declination) })
    }

    /// Reads `POINT(RA DEC)`, in degrees.
    pub fn from_text(text: &str) -> Option<Self> {
        let inside = tagged(text, "POINT")?;
        let [right_ascension, declination] = pair(inside)?;
        Self::new(right_ascension, declination)
    }

    /// Right ascension, from -180 on, and declination, in degrees.
    pub(crate) fn degrees(&self) -> [f64; 2] {
        degrees(self.direction)
    }
}

impl Region {
    /// The area within a ring of right ascensions and declinations in degrees, closed or not. Nothing if it has fewer than
    /// three corners, or reaches beyond a hemisphere.
    pub fn of_ring(ring: &[[f64; 2]]) -> Option<Self> {
        let points: Option<Vec<Point>> = ring.iter().map(|[ra, dec]| Point::new(*ra, *dec)).collect();
        let mut corners: Vec<Vector> = points?.into_iter().map(|point| point.direction).collect();
        corners.dedup_by(|one, other| angle(*one, *other) < 1e-12);
        if corners.len() > 1
            && corners.first().zip(corners.last()).is_some_and(|(one, other)| angle(*one, *other) < 1e-12)
        {
            corners.pop();
        }
        if !(3..=MOST_CORNERS).contains(&corners.len()) {
            return None;
        }
        let centre = unit(corners.iter().fold([0.0; 3], |sum, corner| add(sum, *corner)))?;
        let radius = corners.iter().map(|corner| angle(centre, *corner)).fold(0.0, f64::max);
        (radius < std::f64::consts::FRAC_PI_2 - 1e-6).then_some(Self { corners, centre, radius })
    }

    /// Reads `POLYGON((RA DEC, RA DEC, ..))`, in degrees. Holes are not understood.
    pub fn from_text(text: &str) -> Option<Self> {
        let inside = tagged(text, "POLYGON")?.trim();
        let ring = inside.strip_prefix('(')?.strip_suffix(')')?;
        if ring.contains(['(', ')']) {
            return None;
        }
        let pairs: Option<Vec<[f64; 2]>> = ring.split(',').take(MOST_CORNERS + 2).map(pair).collect();
        Self::of_ring(&pairs?)
    }

    /// Whether it holds a position.
    pub fn covers(&self, point: Point) -> bool {
        let point = point.direction;
        if dot(self.centre, point) <= 0.0 {
            return false;
        }
        // Seen from within, the sides go once around; seen from without, they come back.
        let turned: f64 = self.sides().map(|(from, to)| turn(point, from, to)).sum();
        turned.abs() > std::f64::consts::PI || self.corners.iter().any(|corner| angle(*corner, point) < 1e-12)
    }

    /// Whether it and another have a position in common.
    pub fn intersects(&self, other: &Self) -> bool {
        if angle(self.centre, other.centre) > self.radius + other.radius + 1e-9 {
            return false;
        }
        let holds_one =
            |one: &Self, of: &Self| of.corners.iter().any(|corner| one.covers(Point { direction: *corner }));
        holds_one(self, other)
            || holds_one(other, self)
            || self.sides().any(|(a, b)| other.sides().any(|(c, d)| cross_each_other(a, b, c, d)))
    }

    /// The direction that its corners have in the mean.
    pub(crate) fn centre(&self) -> Point {
        Point { direction: self.centre }
    }

    /// The limits that enclose it.
    pub(crate) fn limits(&self) -> Limits {
        let (mut west, mut east) = (f64::INFINITY, f64::NEG_INFINITY);
        let (mut south, mut north) = (f64::INFINITY, f64::NEG_INFINITY);
        let mut previous: Option<f64> = None;
        for (corner, next) in self.sides() {
            let [right_ascension, declination] = degrees(corner);
            // Without a jump from corner to corner.
            let here = previous.map_or(right_ascension, |before| before + half_turn(right_ascension - before));
            previous = Some(here);
            (west, east) = (west.min(here), east.max(here));
            let (lowest, highest) = extremes(corner, next);
            (south, north) = (south.min(declination).min(lowest), north.max(declination).max(highest));
        }
        if self.covers(Point { direction: [0.0, 0.0, 1.0] }) {
            (west, east, north) = (-180.0, 180.0, 90.0);
        }
        if self.covers(Point { direction: [0.0, 0.0, -1.0] }) {
            (west, east, south) = (-180.0, 180.0, -90.0);
        }
        let shift = 360.0 * ((west + 180.0) / 360.0).floor();
        Limits {
            west: west - shift - MARGIN,
            east: east - shift + MARGIN,
            south: south - MARGIN,
            north: north + MARGIN,
        }
    }

    fn sides(&self) -> impl Iterator<Item = (Vector, Vector)> + '_ {
        let next = self.corners.iter().cycle().skip(1);
        self.corners.iter().copied().zip(next.copied())
    }
}

/// The inside of `TAG(...)`.
fn tagged<'t>(text: &'t str, tag: &str) -> Option<&'t str> {
    let text = text.trim();
    let start = text.get(..tag.len()).filter(|start| start.eq_ignore_ascii_case(tag))?;
    text.get(start.len()..)?.trim_start().strip_prefix('(')?.strip_suffix(')')
}

fn pair(text: &str) -> Option<[f64; 2]> {
    let mut words = text.split_ascii_whitespace().map(str::parse::<f64>);
    match (words.next()?.ok()?, words.next()?.ok()?, words.next()) {
        (one, other, None) if one.is_finite() && other.is_finite() => Some([one, other]),
        _ => None,
    }
}

fn direction(right_ascension: f64, declination: f64) -> Vector {
    let ((ra_sine, ra_cosine), (sine, cosine)) =
        (right_ascension.to_radians().sin_cos(), declination.to_radians().sin_cos());
    [cosine * ra_cosine, cosine * ra_sine, sine]
}

fn degrees([x, y, z]: Vector) -> [f64; 2] {
    [y.atan2(x).to_degrees(), z.atan2(x.hypot(y)).to_degrees()]
}

/// An angle within half a turn of zero, in degrees.
fn half_turn(angle: f64) -> f64 {
    angle - 360.0 * (angle / 360.0).round()
}

fn add(a: Vector, b: Vector) -> Vector {
    [a[0] + b[0], a[1] + b[1], a[2] + b[2]]
}

fn scale(a: Vector, factor: f64) -> Vector {
    a.map(|part| part * factor)
}

fn dot(a: Vector, b: Vector) -> f64 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

fn cross(a: Vector, b: Vector) -> Vector {
    [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]
}

fn length(a: Vector) -> f64 {
    dot(a, a).sqrt()
}

fn unit(a: Vector) -> Option<Vector> {
    let length = length(a);
    (length > 1e-12).then(|| scale(a, 1.0 / length))
}

/// The angle between two directions in radians, exact for small ones too.
fn angle(a: Vector, b: Vector) -> f64 {
    length(cross(a, b)).atan2(dot(a, b))
}

/// By how much one turns, standing at `point`, to look from `from` to `to`, in radians.
fn turn(point: Vector, from: Vector, to: Vector) -> f64 {
    let seen = |target: Vector| add(target, scale(point, -dot(target, point)));
    let (from, to) = (seen(from), seen(to));
    dot(point, cross(from, to)).atan2(dot(from, to))
}

/// Whether a direction of the great circle through `a` and `b` lies between them.
fn is_between(p: Vector, a: Vector, b: Vector, pole: Vector) -> bool {
    dot(cross(pole, a), p) >= 0.0 && dot(cross(b, pole), p) >= 0.0
}

fn cross_each_other(a: Vector, b: Vector, c: Vector, d: Vector) -> bool {
    let (Some(one), Some(other)) = (unit(cross(a, b)), unit(cross(c, d))) else { return false };
    // Two circles meet in two directions, opposite to each other; one and the same circle meets itself everywhere.
    let Some(meeting) = unit(cross(one, other)) else { return false };
    [meeting, scale(meeting, -1.0)].iter().any(|p| is_between(*p, a, b, one) && is_between(*p, c, d, other))
}

/// The lowest and highest declination on the side from `a` to `b`, in degrees.
fn extremes(a: Vector, b: Vector) -> (f64, f64) {
    let ends = [degrees(a)[1], degrees(b)[1]];
    let (mut lowest, mut highest) = (ends[0].min(ends[1]), ends[0].max(ends[1]));
    if let Some(pole) = unit(cross(a, b))
        && let Some(top) = unit(add([0.0, 0.0, 1.0], scale(pole, -pole[2])))
    {
        if is_between(top, a, b, pole) {
            highest = degrees(top)[1];
        }
        if is_between(scale(top, -1.0), a, b, pole) {
            lowest = -degrees(top)[1];
        }
    }
    (lowest, highest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn region(ring: &[[f64; 2]]) -> Region {
        Region::of_ring(ring).unwrap()
    }

    /// A square around a position, by its corners.
    fn square(right_ascension: f64, declination: f64, half: f64) -> Region {
        let (west, east) = (right_ascension - half, right_ascension + half);
        let (south, north) = (declination - half, declination + half);
        region(&[[west, south], [east, south], [east, north], [west, north], [west, south]])
    }

    fn point(right_ascension: f64, declination: f64) -> Point {
        Point::new(right_ascension, declination).unwrap()
    }

    #[test]
    fn an_area_holds_what_is_within_wherever_on_the_sky() {
        for (ra, dec) in [(10.0, 20.0), (0.0, 0.0), (180.0, -45.0), (-179.9, 60.0), (359.95, -80.0)] {
            let area = square(ra, dec, 0.5);
            assert!(area.covers(point(half_turn(ra), dec)), "{ra} {dec}");
            assert!(area.covers(point(half_turn(ra + 0.4), dec + 0.4)), "{ra} {dec}");
            for (east, north) in [(0.6, 0.0), (0.0, 0.6), (-0.6, -0.6), (180.0, 0.0)] {
                assert!(!area.covers(point(half_turn(ra + east), dec + north)), "{ra} {dec} {east} {north}");
            }
        }
    }

    #[test]
    fn the_direction_of_the_corners_does_not_matter() {
        let ring = [[0.0, 0.0], [2.0, 0.0], [2.0, 2.0], [0.0, 2.0]];
        let mut back = ring;
        back.reverse();
        for ring in [ring, back] {
            assert!(region(&ring).covers(point(1.0, 1.0)) && !region(&ring).covers(point(3.0, 1.0)));
        }
    }

    #[test]
    fn an_area_may_hold_a_pole() {
        let cap = region(&[[0.0, 80.0], [90.0, 80.0], [180.0, 80.0], [270.0, 80.0]]);
        assert!(cap.covers(point(45.0, 89.0)) && cap.covers(point(123.0, 90.0)) && !cap.covers(point(45.0, 70.0)));
        let limits = cap.limits();
        assert!(limits.north >= 90.0 && limits.east - limits.west >= 360.0, "{limits:?}");
    }

    #[test]
    fn areas_meet_where_they_overlap_where_one_holds_the_other_and_where_they_cross() {
        let area = square(0.0, 10.0, 1.0);
        assert!(area.intersects(&square(1.5, 10.0, 1.0)));
        assert!(area.intersects(&square(0.0, 10.0, 0.1)) && square(0.0, 10.0, 0.1).intersects(&area));
        let bar = region(&[[-5.0, 9.9], [5.0, 9.9], [5.0, 10.1], [-5.0, 10.1]]);
        let post = region(&[[-0.1, 5.0], [0.1, 5.0], [0.1, 15.0], [-0.1, 15.0]]);
        assert!(bar.intersects(&post), "a cross has no corner of one within the other");
        assert!(!area.intersects(&square(3.0, 10.0, 0.9)) && !area.intersects(&square(180.0, -10.0, 1.0)));
    }

    #[test]
    fn limits_enclose_the_sides_too_and_do_not_jump() {
        let limits = square(179.9, 0.0, 0.5).limits();
        assert!((limits.west - 179.4).abs() < 1e-6 && (limits.east - 180.4).abs() < 1e-6, "{limits:?}");
        let limits = square(-180.2, 0.0, 0.1).limits();
        assert!((limits.west - 179.7).abs() < 1e-6 && (limits.east - 179.9).abs() < 1e-6, "{limits:?}");
        // A side along a parallel bulges towards the pole.
        assert!(region(&[[0.0, 50.0], [60.0, 50.0], [30.0, 40.0]]).limits().north > 53.0);
    }

    #[test]
    fn what_is_written_is_read() {
        assert_eq!(Point::from_text("POINT(266.76 -34.19)"), Point::new(266.76, -34.19));
        assert_eq!(Point::from_text(" point ( 1e1   2 ) "), Point::new(10.0, 2.0));
        for text in
            ["POINT(oops)", "POINT(1)", "POINT(1 2 3)", "POINT(1 91)", "POINT(nan 1)", "POINT(1 2", "1 2", "é", ""]
        {
            assert_eq!(Point::from_text(text), None, "{text}");
        }
        let area = Region::from_text("POLYGON((270 -29.1,270.7 -29.1,270.7 -28.8,270 -28.8,270 -29.1))").unwrap();
        assert!(area.covers(point(-89.5, -29.0)));
        for text in [
            "POLYGON((0 0,1 1))",
            "POLYGON(0 0,1 1,2 0)",
            "POLYGON((0 0,1 1,2 0),(0 0,1 0,1 1))",
            "POLYGON((0 0,120 0,240 0))",
        ] {
            assert_eq!(Region::from_text(text), None, "{text}");
        }
    }
}
