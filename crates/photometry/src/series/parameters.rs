//! What a series is measured with: radii, the number of comparison stars, and where the target is.

use std::ops::RangeInclusive;

use holotype_fits::wcs::SkyPosition;
use serde::{Deserialize, Serialize};

use crate::request::{self, Target};
use crate::{PhotometryError, PhotometryError as Error};

/// The longest radius, in arcseconds: a degree.
const LONGEST: f64 = 3_600.0;

/// How many comparison stars are asked for where nothing is said.
pub const COMPARISONS: RangeInclusive<usize> = 5..=10;

/// The circle and the ring that are measured, in arcseconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Radii {
    aperture: f64,
    inner: f64,
    outer: f64,
}

impl Radii {
    /// # Errors
    /// [`PhotometryError::Request`] unless 0 < aperture < inner < outer.
    pub fn new(aperture: f64, inner: f64, outer: f64) -> Result<Self, PhotometryError> {
        let refuse = |problem: String| Err(Error::request(format!("the radii received invalid input: {problem}")));
        match () {
            () if !(aperture > 0.0 && outer <= LONGEST) => {
                refuse(format!("they must be above 0 and at most {LONGEST} arcseconds"))
            }
            () if inner.is_nan() || inner <= aperture => {
                refuse(format!("annulus_inner_radius {inner} must be greater than aperture_radius {aperture}"))
            }
            () if outer <= inner => {
                refuse(format!("annulus_outer_radius {outer} must be greater than annulus_inner_radius {inner}"))
            }
            () => Ok(Self { aperture, inner, outer }),
        }
    }

    /// The circle's radius.
    pub fn aperture(self) -> f64 {
        self.aperture
    }

    /// The ring's inner radius.
    pub fn inner(self) -> f64 {
        self.inner
    }

    /// The ring's outer radius.
    pub fn outer(self) -> f64 {
        self.outer
    }
}

/// Where a target was at some time.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct TargetPosition {
    /// Right ascension in degrees.
    pub ra: f64,
    /// Declination in degrees.
    pub dec: f64,
    /// When, as a modified Julian date in UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mjd: Option<f64>,
}

/// Where the target is.
#[derive(Debug, Clone, PartialEq)]
pub enum Place {
    /// At one place on the sky.
    Fixed(Target),
    /// Where each frame's header says the telescope's catalogue had it (`CAT-RA`, `CAT-DEC`).
    Headers,
    /// On a track through places at times.
    Moving {
        /// The places, at two times at least.
        positions: Vec<TargetPosition>,
        /// How far from the track the target is looked for in the tables of the frames, in arcseconds.
        search_radius: f64,
    },
}

impl Place {
    /// What the operation is called.
    pub fn operation(&self) -> &'static str {
        match self {
            Self::Fixed(_) => "Aperture Photometry",
            Self::Headers => "Non-Sidereal Aperture Photometry",
            Self::Moving { .. } => "Moving Target Aperture Photometry",
        }
    }

    /// Whether the target moves among the stars.
    pub fn moves(&self) -> bool {
        !matches!(self, Self::Fixed(_))
    }
}

/// What a series is measured with, checked.
#[derive(Debug, Clone, PartialEq)]
pub struct Parameters {
    place: Place,
    radii: Radii,
    comparisons: RangeInclusive<usize>,
}

impl Parameters {
    /// # Errors
    /// [`PhotometryError::Request`] for a place that is not on the sky, a track without two distinct times, a search radius that
    /// is none, and unless 0 < least <= most of `comparisons`.
    pub fn new(place: Place, radii: Radii, comparisons: RangeInclusive<usize>) -> Result<Self, PhotometryError> {
        let (least, most) = (*comparisons.start(), *comparisons.end());
        if least == 0 || least > most {
            let problem = format!("min_comparisons {least} must be above 0 and at most max_comparisons {most}");
            return Err(Error::request(format!("the comparison stars received invalid input: {problem}")));
        }
        match &place {
            Place::Fixed(target) => {
                target.position()?;
            }
            Place::Headers => {}
            Place::Moving { positions, search_radius } => check_track(positions, *search_radius)?,
        }
        Ok(Self { place, radii, comparisons })
    }

    /// Where the target is.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// What is measured around each star.
    pub fn radii(&self) -> Radii {
        self.radii
    }

    /// The least and the greatest number of comparison stars.
    pub fn comparisons(&self) -> RangeInclusive<usize> {
        self.comparisons.clone()
    }
}

fn check_track(positions: &[TargetPosition], search_radius: f64) -> Result<(), Error> {
    let refuse = |problem: &str| Err(Error::request(format!("target_positions received invalid input: {problem}")));
    if !(search_radius > 0.0 && search_radius <= LONGEST) {
        return refuse("track_search_radius must be above 0 and at most an arc of a degree");
    }
    for TargetPosition { ra, dec, mjd } in positions {
        request::position(*ra, *dec)?;
        if !mjd.is_some_and(f64::is_finite) {
            return refuse("each position needs its time as mjd");
        }
    }
    let mut times: Vec<f64> = positions.iter().filter_map(|position| position.mjd).collect();
    times.sort_by(f64::total_cmp);
    times.dedup();
    if times.len() < 2 {
        return refuse("positions at two different times are needed at least");
    }
    Ok(())
}

impl TargetPosition {
    pub(super) fn sky(self) -> SkyPosition {
        SkyPosition { right_ascension: self.ra, declination: self.dec }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn impossible_parameters_are_refused_by_name() {
        let refused = |radii: Result<Radii, Error>| radii.unwrap_err().to_string();
        assert!(refused(Radii::new(0.0, 1.0, 2.0)).contains("received invalid input"));
        assert!(refused(Radii::new(4.0, 4.0, 5.0)).contains("annulus_inner_radius 4 must"));
        assert!(refused(Radii::new(4.0, 7.0, f64::NAN)).contains("above 0"));
        assert!(refused(Radii::new(4.0, 7.0, 7.0)).contains("annulus_outer_radius 7 must"));
        let radii = Radii::new(4.0, 7.0, 11.0).unwrap();
        for comparisons in [0..=3, RangeInclusive::new(4, 3)] {
            assert!(Parameters::new(Place::Headers, radii, comparisons).is_err());
        }
        let at = |ra: f64, mjd: Option<f64>| TargetPosition { ra, dec: 2.0, mjd };
        for positions in [
            vec![at(1.0, Some(1.0))],
            vec![at(1.0, Some(1.0)), at(2.0, Some(1.0))],
            vec![at(1.0, Some(1.0)), at(2.0, None)],
            vec![at(-1.0, Some(1.0)), at(2.0, Some(2.0))],
        ] {
            let place = Place::Moving { positions, search_radius: 10.0 };
            assert!(Parameters::new(place, radii, COMPARISONS).is_err());
        }
    }
}
