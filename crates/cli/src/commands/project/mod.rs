//! `holotype project`: what records belong to, and who may do what with them.

mod create;
mod delete;
mod grant;
mod list;
mod members;
mod revoke;

use clap::Subcommand;

use crate::context::Context;
use crate::failure::Failure;

/// What records belong to, and who may do what with them
#[derive(Debug, clap::Args)]
pub(crate) struct Project {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Create(create::Create),
    List(list::List),
    Members(members::Members),
    Grant(grant::Grant),
    Revoke(revoke::Revoke),
    Delete(delete::Delete),
}

impl Project {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Failure> {
        match self.verb {
            Verb::Create(verb) => verb.run(context).await,
            Verb::List(verb) => verb.run(context).await,
            Verb::Members(verb) => verb.run(context).await,
            Verb::Grant(verb) => verb.run(context).await,
            Verb::Revoke(verb) => verb.run(context).await,
            Verb::Delete(verb) => verb.run(context).await,
        }
    }
}
