//! Catalogues of the sky. They are behind a port: this room knows no service.

use holotype_photometry::hr_diagram::GaiaSource;
use holotype_photometry::request::Target;

use crate::OperationError;

/// Where stars of the whole sky come from.
pub trait Stars: Send + Sync + 'static {
    /// Gaia's sources within `radius_arcmin` of a place. It may block.
    ///
    /// # Errors
    /// [`OperationError::Refused`] if none is configured, and says how to; [`OperationError::Store`] if it cannot be reached.
    fn around(&self, place: &Target, radius_arcmin: f64) -> Result<Vec<GaiaSource>, OperationError>;
}

/// No catalogue at all.
#[derive(Debug, Clone, Copy)]
pub struct NoStars;

impl Stars for NoStars {
    fn around(&self, _: &Target, _: f64) -> Result<Vec<GaiaSource>, OperationError> {
        Err(OperationError::refused("No Gaia catalogue is configured on this server; ask its administrator for one."))
    }
}
