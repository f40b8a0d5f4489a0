//! `holotype db backup`

use holotype_api::database::NewBackup;

use crate::context::{Context, Need};
use crate::failure::Failure;
use crate::follow::{follow, result};
use crate::ui::bytes;

/// Back the catalog up into backups/ of the home; print the backup's name
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
It runs as a job while everything else goes on. A backup holds the catalog and the list of the blobs
it needs, each of which is looked for; with --with-blobs it holds their bytes too. The oldest backups
are removed: see the setting upkeep.backup_keep.

Examples:
  holotype db backup
  holotype db backup --with-blobs
  holotype db backup --detach")]
pub(super) struct Backup {
    /// Copy the bytes of the blobs too
    #[arg(long)]
    with_blobs: bool,
    /// Do not wait; print the job
    #[arg(long)]
    detach: bool,
}

impl Backup {
    pub(super) async fn run(self, context: &Context) -> Result<(), Failure> {
        let need = if self.detach { Need::Answers } else { Need::Jobs };
        let job = context
            .call(need, async |client| {
                let job = client.back_up(NewBackup { with_blobs: self.with_blobs }).await?;
                if self.detach { Ok(job) } else { follow(client, job, context.ui).await }
            })
            .await?;
        if self.detach {
            return context.ui.result(&job, || format!("{}\n", job.id));
        }
        let made = result(&job)?;
        let number = |name| made.get(name).and_then(serde_json::Value::as_u64).unwrap_or(0);
        context.ui.note(&format!(
            "{}; {} blobs are where they should be",
            bytes(number("bytes")),
            number("blobs_present")
        ));
        let name = made.get("name").and_then(serde_json::Value::as_str).unwrap_or_default();
        context.ui.result(made, || format!("{name}\n"))
    }
}
