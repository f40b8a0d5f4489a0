//! `holotype config`: what is set, and where.

mod show;

use clap::Subcommand;

use crate::context::Context;
use crate::failure::Failure;

/// What is set, and where it was set
#[derive(Debug, clap::Args)]
pub(crate) struct Config {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Show(Box<show::Show>),
}

impl Config {
    pub(crate) fn run(self, context: &Context) -> Result<(), Failure> {
        match self.verb {
            Verb::Show(verb) => verb.run(context),
        }
    }
}
