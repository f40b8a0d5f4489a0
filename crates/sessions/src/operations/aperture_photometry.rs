//! The magnitudes of a target, measured in frames against stars beside it: a target that stands still, one that the frames' headers follow,
//! and one on a track.

use std::collections::HashMap;
use std::io;
use std::sync::{Mutex, PoisonError};

use holotype_photometry::Progress;
use holotype_photometry::series::{self, COMPARISONS, Parameters, Place, Radii};
use serde_json::{Map, Value};

use super::measured::{FILTER, frames, read, target, told, watch};
use super::{FILTERS, input_files, source};
use crate::{Description, Input, Kind, Operation, OperationError, Outcome, Work};

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Target {
    /// Something at one place on the sky.
    Fixed,
    /// Something that each frame's header says the place of.
    Headers,
    /// Something on a track through given places.
    Moving,
}

/// The magnitudes of a target.
pub(super) struct AperturePhotometry {
    description: Description,
    target: Target,
}

impl AperturePhotometry {
    /// The operation for one kind of target.
    pub(super) fn of(target: Target) -> Self {
        let files = input_files("The frames; all through one filter.", 1, FILTERS);
        let (name, text, inputs) = match target {
            Target::Fixed => (
                "Aperture Photometry",
                "Measures a star in frames of one filter against the stars beside it.",
                // The front end knows no list of positions.
                [vec![source("Target", "The star.", Some("target_positions")), files], circles()].concat(),
            ),
            Target::Headers => (
                "Non-Sidereal Aperture Photometry",
                "Measures what the telescope followed, in frames of one filter, against the stars beside it.",
                [vec![files], circles()].concat(),
            ),
            Target::Moving => (
                "Moving Target Aperture Photometry",
                "Measures what moves among the stars, in frames of one filter, against the stars beside it.",
                [vec![files], circles(), track()].concat(),
            ),
        };
        Self { description: Description { name, text, inputs }, target }
    }

    fn parameters(&self, given: &Map<String, Value>) -> Result<Parameters, (&'static str, OperationError)> {
        let number = |field| read(given, field).map_err(|error| (field, error));
        let (aperture, inner) = (number("aperture_radius")?, number("annulus_inner_radius")?);
        let outer = number("annulus_outer_radius")?;
        let radii = Radii::new(aperture, inner, outer).map_err(|error| ("aperture_radius", error.into()))?;
        let count = |field| {
            let count: i64 = read(given, field).map_err(|error| (field, error))?;
            Ok::<_, (&'static str, OperationError)>(usize::try_from(count).unwrap_or(0))
        };
        let comparisons = count("min_comparisons")?..=count("max_comparisons")?;
        let (field, place) = match self.target {
            Target::Fixed => ("source", Place::Fixed(target(given, "source").map_err(|error| ("source", error))?)),
            Target::Headers => ("min_comparisons", Place::Headers),
            Target::Moving => {
                let field = "target_positions";
                let positions = read(given, field).map_err(|error| (field, error))?;
                (field, Place::Moving { positions, search_radius: number("track_search_radius")? })
            }
        };
        Parameters::new(place, radii, comparisons).map_err(|error| (field, error.into()))
    }
}

impl Operation for AperturePhotometry {
    fn description(&self) -> &Description {
        &self.description
    }

    fn deciding(&self) -> &'static [&'static str] {
        FILTER
    }

    fn check(&self, parameters: &Map<String, Value>) -> Result<(), (&'static str, String)> {
        self.parameters(parameters).map(drop).map_err(|(field, error)| (field, error.to_string()))
    }

    fn run(&self, work: &Work) -> Result<Outcome, OperationError> {
        let parameters = self.parameters(&work.parameters).map_err(|(_, error)| error)?;
        let frames = frames(work, "input_files");
        let numbers: HashMap<&str, usize> =
            frames.iter().enumerate().map(|(index, one)| (one.name(), index + 1)).collect();
        let kept: Mutex<Map<String, Value>> = Mutex::default();
        let keep = |name: &str, bytes: Vec<u8>| {
            let ending = format!("-{}-diagnostic.jpg", numbers.get(name).copied().unwrap_or_default());
            let path = work.file(&format!("picture{ending}"));
            std::fs::write(&path, bytes)?;
            let file = work.keep(&ending, &path).map_err(io::Error::other)?;
            kept.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned(), file);
            Ok(())
        };
        let watch = watch(work);
        let measured = series::run(&frames, &parameters, Some(&keep), Progress::new(&watch))?;
        let mut told = told(&measured)?;
        let mut pictures = kept.into_inner().unwrap_or_else(PoisonError::into_inner);
        pictures.sort_keys();
        told["diagnostic_images"] = pictures.into();
        Ok(Outcome::Data(vec![told]))
    }
}

/// What is measured around each star.
fn circles() -> Vec<Input> {
    let radius = |key, name, text, default| Input { key, name, text, kind: Kind::Float { default, required: true } };
    let count = |key, name, text, default: usize| {
        let default = i64::try_from(default).unwrap_or_default();
        Input { key, name, text, kind: Kind::Int { default } }
    };
    vec![
        radius("aperture_radius", "Aperture Radius", "The radius of the circle around each star, in arcseconds.", 7.64),
        radius(
            "annulus_inner_radius",
            "Annulus Inner Radius",
            "Where the ring for the sky begins, in arcseconds.",
            12.73,
        ),
        radius(
            "annulus_outer_radius",
            "Annulus Outer Radius",
            "Where the ring for the sky ends, in arcseconds.",
            19.10,
        ),
        count(
            "min_comparisons",
            "Minimum Comparison Stars",
            "How many stars the magnitudes must rest on.",
            *COMPARISONS.start(),
        ),
        count(
            "max_comparisons",
            "Maximum Comparison Stars",
            "How many stars the magnitudes may rest on.",
            *COMPARISONS.end(),
        ),
    ]
}

/// Where a moving target is.
fn track() -> Vec<Input> {
    vec![
        Input {
            key: "target_positions",
            name: "Target Positions",
            text: "Where the target was, at two times at least.",
            kind: Kind::Positions { minimum: 2 },
        },
        Input {
            key: "track_search_radius",
            name: "Target Search Radius",
            text: "How far from its track the target is looked for, in arcseconds.",
            kind: Kind::Float { default: 10.0, required: false },
        },
    ]
}
