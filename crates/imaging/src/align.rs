//! Images laid over each other by their stars.
//!
//! Four stars make a quad, whose shape is told by four numbers that stay the same when the image is moved, turned or scaled: quads of
//! equal numbers in two images are probably the same stars (Lang et al. 2010, AJ 139, 1782). A quad tells how one image lies on the
//! other, and the other stars say whether that is true.

use rayon::prelude::*;

use crate::Raster;

/// A star in an image.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Star {
    /// Along the rows, in pixels.
    pub x: f64,
    /// Along the columns, in pixels.
    pub y: f64,
    /// How bright it is.
    pub flux: f64,
}

/// A shift, a turn and a change of scale: `x' = a x - b y + c`, `y' = b x + a y + d`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Similarity {
    /// The scale times the cosine of the turn.
    pub a: f64,
    /// The scale times the sine of the turn.
    pub b: f64,
    /// The shift along the rows.
    pub c: f64,
    /// The shift along the columns.
    pub d: f64,
}

impl Similarity {
    /// Where a point comes to lie.
    pub fn apply(&self, (x, y): (f64, f64)) -> (f64, f64) {
        (self.a * x - self.b * y + self.c, self.b * x + self.a * y + self.d)
    }

    /// The way back; nothing if all points come to lie on one.
    pub fn inverse(&self) -> Option<Self> {
        let square = self.a * self.a + self.b * self.b;
        let (a, b) = (self.a / square, -self.b / square);
        let found = Self { a, b, c: -(a * self.c - b * self.d), d: -(b * self.c + a * self.d) };
        [found.a, found.b, found.c, found.d].iter().all(|part| part.is_finite()).then_some(found)
    }

    /// The one that takes each of `from` nearest to its partner in `to`, by least squares; nothing if they are one point.
    fn fit(from: &[(f64, f64)], to: &[(f64, f64)]) -> Option<Self> {
        let count = from.len() as f64;
        let middle = |points: &[(f64, f64)]| {
            let (x, y) = points.iter().fold((0.0, 0.0), |sum, point| (sum.0 + point.0, sum.1 + point.1));
            (x / count, y / count)
        };
        let (centre, target) = (middle(from), middle(to));
        let (mut along, mut across, mut square) = (0.0, 0.0, 0.0);
        for (point, partner) in from.iter().zip(to) {
            let (x, y) = (point.0 - centre.0, point.1 - centre.1);
            let (u, v) = (partner.0 - target.0, partner.1 - target.1);
            along += x * u + y * v;
            across += x * v - y * u;
            square += x * x + y * y;
        }
        let (a, b) = (along / square, across / square);
        let found =
            Self { a, b, c: target.0 - (a * centre.0 - b * centre.1), d: target.1 - (b * centre.0 + a * centre.1) };
        [a, b, found.c, found.d].iter().all(|part| part.is_finite()).then_some(found)
    }
}

/// How one image lies on another.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Alignment {
    /// From the image to the other, the reference.
    pub similarity: Similarity,
    /// How many of its stars are stars of the reference.
    pub matched: usize,
}

/// The most stars of an image that are looked at, the brightest.
const STARS: usize = 500;

/// Quads are taken for the same if they are nearer than this.
const NEAR: f64 = 0.005;

/// How many of the nearest pairs of quads are tried.
const CANDIDATES: usize = 4;

/// Stars are taken for the same if they come to lie within this many pixels.
const REACH: f64 = 5.0;

/// How the image with the stars `unknown` lies on the one with the stars `reference`; nothing if their stars do not say so.
pub fn align(reference: &[Star], unknown: &[Star]) -> Option<Alignment> {
    let (reference, unknown) = (brightest(reference), brightest(unknown));
    let enough = (unknown.len() as f64 / 5.0).clamp(4.0, 8.0);
    let (mut here, mut there) = (Vec::new(), Vec::new());
    for level in LEVELS {
        add_quads(&reference, level, &mut there);
        add_quads(&unknown, level, &mut here);
        for similarity in candidates(&here, &there) {
            let (from, to) = matches(&reference, &unknown, &similarity);
            if from.len() as f64 >= enough
                && let Some(similarity) = Similarity::fit(&from, &to)
            {
                let matched = matches(&reference, &unknown, &similarity).0.len();
                return Some(Alignment { similarity, matched });
            }
        }
    }
    None
}

/// The brightest stars whose numbers are numbers, the brightest first.
fn brightest(stars: &[Star]) -> Vec<Star> {
    let finite = |star: &&Star| star.x.is_finite() && star.y.is_finite() && star.flux.is_finite();
    let mut stars: Vec<Star> = stars.iter().filter(finite).copied().collect();
    stars.sort_by(|first, second| second.flux.total_cmp(&first.flux));
    stars.truncate(STARS);
    stars
}

/// Which stars make quads.
#[derive(Clone, Copy)]
enum Level {
    /// So many of the brightest.
    Brightest(usize),
    /// So many of the brightest around each node of a grid of `nodes` by `nodes`, without the `skipped` brightest there.
    Around { nodes: usize, stars: usize, skipped: usize },
}

/// The next is tried where those before were not enough.
const LEVELS: [Level; 5] = [
    Level::Brightest(7),
    Level::Around { nodes: 3, stars: 5, skipped: 0 },
    Level::Around { nodes: 6, stars: 5, skipped: 0 },
    Level::Around { nodes: 12, stars: 5, skipped: 0 },
    Level::Around { nodes: 10, stars: 6, skipped: 3 },
];

/// Four stars: the two that are farthest from each other, and the shape of the whole.
#[derive(Debug, Clone, Copy)]
struct Quad {
    ends: [(f64, f64); 2],
    /// Where the other two lie if the ends are moved to (0, 0) and (1, 1).
    shape: [f64; 4],
}

/// Adds the quads of a level to those there are.
fn add_quads(stars: &[Star], level: Level, quads: &mut Vec<Quad>) {
    let span = |along: fn(&Star) -> f64| {
        let limits = |(low, high): (f64, f64), star: &Star| (low.min(along(star)), high.max(along(star)));
        stars.iter().fold((f64::INFINITY, f64::NEG_INFINITY), limits)
    };
    if stars.len() < 4 {
        return;
    }
    let ((left, right), (low, high)) = (span(|star| star.x), span(|star| star.y));
    let (width, height) = (right - left, high - low);
    let apart = (0.1 * width.min(height)).min(30.0);
    match level {
        Level::Brightest(count) => combine(&stars[..count.min(stars.len())], apart, quads),
        Level::Around { nodes, stars: count, skipped } => {
            let radius = 2.0 * width.max(height) / nodes as f64;
            let place = |index: usize, start: f64, span: f64| start + span * index as f64 / (nodes - 1) as f64;
            for node in 0..nodes * nodes {
                let (x, y) = (place(node / nodes, left, width), place(node % nodes, low, height));
                let near = stars.iter().filter(|star| (star.x - x).hypot(star.y - y) <= radius);
                let chosen: Vec<Star> = near.skip(skipped).take(count).copied().collect();
                combine(&chosen, apart, quads);
            }
        }
    }
    quads.sort_by(|first, second| {
        let pairs = first.shape.iter().zip(&second.shape);
        pairs.map(|(a, b)| a.total_cmp(b)).find(|order| order.is_ne()).unwrap_or(std::cmp::Ordering::Equal)
    });
    quads.dedup_by(|first, second| first.shape.iter().zip(&second.shape).all(|(a, b)| (a - b).abs() < 1e-6));
}

/// Adds the quads of all fours of stars that are all farther than `apart` from each other.
fn combine(stars: &[Star], apart: f64, quads: &mut Vec<Quad>) {
    let far = |a: &Star, b: &Star| (a.x - b.x).hypot(a.y - b.y) > apart;
    for (i, a) in stars.iter().enumerate() {
        for (j, b) in stars.iter().enumerate().skip(i + 1).filter(|(_, b)| far(a, b)) {
            for (k, c) in stars.iter().enumerate().skip(j + 1).filter(|(_, c)| far(a, c) && far(b, c)) {
                for d in stars[k + 1..].iter().filter(|d| far(a, d) && far(b, d) && far(c, d)) {
                    quads.extend(Quad::of([a, b, c, d].map(|star| (star.x, star.y))));
                }
            }
        }
    }
}

impl Quad {
    fn of(stars: [(f64, f64); 4]) -> Option<Self> {
        const PAIRS: [[usize; 4]; 6] =
            [[0, 1, 2, 3], [0, 2, 1, 3], [0, 3, 1, 2], [1, 2, 0, 3], [1, 3, 0, 2], [2, 3, 0, 1]];
        let length =
            |pair: &[usize; 4]| (stars[pair[0]].0 - stars[pair[1]].0).hypot(stars[pair[0]].1 - stars[pair[1]].1);
        let [first, second, c, d] = PAIRS.into_iter().max_by(|a, b| length(a).total_cmp(&length(b)))?;
        let mut ends = [stars[first], stars[second]];
        let square = Similarity::fit(&ends, &[(0.0, 0.0), (1.0, 1.0)])?;
        let (mut c, mut d) = (square.apply(stars[c]), square.apply(stars[d]));
        if c.0 + d.0 > 1.0 {
            // The other end first turns everything about the middle.
            ends.swap(0, 1);
            (c, d) = ((1.0 - c.0, 1.0 - c.1), (1.0 - d.0, 1.0 - d.1));
        }
        if c.0 > d.0 {
            (c, d) = (d, c);
        }
        Some(Self { ends, shape: [c.0, c.1, d.0, d.1] })
    }
}

/// What the nearest pairs of quads say, the nearest first: for each quad here its nearest one there.
fn candidates(here: &[Quad], there: &[Quad]) -> Vec<Similarity> {
    let distance = |first: &Quad, second: &Quad| -> f64 {
        first.shape.iter().zip(&second.shape).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt()
    };
    let nearest = |quad: &Quad| {
        let others = there.iter().map(|other| (distance(quad, other), *quad, *other));
        others.min_by(|first, second| first.0.total_cmp(&second.0))
    };
    let mut pairs: Vec<(f64, Quad, Quad)> = here.par_iter().filter_map(nearest).filter(|pair| pair.0 < NEAR).collect();
    pairs.sort_by(|first, second| first.0.total_cmp(&second.0));
    pairs.truncate(CANDIDATES);
    pairs.iter().filter_map(|(_, quad, other)| Similarity::fit(&quad.ends, &other.ends)).collect()
}

/// The places of stars, each beside that of the same star in another image.
type Pairs = (Vec<(f64, f64)>, Vec<(f64, f64)>);

/// The stars that come to lie on one of the reference, with that one. Where two of the reference are nearly as near, none is it.
fn matches(reference: &[Star], unknown: &[Star], similarity: &Similarity) -> Pairs {
    let (mut from, mut to) = (Vec::new(), Vec::new());
    for star in unknown {
        let (x, y) = similarity.apply((star.x, star.y));
        let (mut nearest, mut second, mut found) = (f64::INFINITY, f64::INFINITY, None);
        for other in reference {
            let distance = (other.x - x).hypot(other.y - y);
            if distance < nearest {
                (nearest, second, found) = (distance, nearest, Some((other.x, other.y)));
            } else if distance < second {
                second = distance;
            }
        }
        if let Some(found) = found
            && nearest < REACH
            && nearest < second / 2.0
        {
            from.push((star.x, star.y));
            to.push(found);
        }
    }
    (from, to)
}

/// Lays an image, whose place on another is `similarity`, on the pixels of that one, which has `width` times `height`: each new
/// pixel lies between four old ones (bilinear), and is 0 where the image does not reach.
pub fn resample(raster: &Raster, similarity: &Similarity, width: usize, height: usize) -> Raster {
    let mut values = vec![0.0; width * height];
    if let Some(back) = similarity.inverse().filter(|_| width > 0 && !raster.values.is_empty()) {
        values.par_chunks_exact_mut(width).enumerate().with_min_len(16).for_each(|(row, made)| {
            for (column, value) in made.iter_mut().enumerate() {
                // Places count from the outer corner of the first pixel.
                let (x, y) = back.apply((column as f64 + 0.5, row as f64 + 0.5));
                *value = between(raster, x, y) as f32;
            }
        });
    }
    Raster { width, height, values }
}

/// The value at a place, counted from the outer corner of the first pixel; beyond the middles of the outermost pixels it is theirs.
fn between(raster: &Raster, x: f64, y: f64) -> f64 {
    if !(x >= 0.0 && x < raster.width as f64 && y >= 0.0 && y < raster.height as f64) {
        return 0.0;
    }
    let (x, y) = (x - 0.5, y - 0.5);
    let (column, row) = (x.floor(), y.floor());
    let (right, up) = (x - column, y - row);
    let clipped = |place: f64, length: usize| (place.max(0.0) as usize).min(length - 1);
    let columns = [clipped(column, raster.width), clipped(column + 1.0, raster.width)];
    let across = |row: f64| {
        let line = &raster.values[clipped(row, raster.height) * raster.width..][..raster.width];
        let [left, next] = columns.map(|column| f64::from(line[column]));
        left + (next - left) * right
    };
    let (below, above) = (across(row), across(row + 1.0));
    below + (above - below) * up
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Stars of an image, the same every time.
    fn stars(count: usize) -> Vec<Star> {
        let mut state = 3_u32;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            f64::from(state >> 8) / f64::from(1 << 24)
        };
        (0..count).map(|_| Star { x: next() * 1000.0, y: next() * 800.0, flux: next().powi(3) * 1e5 }).collect()
    }

    #[test]
    fn an_image_that_was_moved_turned_and_scaled_is_laid_back() {
        let reference = stars(120);
        let moved = Similarity { a: 1.02 * 0.9, b: 0.436, c: -37.5, d: 112.25 };
        let back = moved.inverse().unwrap();
        let mut unknown: Vec<Star> = reference
            .iter()
            .map(|star| {
                let (x, y) = back.apply((star.x, star.y));
                Star { x, y, flux: star.flux }
            })
            .collect();
        // Some stars are in one of the images only.
        unknown.drain(10..25);
        let found = align(&reference, &unknown).unwrap();
        assert!(found.matched > 90, "{found:?}");
        for point in [(0.0, 0.0), (1000.0, 0.0), (0.0, 1000.0)] {
            let ((x, y), (u, v)) = (found.similarity.apply(point), moved.apply(point));
            assert!((x - u).hypot(y - v) < 1e-6, "{found:?}");
        }
    }

    #[test]
    fn stars_that_have_nothing_in_common_align_nothing() {
        let reference = stars(60);
        let other: Vec<Star> = stars(140)[80..].to_vec();
        assert_eq!(align(&reference, &other), None);
        assert_eq!(align(&reference, &reference[..3]), None);
        assert_eq!(align(&[], &[]), None);
        let same = vec![Star { x: 5.0, y: 5.0, flux: 1.0 }; 50];
        assert_eq!(align(&same, &same), None);
        let hostile = vec![Star { x: f64::NAN, y: f64::INFINITY, flux: f64::NAN }; 50];
        assert_eq!(align(&hostile, &reference), None);
    }

    #[test]
    fn an_image_is_laid_on_whole_pixels_and_between_them() {
        let raster = Raster { width: 3, height: 2, values: vec![1.0, 2.0, 3.0, 11.0, 12.0, 13.0] };
        let shift = |c: f64, d: f64| Similarity { a: 1.0, b: 0.0, c, d };
        assert_eq!(resample(&raster, &shift(0.0, 0.0), 3, 2), raster);
        assert_eq!(resample(&raster, &shift(1.0, 0.0), 3, 2).values, [0.0, 1.0, 2.0, 0.0, 11.0, 12.0]);
        assert_eq!(resample(&raster, &shift(-0.5, -0.5), 2, 1).values, [6.5, 7.5]);
        assert_eq!(resample(&raster, &shift(f64::NAN, 0.0), 1, 1).values, [0.0]);
    }
}
