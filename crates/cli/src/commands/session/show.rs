//! `holotype session show`

use super::describe;
use crate::context::Context;
use crate::failure::Failure;

/// Show a session: its frames, and what was done with them
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  holotype session show 7
  holotype session show 7 --json")]
pub(super) struct Show {
    /// The session's number
    session: i64,
}

impl Show {
    pub(super) async fn run(self, context: &Context) -> Result<(), Failure> {
        let detail = context.api(async |client| client.session(self.session).await).await?;
        context.ui.result(&detail, || describe(&detail))
    }
}
