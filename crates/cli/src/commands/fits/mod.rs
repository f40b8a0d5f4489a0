//! `holotype fits`: FITS files on the caller's disk. No home is opened, and no server is asked.

mod header;
mod info;
mod preview;
mod source;
mod stats;
mod unpack;
mod verify;

use std::path::{Path, PathBuf};

use clap::Subcommand;
use holotype_fits::{FitsError, Hdu, hdu};

use crate::context::Context;
use crate::failure::Failure;
use crate::ui::Ui;

/// FITS files of this disk: look into them, check them, make them plain, show them
#[derive(Debug, clap::Args)]
pub(crate) struct Fits {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Info(info::Info),
    Header(header::Header),
    Stats(stats::Stats),
    Verify(verify::Verify),
    Unpack(unpack::Unpack),
    Preview(preview::Preview),
}

impl Fits {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Failure> {
        match self.verb {
            Verb::Info(verb) => verb.run(context).await,
            Verb::Header(verb) => verb.run(context).await,
            Verb::Stats(verb) => verb.run(context).await,
            Verb::Verify(verb) => verb.run(context).await,
            Verb::Unpack(verb) => verb.run(context).await,
            Verb::Preview(verb) => verb.run(context).await,
        }
    }
}

/// Does `one` for each file. One that fails does not keep the others from their turn; the command ends as the first that
/// failed.
async fn each(
    ui: Ui,
    files: &[PathBuf],
    mut one: impl AsyncFnMut(&Path) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let mut first = None;
    for file in files {
        match one(file).await {
            Ok(()) => {}
            Err(failure @ (Failure::Interrupted | Failure::BrokenPipe)) => return Err(failure),
            Err(failure) if files.len() == 1 => return Err(failure),
            Err(failure) => {
                failure.report(ui.is_json());
                first.get_or_insert(Failure::Told { exit: failure.exit() });
            }
        }
    }
    first.map_or(Ok(()), Err)
}

/// The HDU that was asked for, by number or by name.
fn find<'h>(hdus: &'h [Hdu], wanted: &str) -> Result<&'h Hdu, FitsError> {
    let found = match wanted.parse() {
        Ok(index) => hdus.get::<usize>(index),
        Err(_) => hdu::find(hdus, wanted),
    };
    found.ok_or_else(|| FitsError::NotFound { what: format!("HDU {wanted}") })
}

/// The lengths of the axes of an image, the slowest first.
fn shape<T: ToString>(lengths: &[T]) -> String {
    lengths.iter().map(T::to_string).collect::<Vec<_>>().join(" x ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_file_that_fails_does_not_keep_the_others_from_their_turn() {
        let ui = Ui::new(true, true);
        let files = ["a", "b", "c"].map(PathBuf::from);
        let mut seen = Vec::new();
        let result = each(ui, &files, async |file| {
            seen.push(file.to_owned());
            match file.to_str() {
                Some("b") => Err(Failure::input("no", "-")),
                Some("c") => Err(Failure::Negative),
                _ => Ok(()),
            }
        })
        .await;
        assert_eq!(seen, files);
        assert_eq!(result.unwrap_err().exit(), Failure::input("no", "-").exit());
        let result = each(ui, &files[..1], async |_| Err(Failure::input("alone", "-"))).await;
        assert_eq!(result.unwrap_err().to_string(), "alone");
    }
}
