//! What Gaia knows of stars, and tables of it in files: CSV as the archive gives it, or a FITS table with the same columns.

use std::io::{Read, Seek};

use holotype_fits::table::Table;
use holotype_fits::wcs::SkyPosition;
use holotype_fits::{FitsError, Hdu, Kind};

use crate::PhotometryError as Error;

/// The year for which Gaia's third release gives places.
pub(super) const EPOCH: f64 = 2016.0;

/// The most sources that are read of a table.
pub const SOURCES: usize = 2_000_000;

/// Stars whose places do not fit a single star are left out (Lindegren et al. 2021, A&A 649, A2): the renormalised error.
const GREATEST_RUWE: f64 = 1.4;

/// Milliarcseconds in a degree.
const MILLIARCSECONDS: f64 = 3_600_000.0;

/// A filter for which Gaia's spectra give a magnitude.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is the SDSS filter of its name")]
pub enum Band {
    G,
    R,
    I,
    Z,
}

impl Band {
    const ALL: [Self; 4] = [Self::G, Self::R, Self::I, Self::Z];

    /// The band of an observatory's filter.
    pub fn of(filter: &str) -> Option<Self> {
        match filter {
            "gp" => Some(Self::G),
            "rp" => Some(Self::R),
            "ip" => Some(Self::I),
            "zs" => Some(Self::Z),
            _ => None,
        }
    }

    /// The letter that begins its columns.
    fn letter(self) -> char {
        match self {
            Self::G => 'g',
            Self::R => 'r',
            Self::I => 'i',
            Self::Z => 'z',
        }
    }
}

/// A magnitude made of a spectrum.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Synthetic {
    /// The magnitude.
    pub magnitude: f64,
    /// Its error, without that of the system.
    pub error: f64,
}

/// A source of Gaia's third release; NaN for what is not known.
#[derive(Debug, Clone, PartialEq)]
pub struct GaiaSource {
    /// Right ascension in 2016.0, in degrees.
    pub ra: f64,
    /// Declination in 2016.0, in degrees.
    pub dec: f64,
    /// Proper motion in right ascension, times the cosine of the declination, in mas/yr.
    pub pmra: f64,
    /// Its error.
    pub pmra_error: f64,
    /// Proper motion in declination, in mas/yr.
    pub pmdec: f64,
    /// Its error.
    pub pmdec_error: f64,
    /// As the catalogue has it, in mas.
    pub parallax: f64,
    /// Its error.
    pub parallax_error: f64,
    /// The distance by the parallax (Bailer-Jones et al. 2021, AJ 161, 147), in pc.
    pub distance: f64,
    /// The lower end of its range.
    pub distance_lo: f64,
    /// The upper end of its range.
    pub distance_hi: f64,
    /// The magnitude in Gaia's own band G.
    pub g_mag: f64,
    /// The magnitudes in g, r, i and z of its spectrum.
    pub synthetic: [Option<Synthetic>; 4],
}

impl GaiaSource {
    /// Where the source is in a year, by its proper motion; where it was in 2016.0 if none is known.
    pub fn position(&self, year: f64) -> SkyPosition {
        let years = year - EPOCH;
        let moved = |motion: f64| if motion.is_finite() { motion * years / MILLIARCSECONDS } else { 0.0 };
        let east = moved(self.pmra) / self.dec.to_radians().cos().max(1e-6);
        SkyPosition {
            right_ascension: (self.ra + east).rem_euclid(360.0),
            declination: (self.dec + moved(self.pmdec)).clamp(-90.0, 90.0),
        }
    }

    /// The magnitude through a filter.
    pub fn synthetic(&self, band: Band) -> Option<Synthetic> {
        self.synthetic[band as usize]
    }
}

/// The sources of a file.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct GaiaTable {
    /// Those that fit a single star.
    pub sources: Vec<GaiaSource>,
    /// How many rows were left out, having no place or not fitting a single star.
    pub left_out: usize,
}

impl GaiaTable {
    /// Adds the row whose column of a name `value` gives.
    fn take(&mut self, value: impl Fn(&str) -> Option<f64>) {
        let number = |name: &str| value(name).unwrap_or(f64::NAN);
        let is_single = value("ruwe").is_none_or(|ruwe| ruwe < GREATEST_RUWE);
        let (ra, dec) = (number("ra"), number("dec"));
        if !(is_single && (0.0..=360.0).contains(&ra) && (-90.0..=90.0).contains(&dec)) {
            self.left_out += 1;
            return;
        }
        self.sources.push(GaiaSource {
            ra,
            dec,
            pmra: number("pmra"),
            pmra_error: number("pmra_error"),
            pmdec: number("pmdec"),
            pmdec_error: number("pmdec_error"),
            parallax: number("parallax"),
            parallax_error: number("parallax_error"),
            distance: number("r_med_geo"),
            distance_lo: number("r_lo_geo"),
            distance_hi: number("r_hi_geo"),
            g_mag: number("phot_g_mean_mag"),
            synthetic: Band::ALL.map(|band| synthetic(band, number)),
        });
    }
}

/// A band's magnitude by `g_sdss_mag`, with the error of `g_sdss_mag_error`, else of its flux.
fn synthetic(band: Band, number: impl Fn(&str) -> f64) -> Option<Synthetic> {
    let part = |part: &str| number(&format!("{}_sdss_{part}", band.letter()));
    let magnitude = part("mag");
    let own = part("mag_error");
    let by_flux = crate::MAGNITUDES_PER_PART * part("flux_error") / part("flux");
    let error = [own, by_flux].into_iter().find(|error| error.is_finite() && *error >= 0.0);
    magnitude.is_finite().then(|| Synthetic { magnitude, error: error.unwrap_or(f64::NAN) })
}

/// The columns without which a row is nothing.
const NEEDED: [&str; 2] = ["ra", "dec"];

/// Reads a table in CSV whose first line names the columns, in any order and letter case, as Gaia's archive names them: `ra, dec,
/// pmra, pmra_error, pmdec, pmdec_error, parallax, parallax_error, ruwe, phot_g_mean_mag, r_med_geo, r_lo_geo, r_hi_geo` and for
/// g, r, i and z `g_sdss_mag` with `g_sdss_flux, g_sdss_flux_error` or `g_sdss_mag_error`. An absent column and an empty or
/// unreadable cell are unknown. `name` is what errors call the file.
///
/// # Errors
/// [`Error::Frame`] for a table without `ra` or `dec`, that is no CSV, or longer than [`SOURCES`]; [`Error::Unopened`].
pub fn read_csv(name: &str, source: impl Read) -> Result<GaiaTable, Error> {
    let mut reader = csv::ReaderBuilder::new().flexible(true).trim(csv::Trim::All).from_reader(source);
    let wrong = |error: csv::Error| match error.into_kind() {
        csv::ErrorKind::Io(source) => Error::Unopened { frame: name.to_owned(), source },
        kind => Error::frame(name, format!("it is no table of comma-separated values: {kind:?}")),
    };
    let headers: Vec<String> = reader.headers().map_err(wrong)?.iter().map(str::to_ascii_lowercase).collect();
    let place = |wanted: &str| headers.iter().position(|header| header == wanted);
    if let Some(missing) = NEEDED.iter().find(|column| place(column).is_none()) {
        return Err(Error::frame(name, format!("it has no column {missing}: a table of Gaia sources is needed")));
    }
    let mut table = GaiaTable::default();
    let mut record = csv::StringRecord::new();
    while reader.read_record(&mut record).map_err(wrong)? {
        refuse_more(name, table.sources.len())?;
        table.take(|column| record.get(place(column)?)?.parse().ok().filter(|value: &f64| !value.is_nan()));
    }
    Ok(table)
}

/// Reads the first table of a FITS file, whose columns are those of [`read_csv`].
///
/// # Errors
/// [`Error::Fits`] and [`Error::Frame`] as for [`read_csv`].
pub fn read_fits(name: &str, mut source: impl Read + Seek) -> Result<GaiaTable, Error> {
    let fits = |source: FitsError| Error::fits(name, source);
    let hdus = Hdu::walk(&mut source).map_err(fits)?;
    let is_table = |hdu: &&Hdu| matches!(hdu.kind, Kind::Table | Kind::AsciiTable | Kind::CompressedTable);
    let hdu = hdus.iter().find(is_table).ok_or_else(|| Error::frame(name, "it holds no table of Gaia sources"))?;
    let held = Table::read(&mut source, hdu).map_err(fits)?;
    let mut columns: Vec<(String, Vec<f64>)> = Vec::new();
    for column in held.columns().iter().filter(|column| column.width == 1) {
        if let Some(values) = held.cells(column).map_err(fits)?.to_reals() {
            columns.push((column.name.trim_end().to_ascii_lowercase(), values));
        }
    }
    let place = |wanted: &str| columns.iter().find(|(name, _)| name == wanted);
    if let Some(missing) = NEEDED.iter().find(|column| place(column).is_none()) {
        return Err(Error::frame(name, format!("its table has no column {missing}: Gaia sources are needed")));
    }
    let mut table = GaiaTable::default();
    for row in 0..held.rows() {
        refuse_more(name, table.sources.len())?;
        table.take(|column| place(column)?.1.get(row).copied().filter(|value| !value.is_nan()));
    }
    Ok(table)
}

fn refuse_more(name: &str, sources: usize) -> Result<(), Error> {
    if sources < SOURCES {
        return Ok(());
    }
    Err(Error::frame(
        name,
        format!("it holds more than {SOURCES} sources: cut it to the part of the sky that is needed"),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CSV: &str = "RA,dec,pmra,pmdec,parallax,ruwe,phot_g_mean_mag,r_med_geo,g_sdss_mag,g_sdss_flux,g_sdss_flux_error\n\
                       10.0,60.0,3600,-360,1.5,1.0,12.5,700,13.0,100.0,1.0\n\
                       10.1,60.0,,,,1.5,12.5,,,,\n\
                       10.2,60.0,,,null,,,,,,\n\
                       x,60.0\n";

    #[test]
    fn a_table_of_comma_separated_values_is_read_by_its_names() {
        let GaiaTable { sources, left_out } = read_csv("gaia.csv", CSV.as_bytes()).unwrap();
        assert_eq!((sources.len(), left_out), (2, 2));
        let [first, second] = &sources[..] else { panic!() };
        assert_eq!((first.parallax, first.distance, first.g_mag), (1.5, 700.0, 12.5));
        let synthetic = first.synthetic(Band::G).unwrap();
        assert!((synthetic.error - 0.0108574).abs() < 1e-6 && synthetic.magnitude == 13.0);
        assert!(second.pmra.is_nan() && second.parallax.is_nan() && second.synthetic == [None; 4]);
        assert!(read_csv("other.csv", "a,b\n1,2\n".as_bytes()).unwrap_err().to_string().contains("no column ra"));
        assert!(read_csv("binary", &b"\xff\xfe\x00,\n"[..]).is_err());
    }

    #[test]
    fn a_source_is_where_its_motion_has_brought_it() {
        let source = read_csv("gaia.csv", CSV.as_bytes()).unwrap().sources.remove(0);
        let moved = source.position(2026.0);
        // Ten years of 3.6 arcseconds east, which at 60 degrees are twice as many of right ascension, and 0.36 south.
        assert!((moved.right_ascension - (10.0 + 0.02)).abs() < 1e-9, "{moved:?}");
        assert!((moved.declination - (60.0 - 0.001)).abs() < 1e-9, "{moved:?}");
    }
}
