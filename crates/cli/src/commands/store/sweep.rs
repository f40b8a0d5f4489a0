//! `holotype store sweep`

use crate::context::{Context, Need};
use crate::failure::Failure;
use crate::follow::{follow, result};
use crate::plan::Confirmation;
use crate::ui::bytes;

/// Remove what no record names any more: unreferenced blobs, deleted datapoints past their time, left-over uploads
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Without --yes it only says what would be removed. Bytes younger than the setting store.grace stay.

Examples:
  holotype store sweep
  holotype store sweep --yes")]
pub(super) struct Sweep {
    #[command(flatten)]
    confirmation: Confirmation,
}

impl Sweep {
    pub(super) async fn run(self, context: &Context) -> Result<(), Failure> {
        if !self.confirmation.yes {
            let plan = context.api(async |client| client.sweep_plan().await).await?;
            return self.confirmation.report(context.ui, &plan, || {
                format!(
                    "unreferenced blobs  {} ({})\nleft-over uploads   {}\nunknown objects     {}\n",
                    plan.unreferenced,
                    bytes(plan.bytes),
                    plan.stale_staging,
                    plan.orphan_objects,
                )
            });
        }
        let job = context
            .call(Need::Jobs, async |client| {
                let job = client.sweep_store().await?;
                follow(client, job, context.ui).await
            })
            .await?;
        let report = result(&job)?;
        context.ui.result(report, || super::lines(report))
    }
}
