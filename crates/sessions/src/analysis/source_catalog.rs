//! The sources in the table of a frame, at their places on a display.

use holotype_photometry::source_catalogue;
use serde_json::{Map, Value};

use super::{number, text};
use crate::operations::measured::frame;
use crate::{InputFile, OperationError};

pub(super) fn run(file: &InputFile, arguments: &Map<String, Value>) -> Result<String, OperationError> {
    let (width, height) = (number(arguments, "width")?, number(arguments, "height")?);
    text(&source_catalogue::run(&frame(file), width, height)?)
}
