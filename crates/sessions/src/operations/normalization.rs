//! Frames divided by their own medians.

use holotype_imaging::arithmetic::normalise;

use super::input_files;
use super::products::{Made, frame, publish};
use crate::{Description, Operation, OperationError, Outcome, Work};

/// Frames divided by their own medians.
pub(super) struct Normalization(Description);

impl Default for Normalization {
    fn default() -> Self {
        Self(Description {
            name: "Normalization",
            text: "Divides each frame by the median of its pixels, so that frames of different exposures compare.",
            inputs: vec![input_files("The frames.", 1, &[])],
        })
    }
}

impl Operation for Normalization {
    fn description(&self) -> &Description {
        &self.0
    }

    fn run(&self, work: &Work) -> Result<Outcome, OperationError> {
        let files = work.files("input_files");
        for (index, file) in files.iter().enumerate() {
            work.report("Normalizing", index as f64 / files.len() as f64)?;
            let input = frame(file)?;
            let raster = normalise(input.name(), input.raster()?)?;
            let what = format!("{} divided by its median", file.item.basename);
            publish(
                work,
                Some(index + 1),
                &raster,
                &Made { header: &input.header()?, cards: &[], what, from: vec![file] },
            )?;
        }
        Ok(Outcome::Products)
    }
}
