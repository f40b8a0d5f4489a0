//! The median of frames, pixel by pixel.

use holotype_imaging::combine::{Blank, Combination, Method, combine};

use super::input_files;
use super::products::{Made, frames, publish, watch};
use crate::{Description, Operation, OperationError, Outcome, Work};

/// The median of frames.
pub(super) struct Median(Description);

impl Default for Median {
    fn default() -> Self {
        Self(Description {
            name: "Median",
            text: "Takes the median of the frames at each pixel. What is in one frame alone, as a cosmic ray or a satellite, is gone.",
            inputs: vec![input_files("The frames; they should show the same part of the sky.", 2, &[])],
        })
    }
}

impl Operation for Median {
    fn description(&self) -> &Description {
        &self.0
    }

    fn run(&self, work: &Work) -> Result<Outcome, OperationError> {
        work.report("Reading headers", 0.0)?;
        let frames = frames(work, "input_files")?;
        let combination = Combination::new(Method::Median, Blank::Spreads);
        let raster = combine(&frames, &combination, &watch(work, "Combining", 0.0, 0.6))?;
        work.report("Writing", 0.6)?;
        let header = frames.first().map(holotype_imaging::Frame::header).transpose()?.unwrap_or_default();
        let what = format!("median of {} frames", frames.len());
        let from = work.files("input_files").iter().collect();
        publish(work, None, &raster, &Made { header: &header, cards: &[], what, from })?;
        Ok(Outcome::Products)
    }
}
