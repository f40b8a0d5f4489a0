//! `holotype store`: where bytes are kept.

mod status;
mod sweep;
mod verify;

use clap::Subcommand;

use crate::context::Context;
use crate::failure::Failure;

/// Where bytes are kept: what is there, whether it is whole, what can go
#[derive(Debug, clap::Args)]
pub(crate) struct Store {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Status(status::Status),
    Verify(verify::Verify),
    Sweep(sweep::Sweep),
}

impl Store {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Failure> {
        match self.verb {
            Verb::Status(verb) => verb.run(context).await,
            Verb::Verify(verb) => verb.run(context).await,
            Verb::Sweep(verb) => verb.run(context).await,
        }
    }
}

/// The report of a job as lines: one member each.
fn lines(report: &serde_json::Value) -> String {
    let members = report.as_object().into_iter().flatten();
    members.map(|(name, value)| format!("{:<20}{value}\n", name.replace('_', " "))).collect()
}
