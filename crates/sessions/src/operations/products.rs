//! Frames in, and products out, as all operations on pixels have them.

use std::fs::File;
use std::io::BufWriter;
use std::ops::ControlFlow;
use std::path::Path;

use holotype_fits::{Card, Header};
use holotype_imaging::product::{self, Origin};
use holotype_imaging::{Frame, Raster};

use crate::{InputFile, OperationError, Product, Work};

/// The images of the files of a field.
pub(super) fn frames(work: &Work, field: &str) -> Result<Vec<Frame>, OperationError> {
    work.files(field).iter().map(frame).collect()
}

/// The image of a file, called by its basename.
pub(crate) fn frame(file: &InputFile) -> Result<Frame, OperationError> {
    let path = file.path.clone();
    Ok(Frame::science(&file.item.basename, move || Ok(Box::new(File::open(&path)?)))?)
}

/// Passes progress within a step on, as the share of the whole from `start` to `end`.
pub(super) fn watch<'w>(
    work: &'w Work,
    step: &'w str,
    start: f64,
    end: f64,
) -> impl Fn(f64) -> ControlFlow<()> + Sync + 'w {
    move |share| match work.report(step, start + (end - start) * share) {
        Ok(()) => ControlFlow::Continue(()),
        Err(_) => ControlFlow::Break(()),
    }
}

/// What a product says of itself.
pub(super) struct Made<'m> {
    /// The header that it takes over.
    pub(super) header: &'m Header,
    /// Cards in place of those of that header.
    pub(super) cards: &'m [Card],
    /// What was done, in a sentence.
    pub(super) what: String,
    /// The files it was made from.
    pub(super) from: Vec<&'m InputFile>,
}

/// Writes a frame with its pictures, and publishes it.
pub(super) fn publish(work: &Work, number: Option<usize>, raster: &Raster, made: &Made) -> Result<(), OperationError> {
    let name = |ending: &str| work.file(&format!("product-{}{ending}", number.unwrap_or(0)));
    let (fits, large, small) = (name(".fits"), name("-large.jpg"), name("-small.jpg"));
    let history = history(made);
    let key = work.key.to_string();
    let names: Vec<&str> = made.from.iter().map(|file| file.item.basename.as_str()).collect();
    let comment = format!("{} of {}", work.name, names.join(", "));
    let origin = Origin { key: &key, comment: &comment, history: &history, cards: made.cards };
    let mut sink = BufWriter::new(File::create(&fits)?);
    let previews = product::publish(&mut sink, raster, made.header, origin, None)?;
    sink.into_inner().map_err(std::io::IntoInnerError::into_error)?;
    write(&large, &previews.large)?;
    write(&small, &previews.small)?;
    work.publish(&Product { number, fits: Some(fits), large: Some(large), small: Some(small), tif: None })
}

/// How a product came to be: what was done, with which program, and to exactly which bytes.
fn history(made: &Made) -> Vec<String> {
    let program = format!("{} (Holotype {})", made.what, env!("CARGO_PKG_VERSION"));
    let inputs = made.from.iter().map(|file| format!("from {} sha256 {}", file.item.basename, file.digest));
    std::iter::once(program).chain(inputs).collect()
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), OperationError> {
    Ok(std::fs::write(path, bytes)?)
}
