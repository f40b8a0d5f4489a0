//! `holotype store status`

use crate::context::Context;
use crate::failure::Failure;
use crate::ui::{bytes, or_dash};

/// Show where the store is and what it holds
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Exit code 1 when the store cannot be reached.

Examples:
  holotype store status
  holotype store status --json")]
pub(super) struct Status {}

impl Status {
    pub(super) async fn run(self, context: &Context) -> Result<(), Failure> {
        let status = context.api(async |client| client.store_status().await).await?;
        context.ui.result(&status, || {
            let reachable = if status.reachable { "yes".to_owned() } else { or_dash(status.error.clone()) };
            format!(
                "location      {}\nreachable     {reachable}\nblobs         {} ({})\nspooled       {}\nunreferenced  {}\n",
                status.location,
                status.blobs,
                bytes(status.bytes),
                status.spooled,
                status.unreferenced,
            )
        })?;
        if status.reachable { Ok(()) } else { Err(Failure::Negative) }
    }
}
