//! `holotype archive schedule`: fetches by the clock.

mod add;
mod list;
mod remove;

use clap::Subcommand;

use crate::context::Context;
use crate::failure::Failure;

/// Fetches by the clock: each night once, by the workers of the server
#[derive(Debug, clap::Args)]
pub(super) struct Schedule {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Add(add::Add),
    List(list::List),
    Remove(remove::Remove),
}

impl Schedule {
    pub(super) async fn run(self, context: &Context) -> Result<(), Failure> {
        match self.verb {
            Verb::Add(verb) => verb.run(context).await,
            Verb::List(verb) => verb.run(context).await,
            Verb::Remove(verb) => verb.run(context).await,
        }
    }
}
