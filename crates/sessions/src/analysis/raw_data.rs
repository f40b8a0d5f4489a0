//! The pixels of a frame for a display that stretches them itself.

use holotype_imaging::raw_data::{ceiling, raw_data};
use serde::Serialize;
use serde_json::{Map, Value};

use super::{number_or, text};
use crate::operations::products::frame;
use crate::{InputFile, OperationError};

/// The side of the square if nothing is said.
const SIDE: f64 = 500.0;

/// By the names that the front end knows.
#[derive(Serialize)]
struct Answer {
    data: Vec<f32>,
    height: usize,
    width: usize,
    histogram: Vec<f64>,
    bins: Vec<f64>,
    zmin: f64,
    zmax: f64,
    bitdepth: i64,
}

pub(super) fn run(file: &InputFile, arguments: &Map<String, Value>) -> Result<String, OperationError> {
    let frame = frame(file)?;
    let side = number_or(arguments, "max_size", SIDE)?;
    let whole = side.fract() == 0.0 && (1.0..1e6).contains(&side);
    if !whole {
        return Err(OperationError::refused("max_size must be a whole number above 0."));
    }
    let found = raw_data(&frame.raster()?, side as usize, ceiling(&frame.header()?, frame.bits()))?;
    text(&Answer {
        height: found.side,
        width: found.side,
        data: found.data,
        histogram: found.histogram,
        bins: found.bins,
        zmin: found.low,
        zmax: found.high,
        bitdepth: frame.bits().abs(),
    })
}
