//! `holotype job show`

use holotype_core::ActivityId;

use super::describe;
use crate::context::Context;
use crate::failure::Failure;

/// Show one job: where it stands, what it was given, what came out
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  holotype job show 01JD3Z5N2V8Q0W4X6Y7Z8A9B0C
  holotype job show 01JD3Z5N2V8Q0W4X6Y7Z8A9B0C --json")]
pub(super) struct Show {
    /// The job's id
    id: ActivityId,
}

impl Show {
    pub(super) async fn run(self, context: &Context) -> Result<(), Failure> {
        let job = context.api(async |client| client.job(self.id).await).await?;
        context.ui.result(&job, || describe(&job))
    }
}
