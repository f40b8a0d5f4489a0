//! The values of a frame along a line on a display.

use holotype_fits::wcs::{SkyPosition, Wcs};
use holotype_imaging::profile::{Point, SkyLine, line_profile};
use serde_json::{Map, Value, json};

use super::{number, number_or};
use crate::operations::products::frame;
use crate::{InputFile, OperationError};

/// `x` counts rows and `y` columns of the display, as the contract's maps have it.
pub(super) fn run(file: &InputFile, arguments: &Map<String, Value>) -> Result<String, OperationError> {
    let frame = frame(file)?;
    let side = |name, own: usize| {
        let shown = number_or(arguments, name, own as f64)?;
        match shown > 0.0 {
            true => Ok(own as f64 / shown),
            false => Err(OperationError::refused(format!("{name} must be above 0."))),
        }
    };
    let (down, along) = (side("height", frame.height())?, side("width", frame.width())?);
    let point = |x, y| {
        Ok::<_, OperationError>(Point { row: number(arguments, x)? * down, column: number(arguments, y)? * along })
    };
    let (start, end) = (point("x1", "y1")?, point("x2", "y2")?);
    let profile = line_profile(&frame.raster()?, start, end)?;
    let header = frame.header()?;
    // A position that is not understood leaves the profile without one; it does not take it away.
    let sky = Wcs::from_header(&header).ok().flatten().map(|wcs| SkyLine::of(&wcs, before(start), before(end)));
    let scale = header.real("PIXSCALE").filter(|scale| scale.is_finite());
    let length = profile.len().saturating_sub(1) as f64;
    let place = |place: SkyPosition| json!([place.right_ascension, place.declination]);
    let answer = json!({
        "line_profile": profile,
        "arcsec": sky.map(|sky| sky.arcsec).or_else(|| scale.map(|scale| length * scale)),
        "start_coords": sky.map(|sky| place(sky.start)),
        "end_coords": sky.map(|sky| place(sky.end)),
        "position_angle": sky.map(|sky| sky.position_angle),
    });
    Ok(answer.to_string())
}

/// Positions are told of the pixel before, as the front end's own counting has it.
fn before(point: Point) -> Point {
    Point { row: point.row - 1.0, column: point.column - 1.0 }
}
