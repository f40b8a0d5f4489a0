//! Sources of an image that comes without a table of them.
//!
//! The method is SExtractor's (Bertin and Arnouts 1996, A&AS 117, 393): the background and its noise in the cells of a mesh, a
//! matched filter, and connected pixels above a threshold. Sources that touch each other are not parted: they are one, and
//! flagged by nothing. The centre is then taken in a Gaussian window, as SExtractor's `XWIN` and `YWIN` are.

use holotype_fits::display::{Plane, Sample};
use holotype_fits::wcs::Wcs;
use rayon::prelude::*;

use crate::aperture::{Detector, measure};
use crate::background::{Annulus, Background, Rules};
use crate::catalogue::{Catalogue, Quantity};
use crate::frame::{OpenFrame, with_plane};
use crate::overlap::{Point, span};
use crate::statistics::median;
use crate::{PhotometryError, PhotometryError as Error};

/// The side of a cell of the mesh, in pixels.
const CELL: usize = 64;

/// A pixel of a source rises above the filtered background by this many times its noise: of a million independent ones of noise
/// alone, three do.
const THRESHOLD: f64 = 4.5;

/// A cell of the mesh stands out from those around it by this many times its noise.
const OUTSTANDING: f64 = 2.0;

/// The fewest pixels of a source.
const LEAST_AREA: usize = 5;

/// The most sources that are kept, the brightest ones.
const MOST: usize = 20_000;

/// The width of the matched filter, one standard deviation in pixels: stars of an ordinary night are about as wide.
const FILTER_SIGMA: f64 = 1.2;

/// The filter reaches this far to each side.
const FILTER_REACH: usize = 3;

/// A standard deviation of a Gaussian in its full width at half maximum.
const FWHM: f64 = 2.354_820_045;

/// Circles that hold nearly all of a star's light are this many standard deviations wide.
const LIGHT: f64 = 3.5;

/// The ring for the sky begins and ends so far outside of that circle, in pixels.
const RING: [f64; 2] = [2.0, 8.0];

/// Flags, as SExtractor numbers them.
mod flag {
    /// A pixel is as full as the camera can say.
    pub(super) const SATURATED: u32 = 4;
    /// The source reaches the edge of the image.
    pub(super) const CUT: u32 = 8;
}

/// Finds the sources of a frame, the brightest first: pixel positions as FITS counts them, counts, peak, flag, width, ellipticity,
/// and positions on the sky if the header says where the image lies.
///
/// # Errors
/// What reading the image gives.
pub fn detect(open: &mut OpenFrame) -> Result<Catalogue, PhotometryError> {
    let wcs = open.wcs().ok();
    let header = open.header()?;
    let camera = Detector::of(header);
    let saturation = header.real("SATURATE").filter(|level| *level > 0.0).unwrap_or(f64::INFINITY);
    let raster = open.raster()?;
    let found = with_plane!(&raster, plane => sources(&plane, camera, saturation));
    let found = found.map_err(|source| Error::fits(open.name(), source))?;
    Ok(table(&found, wcs.as_ref()))
}

/// A source as it is measured.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Source {
    centre: Point,
    windowed: Point,
    counts: f64,
    error: f64,
    peak: f64,
    flag: u32,
    fwhm: f64,
    ellipticity: f64,
}

fn table(sources: &[Source], wcs: Option<&Wcs>) -> Catalogue {
    let mut catalogue = Catalogue::with_rows(sources.len());
    let mut set =
        |quantity, value: &dyn Fn(&Source) -> f64| catalogue.set(quantity, sources.iter().map(value).collect());
    set(Quantity::X, &|it| it.centre.to_pixel().x);
    set(Quantity::Y, &|it| it.centre.to_pixel().y);
    set(Quantity::XWindowed, &|it| it.windowed.to_pixel().x);
    set(Quantity::YWindowed, &|it| it.windowed.to_pixel().y);
    set(Quantity::Flux, &|it| it.counts);
    set(Quantity::FluxError, &|it| it.error);
    set(Quantity::Peak, &|it| it.peak);
    set(Quantity::Flag, &|it| f64::from(it.flag));
    set(Quantity::Fwhm, &|it| it.fwhm);
    set(Quantity::Ellipticity, &|it| it.ellipticity);
    if let Some(wcs) = wcs {
        set(Quantity::RightAscension, &|it| wcs.sky(it.windowed.to_pixel()).right_ascension);
        set(Quantity::Declination, &|it| wcs.sky(it.windowed.to_pixel()).declination);
    }
    catalogue
}

fn sources<T: Sample + Sync>(plane: &Plane<T>, camera: Detector, saturation: f64) -> Vec<Source> {
    let Some(mesh) = Mesh::of(plane) else { return Vec::new() };
    let (width, height) = (plane.width(), plane.height());
    let flat: Vec<f32> = (0..height)
        .into_par_iter()
        .flat_map_iter(|row| {
            let values = &plane.values()[row * width..][..width];
            let mesh = &mesh;
            values.iter().enumerate().map(move |(column, value)| {
                let (sky, _) = mesh.at(column, row);
                (value.to_f64() - sky) as f32
            })
        })
        .collect();
    let (filtered, shrink) = filter(&flat, width, height);
    let is_bright = |index: usize| {
        let (_, noise) = mesh.at(index % width, index / width);
        f64::from(filtered[index]) > THRESHOLD * noise * shrink
    };
    let bright: Vec<bool> = (0..flat.len()).into_par_iter().map(is_bright).collect();
    let mut found: Vec<Source> = connected(&bright, width)
        .into_iter()
        .filter(|pixels| pixels.len() >= LEAST_AREA)
        .filter_map(|pixels| measured(plane, &flat, &pixels, camera, saturation))
        .collect();
    found.sort_by(|a, b| b.counts.total_cmp(&a.counts));
    found.truncate(MOST);
    found
}

/// The background and its noise in cells, and between their centres in proportion.
struct Mesh {
    columns: usize,
    rows: usize,
    /// The size of a cell along each axis, in pixels.
    size: [f64; 2],
    sky: Vec<f64>,
    noise: Vec<f64>,
}

impl Mesh {
    /// Nothing if no pixel is a number.
    fn of<T: Sample + Sync>(plane: &Plane<T>) -> Option<Self> {
        let (width, height) = (plane.width(), plane.height());
        let (columns, rows) = ((width / CELL).max(1), (height / CELL).max(1));
        let cells: Vec<(f64, f64)> = (0..columns * rows)
            .into_par_iter()
            .map(|cell| {
                let (column, row) = (cell % columns, cell / columns);
                let across = column * width / columns..(column + 1) * width / columns;
                let along = row * height / rows..(row + 1) * height / rows;
                let values = along.flat_map(|row| &plane.values()[row * width..][across.clone()]);
                clipped(values.map(|value| value.to_f64()).filter(|value| value.is_finite()).collect())
            })
            .collect();
        let mut mesh = Self {
            columns,
            rows,
            size: [width as f64 / columns as f64, height as f64 / rows as f64],
            sky: cells.iter().map(|(sky, _)| *sky).collect(),
            noise: cells.iter().map(|(_, noise)| *noise).collect(),
        };
        (mesh.sky, mesh.noise) = (mesh.smoothed(&mesh.sky)?, mesh.smoothed(&mesh.noise)?);
        Some(mesh)
    }

    /// The cells, those that stand out from the ones around them, as they do under a large star, being the median of those; a
    /// cell without numbers the median of all.
    fn smoothed(&self, values: &[f64]) -> Option<Vec<f64>> {
        let all = median(values.iter().copied());
        let around = |cell: usize| {
            let (column, row) = (cell % self.columns, cell / self.columns);
            let near = |place: usize, length: usize| place.saturating_sub(1)..(place + 2).min(length);
            let cells = near(row, self.rows)
                .flat_map(|row| near(column, self.columns).map(move |column| (row, column)))
                .map(|(row, column)| values[row * self.columns + column]);
            let middle = median(cells);
            match () {
                () if middle.is_nan() => all,
                () if (values[cell] - middle).abs() <= OUTSTANDING * self.noise[cell] => values[cell],
                () => middle,
            }
        };
        (!all.is_nan()).then(|| (0..values.len()).map(around).collect())
    }

    /// The background at a pixel, beyond the outermost cells' centres as it goes on, and the noise of the cell.
    fn at(&self, column: usize, row: usize) -> (f64, f64) {
        let place = |pixel: usize, size: f64, cells: usize| {
            let place = (pixel as f64 + 0.5) / size - 0.5;
            let first = (place.max(0.0) as usize).min(cells.saturating_sub(2));
            (first, (first + 1).min(cells - 1), if cells > 1 { place - first as f64 } else { 0.0 })
        };
        let (left, right, x) = place(column, self.size[0], self.columns);
        let (below, above, y) = place(row, self.size[1], self.rows);
        let along =
            |row: usize| self.sky[row * self.columns + left] * (1.0 - x) + self.sky[row * self.columns + right] * x;
        let nearest = |first: usize, second: usize, share: f64| if share < 0.5 { first } else { second };
        let cell = nearest(below, above, y) * self.columns + nearest(left, right, x);
        (along(below) * (1.0 - y) + along(above) * y, self.noise[cell])
    }
}

/// The background and its noise among values with stars: those beyond three deviations of the median are left out until none
/// is. NaN for no values. Where the rest is skewed by faint stars the median is taken, else the mode is estimated.
fn clipped(mut values: Vec<f64>) -> (f64, f64) {
    for _ in 0..20 {
        let middle = median(values.iter().copied());
        let noise = crate::statistics::deviation(&values, 0);
        let before = values.len();
        values.retain(|value| (value - middle).abs() <= 3.0 * noise);
        if values.len() == before || values.is_empty() {
            break;
        }
    }
    let (middle, mean) = (median(values.iter().copied()), crate::statistics::mean(&values));
    let noise = crate::statistics::deviation(&values, 0);
    let is_crowded = (mean - middle).abs() > 0.3 * noise;
    (if is_crowded { middle } else { 2.5 * middle - 1.5 * mean }, noise)
}

/// The image through a Gaussian, and by how much that makes its noise smaller. Pixels that are no number count as sky.
fn filter(flat: &[f32], width: usize, height: usize) -> (Vec<f32>, f64) {
    let weight = |offset: usize| (-0.5 * ((offset as f64 - FILTER_REACH as f64) / FILTER_SIGMA).powi(2)).exp();
    let weights: Vec<f64> = (0..=2 * FILTER_REACH).map(weight).collect();
    let total: f64 = weights.iter().sum();
    let weights: Vec<f32> = weights.iter().map(|weight| (weight / total) as f32).collect();
    let along_rows: Vec<f32> = flat
        .par_chunks(width)
        .flat_map_iter(|row| {
            let weights = &weights;
            (0..width).map(move |column| {
                let at = |(offset, weight): (usize, &f32)| {
                    let place = (column + offset).checked_sub(FILTER_REACH)?;
                    row.get(place).filter(|value| value.is_finite()).map(|value| value * weight)
                };
                weights.iter().enumerate().filter_map(at).sum::<f32>()
            })
        })
        .collect();
    let filtered = (0..height)
        .into_par_iter()
        .flat_map_iter(|row| {
            let (weights, along_rows) = (&weights, &along_rows);
            (0..width).map(move |column| {
                let at = |(offset, weight): (usize, &f32)| {
                    let place = (row + offset).checked_sub(FILTER_REACH).filter(|place| *place < height)?;
                    Some(along_rows[place * width + column] * weight)
                };
                weights.iter().enumerate().filter_map(at).sum::<f32>()
            })
        })
        .collect();
    // Independent noise is added in quadrature, along both axes.
    (filtered, weights.iter().map(|weight| f64::from(*weight).powi(2)).sum())
}

/// The pixels that touch each other, corners included, group by group.
fn connected(bright: &[bool], width: usize) -> Vec<Vec<usize>> {
    let mut is_free = bright.to_vec();
    let height = bright.len() / width;
    let mut groups = Vec::new();
    for first in 0..bright.len() {
        if !is_free[first] {
            continue;
        }
        is_free[first] = false;
        let mut group = vec![first];
        let mut next = 0;
        while let Some(&pixel) = group.get(next) {
            next += 1;
            let (column, row) = (pixel % width, pixel / width);
            for row in row.saturating_sub(1)..(row + 2).min(height) {
                for column in column.saturating_sub(1)..(column + 2).min(width) {
                    let neighbour = row * width + column;
                    if is_free[neighbour] {
                        is_free[neighbour] = false;
                        group.push(neighbour);
                    }
                }
            }
        }
        groups.push(group);
    }
    groups
}

/// The moments of a source's pixels, its windowed centre, and its counts in a circle about it; nothing if it has none.
fn measured<T: Sample>(
    plane: &Plane<T>,
    flat: &[f32],
    pixels: &[usize],
    camera: Detector,
    saturation: f64,
) -> Option<Source> {
    let width = plane.width();
    let at = |pixel: usize| Point { x: (pixel % width) as f64 + 0.5, y: (pixel / width) as f64 + 0.5 };
    let (mut total, mut x, mut y, mut peak, mut flag) = (0.0, 0.0, 0.0, f64::NEG_INFINITY, 0);
    for &pixel in pixels {
        let value = f64::from(flat[pixel]).max(0.0);
        if !value.is_finite() {
            continue;
        }
        let point = at(pixel);
        total += value;
        x += value * point.x;
        y += value * point.y;
        peak = peak.max(value);
        if plane.values()[pixel].to_f64() >= saturation {
            flag |= flag::SATURATED;
        }
        let (column, row) = (pixel % width, pixel / width);
        if column == 0 || row == 0 || column + 1 == width || row + 1 == plane.height() {
            flag |= flag::CUT;
        }
    }
    if total <= 0.0 || total.is_nan() {
        return None;
    }
    let centre = Point { x: x / total, y: y / total };
    let (mut xx, mut yy, mut xy) = (0.0, 0.0, 0.0);
    for &pixel in pixels {
        let value = f64::from(flat[pixel]).max(0.0);
        if value.is_finite() {
            let (dx, dy) = (at(pixel).x - centre.x, at(pixel).y - centre.y);
            xx += value * dx * dx / total;
            yy += value * dy * dy / total;
            xy += value * dx * dy / total;
        }
    }
    let (mean, difference) = ((xx + yy) / 2.0, ((xx - yy) / 2.0).hypot(xy));
    // A single row of pixels is not infinitely thin: each is as wide as one.
    let (major, minor) = ((mean + difference).max(1.0 / 12.0).sqrt(), (mean - difference).max(1.0 / 12.0).sqrt());
    let sigma = (major * minor).sqrt().max(FILTER_SIGMA);
    let windowed = windowed(plane, flat, centre, sigma);
    let light = LIGHT * sigma;
    let ring = Annulus { inner: light + RING[0], outer: light + RING[1] };
    let sky = Background::of(plane, windowed, ring, Rules::default())?;
    let counts = measure(plane, windowed, light, &sky, camera);
    (counts.net > 0.0).then(|| Source {
        centre,
        windowed,
        counts: counts.net,
        error: counts.error,
        peak,
        flag,
        fwhm: FWHM * (major * minor).sqrt(),
        ellipticity: 1.0 - minor / major,
    })
}

/// The centre in a Gaussian window that follows it (SExtractor's manual, "windowed positional parameters"). One that does not
/// come to rest within two pixels is the centre of the pixels.
fn windowed<T: Sample>(plane: &Plane<T>, flat: &[f32], start: Point, sigma: f64) -> Point {
    let reach = 4.0 * sigma;
    let mut centre = start;
    for _ in 0..16 {
        let (mut total, mut dx, mut dy) = (0.0, 0.0, 0.0);
        let columns = span(centre.x - reach, centre.x + reach, plane.width());
        for row in span(centre.y - reach, centre.y + reach, plane.height()) {
            for column in columns.clone() {
                let (x, y) = (column as f64 + 0.5 - centre.x, row as f64 + 0.5 - centre.y);
                let value = f64::from(flat[row * plane.width() + column]);
                if value.is_finite() && x * x + y * y <= reach * reach {
                    let weighed = value * (-0.5 * (x * x + y * y) / (sigma * sigma)).exp();
                    total += weighed;
                    dx += weighed * x;
                    dy += weighed * y;
                }
            }
        }
        let step = [2.0 * dx / total, 2.0 * dy / total];
        centre = Point { x: centre.x + step[0], y: centre.y + step[1] };
        if total <= 0.0 || !centre.is_finite() || centre.distance(start) > 2.0 {
            return start;
        }
        if step[0].hypot(step[1]) < 2e-4 {
            break;
        }
    }
    centre
}
