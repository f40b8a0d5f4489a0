//! `holotype user archive-token`: users' own tokens of the other archive that is configured.

mod remove;
mod set;
mod show;

use clap::Subcommand;
use holotype_client::{Client, ClientError};

use crate::context::Context;
use crate::failure::Failure;

/// A user's own token of the archive that sessions read frames from
#[derive(Debug, clap::Args)]
pub(super) struct ArchiveToken {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Set(set::Set),
    Show(show::Show),
    Remove(remove::Remove),
}

impl ArchiveToken {
    pub(super) async fn run(self, context: &Context) -> Result<(), Failure> {
        match self.verb {
            Verb::Set(verb) => verb.run(context).await,
            Verb::Show(verb) => verb.run(context).await,
            Verb::Remove(verb) => verb.run(context).await,
        }
    }
}

/// Whose token a command is about: the named user's, else the caller's own.
async fn holder(client: &Client, named: Option<&str>) -> Result<String, ClientError> {
    match named {
        Some(name) => Ok(name.to_owned()),
        None => Ok(client.who_am_i().await?.name),
    }
}
