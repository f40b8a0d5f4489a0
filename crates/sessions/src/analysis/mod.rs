//! Looks into one frame, answered at once: one file for each. They compute on threads that may block, a few at a time, for each holds an
//! image.

mod centroiding;
mod line_profile;
mod picture;
mod raw_data;
mod source_catalog;
mod wcs;

use holotype_core::{Caller, Digest};
use serde_json::{Map, Value};

use crate::{InputFile, InputItem, OperationError, SessionError, Sessions};

/// What a look into a frame comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Analysis {
    /// JSON text.
    Text(String),
    /// A picture that is drawn when it is fetched: [`Sessions::tif`].
    Tif {
        /// The frame.
        digest: Digest,
        /// What the frame is called.
        basename: String,
    },
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum AnalysisError {
    /// There is no such action.
    #[error("Analysis action '{action}' not found")]
    Unknown {
        /// What was asked for, shortened.
        action: String,
    },
    /// It cannot be done with this frame, or with what was asked.
    #[error(transparent)]
    Failed(#[from] OperationError),
    /// The frame cannot be had, or a fault of ours.
    #[error(transparent)]
    Session(#[from] SessionError),
}

/// A look into a frame: its answer as JSON text.
type Action = fn(&InputFile, &Map<String, Value>) -> Result<String, OperationError>;

/// The actions, by the names in addresses.
const ACTIONS: [(&str, Action); 6] = [
    ("centroiding", centroiding::run),
    ("line-profile", line_profile::run),
    ("source-catalog", source_catalog::run),
    ("get-jpg", picture::jpg),
    ("raw-data", raw_data::run),
    ("wcs", wcs::run),
];

/// The one that answers an address.
const TIF: &str = "get-tif";

impl Sessions {
    /// Looks into a frame that the caller may have. The body has its `basename` and `source`, and what the action needs.
    ///
    /// # Errors
    /// [`AnalysisError`]
    pub async fn analyse(&self, caller: &Caller, action: &str, body: &Value) -> Result<Analysis, AnalysisError> {
        let known = ACTIONS.iter().find(|(name, _)| *name == action).map(|(_, run)| *run);
        if known.is_none() && action != TIF {
            return Err(AnalysisError::Unknown { action: action.chars().take(80).collect() });
        }
        let item = InputItem::read(body).map_err(OperationError::refused)?;
        let local = self.local_input(caller, &item).await?;
        let file =
            InputFile { item, file_name: local.file_name.clone(), digest: local.digest, path: local.path.clone() };
        let arguments = body.as_object().cloned().unwrap_or_default();
        let look = move || {
            // The file stays for as long as it is looked into.
            let _held = local;
            match known {
                Some(run) => run(&file, &arguments).map(Analysis::Text),
                None => picture::check(&file)
                    .map(|()| Analysis::Tif { digest: file.digest, basename: file.item.basename.clone() }),
            }
        };
        Ok(self.look(look).await??)
    }

    /// A frame as a TIFF of its full size. Whoever asks has been let in.
    ///
    /// # Errors
    /// [`AnalysisError`]
    pub async fn tif(&self, digest: Digest) -> Result<Vec<u8>, AnalysisError> {
        let local = self.local_blob(digest).await?;
        Ok(self.look(move || picture::tif(&local.path)).await??)
    }

    /// Computes on a thread that may block, when it is its turn.
    async fn look<T: Send + 'static>(&self, look: impl FnOnce() -> T + Send + 'static) -> Result<T, SessionError> {
        let aborted = |problem: String| SessionError::Damaged { what: "an analysis".to_owned(), problem };
        let turn = self.turns().acquire_owned().await.map_err(|error| aborted(error.to_string()))?;
        let looking = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            look()
        });
        looking.await.map_err(|error| aborted(error.to_string()))
    }
}

/// A number among the arguments, also one that a form wrote as text.
fn number(arguments: &Map<String, Value>, name: &str) -> Result<f64, OperationError> {
    let number = match arguments.get(name) {
        Some(Value::Number(number)) => number.as_f64(),
        Some(Value::String(text)) => text.trim().parse().ok(),
        _ => None,
    };
    let needed = || OperationError::refused(format!("{name} must be a number."));
    number.filter(|number: &f64| number.is_finite()).ok_or_else(needed)
}

/// The same, or what it is if nothing is said.
fn number_or(arguments: &Map<String, Value>, name: &str, default: f64) -> Result<f64, OperationError> {
    match arguments.get(name) {
        None | Some(Value::Null) => Ok(default),
        Some(_) => number(arguments, name),
    }
}

/// Text of what was found; null where there is no number.
fn text(found: &impl serde::Serialize) -> Result<String, OperationError> {
    let failed = |error: serde_json::Error| OperationError::Store {
        problem: format!("the answer cannot be written: {error}"),
        category: holotype_core::Category::Internal,
    };
    serde_json::to_string(found).map_err(failed)
}
