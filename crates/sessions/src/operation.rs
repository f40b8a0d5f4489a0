//! What an operation is: a thin adapter between a request and the rooms that know pixels and stars.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::io::{self, BufReader};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use holotype_core::{Category, Digest};
use holotype_fits::FitsError;
use holotype_imaging::ImagingError;
use holotype_photometry::PhotometryError;
use serde_json::{Map, Value};

use crate::{Description, FileName, InputItem};

/// Something that can be done with frames. It computes, on a thread that may block; it knows no catalog and no store.
pub trait Operation: Send + Sync + 'static {
    /// How it is described to who fills in a form; its name is that of the operation.
    fn description(&self) -> &Description;

    /// Which generation of its results this is. A change that makes other numbers or other files takes the next one, so that no result
    /// of before is taken for one of now.
    fn version(&self) -> u32 {
        1
    }

    /// The members of inputs that decide the result, beside which bytes they are.
    fn deciding(&self) -> &'static [&'static str] {
        &[]
    }

    /// Refuses parameters that the description cannot: relations between them. The field, and what is wrong with it.
    ///
    /// # Errors
    /// See above.
    fn check(&self, _parameters: &Map<String, Value>) -> Result<(), (&'static str, String)> {
        Ok(())
    }

    /// Does it.
    ///
    /// # Errors
    /// [`OperationError::Refused`] for what the frames or the parameters are the fault of; [`OperationError::Stopped`] soon after
    /// [`Work::report`] said so.
    fn run(&self, work: &Work) -> Result<Outcome, OperationError>;
}

/// One execution of an operation.
pub struct Work {
    /// The key of the result: what its files are named after.
    pub key: Digest,
    /// What is done, as `Median`.
    pub name: String,
    /// What the request says beside its files, defaults filled in.
    pub parameters: Map<String, Value>,
    /// The files of each field, in the request's order.
    pub inputs: BTreeMap<String, Vec<InputFile>>,
    /// A folder of this execution, which is removed at its end.
    pub scratch: PathBuf,
    /// Where progress and files go.
    pub desk: Arc<dyn Desk>,
}

/// One input, on this machine.
#[derive(Debug, Clone)]
pub struct InputFile {
    /// What the request says of it.
    pub item: InputItem,
    /// What the file is called, with its ending.
    pub file_name: String,
    /// Which bytes these are.
    pub digest: Digest,
    /// Where they are; only to be read.
    pub path: PathBuf,
}

impl InputFile {
    /// Opens it.
    ///
    /// # Errors
    /// [`OperationError::Io`].
    pub fn open(&self) -> Result<BufReader<File>, OperationError> {
        Ok(BufReader::new(File::open(&self.path)?))
    }
}

/// Where an execution's progress and files go.
pub trait Desk: Send + Sync {
    /// Tells how far the work has come (0 to 1) and what it does.
    fn report(&self, message: &str, fraction: f64);

    /// Whether to stop, and why.
    fn stopped(&self) -> Option<OperationError>;

    /// Keeps a file under a name, durably. To do it twice is to replace it.
    ///
    /// # Errors
    /// [`OperationError::Stopped`] if this execution no longer counts; [`OperationError::Store`].
    fn keep(&self, name: &FileName, path: &Path) -> Result<(), OperationError>;

    /// Shows a product, whose files have been kept, to who waits for the operation.
    ///
    /// # Errors
    /// As [`keep`](Self::keep).
    fn show(&self, product: Value) -> Result<(), OperationError>;
}

/// What an operation makes beside the products it [published](Work::publish).
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// Nothing: the products are all.
    Products,
    /// What was measured: the `output_data` of the answer. Files in it are what [`Work::keep`] gave.
    Data(Vec<Value>),
}

/// A picture or a frame that an operation made: files in the scratch folder.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Product {
    /// Which of several it is, from 1; `None` if there is only one.
    pub number: Option<usize>,
    /// A FITS file. Without one, the product is of the type `image`.
    pub fits: Option<PathBuf>,
    /// A JPEG of the full size.
    pub large: Option<PathBuf>,
    /// A JPEG of at most 200 by 200.
    pub small: Option<PathBuf>,
    /// A TIFF of the full size.
    pub tif: Option<PathBuf>,
}

impl Work {
    /// The files of a field; none if the request has no such field.
    pub fn files(&self, field: &str) -> &[InputFile] {
        self.inputs.get(field).map(Vec::as_slice).unwrap_or_default()
    }

    /// A number among the parameters.
    ///
    /// # Errors
    /// [`OperationError::Refused`] if there is none.
    pub fn number(&self, name: &str) -> Result<f64, OperationError> {
        let number = self.parameters.get(name).and_then(Value::as_f64);
        number.ok_or_else(|| OperationError::refused(format!("{name} must be a number.")))
    }

    /// A text among the parameters.
    ///
    /// # Errors
    /// [`OperationError::Refused`] if there is none.
    pub fn text(&self, name: &str) -> Result<&str, OperationError> {
        let text = self.parameters.get(name).and_then(Value::as_str);
        text.ok_or_else(|| OperationError::refused(format!("{name} must be a text.")))
    }

    /// Tells how far the work has come (0 to 1) and what it does, and asks whether to go on. Call it often.
    ///
    /// # Errors
    /// [`OperationError::Stopped`], to be passed on at once.
    pub fn report(&self, step: &str, fraction: f64) -> Result<(), OperationError> {
        let percent = (fraction.clamp(0.0, 1.0) * 100.0).round();
        self.tell(&format!("{step}: {percent}%"), fraction)
    }

    /// As [`report`](Self::report), for work that counts its own steps.
    ///
    /// # Errors
    /// As [`report`](Self::report).
    pub fn tell(&self, message: &str, fraction: f64) -> Result<(), OperationError> {
        match self.desk.stopped() {
            Some(stopped) => Err(stopped),
            None => {
                self.desk.report(message, fraction);
                Ok(())
            }
        }
    }

    /// A place for a file in the scratch folder.
    pub fn file(&self, name: &str) -> PathBuf {
        self.scratch.join(name)
    }

    /// Keeps a file as one of the result's; gives what stands for its address in [`Outcome::Data`]. The name is the result's key
    /// and `ending`, as `-1-diagnostic.jpg`.
    ///
    /// # Errors
    /// As [`Desk::keep`].
    pub fn keep(&self, ending: &str, path: &Path) -> Result<Value, OperationError> {
        let name = FileName::new(&self.key, ending);
        self.desk.keep(&name, path)?;
        Ok(crate::output::file(&name))
    }

    /// Keeps the files of a product and shows it to who waits.
    ///
    /// # Errors
    /// As [`Desk::keep`].
    pub fn publish(&self, product: &Product) -> Result<(), OperationError> {
        let number = product.number.map(|number| format!("-{number}")).unwrap_or_default();
        let files = [
            ("large_url", "-large.jpg", &product.large),
            ("small_url", "-small.jpg", &product.small),
            ("fits_url", ".fits", &product.fits),
            ("tif_url", ".tif", &product.tif),
        ];
        let kind = if product.fits.is_some() { "fits" } else { "image" };
        let mut shown = Map::new();
        shown.insert("basename".to_owned(), format!("{}{number}", self.key).into());
        shown.insert("source".to_owned(), crate::Origin::Datalab.name().into());
        shown.insert("type".to_owned(), kind.into());
        for (member, ending, path) in files {
            if let Some(path) = path {
                shown.insert(member.to_owned(), self.keep(&format!("{number}{ending}"), path)?);
            }
        }
        self.desk.show(shown.into())
    }
}

impl fmt::Debug for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Work").field("key", &self.key).field("name", &self.name).finish_non_exhaustive()
    }
}

/// Why an operation has no outcome. What is told to who asked is the message.
#[derive(Debug, thiserror::Error)]
pub enum OperationError {
    /// The frames or the parameters do not allow it.
    #[error("{message}")]
    Refused {
        /// What is wrong, and with which file.
        message: String,
    },
    /// A file is not the FITS it should be.
    #[error(transparent)]
    Fits(#[from] FitsError),
    /// Work on pixels that cannot be done.
    #[error(transparent)]
    Imaging(ImagingError),
    /// A measurement that cannot be done.
    #[error(transparent)]
    Photometry(PhotometryError),
    /// A file of this machine.
    #[error("a file of this operation cannot be read or written: {0}")]
    Io(#[from] io::Error),
    /// What was made cannot be kept.
    #[error("{problem}")]
    Store {
        /// Why not.
        problem: String,
        /// What kind of failure it is.
        category: Category,
    },
    /// A catalogue of the sky cannot be asked.
    #[error("{problem}")]
    Stars {
        /// Which, and why not.
        problem: String,
        /// What kind of failure it is.
        category: Category,
    },
    /// It took longer than operations may.
    #[error("The operation took longer than {minutes} minutes and was stopped.")]
    TooLong {
        /// How long it may take.
        minutes: u64,
    },
    /// It was told to stop, and did.
    #[error("stopped before the end")]
    Stopped,
}

impl From<ImagingError> for OperationError {
    fn from(error: ImagingError) -> Self {
        match error {
            ImagingError::Cancelled => Self::Stopped,
            error => Self::Imaging(error),
        }
    }
}

impl From<PhotometryError> for OperationError {
    fn from(error: PhotometryError) -> Self {
        match error {
            PhotometryError::Cancelled => Self::Stopped,
            error => Self::Photometry(error),
        }
    }
}

impl OperationError {
    /// The frames or the parameters do not allow it.
    pub fn refused(message: impl Into<String>) -> Self {
        Self::Refused { message: message.into() }
    }

    /// What kind of failure it is.
    pub fn category(&self) -> Category {
        match self {
            Self::Refused { .. } | Self::TooLong { .. } => Category::Invalid,
            Self::Fits(error) => error.category(),
            Self::Imaging(error) => error.category(),
            Self::Photometry(error) => error.category(),
            Self::Io(_) => Category::Unavailable,
            Self::Store { category, .. } | Self::Stars { category, .. } => *category,
            Self::Stopped => Category::Conflict,
        }
    }
}
