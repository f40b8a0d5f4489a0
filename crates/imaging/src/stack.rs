//! Images of the same part of the sky, each turned and shifted its own way, added up on one grid.

use holotype_fits::wcs::{Pixel, SkyPosition, Wcs};
use holotype_fits::{Card, FitsError, Header, Value};

use crate::progress::Steps;
use crate::reproject::{Area, coverage, resample};
use crate::{Frame, ImagingError, Progress, Raster};

/// The largest grid, in pixels.
const MAX_PIXELS: u64 = 1 << 28;

/// Resamples frames onto one grid, north up, with the smallest pixels that any of them has, and adds them up where all of them are;
/// NaN counts as 0. The header is the first frame's, with the coordinates of the grid in place of its own.
///
/// # Errors
/// [`ImagingError::TooFew`] without a frame, [`ImagingError::NoCoordinates`], [`ImagingError::Frame`] for coordinates that are not
/// understood, [`ImagingError::NothingInCommon`], [`ImagingError::TooLarge`], [`ImagingError::Cancelled`].
pub fn stack(frames: &[Frame], progress: Progress) -> Result<(Raster, Header), ImagingError> {
    let Some(first) = frames.first() else {
        return Err(ImagingError::TooFew { work: "stacking", least: 1, found: 0 });
    };
    let header = first.header()?;
    let placed: Result<Vec<_>, _> = frames.iter().map(|frame| Placed::of(frame, &header)).collect();
    let placed = placed?;
    let grid = Grid::around(&placed).map_err(ImagingError::frame(first.name()))?;
    let steps = Steps::new(progress, 2 * frames.len());
    let area = common_area(&placed, &grid, &steps)?;
    let mut sums = vec![0.0_f64; area.columns.len() * area.rows.len()];
    for image in &placed {
        let made = resample(&image.frame.raster()?, &image.wcs, &grid.wcs, &area);
        let pairs = sums.iter_mut().zip(made.values);
        pairs.filter(|(_, value)| !value.is_nan()).for_each(|(sum, value)| *sum += f64::from(value));
        steps.step()?;
    }
    let header =
        grid.shifted(&area).and_then(|grid| grid.replaced(&header)).map_err(ImagingError::frame(first.name()))?;
    let values = sums.into_iter().map(|sum| sum as f32).collect();
    Ok((Raster { width: area.columns.len(), height: area.rows.len(), values }, header))
}

/// A frame with its place on the sky.
struct Placed<'a> {
    frame: &'a Frame,
    wcs: Wcs,
}

impl<'a> Placed<'a> {
    /// The frame, whose positions must be in the same system as those of `first`: nothing here turns one into another.
    fn of(frame: &'a Frame, first: &Header) -> Result<Self, ImagingError> {
        let header = frame.header()?;
        let wcs = Wcs::from_header(&header).map_err(ImagingError::frame(frame.name()))?;
        let wcs = wcs.ok_or_else(|| ImagingError::NoCoordinates { frame: frame.name().to_owned() })?;
        let (ours, theirs) = (system(&header), system(first));
        if ours != theirs {
            let problem = format!("positions are in {ours}, and those of the first frame in {theirs}");
            return Err(ImagingError::frame(frame.name())(FitsError::header("RADESYS", problem)));
        }
        Ok(Self { frame, wcs })
    }

    /// Where the outer corners of the image lie on another grid, counted from 1; nothing if it cannot show them.
    fn corners(&self, grid: &Wcs) -> Option<[Pixel; 4]> {
        let (right, top) = (self.frame.width() as f64 + 0.5, self.frame.height() as f64 + 0.5);
        let at = |x, y| self.wcs.pixel_of(grid, Pixel { x, y });
        Some([at(0.5, 0.5)?, at(right, 0.5)?, at(0.5, top)?, at(right, top)?])
    }
}

/// The system of positions; `FK5` of 2000 is the usual one to far less than a pixel.
fn system(header: &Header) -> String {
    let name = header.text("RADESYS").or_else(|| header.text("RADECSYS")).unwrap_or_default().trim_end().to_owned();
    let equinox = header.real("EQUINOX").unwrap_or(2000.0);
    match name.as_str() {
        "" | "ICRS" => "ICRS".to_owned(),
        "FK5" if equinox == 2000.0 => "ICRS".to_owned(),
        _ => format!("{name} {equinox}"),
    }
}

/// The grid that images are laid on: gnomonic, north up, east to the left, with square pixels.
struct Grid {
    reference: SkyPosition,
    /// `CRPIX1` and `CRPIX2`.
    pixel: [f64; 2],
    /// The side of a pixel in degrees.
    scale: f64,
    columns: u64,
    rows: u64,
    wcs: Wcs,
}

impl Grid {
    /// The one that holds all images: about the mean of their reference positions, with the smallest of their pixels.
    fn around(placed: &[Placed]) -> Result<Self, FitsError> {
        let references = placed.iter().map(|image| image.wcs.sky(image.wcs.reference_pixel()));
        let scales = placed.iter().flat_map(|image| image.wcs.pixel_scales());
        let (reference, scale) = (mean(references), scales.fold(f64::INFINITY, f64::min));
        let about = Self::new(reference, [1.0, 1.0], scale, (0, 0))?;
        let (mut low, mut high) = ([f64::INFINITY; 2], [f64::NEG_INFINITY; 2]);
        for image in placed {
            let corners = image
                .corners(&about.wcs)
                .ok_or_else(|| FitsError::header("CRVAL1", "it lies too far from those of the other frames"))?;
            for corner in corners {
                for (axis, place) in [corner.x, corner.y].into_iter().enumerate() {
                    (low[axis], high[axis]) = (low[axis].min(place), high[axis].max(place));
                }
            }
        }
        // The outer corner of the first pixel is (0.5, 0.5).
        let size = [0, 1].map(|axis| (high[axis] - low[axis]).round().max(0.0) as u64);
        Self::new(reference, low.map(|low| 1.0 - low + 0.5), scale, (size[0], size[1]))
    }

    fn new(
        reference: SkyPosition,
        pixel: [f64; 2],
        scale: f64,
        (columns, rows): (u64, u64),
    ) -> Result<Self, FitsError> {
        let header: Header = cards(reference, pixel, scale)?.into_iter().collect();
        let wcs = Wcs::from_header(&header)?.ok_or_else(|| FitsError::header("CTYPE1", "it is missing"))?;
        Ok(Self { reference, pixel, scale, columns, rows, wcs })
    }

    /// The grid of a part of it.
    fn shifted(&self, area: &Area) -> Result<Self, FitsError> {
        let pixel = [self.pixel[0] - area.columns.start as f64, self.pixel[1] - area.rows.start as f64];
        Self::new(self.reference, pixel, self.scale, (area.columns.len() as u64, area.rows.len() as u64))
    }

    /// A header with the coordinates of the grid in place of its own.
    fn replaced(&self, header: &Header) -> Result<Header, FitsError> {
        let mut header = header.clone();
        header.remove(|card| is_coordinate(card.keyword()));
        cards(self.reference, self.pixel, self.scale)?.into_iter().for_each(|card| header.push(card));
        Ok(header)
    }
}

/// The mean of directions.
fn mean(positions: impl Iterator<Item = SkyPosition>) -> SkyPosition {
    let [x, y, z] = positions.fold([0.0; 3], |[x, y, z], position| {
        let (sin_ra, cos_ra) = position.right_ascension.to_radians().sin_cos();
        let (sin_dec, cos_dec) = position.declination.to_radians().sin_cos();
        [x + cos_dec * cos_ra, y + cos_dec * sin_ra, z + sin_dec]
    });
    SkyPosition {
        right_ascension: y.atan2(x).to_degrees().rem_euclid(360.0),
        declination: z.atan2(x.hypot(y)).to_degrees(),
    }
}

/// The cards of a grid: only one form of the matrix, so that nobody reads another.
fn cards(reference: SkyPosition, pixel: [f64; 2], scale: f64) -> Result<Vec<Card>, FitsError> {
    let text = |text: &str| Value::Text(text.to_owned());
    let all = [
        ("CTYPE1", text("RA---TAN"), "right ascension, gnomonic projection"),
        ("CTYPE2", text("DEC--TAN"), "declination, gnomonic projection"),
        ("CUNIT1", text("deg"), ""),
        ("CUNIT2", text("deg"), ""),
        ("CRVAL1", Value::Real(reference.right_ascension), "[deg] position of the reference pixel"),
        ("CRVAL2", Value::Real(reference.declination), "[deg] position of the reference pixel"),
        ("CRPIX1", Value::Real(pixel[0]), "reference pixel"),
        ("CRPIX2", Value::Real(pixel[1]), "reference pixel"),
        ("CD1_1", Value::Real(-scale), "[deg] degrees per pixel"),
        ("CD1_2", Value::Real(0.0), "[deg] degrees per pixel"),
        ("CD2_1", Value::Real(0.0), "[deg] degrees per pixel"),
        ("CD2_2", Value::Real(scale), "[deg] degrees per pixel"),
    ];
    all.into_iter().map(|(keyword, value, comment)| Card::new(keyword, value, comment)).collect()
}

/// Whether a card says how pixels lie on the sky, in any form, also of a second system.
fn is_coordinate(keyword: &str) -> bool {
    const WHOLE: [&str; 8] = ["WCSAXES", "LONPOLE", "LATPOLE", "A_ORDER", "B_ORDER", "AP_ORDER", "BP_ORDER", "WCSNAME"];
    const NUMBERED: [&str; 18] = [
        "CTYPE", "CUNIT", "CRVAL", "CRPIX", "CDELT", "CROTA", "CD", "PC", "PV", "PS", "A_", "B_", "AP_", "BP_",
        "CPDIS", "CQDIS", "D2IMDIS", "LTV",
    ];
    // After the name: axes and orders, then the letter of the system.
    let places = |rest: &str| {
        let rest = rest.strip_suffix(|last: char| last.is_ascii_uppercase()).unwrap_or(rest);
        rest.starts_with(|first: char| first.is_ascii_digit())
            && rest.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_')
    };
    let whole = |name: &&str| keyword.strip_prefix(*name).is_some_and(|rest| rest.len() <= 1);
    WHOLE.iter().any(whole) || NUMBERED.iter().any(|name| keyword.strip_prefix(name).is_some_and(places))
}

/// The part of the grid that every image covers: a rectangle for each, and what all of them share.
fn common_area(placed: &[Placed], grid: &Grid, steps: &Steps) -> Result<Area, ImagingError> {
    let (columns, rows) = (grid.columns, grid.rows);
    let mut common: Option<Area> = None;
    let outlines: Option<Vec<Area>> = placed.iter().map(|image| outline(image, grid)).collect();
    let outlines = outlines.ok_or(ImagingError::NothingInCommon)?;
    // Before anything is computed for frames that lie far from each other.
    let shared = outlines.iter().cloned().map(Some).reduce(|a, b| a?.intersection(&b?)).flatten();
    let shared = shared.ok_or(ImagingError::NothingInCommon)?;
    let largest =
        outlines.iter().map(|area| area.columns.len() as u64 * area.rows.len() as u64).max().unwrap_or_default();
    if largest > MAX_PIXELS {
        let what = format!("a frame on the grid of {columns} x {rows} pixels (in pixels)");
        return Err(ImagingError::TooLarge { what, size: largest, limit: MAX_PIXELS });
    }
    for (image, outline) in placed.iter().zip(&outlines) {
        let size = (image.frame.width(), image.frame.height());
        let covered = coverage(size, &image.wcs, &grid.wcs, outline);
        let whole = whole_part(&covered, outline).ok_or(ImagingError::NothingInCommon)?;
        let area = common.as_ref().unwrap_or(&shared).intersection(&whole);
        common = Some(area.ok_or(ImagingError::NothingInCommon)?);
        steps.step()?;
    }
    common.ok_or(ImagingError::NothingInCommon)
}

/// The rectangle about an image on the grid.
fn outline(image: &Placed, grid: &Grid) -> Option<Area> {
    let corners = image.corners(&grid.wcs)?;
    let range = |along: fn(&Pixel) -> f64, length: u64| {
        let limits = corners
            .iter()
            .map(along)
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), place| (low.min(place), high.max(place)));
        let start = (limits.0 - 1.5).floor().max(0.0) as u64;
        let end = ((limits.1 + 0.5).ceil().max(0.0) as u64).min(length);
        start as usize..end as usize
    };
    let area = Area { columns: range(|corner| corner.x, grid.columns), rows: range(|corner| corner.y, grid.rows) };
    area.intersection(&area)
}

/// The rectangle within `area` all of whose edges are covered: from the one about all that is covered, each edge that is not moves in
/// by a pixel, all four at a time, until none does.
fn whole_part(covered: &[bool], area: &Area) -> Option<Area> {
    let width = area.columns.len();
    let is = |column: usize, row: usize| covered[row * width + column];
    let rows = 0..area.rows.len();
    let any_in_row = |row: &usize| covered[row * width..(row + 1) * width].contains(&true);
    let any_in_column = |column: &usize| rows.clone().any(|row| is(*column, row));
    let (mut low, mut high) = (rows.clone().find(any_in_row)?, rows.clone().rev().find(any_in_row)? + 1);
    let (mut left, mut right) = ((0..width).find(any_in_column)?, (0..width).rev().find(any_in_column)? + 1);
    while left < right && low < high {
        let row = |row: usize| (left..right).all(|column| is(column, row));
        let column = |column: usize| (low..high).all(|row| is(column, row));
        let moves = [!column(left), !column(right - 1), !row(low), !row(high - 1)];
        if moves == [false; 4] {
            let (columns, rows) = (area.columns.start, area.rows.start);
            return Some(Area { columns: columns + left..columns + right, rows: rows + low..rows + high });
        }
        left += usize::from(moves[0]);
        right -= usize::from(moves[1]);
        low += usize::from(moves[2]);
        high -= usize::from(moves[3]);
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cards_of_coordinates_are_told_from_others() {
        for keyword in [
            "CTYPE1", "CD1_2", "PC001002", "CRPIX2A", "A_ORDER", "A_0_2", "BP_1_1", "PV1_1", "LONPOLE", "LONPOLEA",
            "CDELT1", "CROTA2",
        ] {
            assert!(is_coordinate(keyword), "{keyword}");
        }
        for keyword in ["OBJECT", "RADESYS", "EQUINOX", "CDS", "PCOUNT", "A_NAME", "CD", "PSF1", "PS", "DATE-OBS"] {
            assert!(!is_coordinate(keyword), "{keyword}");
        }
    }

    #[test]
    fn edges_move_in_until_all_are_covered() {
        let picture = ["....#....", "...###...", "..#####..", ".#######.", "..#####..", "...###...", "....#...."];
        let covered: Vec<bool> = picture.iter().flat_map(|line| line.bytes().map(|byte| byte == b'#')).collect();
        let area = Area { columns: 10..19, rows: 20..27 };
        let found = whole_part(&covered, &area).unwrap();
        assert_eq!(found, Area { columns: 13..16, rows: 22..25 });
        assert_eq!(whole_part(&[false; 63], &area), None);
        assert_eq!(whole_part(&[true; 63], &area), Some(area.clone()));
    }
}
