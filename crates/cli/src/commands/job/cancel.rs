//! `holotype job cancel`

use holotype_core::ActivityId;

use super::state;
use crate::context::Context;
use crate::failure::Failure;

/// Stop a job; a running one takes a moment to notice
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  holotype job cancel 01JD3Z5N2V8Q0W4X6Y7Z8A9B0C")]
pub(super) struct Cancel {
    /// The job's id
    id: ActivityId,
}

impl Cancel {
    pub(super) async fn run(self, context: &Context) -> Result<(), Failure> {
        let job = context.api(async |client| client.cancel_job(self.id).await).await?;
        context.ui.result(&job, || format!("{} {}\n", job.id, state(job.state)))
    }
}
