//! `holotype fits preview`

use std::path::PathBuf;

use holotype_fits::{FitsError, Hdu, Image, display};
use serde_json::json;
use tokio::io::AsyncWriteExt;

use super::source::Source;
use super::{find, source};
use crate::context::Context;
use crate::destination::Destination;
use crate::failure::Failure;

/// Write an image as a grey JPEG, stretched as astronomers look at it
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
The median is shown black and the upper limit of the image's scale white, the first row of the file
at the bottom. Without --hdu it is the first image of two axes.

Examples:
  holotype fits preview frame.fits.fz --output frame.jpg
  holotype fits preview frame.fits.fz --output small.jpg --size 200 --hdu SCI")]
pub(super) struct Preview {
    /// The file
    file: PathBuf,
    /// The JPEG file to write
    #[arg(long, short, value_name = "PATH")]
    output: PathBuf,
    /// The longest side of the picture in pixels; as large as the image without it
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    size: Option<u16>,
    /// The HDU, by number or by name
    #[arg(long, value_name = "N|NAME")]
    hdu: Option<String>,
    /// Write in place of a file that is there
    #[arg(long)]
    force: bool,
}

/// A picture that is ready to be written.
struct Made {
    hdu: usize,
    width: usize,
    height: usize,
    jpeg: Vec<u8>,
}

impl Preview {
    pub(super) async fn run(self, context: &Context) -> Result<(), Failure> {
        let mut destination = Destination::create(&self.output, self.force).await?;
        let (hdu, size) = (self.hdu, self.size);
        let made = source::work(&self.file, "shown", move |source| make(source, hdu.as_deref(), size)).await?;
        let failed = |error| Failure::io(format!("{} cannot be written", self.output.display()), error);
        destination.writer().write_all(&made.jpeg).await.map_err(failed)?;
        destination.keep().await?;
        let value = json!({
            "path": self.output.display().to_string(),
            "hdu": made.hdu,
            "width": made.width,
            "height": made.height,
            "size": made.jpeg.len(),
        });
        context.ui.result(&value, || format!("{}  {} x {}\n", self.output.display(), made.width, made.height))
    }
}

fn make(source: &mut Source, wanted: Option<&str>, size: Option<u16>) -> Result<Made, FitsError> {
    let hdus = Hdu::walk(source)?;
    let hdu = match wanted {
        Some(wanted) => find(&hdus, wanted)?,
        None => hdus
            .iter()
            .find(|hdu| hdu.is_image() && hdu.shape.len() == 2)
            .ok_or_else(|| FitsError::NotFound { what: "image of two axes".to_owned() })?,
    };
    let mut picture = display::picture(&Image::read(source, hdu)?, None)?;
    if let Some(size) = size {
        picture = picture.thumbnail(size)?;
    }
    Ok(Made { hdu: hdu.index, width: picture.width(), height: picture.height(), jpeg: picture.jpeg()? })
}
