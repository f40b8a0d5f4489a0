//! The colour-magnitude diagram of a cluster.

use std::sync::Arc;

use holotype_photometry::Progress;
use holotype_photometry::hr_diagram::{self, BLUE_FILTERS, Parameters, RADIUS, RED_FILTERS};
use serde_json::{Map, Value};

use super::measured::{FILTER, frame, read, target, told, watch};
use crate::{Description, Input, Kind, Operation, OperationError, Outcome, Stars, Work};

/// The diagram of a cluster.
pub(super) struct HrDiagram {
    description: Description,
    stars: Arc<dyn Stars>,
}

impl HrDiagram {
    /// The operation with this catalogue of the sky.
    pub(super) fn new(stars: Arc<dyn Stars>) -> Self {
        let one = |key, name, text, filters| Input {
            key,
            name,
            text,
            kind: Kind::Fits { minimum: 1, maximum: 1, filters, channels: false },
        };
        let inputs = vec![
            one(
                "blue_filter_files",
                "Blue Band Image",
                "A frame of the cluster through the bluer filter.",
                &BLUE_FILTERS,
            ),
            one(
                "red_filter_files",
                "Red Band Image",
                "A frame of the cluster through the redder filter.",
                &RED_FILTERS,
            ),
            Input {
                key: "cluster",
                name: "Cluster Center",
                text: "The middle of the cluster.",
                kind: Kind::Source { name_lookup: false, or_first_of: None },
            },
            Input {
                key: "search_radius_arcmin",
                name: "Search Radius (arcmin)",
                text: "How far from the middle stars are taken.",
                kind: Kind::Float { default: RADIUS, required: false },
            },
        ];
        let text = "Draws the colours of a cluster's stars against their magnitudes, with what Gaia knows of them.";
        Self { description: Description { name: "HR Diagram", text, inputs }, stars }
    }
}

fn parameters(given: &Map<String, Value>) -> Result<Parameters, (&'static str, OperationError)> {
    let cluster = target(given, "cluster").map_err(|error| ("cluster", error))?;
    let radius = read(given, "search_radius_arcmin").map_err(|error| ("search_radius_arcmin", error))?;
    Parameters::new(cluster, radius).map_err(|error| ("search_radius_arcmin", error.into()))
}

impl Operation for HrDiagram {
    fn description(&self) -> &Description {
        &self.description
    }

    fn deciding(&self) -> &'static [&'static str] {
        FILTER
    }

    fn check(&self, given: &Map<String, Value>) -> Result<(), (&'static str, String)> {
        parameters(given).map(drop).map_err(|(field, error)| (field, error.to_string()))
    }

    fn run(&self, work: &Work) -> Result<Outcome, OperationError> {
        let parameters = parameters(&work.parameters).map_err(|(_, error)| error)?;
        let one = |field| {
            let file = work.files(field).first();
            file.map(frame).ok_or_else(|| OperationError::refused(format!("{field}: a file is needed.")))
        };
        let (blue, red) = (one("blue_filter_files")?, one("red_filter_files")?);
        work.report("Asking Gaia", 0.2)?;
        let stopped = || work.desk.stopped();
        let gaia = self.stars.around(parameters.target(), parameters.radius_arcmin(), &stopped)?;
        let diagram = hr_diagram::run(&blue, &red, &parameters, &gaia, Progress::new(&watch(work)))?;
        Ok(Outcome::Data(vec![told(&diagram)?]))
    }
}
