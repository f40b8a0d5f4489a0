//! `holotype store verify`

use crate::context::{Context, Need};
use crate::failure::Failure;
use crate::follow::{follow, result};

/// Read every blob and compare it with its digest
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
It runs as a job and can be interrupted: 'holotype job list' shows it. Exit code 1 when a blob is
missing or damaged.

Examples:
  holotype store verify
  holotype store verify --json
  holotype store verify --detach")]
pub(super) struct Verify {
    /// Do not wait; print the job
    #[arg(long)]
    detach: bool,
}

impl Verify {
    pub(super) async fn run(self, context: &Context) -> Result<(), Failure> {
        let need = if self.detach { Need::Answers } else { Need::Jobs };
        let job = context
            .call(need, async |client| {
                let job = client.verify_store().await?;
                if self.detach { Ok(job) } else { follow(client, job, context.ui).await }
            })
            .await?;
        if self.detach {
            return context.ui.result(&job, || format!("{}\n", job.id));
        }
        let report = result(&job)?;
        context.ui.result(report, || super::lines(report))
    }
}
