//! `holotype datapoint import ndjson`

use std::path::{Path, PathBuf};

use bytes::Bytes;
use futures::{Stream, StreamExt};
use holotype_api::datapoint::BatchResult;
use serde::Serialize;
use tokio::io::AsyncRead;
use tokio_util::io::ReaderStream;

use crate::context::Context;
use crate::failure::Failure;
use crate::ui::{Transfer, Ui};

/// Take in datapoints, one JSON text per line
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Each line is stored or refused by itself; refused ones are told on stderr and end the command with
exit code 2. Lines that name their _id can be sent again: what is stored already is not changed.
With --json, what became of each line is written as one JSON text per line.

Examples:
  holotype datapoint import ndjson values.ndjson
  holotype datapoint export --server https://old.example | holotype datapoint import ndjson -")]
pub(super) struct Ndjson {
    /// The file; - reads stdin
    file: PathBuf,
}

/// What became of the lines.
#[derive(Debug, Default, Serialize)]
struct Summary {
    stored: u64,
    unchanged: u64,
    refused: u64,
}

impl Ndjson {
    pub(super) async fn run(self, context: &Context) -> Result<(), Failure> {
        let (source, size) = open(&self.file).await?;
        let ui = context.ui;
        let transfer = ui.transfer("sending", size);
        let sent = pieces(source, transfer.clone());
        let told = context
            .api(async |client| {
                let mut results = client.submit_batch(sent).await?;
                let mut summary = Summary::default();
                while let Some(result) = results.next().await? {
                    summary.tell(&result, ui)?;
                }
                Ok::<_, Failure>(summary)
            })
            .await;
        transfer.finish();
        let summary = told?;
        if !ui.is_json() {
            ui.text(&format!(
                "{} stored, {} unchanged, {} refused\n",
                summary.stored, summary.unchanged, summary.refused
            ))?;
        }
        match summary.refused {
            0 => Ok(()),
            refused => Err(Failure::input(
                format!("{refused} lines were refused"),
                "correct these lines and send the file again; with an _id, what is stored stays as it is",
            )),
        }
    }
}

impl Summary {
    fn tell(&mut self, result: &BatchResult, ui: Ui) -> Result<(), Failure> {
        match (&result.error, result.created) {
            (Some(_), _) => self.refused += 1,
            (None, Some(false)) => self.unchanged += 1,
            (None, _) => self.stored += 1,
        }
        if ui.is_json() {
            return ui.json(result);
        }
        if let Some(error) = &result.error {
            ui.complain(&format!("line {}: {}", result.line, error.detail));
        }
        Ok(())
    }
}

async fn open(path: &Path) -> Result<(Box<dyn AsyncRead + Send + Unpin>, Option<u64>), Failure> {
    if path == Path::new("-") {
        return Ok((Box::new(tokio::io::stdin()), None));
    }
    let failed = |source| Failure::io(format!("{} cannot be read", path.display()), source);
    let file = tokio::fs::File::open(path).await.map_err(failed)?;
    let size = file.metadata().await.map_err(failed)?.len();
    Ok((Box::new(file), Some(size)))
}

fn pieces(
    source: Box<dyn AsyncRead + Send + Unpin>,
    transfer: Transfer,
) -> impl Stream<Item = std::io::Result<Bytes>> + Send {
    ReaderStream::with_capacity(source, 128 << 10)
        .inspect(move |piece| transfer.moved(piece.as_ref().map_or(0, |piece| piece.len() as u64)))
}
