//! The colour-magnitude (Hertzsprung-Russell) diagram of a cluster: the stars that two frames of different filters share, what
//! Gaia knows of them, and a guess which of them belong together.

mod gaia;
mod membership;
mod stars;

use holotype_fits::time;
use serde::Serialize;

pub use gaia::{Band, GaiaSource, GaiaTable, SOURCES, Synthetic, read_csv, read_fits};
pub use membership::{MembershipGuess, Motion, guess};

use crate::request::{self, Target};
use crate::sphere::ARCSECOND;
use crate::{Frame, PhotometryError, PhotometryError as Error, Progress};
use stars::Matched;

/// The filters of the two frames.
pub const BLUE_FILTERS: [&str; 1] = ["gp"];
/// The filters that the redder frame may have.
pub const RED_FILTERS: [&str; 3] = ["rp", "ip", "zs"];

/// The radius that is searched where none is asked for, in arcminutes.
pub const RADIUS: f64 = 15.0;

/// The greatest radius, in arcminutes.
const LARGEST: f64 = 180.0;

/// How many stars are shown at most, and how many more that only Gaia has.
const MOST: usize = 5_000;

/// A star of the frames and one of Gaia are the same within this, in degrees.
const SAME_AS_GAIA: f64 = 0.5 * ARCSECOND;

/// Gaia's parallaxes are too small by this, in milliarcseconds (Lindegren et al. 2021, A&A 649, A4).
const PARALLAX_OFFSET: f64 = 0.017;

/// The error of the system of synthetic magnitudes, which is added to their own in quadrature.
const SYSTEM_ERROR: f64 = 0.03;

/// The cluster, checked.
#[derive(Debug, Clone, PartialEq)]
pub struct Parameters {
    target: Target,
    radius: f64,
}

impl Parameters {
    /// The stars within `radius_arcmin` of the target.
    ///
    /// # Errors
    /// [`PhotometryError::Request`] for a place that is not on the sky and a radius that is none or above three degrees.
    pub fn new(target: Target, radius_arcmin: f64) -> Result<Self, PhotometryError> {
        target.position()?;
        if !(radius_arcmin > 0.0 && radius_arcmin <= LARGEST) {
            let problem =
                format!("search_radius_arcmin received invalid input: {radius_arcmin} is not within 0 and {LARGEST}");
            return Err(Error::request(problem));
        }
        Ok(Self { target, radius: radius_arcmin })
    }

    /// The centre of the cluster.
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// The radius in arcminutes, which is also that of the Gaia sources that are needed.
    pub fn radius_arcmin(&self) -> f64 {
        self.radius
    }
}

/// The place that was looked at, by the names that clients know.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Cluster {
    pub name: Option<String>,
    pub ra: f64,
    pub dec: f64,
    pub radius_arcmin: f64,
}

/// A point of the diagram, by the names that clients know: degrees, magnitudes, mas/yr, mas and pc. What is not known is NaN,
/// and null in JSON.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[expect(missing_docs, reason = "the names say it, and are the contract's")]
pub struct CmdStar {
    pub ra: f64,
    pub dec: f64,
    pub color: f64,
    pub color_err: f64,
    pub mag: f64,
    pub magerr: f64,
    pub pmra: f64,
    pub pmra_err: f64,
    pub pmdec: f64,
    pub pmdec_err: f64,
    pub parallax: f64,
    pub parallax_err: f64,
    pub distance: f64,
    pub distance_lo: f64,
    pub distance_hi: f64,
    pub gaia_match: bool,
    pub gaia_only: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub g_mag: Option<f64>,
}

/// The diagram, by the names that clients know.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Diagram {
    /// What was looked at.
    pub cluster: Cluster,
    /// The filter of the bluer frame.
    pub blue_filter: String,
    /// The filter of the redder frame.
    pub red_filter: String,
    /// The filter of the magnitudes.
    pub mag_band: String,
    /// The stars of the frames, brightest first, then those that only Gaia has.
    pub cmd: Vec<CmdStar>,
    /// Which stars belong together by their motion, if that can be told.
    pub membership_guess: Option<MembershipGuess>,
    /// How many stars of the frames Gaia knows.
    pub n_gaia_matched: usize,
    /// How many stars only Gaia has.
    pub n_gaia_only: usize,
    /// How many points there are.
    pub n_stars: usize,
    /// How many of them both frames show.
    pub n_stars_matched: usize,
}

/// Makes the diagram. `gaia` holds the sources around the cluster as Gaia has them, at their places of 2016.0.
///
/// # Errors
/// [`PhotometryError::Request`] for filters other than [`BLUE_FILTERS`] and [`RED_FILTERS`] and a cluster that neither frame
/// shows; [`PhotometryError::Frame`] for a frame without the tables that are needed; [`PhotometryError::NoResult`] if the frames
/// share no star there; [`PhotometryError::Cancelled`].
pub fn run(
    blue: &Frame,
    red: &Frame,
    parameters: &Parameters,
    gaia: &[GaiaSource],
    progress: Progress,
) -> Result<Diagram, PhotometryError> {
    let filter =
        |frame: &Frame, options: &[&str]| request::single_filter("HR Diagram", std::slice::from_ref(frame), options);
    let (blue_filter, red_filter) = (filter(blue, &BLUE_FILTERS)?, filter(red, &RED_FILTERS)?);
    let centre = parameters.target.position()?;
    let blue = stars::read(blue)?;
    progress.at(0.2, "Reading source tables: 50%")?;
    let red = stars::read(red)?;
    progress.at(0.4, "Reading source tables: 100%")?;
    if blue.shows(centre) == Some(false) && red.shows(centre) == Some(false) {
        let Target { ra, dec, .. } = parameters.target;
        let problem =
            format!("neither file shows the cluster at ra {ra:.5}, dec {dec:.5}: choose files that point there");
        return Err(Error::request(problem));
    }
    let mut matched = stars::shared(&blue.stars, &red.stars);
    matched.retain(|star| star.position.separation(centre) <= parameters.radius / 60.0);
    matched.sort_by(|a, b| a.magnitude.total_cmp(&b.magnitude));
    matched.truncate(MOST);
    if matched.is_empty() {
        let problem =
            format!("the files share no calibrated star within {} arcminutes of the cluster", parameters.radius);
        return Err(Error::no_result(format!("{problem}: choose a larger radius or other files")));
    }
    progress.at(0.5, "Matching stars: 100%")?;
    let dates: Vec<f64> = [blue.date, red.date].into_iter().flatten().map(time::julian_date).collect();
    let epoch = if dates.is_empty() { gaia::EPOCH } else { julian_year(crate::statistics::mean(&dates)) };
    let known = with_gaia(&matched, gaia, epoch);
    progress.at(0.8, "Matching Gaia: 100%")?;
    let mut cmd: Vec<CmdStar> = matched
        .iter()
        .zip(&known.stars)
        .map(|(star, source)| observed(star, source.map(|source| &gaia[source])))
        .collect();
    let bands = (Band::of(&blue_filter), Band::of(&red_filter));
    let only = known.only(gaia, centre, parameters.radius / 60.0);
    cmd.extend(only.iter().map(|&source| gaia_only(&gaia[source], bands, epoch)));
    let motions: Vec<Motion> = cmd.iter().map(CmdStar::motion).collect();
    let membership_guess = guess(&motions);
    progress.at(0.95, "Guessing members: 100%")?;
    let Target { name, ra, dec } = parameters.target.clone();
    Ok(Diagram {
        cluster: Cluster { name, ra, dec, radius_arcmin: parameters.radius },
        blue_filter,
        mag_band: red_filter.clone(),
        red_filter,
        n_gaia_matched: known.stars.iter().flatten().count(),
        n_gaia_only: only.len(),
        n_stars: cmd.len(),
        n_stars_matched: matched.len(),
        cmd: cmd.into_iter().map(CmdStar::rounded).collect(),
        membership_guess,
    })
}

/// A Julian date as a year.
fn julian_year(date: f64) -> f64 {
    2000.0 + (date - 2_451_545.0) / 365.25
}

/// Which Gaia source each star is.
struct Known {
    stars: Vec<Option<usize>>,
    is_matched: Vec<bool>,
}

fn with_gaia(matched: &[Matched], gaia: &[GaiaSource], epoch: f64) -> Known {
    let stars: Vec<_> = matched.iter().map(|star| star.position).collect();
    let sources: Vec<_> = gaia.iter().map(|source| source.position(epoch)).collect();
    let stars = stars::pairs(&stars, &sources, SAME_AS_GAIA);
    let mut is_matched = vec![false; gaia.len()];
    stars.iter().flatten().for_each(|&source| is_matched[source] = true);
    Known { stars, is_matched }
}

impl Known {
    /// The brightest sources within `radius` degrees that no star of the frames is.
    fn only(&self, gaia: &[GaiaSource], centre: holotype_fits::wcs::SkyPosition, radius: f64) -> Vec<usize> {
        let is_near = |source: usize| gaia[source].position(gaia::EPOCH).separation(centre) <= radius;
        let mut only: Vec<usize> =
            (0..gaia.len()).filter(|&source| !self.is_matched[source] && is_near(source)).collect();
        // What has no magnitude comes last.
        let magnitude = |source: usize| Some(gaia[source].g_mag).filter(|it| !it.is_nan()).unwrap_or(f64::INFINITY);
        only.sort_by(|&a, &b| magnitude(a).total_cmp(&magnitude(b)));
        only.truncate(MOST);
        only
    }
}

fn observed(star: &Matched, source: Option<&GaiaSource>) -> CmdStar {
    let place = (star.position.right_ascension, star.position.declination);
    CmdStar {
        color: star.blue - star.magnitude,
        color_err: star.blue_error.hypot(star.error),
        mag: star.magnitude,
        magerr: star.error,
        gaia_match: source.is_some(),
        ..gaia_part(source, place)
    }
}

/// A star that the frames do not show, with the magnitudes that its spectrum would have through their filters.
fn gaia_only(source: &GaiaSource, bands: (Option<Band>, Option<Band>), epoch: f64) -> CmdStar {
    let synthetic = |band: Option<Band>| band.and_then(|band| source.synthetic(band));
    let unknown = Synthetic { magnitude: f64::NAN, error: f64::NAN };
    let [blue, red] = [bands.0, bands.1].map(|band| synthetic(band).unwrap_or(unknown));
    let [blue_error, red_error] = [blue, red].map(|magnitude| magnitude.error.hypot(SYSTEM_ERROR));
    let position = source.position(epoch);
    CmdStar {
        color: blue.magnitude - red.magnitude,
        color_err: blue_error.hypot(red_error),
        mag: red.magnitude,
        magerr: red_error,
        gaia_match: true,
        gaia_only: true,
        g_mag: Some(source.g_mag),
        ..gaia_part(Some(source), (position.right_ascension, position.declination))
    }
}

/// What Gaia says of a star.
fn gaia_part(source: Option<&GaiaSource>, (ra, dec): (f64, f64)) -> CmdStar {
    let number = |part: fn(&GaiaSource) -> f64| source.map_or(f64::NAN, part);
    CmdStar {
        ra,
        dec,
        color: f64::NAN,
        color_err: f64::NAN,
        mag: f64::NAN,
        magerr: f64::NAN,
        pmra: number(|it| it.pmra),
        pmra_err: number(|it| it.pmra_error),
        pmdec: number(|it| it.pmdec),
        pmdec_err: number(|it| it.pmdec_error),
        parallax: number(|it| it.parallax) + PARALLAX_OFFSET,
        parallax_err: number(|it| it.parallax_error),
        distance: number(|it| it.distance),
        distance_lo: number(|it| it.distance_lo),
        distance_hi: number(|it| it.distance_hi),
        gaia_match: false,
        gaia_only: false,
        g_mag: None,
    }
}

impl CmdStar {
    fn motion(&self) -> Motion {
        Motion {
            pmra: self.pmra,
            pmdec: self.pmdec,
            parallax: self.parallax,
            distance: self.distance,
            distance_lo: self.distance_lo,
            distance_hi: self.distance_hi,
        }
    }

    fn rounded(mut self) -> Self {
        (self.ra, self.dec) = (rounded(self.ra, 6), rounded(self.dec, 6));
        for number in [
            &mut self.color,
            &mut self.color_err,
            &mut self.mag,
            &mut self.magerr,
            &mut self.pmra,
            &mut self.pmra_err,
            &mut self.pmdec,
            &mut self.pmdec_err,
            &mut self.parallax,
            &mut self.parallax_err,
            &mut self.distance,
            &mut self.distance_lo,
            &mut self.distance_hi,
        ] {
            *number = rounded(*number, 4);
        }
        self.g_mag = self.g_mag.map(|magnitude| rounded(magnitude, 4));
        self
    }
}

/// The nearest number of so many decimals.
fn rounded(value: f64, decimals: usize) -> f64 {
    if value.is_finite() { format!("{value:.decimals$}").parse().unwrap_or(value) } else { value }
}
