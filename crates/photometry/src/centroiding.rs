//! The answer to "what star is here": its centre in the pixels of a display, its place on the sky, its background and peak.

use holotype_fits::FitsError;
use holotype_fits::display::{Plane, Sample};
use serde::{Deserialize, Serialize};

use crate::background::{Annulus, Background, Rules};
use crate::centroid::{Centroid, centroid, peak};
use crate::frame::with_plane;
use crate::overlap::Point;
use crate::{Frame, PhotometryError};

/// The longest radius that is measured, in pixels of the frame.
const LONGEST: f64 = 4_096.0;

/// What a client asks, in pixels of a display of `width` by `height`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Request {
    /// The width of the display.
    pub width: f64,
    /// The height of the display.
    pub height: f64,
    /// The column that was pointed at.
    pub x: f64,
    /// The row that was pointed at.
    pub y: f64,
    /// The radius of the star.
    #[serde(default = "eight")]
    pub radius: f64,
    /// The inner radius of the ring for the background.
    #[serde(default = "ten")]
    pub r_back1: f64,
    /// The outer radius of that ring.
    #[serde(default = "fifteen")]
    pub r_back2: f64,
    /// Whether the centre is looked for; otherwise the place is taken as it is.
    #[serde(default = "yes")]
    pub find_centroid: bool,
    /// Whether pixels of the ring that stand out are left out.
    #[serde(default = "yes")]
    pub remove_background_stars: bool,
    /// Whether the background is a plane.
    #[serde(default)]
    pub use_plane_background: bool,
}

fn eight() -> f64 {
    8.0
}

fn ten() -> f64 {
    10.0
}

fn fifteen() -> f64 {
    15.0
}

fn yes() -> bool {
    true
}

/// What is found, by the names that clients know.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Answer {
    /// The column of the centre on the display.
    pub x: f64,
    /// The row of the centre on the display.
    pub y: f64,
    /// Right ascension in degrees; nothing if the frame does not say where it points.
    pub ra: Option<f64>,
    /// Declination in degrees; nothing if the frame does not say where it points.
    pub dec: Option<f64>,
    /// The sky around the star, in counts; nothing if no pixel there is a number.
    pub background: Option<f64>,
    /// The highest pixel of the star above the sky, in counts.
    pub peak: Option<f64>,
    /// Whether there is a star.
    pub success: bool,
    /// What was done, or why there is no star.
    pub message: String,
}

/// Measures the star that a display shows at a place. Radii are those of the display too.
///
/// # Errors
/// [`PhotometryError::Request`] for sizes that are none, and what reading the frame gives.
pub fn run(frame: &Frame, request: &Request) -> Result<Answer, PhotometryError> {
    check(request)?;
    let mut open = frame.open()?;
    let (columns, rows) = open.size()?;
    let (along_x, along_y) = (columns as f64 / request.width, rows as f64 / request.height);
    // A circle on a display whose axes differ is an ellipse in the frame: the circle of the same area is measured.
    let along = (along_x * along_y).sqrt();
    let place = Place {
        start: Point { x: request.x * along_x, y: request.y * along_y },
        radius: request.radius * along,
        ring: Annulus { inner: request.r_back1 * along, outer: request.r_back2 * along },
        rules: Rules { reject_stars: request.remove_background_stars, plane: request.use_plane_background },
        find: request.find_centroid,
    };
    if place.radius.max(place.ring.outer) > LONGEST {
        return Err(PhotometryError::request(format!("a radius is longer than {LONGEST} pixels of the frame")));
    }
    let raster = open.raster()?;
    let found = with_plane!(&raster, plane => look(&plane, &place));
    let Found { centre, background, peak, problem } =
        found.map_err(|source: FitsError| PhotometryError::fits(frame.name(), source))?;
    let sky = open.wcs().ok().map(|wcs| wcs.sky(centre.to_pixel())).filter(|sky| crate::catalogue::is_finite(*sky));
    Ok(Answer {
        x: centre.x / along_x,
        y: centre.y / along_y,
        ra: sky.map(|sky| sky.right_ascension),
        dec: sky.map(|sky| sky.declination),
        background: background.map(|background| background.mean),
        peak: peak.zip(background).map(|(peak, background)| peak - background.mean),
        success: problem.is_none(),
        message: problem.map_or_else(
            || "Centroid calculation completed.".to_owned(),
            |problem| format!("Centroid calculation failed: {problem}."),
        ),
    })
}

fn check(request: &Request) -> Result<(), PhotometryError> {
    let sizes = [("width", request.width), ("height", request.height), ("radius", request.radius)];
    if let Some((name, value)) = sizes.iter().find(|(_, value)| !(value.is_finite() && *value > 0.0)) {
        return Err(PhotometryError::request(format!("{name} must be a number above 0, and is {value}")));
    }
    if !(request.x.is_finite() && request.y.is_finite()) {
        return Err(PhotometryError::request("x and y must be numbers"));
    }
    let (inner, outer) = (request.r_back1, request.r_back2);
    if !(inner.is_finite() && outer.is_finite() && inner >= 0.0 && outer > inner) {
        let problem = format!("r_back2 ({outer}) must be greater than r_back1 ({inner}), and neither below 0");
        return Err(PhotometryError::request(problem));
    }
    Ok(())
}

struct Place {
    start: Point,
    radius: f64,
    ring: Annulus,
    rules: Rules,
    find: bool,
}

struct Found {
    centre: Point,
    background: Option<Background>,
    peak: Option<f64>,
    problem: Option<String>,
}

fn look<T: Sample>(plane: &Plane<T>, place: &Place) -> Found {
    let here = || Background::of(plane, place.start, place.ring, place.rules);
    let (centre, background, problem) = if place.find {
        match centroid(plane, place.start, place.radius, place.ring, place.rules) {
            Ok(Centroid { centre, background }) => (centre, Some(background), None),
            Err(problem) => (place.start, here(), Some(problem.to_string())),
        }
    } else {
        let background = here();
        let problem = background.is_none().then(|| "there are no pixels at this place".to_owned());
        (place.start, background, problem)
    };
    Found { centre, background, peak: peak(plane, centre, place.radius), problem }
}
