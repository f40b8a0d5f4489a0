//! What can be done with frames: one file for each operation, which describes its form and hands the work to the room that knows it.

mod aperture_photometry;
mod color_image;
mod hr_diagram;
mod light_curve;
pub(crate) mod measured;
mod median;
mod normalization;
pub(crate) mod products;
mod stacking;
mod subtraction;
mod variable_star;

use std::sync::Arc;

use aperture_photometry::{AperturePhotometry, Target};

use crate::{Input, Kind, Operation, Stars};

/// The most files of one field.
const MOST_FILES: usize = 999;

/// The filters whose tables hold calibrated magnitudes.
const FILTERS: &[&str] = &["rp", "ip", "gp", "zs"];

/// Every operation, in the order in which they are offered. `stars` is where those that need a catalogue of the sky find it.
pub fn all(stars: Arc<dyn Stars>) -> Vec<Arc<dyn Operation>> {
    vec![
        Arc::new(median::Median::default()),
        Arc::new(stacking::Stacking::default()),
        Arc::new(subtraction::Subtraction::default()),
        Arc::new(normalization::Normalization::default()),
        Arc::new(color_image::ColorImage::default()),
        Arc::new(light_curve::LightCurve::default()),
        Arc::new(variable_star::VariableStar::default()),
        Arc::new(AperturePhotometry::of(Target::Fixed)),
        Arc::new(AperturePhotometry::of(Target::Headers)),
        Arc::new(AperturePhotometry::of(Target::Moving)),
        Arc::new(hr_diagram::HrDiagram::new(stars)),
    ]
}

/// The field of the frames that an operation works on.
fn input_files(text: &'static str, minimum: usize, filters: &'static [&'static str]) -> Input {
    let kind = Kind::Fits { minimum, maximum: MOST_FILES, filters, channels: false };
    Input { key: "input_files", name: "Input Files", text, kind }
}

/// The field of the star that is measured.
fn source(name: &'static str, text: &'static str, or_first_of: Option<&'static str>) -> Input {
    Input { key: "source", name, text, kind: Kind::Source { name_lookup: true, or_first_of } }
}
