//! Frames less one other frame.

use holotype_imaging::arithmetic::subtract;

use super::input_files;
use super::products::{Made, frame, publish};
use crate::{Description, Input, Kind, Operation, OperationError, Outcome, Work};

/// Frames less one other frame.
pub(super) struct Subtraction(Description);

impl Default for Subtraction {
    fn default() -> Self {
        let one = Kind::Fits { minimum: 1, maximum: 1, filters: &[], channels: false };
        Self(Description {
            name: "Subtraction",
            text: "Subtracts one frame from each of the others, pixel by pixel: what does not change goes.",
            inputs: vec![
                input_files("The frames to subtract from.", 1, &[]),
                Input {
                    key: "subtraction_file",
                    name: "Subtraction File",
                    text: "The frame that is subtracted from each.",
                    kind: one,
                },
            ],
        })
    }
}

impl Operation for Subtraction {
    fn description(&self) -> &Description {
        &self.0
    }

    fn run(&self, work: &Work) -> Result<Outcome, OperationError> {
        work.report("Reading", 0.0)?;
        let Some(other) = work.files("subtraction_file").first() else {
            return Err(OperationError::refused("There is no file to subtract."));
        };
        let subtracted = frame(other)?.raster()?;
        let files = work.files("input_files");
        for (index, file) in files.iter().enumerate() {
            work.report("Subtracting", index as f64 / files.len() as f64)?;
            let input = frame(file)?;
            let raster = subtract(input.raster()?, &subtracted);
            let what = format!("{} less {}", file.item.basename, other.item.basename);
            let made = Made { header: &input.header()?, cards: &[], what, from: vec![file, other] };
            publish(work, Some(index + 1), &raster, &made)?;
        }
        Ok(Outcome::Products)
    }
}
