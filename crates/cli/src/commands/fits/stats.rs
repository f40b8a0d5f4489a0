//! `holotype fits stats`

use std::path::PathBuf;

use holotype_fits::stats::{FileStats, ImageStats};
use serde::Serialize;
use serde_json::Number;

use super::{each, shape, source};
use crate::context::Context;
use crate::failure::Failure;
use crate::ui::{Table, or_dash};

/// Say what the images of files hold, in figures that do not depend on how they are compressed
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Each image is decoded: BZERO and BSCALE are applied, quantised values are restored. The SHA-256 is
that of the pixels, least significant byte first, so two files have the same one if their images
are the same, however they are packed. With --json it is one line for each file:
{\"hdus\": [{index, name, shape, dtype, nan, min, max, sum, sha256}]}, and with several files each
line says its \"file\" as well.

Examples:
  holotype fits stats frame.fits.fz
  holotype fits stats frame.fits frame.fits.fz --json")]
pub(super) struct Stats {
    /// The files
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

#[derive(Serialize)]
struct Line<'s> {
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<String>,
    #[serde(flatten)]
    stats: &'s FileStats,
}

impl Stats {
    pub(super) async fn run(self, context: &Context) -> Result<(), Failure> {
        let ui = context.ui;
        let several = self.files.len() > 1;
        each(ui, &self.files, async |file| {
            let stats = source::work(file, "read", FileStats::read).await?;
            let file = several.then(|| file.display().to_string());
            ui.result(&Line { file: file.clone(), stats: &stats }, || {
                let heading = file.map(|file| format!("{file}\n")).unwrap_or_default();
                heading + &lines(&stats.hdus)
            })
        })
        .await
    }
}

fn lines(images: &[ImageStats]) -> String {
    if images.is_empty() {
        return "it has no image\n".to_owned();
    }
    let mut table = Table::new(["INDEX", "NAME", "SHAPE", "TYPE", "NAN", "MIN", "MAX", "SUM", "SHA-256"]);
    for image in images {
        let number = |number: &Option<Number>| or_dash(number.as_ref().map(Number::to_string));
        table.row([
            image.index.to_string(),
            image.name.clone(),
            shape(&image.shape),
            image.dtype.to_owned(),
            image.nan.to_string(),
            number(&image.min),
            number(&image.max),
            number(&image.sum),
            image.sha256.to_string(),
        ]);
    }
    table.render()
}
