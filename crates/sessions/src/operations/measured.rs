//! Frames in, and measurements out, as all operations on stars have them.

use std::ops::ControlFlow;

use holotype_photometry::Frame;
use holotype_photometry::request::Target;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::{InputFile, OperationError, Work};

/// The members of inputs that say through which filter a frame was taken.
pub(super) const FILTER: &[&str] = &["filter", "primary_optical_element"];

/// The frames of the files of a field, called by their basenames.
pub(super) fn frames(work: &Work, field: &str) -> Vec<Frame> {
    work.files(field).iter().map(frame).collect()
}

/// The frame of a file, with what the request says of it.
pub(crate) fn frame(file: &InputFile) -> Frame {
    let owned = |text: Option<&str>| text.map(str::to_owned);
    Frame::file(file.item.basename.clone(), file.path.clone())
        .with_filter(owned(file.item.filter()))
        .with_observation_date(owned(file.item.observation_date()))
}

/// Passes progress on.
pub(super) fn watch(work: &Work) -> impl Fn(f64, &str) -> ControlFlow<()> + Sync + '_ {
    |fraction, message| match work.tell(message, fraction) {
        Ok(()) => ControlFlow::Continue(()),
        Err(_) => ControlFlow::Break(()),
    }
}

/// The place in the sky that a field names.
pub(super) fn target(parameters: &Map<String, Value>, field: &str) -> Result<Target, OperationError> {
    read(parameters, field)
}

/// What a field holds.
pub(super) fn read<T: DeserializeOwned>(parameters: &Map<String, Value>, field: &str) -> Result<T, OperationError> {
    let value = parameters.get(field).cloned().unwrap_or_default();
    serde_json::from_value(value).map_err(|error| OperationError::refused(format!("{field}: {error}")))
}

/// What was measured, as it is answered: null where there is no number.
pub(super) fn told(measured: &impl Serialize) -> Result<Value, OperationError> {
    let failed = |error: serde_json::Error| OperationError::Store {
        problem: format!("the measurements cannot be written: {error}"),
        category: holotype_core::Category::Internal,
    };
    serde_json::to_value(measured).map_err(failed)
}
