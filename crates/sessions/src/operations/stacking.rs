//! The sum of frames, as they lie or on a common grid of the sky.

use holotype_imaging::combine::{Blank, Combination, Method, combine};
use holotype_imaging::stack::stack;

use super::input_files;
use super::products::{Made, frames, publish, watch};
use crate::{Description, Input, Kind, Operation, OperationError, Outcome, Work};

/// The sum of frames.
pub(super) struct Stacking(Description);

impl Default for Stacking {
    fn default() -> Self {
        let mode = Kind::Select { options: &["simple", "reproject"], default: "simple" };
        let text = "Simple adds the frames as they lie; reproject brings them to a common grid of the sky first.";
        Self(Description {
            name: "Stacking",
            text: "Adds the frames up, so that faint things stand out.",
            inputs: vec![
                input_files("The frames.", 2, &[]),
                Input { key: "stacking_mode", name: "Stacking Mode", text, kind: mode },
            ],
        })
    }
}

impl Operation for Stacking {
    fn description(&self) -> &Description {
        &self.0
    }

    fn run(&self, work: &Work) -> Result<Outcome, OperationError> {
        work.report("Reading headers", 0.0)?;
        let frames = frames(work, "input_files")?;
        let count = frames.len();
        let (raster, header, what) = match work.text("stacking_mode")? {
            "reproject" => {
                let (raster, header) = stack(&frames, &watch(work, "Reprojecting", 0.0, 0.8))?;
                (raster, header, format!("sum of {count} frames on a common grid of the sky"))
            }
            _ => {
                let combination = Combination::new(Method::Sum, Blank::LeftOut);
                let raster = combine(&frames, &combination, &watch(work, "Adding", 0.0, 0.8))?;
                let header = frames.first().map(holotype_imaging::Frame::header).transpose()?.unwrap_or_default();
                (raster, header, format!("sum of {count} frames"))
            }
        };
        work.report("Writing", 0.8)?;
        let from = work.files("input_files").iter().collect();
        publish(work, None, &raster, &Made { header: &header, cards: &[], what, from })?;
        Ok(Outcome::Products)
    }
}
