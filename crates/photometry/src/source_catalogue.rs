//! The answer to "which sources are in this picture": positions in the pixels of a display, counts, magnitudes and the sky.

use serde::Serialize;

use crate::catalogue::{Catalogue, Quantity};
use crate::{Frame, PhotometryError, detect};
use holotype_fits::wcs::Wcs;

/// The most sources that are told.
pub const MOST: usize = 1_000;

/// One source, by the names that clients know.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Source {
    /// Column of the windowed centre, in pixels of the display.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub x_win: Option<f64>,
    /// Row of the windowed centre, in pixels of the display.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub y_win: Option<f64>,
    /// Column of the centre, in pixels of the display.
    pub x: f64,
    /// Row of the centre, in pixels of the display.
    pub y: f64,
    /// Counts; nothing if they are no number.
    pub flux: Option<i64>,
    /// Magnitude: calibrated, or of the bare counts.
    pub mag: f64,
    /// The error of the magnitude.
    pub magerr: f64,
    /// Whether the magnitude is that of the bare counts.
    pub flux_fallback: bool,
    /// Right ascension in degrees, six decimals.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ra: Option<String>,
    /// Declination in degrees, six decimals.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dec: Option<String>,
}

/// The sources of a frame that is shown `width` by `height` pixels large: those of its own table, or, where it has none, those
/// that [`crate::detect`] finds.
///
/// # Errors
/// [`PhotometryError::Request`] for a display without pixels, [`PhotometryError::Frame`] for a frame without `SCI`
/// or whose table lacks `x`, `y` or `flux`, and what [`Frame::open`] gives.
pub fn run(frame: &Frame, width: f64, height: f64) -> Result<Vec<Source>, PhotometryError> {
    if !(width > 0.0 && height > 0.0 && width.is_finite() && height.is_finite()) {
        return Err(PhotometryError::request(format!("a display of {width} x {height} pixels shows nothing")));
    }
    let mut open = frame.open()?;
    let (columns, rows) = open.size()?;
    let catalogue = if open.has_catalogue() { open.catalogue()? } else { detect::detect(&mut open)? };
    // A position that is not understood leaves the sources without one; it does not take them away.
    let wcs = open.wcs().ok();
    sources(&catalogue, wcs.as_ref(), [(width, columns as f64), (height, rows as f64)])
        .ok_or_else(|| PhotometryError::frame(frame.name(), "its CAT table lacks one of the columns x, y and flux"))
}

/// The rows of the answer, positions being scaled along each axis by the sides of display and frame; nothing if the
/// table lacks a column it needs.
fn sources(catalogue: &Catalogue, wcs: Option<&Wcs>, [along_x, along_y]: [(f64, f64); 2]) -> Option<Vec<Source>> {
    use Quantity::{Flux, FluxError, Magnitude, MagnitudeError, X, XWindowed, Y, YWindowed};
    let (x, y, flux) = (catalogue.column(X)?, catalogue.column(Y)?, catalogue.column(Flux)?);
    let scale = |value: f64, (shown, held): (f64, f64)| value / held * shown;
    let scaled = |quantity, row: usize, sides| catalogue.column(quantity).map(|values| scale(values[row], sides));
    let calibrated = catalogue.column(Magnitude).zip(catalogue.column(MagnitudeError));
    let positions = catalogue.positions(wcs);
    let source = |row: usize| {
        let (mag, magerr) = match calibrated {
            Some((mag, magerr)) => (mag[row], magerr[row]),
            None => {
                let error = catalogue.column(FluxError).map_or(f64::NAN, |errors| errors[row]);
                (-2.5 * flux[row].log10(), crate::MAGNITUDES_PER_PART * error / flux[row])
            }
        };
        let position = positions[row];
        Source {
            x_win: scaled(XWindowed, row, along_x),
            y_win: scaled(YWindowed, row, along_y),
            x: scale(x[row], along_x),
            y: scale(y[row], along_y),
            flux: flux[row].is_finite().then_some(flux[row] as i64),
            mag,
            magerr,
            flux_fallback: calibrated.is_none(),
            ra: position.map(|position| format!("{:.6}", position.right_ascension)),
            dec: position.map(|position| format!("{:.6}", position.declination)),
        }
    };
    Some((0..catalogue.rows().min(MOST)).map(source).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn catalogue(quantities: &[(Quantity, f64)]) -> Catalogue {
        let mut catalogue = Catalogue::with_rows(1);
        quantities.iter().for_each(|&(quantity, value)| catalogue.set(quantity, vec![value]));
        catalogue
    }

    #[test]
    fn positions_are_scaled_along_each_axis_and_counts_stand_in_for_magnitudes() {
        let pixels = [(Quantity::X, 10.0), (Quantity::Y, 20.0), (Quantity::Flux, 100.7)];
        let mut plain = catalogue(&pixels);
        plain.set(Quantity::FluxError, vec![10.07]);
        let source = sources(&plain, None, [(200.0, 100.0), (50.0, 100.0)]).unwrap().remove(0);
        assert_eq!((source.x, source.y, source.x_win, source.flux), (20.0, 10.0, None, Some(100)));
        assert!(source.flux_fallback && source.ra.is_none());
        assert!((source.mag + 5.007573).abs() < 1e-6 && (source.magerr - 0.10857362).abs() < 1e-8, "{source:?}");
        plain.set(Quantity::Magnitude, vec![15.0]);
        plain.set(Quantity::MagnitudeError, vec![0.01]);
        let source = sources(&plain, None, [(1.0, 1.0); 2]).unwrap().remove(0);
        assert_eq!((source.mag, source.magerr, source.flux_fallback), (15.0, 0.01, false));
    }

    #[test]
    fn what_is_no_number_is_null_and_a_table_without_counts_is_none() {
        let pixels = [(Quantity::X, 1.0), (Quantity::Y, f64::NAN), (Quantity::Flux, f64::NAN)];
        let source = sources(&catalogue(&pixels), None, [(1.0, 1.0); 2]).unwrap().remove(0);
        let text = serde_json::to_string(&source).unwrap();
        assert_eq!(text, r#"{"x":1.0,"y":null,"flux":null,"mag":null,"magerr":null,"flux_fallback":true}"#);
        assert_eq!(sources(&catalogue(&pixels[..2]), None, [(1.0, 1.0); 2]), None);
        let mut many = Catalogue::with_rows(1_500);
        for quantity in [Quantity::X, Quantity::Y, Quantity::Flux] {
            many.set(quantity, vec![1.0; 1_500]);
        }
        assert_eq!(sources(&many, None, [(1.0, 1.0); 2]).unwrap().len(), MOST);
    }
}
