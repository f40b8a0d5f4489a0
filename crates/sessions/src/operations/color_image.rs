//! Frames of several filters as one picture in colours.

use holotype_fits::display::{Autoscale, Plane};
use holotype_imaging::Raster;
use holotype_imaging::align::{Star, align, resample};
use holotype_imaging::colour::{Channel, MAX_CHANNELS, compose};
use holotype_imaging::picture::THUMBNAIL;
use holotype_photometry::catalogue::Quantity;
use serde_json::Value;

use super::{measured, products};
use crate::{Description, Input, InputFile, Kind, Operation, OperationError, Outcome, Product, Work};

/// A picture in colours.
pub(super) struct ColorImage(Description);

impl Default for ColorImage {
    fn default() -> Self {
        let kind = Kind::Fits { minimum: 1, maximum: MAX_CHANNELS, filters: &[], channels: true };
        let text = "The frames, each with the colour that it is shown in.";
        Self(Description {
            name: "Color Image",
            text: "Shows frames of several filters as one picture, each in a colour of its own, laid over each other by their stars.",
            inputs: vec![Input { key: "color_channels", name: "Color Channel", text, kind }],
        })
    }
}

impl Operation for ColorImage {
    fn description(&self) -> &Description {
        &self.0
    }

    fn deciding(&self) -> &'static [&'static str] {
        &["color", "zmin", "zmax"]
    }

    fn run(&self, work: &Work) -> Result<Outcome, OperationError> {
        let files = work.files("color_channels");
        let mut rasters = Vec::with_capacity(files.len());
        for (index, file) in files.iter().enumerate() {
            work.report("Reading", 0.4 * index as f64 / files.len() as f64)?;
            rasters.push(products::frame(file)?.raster()?);
        }
        work.report("Aligning", 0.4)?;
        let rasters = aligned(files, rasters);
        work.report("Composing", 0.6)?;
        let channels: Vec<Channel> = files.iter().zip(&rasters).map(|(file, raster)| channel(file, raster)).collect();
        let picture = compose(&channels)?;
        work.report("Writing", 0.8)?;
        let name = |ending: &str| work.file(&format!("picture{ending}"));
        let (large, small, tif) = (name("-large.jpg"), name("-small.jpg"), name(".tif"));
        std::fs::write(&large, picture.jpeg()?)?;
        std::fs::write(&small, picture.thumbnail(THUMBNAIL).jpeg()?)?;
        std::fs::write(&tif, picture.tiff())?;
        work.publish(&Product { number: None, fits: None, large: Some(large), small: Some(small), tif: Some(tif) })?;
        Ok(Outcome::Products)
    }
}

/// The images on the grid of the first; as they are, if the stars of one of them are not found in it.
fn aligned(files: &[InputFile], rasters: Vec<Raster>) -> Vec<Raster> {
    let stars: Option<Vec<Vec<Star>>> = files.iter().map(stars).collect();
    let Some((reference, others)) = stars.as_deref().and_then(<[_]>::split_first) else { return rasters };
    let found: Option<Vec<_>> = others.iter().map(|stars| align(reference, stars)).collect();
    let (Some(found), Some(first)) = (found, rasters.first()) else { return rasters };
    let (width, height) = (first.width, first.height);
    let mut rasters = rasters.into_iter();
    let first = rasters.next();
    let others = rasters.zip(found).map(|(raster, found)| resample(&raster, &found.similarity, width, height));
    first.into_iter().chain(others).collect()
}

/// The stars in the table of a frame; nothing if it has none.
fn stars(file: &InputFile) -> Option<Vec<Star>> {
    let frame = measured::frame(file);
    let catalogue = frame.open().ok()?.catalogue().ok()?;
    let column = |quantity| catalogue.column(quantity);
    let (x, y, flux) = (column(Quantity::X)?, column(Quantity::Y)?, column(Quantity::Flux)?);
    Some(x.iter().zip(y).zip(flux).map(|((x, y), flux)| Star { x: *x, y: *y, flux: *flux }).collect())
}

/// An image in its colour, between the limits of the request or else those of its own scale.
fn channel<'r>(file: &InputFile, raster: &'r Raster) -> Channel<'r> {
    let member = |name: &str| file.item.members.get(name);
    let number = |value: Option<&Value>| match value {
        Some(Value::Number(number)) => number.as_f64(),
        Some(Value::String(text)) => text.trim().parse().ok(),
        _ => None,
    };
    let part = |name: &str| number(member("color").and_then(|color| color.get(name))).unwrap_or_default() / 255.0;
    let (black, white) = (number(member("zmin")).unwrap_or_default(), number(member("zmax")).unwrap_or_default());
    let given = (black != 0.0 || white != 0.0).then_some((black, white));
    let own = || {
        let plane = Plane::new(raster.width, raster.height, &raster.values).ok()?;
        Autoscale::of(&plane).map(|scale| (scale.median, scale.high))
    };
    let (black, white) = given.or_else(own).unwrap_or((0.0, 1.0));
    Channel { raster, colour: [part("r"), part("g"), part("b")], black, white }
}
