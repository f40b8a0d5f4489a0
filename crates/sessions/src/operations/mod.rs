//! What can be done with frames: one file for each operation, which describes its form and hands the work to the room that knows it.

mod median;
mod products;
mod stacking;

use std::sync::Arc;

use crate::{Input, Kind, Operation};

/// The most files of one field.
const MOST_FILES: usize = 999;

/// Every operation, in the order in which they are offered.
pub fn all() -> Vec<Arc<dyn Operation>> {
    vec![Arc::new(median::Median::default()), Arc::new(stacking::Stacking::default())]
}

/// The field of the frames that an operation works on.
fn input_files(text: &'static str, minimum: usize, filters: &'static [&'static str]) -> Input {
    let kind = Kind::Fits { minimum, maximum: MOST_FILES, filters, channels: false };
    Input { key: "input_files", name: "Input Files", text, kind }
}
