//! A direction on the sky.

use super::sexagesimal;
use crate::{FitsError, Header, Value};

/// A direction on the sky in degrees, in whatever frame (`RADESYS`) it was given: nothing here turns one frame into another.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SkyPosition {
    /// Right ascension in degrees, 0 to 360.
    pub right_ascension: f64,
    /// Declination in degrees, -90 to 90.
    pub declination: f64,
}

impl SkyPosition {
    /// The position that two cards give, usually `RA` and `DEC`: a number or its text is in degrees, text with colons is
    /// in hours (right ascension) or degrees (declination), minutes and seconds.
    ///
    /// # Errors
    /// [`FitsError::Header`] for the card that is missing, is no angle, or is out of range.
    pub fn from_header(header: &Header, right_ascension: &str, declination: &str) -> Result<Self, FitsError> {
        Ok(Self {
            right_ascension: angle(header, right_ascension, sexagesimal::right_ascension, 0.0, 360.0)?,
            declination: angle(header, declination, sexagesimal::declination, -90.0, 90.0)?,
        })
    }

    /// The angle between two positions, in degrees.
    pub fn separation(self, other: Self) -> f64 {
        let (a, b) = (self.direction(), other.direction());
        // The arc cosine alone loses half the digits of a small angle.
        norm(cross(a, b)).atan2(dot(a, b)).to_degrees()
    }

    /// The angle at this position from north through east to the other one, in degrees, 0 to 360.
    pub fn position_angle(self, other: Self) -> f64 {
        let (sin_dec, cos_dec) = self.declination.to_radians().sin_cos();
        let (sin_other, cos_other) = other.declination.to_radians().sin_cos();
        let (sin_east, cos_east) = (other.right_ascension - self.right_ascension).to_radians().sin_cos();
        // Spherical trigonometry of the triangle with the pole (Meeus, Astronomical Algorithms, chapter 17).
        let angle = (cos_other * sin_east).atan2(cos_dec * sin_other - sin_dec * cos_other * cos_east).to_degrees();
        if angle < 0.0 { angle + 360.0 } else { angle }
    }

    /// The unit vector that points there: x to the equinox, z to the north pole.
    pub(crate) fn direction(self) -> [f64; 3] {
        let (sin_ra, cos_ra) = self.right_ascension.to_radians().sin_cos();
        let (sin_dec, cos_dec) = self.declination.to_radians().sin_cos();
        [cos_dec * cos_ra, cos_dec * sin_ra, sin_dec]
    }

    /// The position that a vector of any length but zero points to.
    pub(crate) fn towards([x, y, z]: [f64; 3]) -> Self {
        let right_ascension = y.atan2(x).to_degrees();
        Self {
            right_ascension: if right_ascension < 0.0 { right_ascension + 360.0 } else { right_ascension },
            declination: z.atan2(x.hypot(y)).to_degrees(),
        }
    }
}

pub(crate) fn dot(a: [f64; 3], b: [f64; 3]) -> f64 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

fn cross(a: [f64; 3], b: [f64; 3]) -> [f64; 3] {
    [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]
}

fn norm(a: [f64; 3]) -> f64 {
    dot(a, a).sqrt()
}

fn angle(
    header: &Header,
    keyword: &str,
    sexagesimal: impl Fn(&str) -> Option<f64>,
    least: f64,
    greatest: f64,
) -> Result<f64, FitsError> {
    let degrees = match header.value(keyword) {
        None | Some(Value::Undefined) => return Err(FitsError::header(keyword, "it is missing")),
        Some(Value::Text(text)) if text.contains(':') => sexagesimal(text)
            .ok_or_else(|| FitsError::header(keyword, format!("'{text}' is not an angle such as 12:34:56.7")))?,
        Some(Value::Text(text)) => text
            .trim_matches(' ')
            .parse()
            .map_err(|_| FitsError::header(keyword, format!("'{text}' is not an angle in degrees or with colons")))?,
        Some(_) => header.real(keyword).ok_or_else(|| FitsError::header(keyword, "it is not an angle"))?,
    };
    if !(least..=greatest).contains(&degrees) {
        return Err(FitsError::header(keyword, format!("{degrees} is not within {least} to {greatest} degrees")));
    }
    Ok(degrees)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(right_ascension: Value, declination: Value) -> Header {
        let mut header = Header::default();
        header.set("RA", right_ascension, None).unwrap();
        header.set("DEC", declination, None).unwrap();
        header
    }

    fn read(right_ascension: Value, declination: Value) -> Result<(f64, f64), FitsError> {
        SkyPosition::from_header(&header(right_ascension, declination), "RA", "DEC")
            .map(|position| (position.right_ascension, position.declination))
    }

    #[test]
    fn colons_mean_hours_and_anything_else_means_degrees() {
        let text = |text: &str| Value::Text(text.into());
        assert_eq!(read(text("12:30:00"), text("-0:30")).unwrap(), (187.5, -0.5));
        assert_eq!(read(text("187.5"), Value::Integer(-1)).unwrap(), (187.5, -1.0));
        assert_eq!(read(Value::Real(1.25), text("+12")).unwrap(), (1.25, 12.0));
    }

    #[test]
    fn a_card_that_holds_no_position_is_named() {
        for bad in [Value::Text("UNKNOWN".into()), Value::Text("nan".into()), Value::Undefined, Value::Logical(true)] {
            let error = read(Value::Real(1.0), bad).unwrap_err();
            assert!(matches!(&error, FitsError::Header { keyword, .. } if keyword == "DEC"), "{error}");
        }
        assert!(read(Value::Real(360.5), Value::Real(0.0)).is_err());
        assert!(SkyPosition::from_header(&Header::default(), "RA", "DEC").is_err());
    }

    #[test]
    fn a_separation_is_exact_for_small_angles_and_over_the_pole() {
        let at = |right_ascension, declination| SkyPosition { right_ascension, declination };
        assert!((at(10.0, 0.0).separation(at(10.0, 1e-9)) - 1e-9).abs() < 1e-15);
        assert!((at(0.0, 89.0).separation(at(180.0, 88.0)) - 3.0).abs() < 1e-12);
        assert!((at(359.5, 0.0).separation(at(0.5, 0.0)) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn a_position_angle_goes_from_north_through_east() {
        let at = |right_ascension, declination| SkyPosition { right_ascension, declination };
        for (other, expected) in
            [(at(10.0, 1.0), 0.0), (at(11.0, 0.0), 90.0), (at(10.0, -1.0), 180.0), (at(9.0, 0.0), 270.0)]
        {
            assert!((at(10.0, 0.0).position_angle(other) - expected).abs() < 1e-9);
        }
        assert!((at(359.5, 0.0).position_angle(at(0.5, 1.0)) - 45.0).abs() < 0.01);
    }

    #[test]
    fn a_direction_leads_back_to_its_position() {
        for (right_ascension, declination) in [(0.0, 0.0), (359.9, -89.9), (180.0, 45.0), (266.76, -34.19)] {
            let position = SkyPosition { right_ascension, declination };
            assert!(SkyPosition::towards(position.direction()).separation(position) < 1e-13);
        }
    }
}
