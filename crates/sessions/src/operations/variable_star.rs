//! The period of a star that varies.

use holotype_photometry::period::LEAST_POINTS;
use holotype_photometry::{Progress, variable};

use super::light_curve::DECIDING;
use super::measured::{frames, target, told, watch};
use super::{FILTERS, input_files, source};
use crate::{Description, Operation, OperationError, Outcome, Work};

/// The period of a star.
pub(super) struct VariableStar(Description);

impl Default for VariableStar {
    fn default() -> Self {
        Self(Description {
            name: "Variable Star",
            text: "Follows the magnitude of a star through frames of one filter, and searches for its period.",
            inputs: vec![
                source("Source Star", "The star.", None),
                input_files("The frames; all through one filter.", LEAST_POINTS, FILTERS),
            ],
        })
    }
}

impl Operation for VariableStar {
    fn description(&self) -> &Description {
        &self.0
    }

    fn deciding(&self) -> &'static [&'static str] {
        DECIDING
    }

    fn run(&self, work: &Work) -> Result<Outcome, OperationError> {
        let target = target(&work.parameters, "source")?;
        let found = variable::run(&frames(work, "input_files"), &target, Progress::new(&watch(work)))?;
        Ok(Outcome::Data(vec![told(&found)?]))
    }
}
