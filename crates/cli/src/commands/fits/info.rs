//! `holotype fits info`

use std::path::PathBuf;

use holotype_fits::{Hdu, Image, Kind};
use serde_json::json;

use super::{shape, source};
use crate::context::Context;
use crate::failure::Failure;
use crate::ui::{Table, or_dash};

/// List the HDUs of a file, without reading their data
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Axes are listed slowest first, as numpy has them, and of a compressed image they are its own. The
type is that of the decoded values, after BZERO and BSCALE.

Examples:
  holotype fits info frame.fits.fz
  holotype fits info frame.fits --json")]
pub(super) struct Info {
    /// The file
    file: PathBuf,
}

/// An HDU and the type of its pixels.
type Entry = (Hdu, Option<&'static str>);

impl Info {
    pub(super) async fn run(self, context: &Context) -> Result<(), Failure> {
        let entries: Vec<Entry> = source::work(&self.file, "read", |source| {
            let hdus = Hdu::walk(source)?.into_iter();
            hdus.map(|hdu| Image::dtype(&hdu).map(|dtype| (hdu, dtype))).collect()
        })
        .await?;
        let value = json!({ "hdus": entries.iter().map(members).collect::<Vec<_>>() });
        context.ui.result(&value, || lines(&entries))
    }
}

fn members((hdu, dtype): &Entry) -> serde_json::Value {
    json!({
        "index": hdu.index,
        "name": hdu.name,
        "kind": hdu.kind.name(),
        "shape": hdu.shape,
        "dtype": dtype,
        "codec": hdu.codec(),
        "cards": hdu.header.cards().len(),
        "offset": hdu.offset,
        "data_offset": hdu.data_offset,
        "data_length": hdu.data_length,
    })
}

fn lines(entries: &[Entry]) -> String {
    let mut table = Table::new(["INDEX", "NAME", "KIND", "SHAPE", "TYPE", "CODEC"]);
    for (hdu, dtype) in entries {
        let size = match (hdu.kind, hdu.shape.as_slice()) {
            (Kind::Table | Kind::AsciiTable | Kind::CompressedTable, [rows, columns]) => {
                Some(format!("{rows} rows, {columns} columns"))
            }
            (_, []) => None,
            (_, lengths) => Some(shape(lengths)),
        };
        table.row([
            hdu.index.to_string(),
            or_dash(Some(hdu.name.clone()).filter(|name| !name.is_empty())),
            hdu.kind.name().replace('_', " "),
            or_dash(size),
            or_dash(dtype.map(str::to_owned)),
            or_dash(hdu.codec().map(str::to_owned)),
        ]);
    }
    table.render()
}
