//! `holotype token`: secrets that stand for users.

mod create;
mod list;
mod revoke;

use clap::Subcommand;
use holotype_client::Client;
use holotype_core::UserId;

use crate::context::Context;
use crate::failure::Failure;

/// Secrets that stand for users, for programs and remote commands
#[derive(Debug, clap::Args)]
pub(crate) struct Token {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Create(create::Create),
    List(list::List),
    Revoke(revoke::Revoke),
}

impl Token {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Failure> {
        match self.verb {
            Verb::Create(verb) => verb.run(context).await,
            Verb::List(verb) => verb.run(context).await,
            Verb::Revoke(verb) => verb.run(context).await,
        }
    }
}

/// Whose tokens a command is about: the named user's, else the caller's own.
async fn holder(client: &Client, named: Option<&str>) -> Result<Option<String>, Failure> {
    match named {
        Some(name) => Ok(Some(name.to_owned())),
        None if client.who_am_i().await?.id == UserId::LOCAL => Err(Failure::input(
            "the home's owner has no tokens and needs none",
            "name a user with --user; 'holotype user create' makes one",
        )),
        None => Ok(None),
    }
}
