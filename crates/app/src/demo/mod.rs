//! A throw-away laboratory to look at: a day of believable measurements and three nights of a telescope's frames, stored
//! through the same service as real ones.

mod chance;
mod laboratory;
mod observatory;
mod table;
mod tour;

use holotype_archives::ArchiveError;
use holotype_catalog::Catalog;
use holotype_core::{Caller, Instant};
use holotype_datapoints::{DatapointError, NewFile, Settings, Submission};
use serde_json::{Value, json};

pub use tour::Tour;

use crate::{App, AppError};
use laboratory::Laboratory;
use observatory::Observatory;

/// What the laboratory consists of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DemoOptions {
    /// The same seed at the same instant makes the same laboratory.
    pub seed: u64,
    /// The end of its day: the present, so that the latest values are recent.
    pub end: Instant,
}

/// What was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Demo {
    /// Values stored.
    pub values: usize,
    /// Files stored.
    pub files: usize,
    /// Frames stored.
    pub frames: usize,
    /// The experiment in which cultures grow, to select by.
    pub experiment: String,
    /// A spectrum, to fetch.
    pub spectrum: String,
}

/// Fills an application with the laboratory's day, as the local owner.
///
/// # Errors
/// What storing a datapoint may meet.
pub async fn fill(app: &App, options: DemoOptions) -> Result<Demo, AppError> {
    let caller = Catalog::local_owner();
    let mut laboratory = Laboratory::new(options.seed, options.end);
    for (label, schema, unit) in schemas() {
        app.datapoints().put_label_schema(&caller, caller.project, label, schema, unit.map(str::to_owned)).await?;
    }
    let submissions = laboratory.values().iter().map(|value| parse(app, value)).collect::<Result<Vec<_>, _>>()?;
    let experiment = laboratory.growth.clone();
    let mut demo = Demo { values: submissions.len(), files: 0, frames: 0, experiment, spectrum: String::new() };
    for stored in app.datapoints().submit_batch(&caller, caller.project, submissions).await {
        stored?;
    }
    for file in laboratory.spectra() {
        demo.spectrum = store(app, &caller, &file).await?;
        demo.files += 1;
    }
    for frame in Observatory::new(options.seed, options.end).frames().map_err(ArchiveError::from)? {
        let mut upload = app.blobs().begin();
        upload.write(&frame.bytes).await?;
        app.archives().ingest(&caller, caller.project, &frame.name, upload.finish().await?).await?;
        demo.frames += 1;
    }
    Ok(demo)
}

async fn store(app: &App, caller: &Caller, file: &laboratory::InstrumentFile) -> Result<String, AppError> {
    let submission = parse(app, &file.datapoint)?;
    let mut upload = app.blobs().begin();
    upload.write(file.text.as_bytes()).await?;
    let held = upload.finish().await?;
    let files = vec![NewFile { name: file.name.clone(), held }];
    Ok(app.datapoints().submit(caller, caller.project, submission, files).await?.id)
}

fn parse(app: &App, datapoint: &Value) -> Result<Submission, AppError> {
    let Settings { limits, time_zone, .. } = app.datapoints().settings();
    let parsed = Submission::parse(datapoint.to_string().as_bytes(), &limits.json, time_zone);
    Ok(parsed.map_err(|errors| DatapointError::Invalid { errors })?)
}

/// What the values of three of the instruments look like, and their units.
fn schemas() -> [(&'static str, Value, Option<&'static str>); 3] {
    let number = |unit: &str| json!({ "type": "number", "unit": unit });
    [
        (
            "incubator-1",
            json!({
                "type": "object",
                "required": ["temperature", "co2", "humidity"],
                "properties": {
                    "temperature": number("degC"),
                    "co2": number("%"),
                    "humidity": number("%"),
                    "door": { "enum": ["open", "closed"] },
                },
            }),
            None,
        ),
        (
            "plate-reader-1",
            json!({
                "type": "object",
                "required": ["plate", "wavelength", "wells"],
                "properties": {
                    "wavelength": number("nm"),
                    "wells": { "type": "object", "additionalProperties": number("OD") },
                },
            }),
            None,
        ),
        (
            "balance-2",
            json!({
                "type": "object",
                "required": ["mass", "stable"],
                "properties": { "mass": number("g"), "stable": { "type": "boolean" } },
            }),
            None,
        ),
    ]
}
