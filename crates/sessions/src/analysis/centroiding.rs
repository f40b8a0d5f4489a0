//! The star at a place of a display.

use holotype_photometry::centroiding;
use serde_json::{Map, Value};

use super::text;
use crate::operations::measured::frame;
use crate::{InputFile, OperationError};

pub(super) fn run(file: &InputFile, arguments: &Map<String, Value>) -> Result<String, OperationError> {
    let request = serde_json::from_value(Value::Object(arguments.clone()));
    let request: centroiding::Request = request.map_err(|error| OperationError::refused(error.to_string()))?;
    text(&centroiding::run(&frame(file), &request)?)
}
