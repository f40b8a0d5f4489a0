//! `holotype datapoint export`

use std::io::IsTerminal;
use std::path::PathBuf;

use clap::ValueEnum;
use serde_json::json;

use crate::context::Context;
use crate::destination::Destination;
use crate::failure::Failure;
use crate::input;
use crate::ui::bytes;

/// Write datapoints as NDJSON, CSV or Parquet, to stdout or a file
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
NDJSON holds each datapoint exactly as it is stored, one per line, and 'holotype datapoint import
ndjson' takes it back. A file is written whole or not at all, and never in place of another one
without --force.

Examples:
  holotype datapoint export > all.ndjson
  holotype datapoint export --format csv --filter '{\"label\": \"temperature\"}' -o temperature.csv
  holotype datapoint export --format parquet -o all.parquet")]
pub(super) struct Export {
    /// How to write them
    #[arg(long, value_enum, default_value_t = Format::Ndjson)]
    format: Format,
    /// What the datapoints must be like; all of them without it
    #[arg(long)]
    filter: Option<String>,
    /// Where to write them
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Write in place of a file that is there
    #[arg(long, requires = "output")]
    force: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Ndjson,
    Csv,
    Parquet,
}

impl Format {
    fn name(self) -> &'static str {
        match self {
            Format::Ndjson => "ndjson",
            Format::Csv => "csv",
            Format::Parquet => "parquet",
        }
    }
}

impl Export {
    pub(super) async fn run(self, context: &Context) -> Result<(), Failure> {
        if self.output.is_none() && self.format == Format::Parquet && std::io::stdout().is_terminal() {
            return Err(Failure::input(
                "Parquet is not text, and stdout is a terminal",
                "write it to a file with -o FILE",
            ));
        }
        let filter = match &self.filter {
            Some(filter) => input::json(filter, "the filter").await?,
            None => json!({}),
        };
        let ui = context.ui;
        context
            .api(async |client| {
                let mut download = client.export_datapoints(self.format.name(), &filter).await?;
                let Some(path) = &self.output else {
                    while let Some(chunk) = download.chunk().await? {
                        ui.bytes(&chunk)?;
                    }
                    return Ok(());
                };
                let mut destination = Destination::create(path, self.force).await?;
                let transfer = ui.transfer("receiving", download.size());
                let copied = download.copy_to(destination.writer(), |bytes| transfer.moved(bytes)).await;
                transfer.finish();
                let size = copied?;
                destination.keep().await?;
                ui.result(&json!({ "path": path, "size": size }), || format!("{}  {}\n", path.display(), bytes(size)))
            })
            .await
    }
}
