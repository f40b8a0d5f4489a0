//! A frame as a picture.

use std::fs::File;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use holotype_imaging::Frame;
use holotype_imaging::picture::{Coloured, grey};
use serde_json::{Map, Value, json};

use super::number_or;
use crate::{InputFile, OperationError};

/// As a JPEG of the full size between `zmin` and `zmax`; between the limits of its own scale if both are 0.
pub(super) fn jpg(file: &InputFile, arguments: &Map<String, Value>) -> Result<String, OperationError> {
    let (black, white) = (number_or(arguments, "zmin", 0.0)?, number_or(arguments, "zmax", 0.0)?);
    let limits = (black != 0.0 || white != 0.0).then_some((black, white));
    let picture = grey(&image(&file.item.basename, &file.path)?.raster()?, limits)?;
    Ok(json!({ "jpg_base64": STANDARD.encode(picture.jpeg()?) }).to_string())
}

/// As a TIFF of the full size.
pub(super) fn tif(path: &Path) -> Result<Vec<u8>, OperationError> {
    let picture = grey(&image("the frame", path)?.raster()?, None)?;
    Ok(Coloured::of_grey(&picture)?.tiff())
}

/// Whether there is something to see.
pub(super) fn check(file: &InputFile) -> Result<(), OperationError> {
    image(&file.item.basename, &file.path).map(drop)
}

fn image(name: &str, path: &Path) -> Result<Frame, OperationError> {
    let path = path.to_owned();
    Ok(Frame::first(name, move || Ok(Box::new(File::open(&path)?)))?)
}
