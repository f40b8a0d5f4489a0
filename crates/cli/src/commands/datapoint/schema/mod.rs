//! `holotype datapoint schema`: what datapoints of one label must look like.

mod delete;
mod list;
mod set;
mod show;

use clap::Subcommand;

use crate::context::Context;
use crate::failure::Failure;

/// What datapoints of one label must look like, and their unit
#[derive(Debug, clap::Args)]
pub(super) struct Schema {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Set(set::Set),
    Show(show::Show),
    List(list::List),
    Delete(delete::Delete),
}

impl Schema {
    pub(super) async fn run(self, context: &Context) -> Result<(), Failure> {
        match self.verb {
            Verb::Set(verb) => verb.run(context).await,
            Verb::Show(verb) => verb.run(context).await,
            Verb::List(verb) => verb.run(context).await,
            Verb::Delete(verb) => verb.run(context).await,
        }
    }
}
