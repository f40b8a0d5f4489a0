//! `holotype archive`: frames of observations.

mod fetch;
mod local;
mod undo;

use clap::Subcommand;

use crate::context::Context;
use crate::failure::Failure;

/// Frames of observations, fetched from online archives
#[derive(Debug, clap::Args)]
pub(crate) struct Archive {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Fetch(fetch::Fetch),
    Undo(undo::Undo),
}

impl Archive {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Failure> {
        match self.verb {
            Verb::Fetch(verb) => verb.run(context).await,
            Verb::Undo(verb) => verb.run(context).await,
        }
    }
}
