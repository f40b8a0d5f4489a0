//! Catalogues of the sky, behind a port: a table on this machine is one; services are the composition root's to know.

use std::fs::File;
use std::io::BufReader;
use std::path::PathBuf;

use holotype_fits::wcs::SkyPosition;
use holotype_photometry::hr_diagram::{GaiaSource, read_csv, read_fits};
use holotype_photometry::request::Target;

use crate::OperationError;

/// Whether to stop, and why.
pub type Stopped<'s> = &'s dyn Fn() -> Option<OperationError>;

/// Where stars of the whole sky come from.
pub trait Stars: Send + Sync + 'static {
    /// Gaia's sources within `radius_arcmin` of a place. It may block, and then asks `stopped` now and then whether to go on.
    ///
    /// # Errors
    /// [`OperationError::Refused`] if none is configured, and says how to; [`OperationError::Photometry`] if it cannot be read,
    /// [`OperationError::Stars`] if it cannot be asked; what `stopped` gave.
    fn around(
        &self,
        place: &Target,
        radius_arcmin: f64,
        stopped: Stopped<'_>,
    ) -> Result<Vec<GaiaSource>, OperationError>;
}

/// A table of Gaia's sources in a file: CSV, or FITS if its name ends in `.fits`. It may cover more of the sky than is asked for.
#[derive(Debug, Clone, Default)]
pub struct StarTable(pub Option<PathBuf>);

impl Stars for StarTable {
    fn around(&self, place: &Target, radius_arcmin: f64, _: Stopped<'_>) -> Result<Vec<GaiaSource>, OperationError> {
        let Some(path) = &self.0 else {
            let problem = "Gaia's stars are not known here: the administrator sets sessions.gaia_tap to a service that has them, \
                           or sessions.gaia to a table of them.";
            return Err(OperationError::refused(problem));
        };
        let file = BufReader::new(File::open(path)?);
        let is_fits = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("fits"));
        let name = "the table of Gaia's stars";
        let table = if is_fits { read_fits(name, file)? } else { read_csv(name, file)? };
        let centre = SkyPosition { right_ascension: place.ra, declination: place.dec };
        let within = |source: &GaiaSource| {
            let at = SkyPosition { right_ascension: source.ra, declination: source.dec };
            centre.separation(at) * 60.0 <= radius_arcmin
        };
        Ok(table.sources.into_iter().filter(within).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_gives_the_stars_around_a_place_and_no_table_says_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("gaia.csv");
        std::fs::write(&path, "ra,dec,pmra,ruwe\n10.0,1.0,2.5,1.0\n10.5,1.0,0,1.0\n10.01,1.0,,\n").unwrap();
        let place = Target { name: None, ra: 10.0, dec: 1.0 };
        let found = StarTable(Some(path)).around(&place, 15.0, &|| None).unwrap();
        assert_eq!(found.iter().map(|source| source.ra).collect::<Vec<_>>(), [10.0, 10.01]);
        let error = StarTable(None).around(&place, 15.0, &|| None).unwrap_err().to_string();
        assert!(error.contains("sessions.gaia ") && error.contains("sessions.gaia_tap"), "{error}");
        assert!(StarTable(Some(folder.path().join("absent.csv"))).around(&place, 15.0, &|| None).is_err());
    }
}
