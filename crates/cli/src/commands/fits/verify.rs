//! `holotype fits verify`

use std::path::PathBuf;

use holotype_fits::Hdu;
use holotype_fits::checksum::{self, Verdict, Verification};
use serde::Serialize;

use super::{each, source};
use crate::context::Context;
use crate::failure::Failure;
use crate::ui::Table;

/// Compare CHECKSUM and DATASUM of every HDU with its bytes
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
A sum is right, wrong or absent. The sums of a compressed image are those of its packed bytes. Exit
code 1 when one is wrong; a file that is cut, or is no FITS file, is an error.

Examples:
  holotype fits verify frame.fits.fz
  holotype fits verify night/a.fits.fz night/b.fits.fz --json")]
pub(super) struct Verify {
    /// The files
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

#[derive(Serialize)]
struct Line<'v> {
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<String>,
    hdus: &'v [Verification],
}

impl Verify {
    pub(super) async fn run(self, context: &Context) -> Result<(), Failure> {
        let ui = context.ui;
        let several = self.files.len() > 1;
        each(ui, &self.files, async |path| {
            let found: Vec<Verification> = source::work(path, "read", |source| {
                let hdus = Hdu::walk(source)?;
                hdus.iter().map(|hdu| checksum::verify(source, hdu)).collect()
            })
            .await?;
            let file = several.then(|| path.display().to_string());
            ui.result(&Line { file: file.clone(), hdus: &found }, || {
                let heading = file.map(|file| format!("{file}\n")).unwrap_or_default();
                heading + &lines(&found)
            })?;
            if found.iter().all(|hdu| hdu.checksum == Verdict::Absent && hdu.datasum == Verdict::Absent) {
                ui.note(&format!("{} has no sums: nothing in it says whether it is whole", path.display()));
            }
            if found.iter().any(Verification::is_wrong) { Err(Failure::Negative) } else { Ok(()) }
        })
        .await
    }
}

fn lines(found: &[Verification]) -> String {
    let word = |verdict| match verdict {
        Verdict::Absent => "absent",
        Verdict::Right => "right",
        Verdict::Wrong => "wrong",
    };
    let mut table = Table::new(["INDEX", "NAME", "CHECKSUM", "DATASUM"]);
    for hdu in found {
        let (checksum, datasum) = (word(hdu.checksum).to_owned(), word(hdu.datasum).to_owned());
        table.row([hdu.index.to_string(), hdu.name.clone(), checksum, datasum]);
    }
    table.render()
}
