//! The magnitudes of a star over frames, as the frames' own tables have them.

use holotype_photometry::{Progress, light_curve};

use super::measured::{frames, target, told, watch};
use super::{FILTERS, input_files, source};
use crate::{Description, Operation, OperationError, Outcome, Work};

/// The members of inputs that decide a light curve.
pub(super) const DECIDING: &[&str] = &["filter", "primary_optical_element", "observation_date"];

/// The magnitudes of a star.
pub(super) struct LightCurve(Description);

impl Default for LightCurve {
    fn default() -> Self {
        Self(Description {
            name: "Light Curve",
            text: "Follows the magnitude of a star through frames of one filter.",
            inputs: vec![
                source("Source Star", "The star.", None),
                input_files("The frames; all through one filter.", 1, FILTERS),
            ],
        })
    }
}

impl Operation for LightCurve {
    fn description(&self) -> &Description {
        &self.0
    }

    fn deciding(&self) -> &'static [&'static str] {
        DECIDING
    }

    fn run(&self, work: &Work) -> Result<Outcome, OperationError> {
        let target = target(&work.parameters, "source")?;
        let found = light_curve::run(&frames(work, "input_files"), &target, Progress::new(&watch(work)))?;
        Ok(Outcome::Data(vec![told(&found)?]))
    }
}
