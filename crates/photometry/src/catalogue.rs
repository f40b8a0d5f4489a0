//! The table of sources that comes with a frame, or that [`crate::detect`] makes of one.

use std::io::{Read, Seek};

use holotype_fits::table::{Cells, Table};
use holotype_fits::wcs::{Pixel, SkyPosition, Wcs};
use holotype_fits::{FitsError, Hdu};

/// What a table of sources can say in numbers of each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quantity {
    /// Column of the centre, the first pixel's being 1.
    X,
    /// Row of the centre, the first pixel's being 1.
    Y,
    /// Column of the centre in a Gaussian window.
    XWindowed,
    /// Row of the centre in a Gaussian window.
    YWindowed,
    /// Counts without the background.
    Flux,
    /// The error of the counts.
    FluxError,
    /// The highest pixel without the background, in counts.
    Peak,
    /// What is doubtful about the source, in bits; 0 for nothing.
    Flag,
    /// Full width at half maximum, in pixels.
    Fwhm,
    /// One minus the ratio of the axes.
    Ellipticity,
    /// Right ascension in degrees.
    RightAscension,
    /// Declination in degrees.
    Declination,
    /// Calibrated magnitude.
    Magnitude,
    /// The error of the magnitude.
    MagnitudeError,
}

impl Quantity {
    const ALL: [Self; 14] = [
        Self::X,
        Self::Y,
        Self::XWindowed,
        Self::YWindowed,
        Self::Flux,
        Self::FluxError,
        Self::Peak,
        Self::Flag,
        Self::Fwhm,
        Self::Ellipticity,
        Self::RightAscension,
        Self::Declination,
        Self::Magnitude,
        Self::MagnitudeError,
    ];

    /// The name of its column, which may stand in any letter case.
    pub fn column(self) -> &'static str {
        match self {
            Self::X => "x",
            Self::Y => "y",
            Self::XWindowed => "xwin",
            Self::YWindowed => "ywin",
            Self::Flux => "flux",
            Self::FluxError => "fluxerr",
            Self::Peak => "peak",
            Self::Flag => "flag",
            Self::Fwhm => "fwhm",
            Self::Ellipticity => "ellipticity",
            Self::RightAscension => "ra",
            Self::Declination => "dec",
            Self::Magnitude => "mag",
            Self::MagnitudeError => "magerr",
        }
    }
}

/// Sources of one frame, each quantity as a column.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Catalogue {
    rows: usize,
    columns: [Option<Vec<f64>>; Quantity::ALL.len()],
    labels: Option<Vec<String>>,
}

impl Catalogue {
    /// Reads the table of `hdu`. Columns that are absent, no numbers, or lists are left out.
    ///
    /// # Errors
    /// What [`Table::read`] and [`Table::column`] give for a damaged table.
    pub fn read(source: &mut (impl Read + Seek), hdu: &Hdu) -> Result<Self, FitsError> {
        let table = Table::read(source, hdu)?;
        let mut catalogue = Self { rows: table.rows(), ..Self::default() };
        for quantity in Quantity::ALL {
            let column = find(&table, quantity.column());
            let values = column.transpose()?.and_then(|cells| cells.to_reals());
            catalogue.columns[quantity as usize] = values.filter(|values| values.len() == catalogue.rows);
        }
        for name in ["id", "name"] {
            let labels = find(&table, name).transpose()?.and_then(labels);
            catalogue.labels = labels.filter(|labels| labels.len() == catalogue.rows).or(catalogue.labels);
        }
        Ok(catalogue)
    }

    /// A table of `rows` sources of which nothing is known yet.
    pub fn with_rows(rows: usize) -> Self {
        Self { rows, ..Self::default() }
    }

    /// Sets the column of a quantity; nothing happens if it has not a value for each row.
    pub fn set(&mut self, quantity: Quantity, values: Vec<f64>) {
        if values.len() == self.rows {
            self.columns[quantity as usize] = Some(values);
        }
    }

    /// How many sources there are.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The values of a quantity, one for each source, NaN where one is missing; nothing if the table has no such column.
    pub fn column(&self, quantity: Quantity) -> Option<&[f64]> {
        self.columns[quantity as usize].as_deref()
    }

    /// The first of `needed` that the table lacks.
    pub fn lacks(&self, needed: &[Quantity]) -> Option<Quantity> {
        needed.iter().copied().find(|&quantity| self.column(quantity).is_none())
    }

    /// The identifier or name of each source, by the column `name`, else `id`.
    pub fn labels(&self) -> Option<&[String]> {
        self.labels.as_deref()
    }

    /// Where each source is on the sky: by its own columns, else by its pixel and `wcs`. Nothing for a source of which
    /// neither is known.
    pub fn positions(&self, wcs: Option<&Wcs>) -> Vec<Option<SkyPosition>> {
        let pair = |a, b| Some((self.column(a)?, self.column(b)?));
        let own = pair(Quantity::RightAscension, Quantity::Declination);
        let pixels = pair(Quantity::X, Quantity::Y).zip(wcs);
        let position = |row: usize| match (own, pixels) {
            (Some((ra, dec)), _) => Some(SkyPosition { right_ascension: ra[row], declination: dec[row] }),
            (None, Some(((x, y), wcs))) => Some(wcs.sky(Pixel { x: x[row], y: y[row] })),
            (None, None) => None,
        };
        (0..self.rows).map(|row| position(row).filter(|it| is_finite(*it))).collect()
    }

    /// The source nearest to a position on the sky, and its distance in degrees; nothing if none has a position.
    pub fn nearest(&self, target: SkyPosition, wcs: Option<&Wcs>) -> Option<(usize, f64)> {
        let mut nearest: Option<(usize, f64)> = None;
        for (row, position) in self.positions(wcs).into_iter().enumerate() {
            let Some(position) = position else { continue };
            let limit = nearest.map_or(f64::INFINITY, |(_, distance)| distance);
            // No great circle is shorter than its piece of a meridian: most sources need no more than this.
            if (position.declination - target.declination).abs() <= limit {
                let distance = position.separation(target);
                if distance < limit {
                    nearest = Some((row, distance));
                }
            }
        }
        nearest
    }
}

pub(crate) fn is_finite(position: SkyPosition) -> bool {
    position.right_ascension.is_finite() && position.declination.is_finite()
}

/// The cells of the first column of `name` that has one value a row.
fn find(table: &Table, name: &str) -> Option<Result<Cells, FitsError>> {
    let named = |column: &&holotype_fits::table::Column| column.name.trim_end().eq_ignore_ascii_case(name);
    let column = table.columns().iter().find(named).filter(|column| column.width == 1)?;
    Some(table.cells(column))
}

fn labels(cells: Cells) -> Option<Vec<String>> {
    match cells {
        Cells::Text(labels) => Some(labels),
        Cells::Integers(numbers) => {
            Some(numbers.iter().map(|it| it.map_or_else(String::new, |number| number.to_string())).collect())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(right_ascension: f64, declination: f64) -> SkyPosition {
        SkyPosition { right_ascension, declination }
    }

    #[test]
    fn the_nearest_source_is_found_by_true_separation() {
        let mut catalogue = Catalogue::with_rows(4);
        assert_eq!(catalogue.nearest(at(0.0, 0.0), None), None);
        // Near the pole a degree of right ascension is little, and 359.9 lies beside 0.
        catalogue.set(Quantity::RightAscension, vec![10.0, 359.9, f64::NAN, 0.0]);
        catalogue.set(Quantity::Declination, vec![89.0, 89.0, 89.0, 88.9]);
        let (row, distance) = catalogue.nearest(at(0.1, 89.0), None).unwrap();
        assert_eq!(row, 1);
        assert!((distance - 0.2 * 1_f64.to_radians().sin()).abs() < 1e-8, "{distance}");
        assert_eq!(catalogue.lacks(&[Quantity::Declination, Quantity::Flux]), Some(Quantity::Flux));
    }

    #[test]
    fn a_column_of_another_length_is_none() {
        let mut catalogue = Catalogue::with_rows(2);
        catalogue.set(Quantity::Flux, vec![1.0]);
        assert_eq!(catalogue.column(Quantity::Flux), None);
        assert_eq!(catalogue.positions(None), [None, None]);
    }
}
