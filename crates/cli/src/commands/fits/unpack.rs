//! `holotype fits unpack`

use std::fs::File;
use std::io::{BufReader, Read, Seek};
use std::path::{Path, PathBuf};

use holotype_fits::{FitsError, unpack};
use serde_json::json;

use super::source::Source;
use super::{each, source};
use crate::context::Context;
use crate::destination::Destination;
use crate::failure::Failure;
use crate::ui::{Ui, bytes};

/// Make files plain whose images are compressed (.fits.fz), or that are compressed as a whole (.fits.gz)
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
The new file is what funpack makes of it: images and tables plain, headers as they were before
packing, everything else byte for byte, CHECKSUM and DATASUM made anew. It has the name of the old
one without .fz or .gz, is written whole or not at all, and never in place of another one without
--force. The old file stays.

Examples:
  holotype fits unpack frame.fits.fz
  holotype fits unpack frame.fits.fz --output plain.fits
  holotype fits unpack a.fits.fz b.fits.gz --output night    (a directory that is there)")]
pub(super) struct Unpack {
    /// The files
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Where to write it; a directory takes each file under its own name
    #[arg(long, short, value_name = "PATH")]
    output: Option<PathBuf>,
    /// Write in place of a file that is there
    #[arg(long)]
    force: bool,
}

impl Unpack {
    pub(super) async fn run(self, context: &Context) -> Result<(), Failure> {
        if let (2.., Some(output)) = (self.files.len(), &self.output)
            && !output.is_dir()
        {
            return Err(Failure::input(
                format!("{} is not a directory, and there are several files", output.display()),
                "make the directory first, or unpack one file at a time",
            ));
        }
        each(context.ui, &self.files, async |file| self.one(file, context.ui).await).await
    }

    async fn one(&self, file: &Path, ui: Ui) -> Result<(), Failure> {
        let path = self.destination(file)?;
        let mut destination = Destination::create(&path, self.force).await?;
        let mut sink = destination.file().await?;
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new(".")).to_owned();
        let (done, whole) =
            source::work(file, "unpacked", move |source| make_plain(source, &folder, &mut sink)).await?;
        destination.keep().await?;
        for index in &done.stale {
            ui.complain(&format!(
                "{}: the DATASUM that was packed with HDU {index} was not that of its data even then; it was made anew",
                file.display()
            ));
        }
        if done.images + done.tables == 0 && !whole {
            ui.note(&format!("{}: nothing in it was compressed", file.display()));
        }
        let value = json!({
            "file": file.display().to_string(),
            "path": path.display().to_string(),
            "images": done.images,
            "tables": done.tables,
            "hdus": done.hdus,
            "size": done.bytes,
            "stale": done.stale,
        });
        ui.result(&value, || format!("{}  {}\n", path.display(), bytes(done.bytes)))
    }

    /// Where the plain form of a file goes.
    fn destination(&self, file: &Path) -> Result<PathBuf, Failure> {
        match &self.output {
            Some(output) if !output.is_dir() => Ok(output.clone()),
            output => {
                let name = plain_name(file).ok_or_else(|| {
                    Failure::input(
                        format!("{} ends neither in .fz nor in .gz", file.display()),
                        "name the new file with --output PATH",
                    )
                })?;
                Ok(match output {
                    Some(folder) => folder.join(name),
                    None => file.with_file_name(name),
                })
            }
        }
    }
}

/// The name of a file without the endings that say how it is compressed; nothing if it has none.
fn plain_name(file: &Path) -> Option<PathBuf> {
    let mut name = PathBuf::from(file.file_name()?);
    let mut is_packed = false;
    while name.extension().is_some_and(|end| end.eq_ignore_ascii_case("fz") || end.eq_ignore_ascii_case("gz")) {
        name.set_extension("");
        is_packed = true;
    }
    is_packed.then_some(name)
}

/// Unpacks a file, which is made plain in an unnamed file in `folder` first if it is compressed as a whole, and tells whether
/// it is.
fn make_plain(source: &mut Source, folder: &Path, sink: &mut File) -> Result<(unpack::Unpacked, bool), FitsError> {
    let mut start = Vec::new();
    source.by_ref().take(2).read_to_end(&mut start)?;
    source.rewind()?;
    if start != [0x1F, 0x8B] {
        return Ok((unpack::unpack(source, sink)?, false));
    }
    let mut plain = tempfile::tempfile_in(folder)?;
    unpack::gunzip(source, &mut plain)?;
    plain.rewind()?;
    Ok((unpack::unpack(&mut BufReader::new(plain), sink)?, true))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_name_has_no_ending_of_compression() {
        let name = |path: &str| plain_name(Path::new(path)).map(|name| name.display().to_string());
        assert_eq!(name("night/a.fits.fz").as_deref(), Some("a.fits"));
        assert_eq!(name("a.FITS.GZ").as_deref(), Some("a.FITS"));
        assert_eq!(name("a.fits.fz.gz").as_deref(), Some("a.fits"));
        assert_eq!(name("a.fits"), None);
        assert_eq!(name(".fz"), None);
        assert_eq!(name("/"), None);
    }
}
