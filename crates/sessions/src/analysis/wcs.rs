//! Where a frame lies on the sky, as its header says.

use holotype_fits::wcs::Wcs;
use serde_json::{Map, Value, json};

use crate::operations::products::frame;
use crate::{InputFile, OperationError};

pub(super) fn run(file: &InputFile, _: &Map<String, Value>) -> Result<String, OperationError> {
    let frame = frame(file)?;
    let wcs = Wcs::from_header(&frame.header()?)?;
    let wcs = wcs.ok_or_else(|| OperationError::refused("The frame does not say where it lies on the sky."))?;
    let (reference, [cd1, cd2]) = (wcs.reference_pixel(), wcs.matrix());
    let answer = json!({
        "crval": wcs.reference_values(),
        "crpix": [reference.x, reference.y],
        "cd1": cd1,
        "cd2": cd2,
        "fits_dimensions": [frame.width(), frame.height()],
    });
    Ok(answer.to_string())
}
