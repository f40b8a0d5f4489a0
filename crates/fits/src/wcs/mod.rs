//! From pixels to the sky and back: the gnomonic projection (`TAN`), with or without the distortion of `SIP`.
//!
//! Pixels count as FITS counts them: the centre of the first pixel is (1, 1), its outer corner (0.5, 0.5). Positions are in
//! the frame of the header (`RADESYS`). What a header asks for and is not understood here (other projections, other axes,
//! tables of distortion) is refused: a position that is slightly wrong is worse than none.
//!
//! The mathematics is that of Calabretta and Greisen 2002 (A&A 395, 1077), written with vectors: a pixel is a point of the
//! plane that touches the sphere at the reference position, and the position is the direction to that point.

mod footprint;
mod linear;
mod sexagesimal;
mod sip;
mod sky;

pub use sky::SkyPosition;
pub(crate) use sky::dot;

use linear::Matrix;
use sip::Sip;

use crate::{FitsError, Header, Value};

/// A point of an image: x along `NAXIS1`, y along `NAXIS2`, the centre of the first pixel being (1, 1).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pixel {
    /// Along `NAXIS1`, the column.
    pub x: f64,
    /// Along `NAXIS2`, the row.
    pub y: f64,
}

/// How the pixels of one image lie on the sky.
#[derive(Debug, Clone, PartialEq)]
pub struct Wcs {
    reference_pixel: Pixel,
    reference_values: [f64; 2],
    matrix: Matrix,
    tangent: TangentPlane,
    /// From pixels to (east, north) in the tangent plane, in degrees.
    to_plane: Matrix,
    to_pixels: Matrix,
    sip: Option<Sip>,
}

/// The plane that touches the unit sphere at a position.
#[derive(Debug, Clone, PartialEq)]
struct TangentPlane {
    centre: [f64; 3],
    east: [f64; 3],
    north: [f64; 3],
}

impl Wcs {
    /// Reads the coordinates of the first two axes; nothing if the header claims none (no `CTYPE1` and no `CTYPE2`).
    ///
    /// # Errors
    /// [`FitsError::Unsupported`] for coordinates other than `RA---TAN` and `DEC--TAN` with or without `-SIP`, in degrees;
    /// [`FitsError::Header`] for a card that is missing, is no number, or contradicts another.
    pub fn from_header(header: &Header) -> Result<Option<Self>, FitsError> {
        if ["CTYPE1", "CTYPE2"].iter().all(|keyword| header.value(keyword).is_none()) {
            return Ok(None);
        }
        let longitude = longitude_axis(header)?;
        let latitude = 1 - longitude;
        refuse_what_is_not_understood(header)?;
        let reference_values = [required(header, "CRVAL1")?, required(header, "CRVAL2")?];
        let reference =
            SkyPosition { right_ascension: reference_values[longitude], declination: reference_values[latitude] };
        if !(-90.0..=90.0).contains(&reference.declination) {
            return Err(FitsError::header(&format!("CRVAL{}", latitude + 1), "it is not within -90 to 90 degrees"));
        }
        let matrix = linear::from_header(header, latitude)?;
        // The longitude of the celestial pole in the projection turns the plane. By the standard it is 180 degrees, which
        // turns nothing, unless the reference position is the pole itself.
        let usual = if reference.declination < 90.0 { 180.0 } else { 0.0 };
        let (sin, cos) = (180.0 - number(header, "LONPOLE")?.unwrap_or(usual)).to_radians().sin_cos();
        let ([x1, x2], [y1, y2]) = (matrix[longitude], matrix[latitude]);
        let to_plane = [[x1 * cos - y1 * sin, x2 * cos - y2 * sin], [x1 * sin + y1 * cos, x2 * sin + y2 * cos]];
        Ok(Some(Self {
            reference_pixel: Pixel { x: required(header, "CRPIX1")?, y: required(header, "CRPIX2")? },
            reference_values,
            matrix,
            tangent: TangentPlane::at(reference),
            to_plane,
            to_pixels: linear::inverse(to_plane)
                .ok_or_else(|| FitsError::header("CD1_1", "its matrix flattens the image to a line"))?,
            sip: Sip::from_header(header)?,
        }))
    }

    /// Where a point of the image lies on the sky. Points outside of the image are as good as those within;
    /// the angles are not finite where the header's own numbers overflow.
    pub fn sky(&self, pixel: Pixel) -> SkyPosition {
        let offset = [pixel.x - self.reference_pixel.x, pixel.y - self.reference_pixel.y];
        let offset = self.sip.as_ref().map_or(offset, |sip| sip.undistorted(offset));
        self.tangent.position(linear::apply(&self.to_plane, offset))
    }

    /// Where a position lies in the image or beside it; nothing for a position that no pixel can show: one that is a quarter
    /// of the sky or more from the reference position, or where the distortion has no inverse.
    pub fn pixel(&self, position: SkyPosition) -> Option<Pixel> {
        self.pixel_towards(self.tangent.point_towards(position.direction())?)
    }

    /// Where a point of the tangent plane lies in the image.
    fn pixel_towards(&self, point: [f64; 2]) -> Option<Pixel> {
        let offset = linear::apply(&self.to_pixels, point);
        let offset = match &self.sip {
            Some(sip) => sip.distorted(offset)?,
            None => offset,
        };
        let [x, y] = [offset[0] + self.reference_pixel.x, offset[1] + self.reference_pixel.y];
        (x.is_finite() && y.is_finite()).then_some(Pixel { x, y })
    }

    /// The pixel of `other` that shows what this pixel shows, as by [`sky`](Self::sky) and [`pixel`](Self::pixel), but without
    /// angles on the way: it is asked for every pixel of an image.
    pub fn pixel_of(&self, other: &Self, pixel: Pixel) -> Option<Pixel> {
        let offset = [pixel.x - self.reference_pixel.x, pixel.y - self.reference_pixel.y];
        let offset = self.sip.as_ref().map_or(offset, |sip| sip.undistorted(offset));
        let direction = self.tangent.direction(linear::apply(&self.to_plane, offset));
        other.pixel_towards(other.tangent.point_towards(direction)?)
    }

    /// The pixel at the reference position: `CRPIX1`, `CRPIX2`.
    pub fn reference_pixel(&self) -> Pixel {
        self.reference_pixel
    }

    /// `CRVAL1` and `CRVAL2` in degrees, in the order of the header's axes.
    pub fn reference_values(&self) -> [f64; 2] {
        self.reference_values
    }

    /// The rows `CD1_j` and `CD2_j` in degrees per pixel, whichever form the header has.
    pub fn matrix(&self) -> [[f64; 2]; 2] {
        self.matrix
    }

    /// The size of a pixel along `NAXIS1` and `NAXIS2`, in degrees, at the reference pixel and without distortion.
    pub fn pixel_scales(&self) -> [f64; 2] {
        let [[a, b], [c, d]] = self.matrix;
        [a.hypot(c), b.hypot(d)]
    }
}

impl TangentPlane {
    fn at(position: SkyPosition) -> Self {
        let (sin_ra, cos_ra) = position.right_ascension.to_radians().sin_cos();
        let (sin_dec, cos_dec) = position.declination.to_radians().sin_cos();
        Self {
            centre: position.direction(),
            east: [-sin_ra, cos_ra, 0.0],
            north: [-sin_dec * cos_ra, -sin_dec * sin_ra, cos_dec],
        }
    }

    /// The position seen from the centre of the sphere through a point of the plane, given in degrees east and north.
    fn position(&self, point: [f64; 2]) -> SkyPosition {
        SkyPosition::towards(self.direction(point))
    }

    /// The vector from the centre of the sphere to a point of the plane, given in degrees east and north.
    fn direction(&self, [east, north]: [f64; 2]) -> [f64; 3] {
        let (east, north) = (east.to_radians(), north.to_radians());
        [0, 1, 2].map(|i| self.centre[i] + east * self.east[i] + north * self.north[i])
    }

    /// The point of the plane through which a direction is seen, a vector of length 1 or more, in degrees east and north.
    fn point_towards(&self, direction: [f64; 3]) -> Option<[f64; 2]> {
        let depth = dot(direction, self.centre);
        // At a quarter of the sky the point is infinitely far away, give or take the rounding.
        (depth > 1e-12).then(|| [self.east, self.north].map(|axis| (dot(direction, axis) / depth).to_degrees()))
    }
}

/// The index of the axis that holds the right ascension, the other one holding the declination.
fn longitude_axis(header: &Header) -> Result<usize, FitsError> {
    let kind = |keyword: &str| header.text(keyword).unwrap_or_default().trim_matches(' ').to_ascii_uppercase();
    let kinds = [kind("CTYPE1"), kind("CTYPE2")];
    let plain = kinds.each_ref().map(|kind| kind.strip_suffix("-SIP").unwrap_or(kind));
    match plain {
        ["RA---TAN", "DEC--TAN"] => Ok(0),
        ["DEC--TAN", "RA---TAN"] => Ok(1),
        _ => Err(FitsError::Unsupported {
            what: crate::error::shown(&format!("a coordinate system of '{}' and '{}'", kinds[0], kinds[1])),
        }),
    }
}

/// Refuses what changes positions and is not computed here.
fn refuse_what_is_not_understood(header: &Header) -> Result<(), FitsError> {
    for axis in [1, 2] {
        let keyword = format!("CUNIT{axis}");
        let unit = header.text(&keyword).unwrap_or_default().trim_matches(' ');
        if !["", "deg", "degree", "degrees"].iter().any(|degrees| unit.eq_ignore_ascii_case(degrees)) {
            return Err(FitsError::Unsupported { what: crate::error::shown(&format!("{keyword} '{unit}'")) });
        }
    }
    let parameter =
        |card: &crate::Card| is_projection_parameter(card.keyword()) && header.real(card.keyword()) != Some(0.0);
    let table =
        |card: &crate::Card| ["CPDIS1", "CPDIS2", "D2IMDIS1", "D2IMDIS2"].iter().any(|keyword| card.is(keyword));
    match header.cards().iter().find(|card| parameter(card) || table(card)) {
        Some(card) => Err(FitsError::Unsupported {
            what: crate::error::shown(&format!("a coordinate system with {}", card.keyword())),
        }),
        None => Ok(()),
    }
}

/// Whether a keyword is `PV1_m` or `PV2_m`: `TAN` has no parameters, and cameras' software writes a distortion there.
fn is_projection_parameter(keyword: &str) -> bool {
    let index = keyword.strip_prefix("PV1_").or_else(|| keyword.strip_prefix("PV2_"));
    index.is_some_and(|index| !index.is_empty() && index.bytes().all(|byte| byte.is_ascii_digit()))
}

/// The finite number of a card, if the card is there and has a value.
fn number(header: &Header, keyword: &str) -> Result<Option<f64>, FitsError> {
    match header.value(keyword) {
        None | Some(Value::Undefined) => Ok(None),
        Some(_) => match header.real(keyword) {
            Some(value) if value.is_finite() => Ok(Some(value)),
            _ => Err(FitsError::header(keyword, "it is not a number")),
        },
    }
}

fn required(header: &Header, keyword: &str) -> Result<f64, FitsError> {
    number(header, keyword)?.ok_or_else(|| FitsError::header(keyword, "it is missing"))
}

#[cfg(test)]
mod tests;
