//! `holotype archive watch`

use std::path::{Path, PathBuf};
use std::time::Duration;

use holotype_client::Client;

use super::drop_box::{DropBox, Still};
use super::sending::{send, tell};
use crate::context::{Context, Need};
use crate::failure::Failure;
use crate::ui::Ui;

/// Hand FITS files in as they appear in a directory, until Ctrl-C
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
It needs a running server: 'holotype serve', or --server. A file is handed in once its size and time
are the same at two looks and it can be read to its end. Nothing is moved or changed. After a start,
all files are handed in again; those that are held already change nothing.

Examples:
  holotype archive watch /data/drop-box
  holotype archive watch /data/drop-box --interval 30 --project survey")]
pub(super) struct Watch {
    /// The directory to look into, with all below it
    #[arg(value_name = "DIR")]
    directory: PathBuf,
    /// Seconds between two looks
    #[arg(long, value_name = "SECONDS", default_value = "5", value_parser = clap::value_parser!(u64).range(1..=86_400))]
    interval: u64,
}

impl Watch {
    pub(super) async fn run(self, context: &Context) -> Result<(), Failure> {
        if !self.directory.is_dir() {
            let message = format!("{} is no directory", self.directory.display());
            return Err(Failure::input(message, "make it, or name another"));
        }
        let ui = context.ui;
        context
            .call(Need::Server, async |client| -> Result<(), Failure> {
                ui.note(&format!("watching {}; Ctrl-C ends", self.directory.display()));
                let mut watched = DropBox::new(self.directory.clone());
                loop {
                    look(client, &mut watched, ui).await?;
                    tokio::time::sleep(Duration::from_secs(self.interval)).await;
                }
            })
            .await
    }
}

async fn look(client: &Client, watched: &mut DropBox, ui: Ui) -> Result<(), Failure> {
    for still in watched.look()? {
        match still {
            Still::Unreadable(path, problem) => {
                ui.complain(&format!("{} is left alone until it changes: {problem}", path.display()));
            }
            Still::Complete(path) => hand_in(client, watched, &path, ui).await?,
        }
    }
    Ok(())
}

async fn hand_in(client: &Client, watched: &mut DropBox, path: &Path, ui: Ui) -> Result<(), Failure> {
    let transfer = ui.transfer("sending", path.metadata().ok().map(|about| about.len()));
    let sent = send(client, path, &transfer).await;
    transfer.finish();
    match sent {
        Ok(sent) => {
            watched.settle(path);
            tell(ui, path, &sent)
        }
        // The server may be away for a while: the next look tries again.
        Err(error) if error.category().is_transient() => {
            ui.complain(&format!("{}: {error}; it is tried again", path.display()));
            Ok(())
        }
        Err(error) => Err(error.into()),
    }
}
