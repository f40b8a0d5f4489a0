//! `holotype datapoint value`

use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use holotype_client::{Client, Download};
use serde_json::json;

use crate::context::Context;
use crate::destination::Destination;
use crate::failure::Failure;
use crate::ui::{Ui, bytes};

/// Write a datapoint's value, or one of its files, to stdout or a file
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
A file is written whole or not at all, and never in place of another one without --force.

Examples:
  holotype datapoint value temperature-1
  holotype datapoint value frame-1 -o frame.fits
  holotype datapoint value frame-1 --file 1 -o .    (the second file, under its own name)
  holotype datapoint value frame-1 | sha256sum")]
pub(super) struct Value {
    /// The datapoint's id
    id: String,
    /// Which of its files, from 0
    #[arg(long, value_name = "POSITION")]
    file: Option<u32>,
    /// Where to write it; a directory takes it under its own name
    #[arg(long, short, value_name = "PATH")]
    output: Option<PathBuf>,
    /// Write in place of a file that is there
    #[arg(long, requires = "output")]
    force: bool,
}

impl Value {
    pub(super) async fn run(self, context: &Context) -> Result<(), Failure> {
        context
            .api(async |client| {
                let download = match self.file {
                    Some(position) => client.datapoint_file(&self.id, position).await?,
                    None => client.datapoint_value(&self.id).await?,
                };
                match &self.output {
                    Some(path) => self.save(client, download, path, context.ui).await,
                    None => print(download, context.ui).await,
                }
            })
            .await
    }

    async fn save(&self, client: &Client, download: Download, path: &Path, ui: Ui) -> Result<(), Failure> {
        let path = if path.is_dir() { path.join(self.own_name(client).await?) } else { path.to_owned() };
        let media_type = download.media_type().map(str::to_owned);
        let mut destination = Destination::create(&path, self.force).await?;
        let transfer = ui.transfer("receiving", download.size());
        let copied = download.copy_to(destination.writer(), |bytes| transfer.moved(bytes)).await;
        transfer.finish();
        let size = copied?;
        destination.keep().await?;
        let value = json!({ "path": path, "size": size, "media_type": media_type });
        ui.result(&value, || format!("{}  {}\n", path.display(), bytes(size)))
    }

    /// The name the file was sent under, without anything that would lead out of the directory.
    async fn own_name(&self, client: &Client) -> Result<String, Failure> {
        let files = client.datapoint_files(&self.id).await?;
        let position = self.file.unwrap_or(0);
        let name = files.items.into_iter().find(|file| file.position == position).map(|file| file.name);
        name.as_deref()
            .and_then(|name| name.rsplit(['/', '\\']).next())
            .filter(|name| !matches!(*name, "" | "." | "..") && !name.chars().any(char::is_control))
            .map(str::to_owned)
            .ok_or_else(|| {
                Failure::input("the datapoint has no file name that can be used here", "name the file with -o FILE")
            })
    }
}

async fn print(mut download: Download, ui: Ui) -> Result<(), Failure> {
    let is_text = download
        .media_type()
        .is_some_and(|media_type| media_type.starts_with("text/") || media_type.starts_with("application/json"));
    let terminal = std::io::stdout().is_terminal();
    if terminal && !is_text {
        return Err(Failure::input(
            "the value is not text, and stdout is a terminal",
            "write it to a file with -o FILE",
        ));
    }
    let mut last = b'\n';
    while let Some(chunk) = download.chunk().await? {
        last = chunk.last().copied().unwrap_or(last);
        ui.bytes(&chunk)?;
    }
    if terminal && last != b'\n' { ui.text("\n") } else { Ok(()) }
}
