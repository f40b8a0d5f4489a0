//! `holotype archive ingest`

use std::path::PathBuf;

use super::files;
use super::sending::{Sent, send, tell};
use crate::context::Context;
use crate::failure::Failure;

/// Hand FITS files in, and have them found and served
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Every readable FITS file is taken, whoever made it: plain, packed (.fz) or gzipped (.gz). A frame is
known by the file's name without its ending. The same bytes again change nothing, others are a new
version. What a header does not say stays unknown, and is told. Below a directory, files are taken
whose names end in .fits, .fit or .fts, with or without .fz or .gz. With --json, a line per file.

Examples:
  holotype archive ingest frame-0001-e91.fits.fz
  holotype archive ingest night-20240715/ --project survey
  holotype archive ingest night-20240715/ --json")]
pub(super) struct Ingest {
    /// Files, and directories with files
    #[arg(required = true, value_name = "FILE|DIR")]
    paths: Vec<PathBuf>,
}

/// What became of the files.
#[derive(Debug, Default)]
struct Summary {
    new: u64,
    unchanged: u64,
    refused: u64,
}

impl Ingest {
    pub(super) async fn run(self, context: &Context) -> Result<(), Failure> {
        let files = files::named(&self.paths)?;
        if files.is_empty() {
            return Err(Failure::input("there is no FITS file", "name files, or a directory with some in it"));
        }
        let ui = context.ui;
        let total = files.iter().filter_map(|path| path.metadata().ok()).map(|about| about.len()).sum();
        let transfer = ui.transfer("sending", Some(total));
        let sending = context.api(async |client| {
            let mut summary = Summary::default();
            for path in &files {
                let sent = send(client, path, &transfer).await?;
                match &sent {
                    Sent::Kept(frame) if frame.new_version => summary.new += 1,
                    Sent::Kept(_) => summary.unchanged += 1,
                    Sent::Refused(_) => summary.refused += 1,
                }
                tell(ui, path, &sent)?;
            }
            Ok::<_, Failure>(summary)
        });
        let summary = sending.await;
        transfer.finish();
        let Summary { new, unchanged, refused } = summary?;
        if files.len() > 1 {
            ui.note(&format!("{new} stored, {unchanged} unchanged, {refused} refused"));
        }
        match refused {
            0 => Ok(()),
            refused => {
                let message = format!("{refused} of {} files were refused; the others are stored", files.len());
                Err(Failure::input(message, "correct these files, or leave them out, and hand them in again"))
            }
        }
    }
}
