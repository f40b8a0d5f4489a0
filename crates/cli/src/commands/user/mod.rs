//! `holotype user`: who may sign in.

mod archive_token;
mod create;
mod disable;
mod list;
mod password;

use clap::Subcommand;

use crate::context::Context;
use crate::failure::Failure;

/// People and programs that sign in
#[derive(Debug, clap::Args)]
pub(crate) struct User {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    #[command(visible_alias = "add")]
    Create(create::Create),
    List(list::List),
    Password(password::Password),
    Disable(disable::Disable),
    ArchiveToken(archive_token::ArchiveToken),
}

impl User {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Failure> {
        match self.verb {
            Verb::Create(verb) => verb.run(context).await,
            Verb::List(verb) => verb.run(context).await,
            Verb::Password(verb) => verb.run(context).await,
            Verb::Disable(verb) => verb.run(context).await,
            Verb::ArchiveToken(verb) => verb.run(context).await,
        }
    }
}
