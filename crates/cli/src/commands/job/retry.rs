//! `holotype job retry`

use holotype_core::ActivityId;

use crate::context::{Context, Need};
use crate::failure::Failure;
use crate::follow::follow;

/// Try a failed or cancelled job again, and wait for it
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  holotype job retry 01JD3Z5N2V8Q0W4X6Y7Z8A9B0C
  holotype job retry 01JD3Z5N2V8Q0W4X6Y7Z8A9B0C --detach")]
pub(super) struct Retry {
    /// The job's id
    id: ActivityId,
    /// Do not wait; the workers of the server, or of the next command, will do it
    #[arg(long)]
    detach: bool,
}

impl Retry {
    pub(super) async fn run(self, context: &Context) -> Result<(), Failure> {
        let need = if self.detach { Need::Answers } else { Need::Jobs };
        let job = context
            .call(need, async |client| {
                let job = client.retry_job(self.id).await?;
                if self.detach { Ok(job) } else { follow(client, job, context.ui).await }
            })
            .await?;
        context.ui.result(&job, || super::describe(&job))?;
        crate::follow::outcome(&job)
    }
}
