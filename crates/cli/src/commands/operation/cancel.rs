//! `holotype operation cancel`

use crate::context::Context;
use crate::failure::Failure;

/// Stop the work on an operation
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
It has failed then; to run the same again is to begin anew. While others wait for the same result, the
work goes on for them, and this is refused.

Examples:
  holotype operation cancel 12")]
pub(super) struct Cancel {
    /// The operation's number
    operation: i64,
}

impl Cancel {
    pub(super) async fn run(self, context: &Context) -> Result<(), Failure> {
        let found = context.api(async |client| client.cancel_operation(self.operation).await).await?;
        context.ui.result(&found, || format!("{}\n", super::line(&found)))
    }
}
