//! `holotype lineage`: where things come from, and what became of them.

mod entity;
mod show;

use clap::Subcommand;

use crate::context::Context;
use crate::failure::Failure;

/// Where things come from, and what became of them
#[derive(Debug, clap::Args)]
pub(crate) struct Lineage {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Show(show::Show),
}

impl Lineage {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Failure> {
        match self.verb {
            Verb::Show(verb) => verb.run(context).await,
        }
    }
}
