//! `holotype operation show`

use super::describe;
use crate::context::Context;
use crate::failure::Failure;

/// Show an operation: how far it is, and what it has made
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
With --json all that was measured is told, and the signed addresses of files.

Examples:
  holotype operation show 12
  holotype operation show 12 --json")]
pub(super) struct Show {
    /// The operation's number
    operation: i64,
}

impl Show {
    pub(super) async fn run(self, context: &Context) -> Result<(), Failure> {
        let found = context.api(async |client| client.operation(self.operation).await).await?;
        context.ui.result(&found, || describe(&found))
    }
}
