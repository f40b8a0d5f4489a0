//! `holotype db`: the catalog's database, and its backups.

mod backup;
mod check;
mod list;
mod migrate;
mod restore;

use clap::Subcommand;

use crate::context::Context;
use crate::failure::Failure;

/// The catalog's database: its version, its backups
#[derive(Debug, clap::Args)]
pub(crate) struct Database {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Check(check::Check),
    Migrate(migrate::Migrate),
    Backup(backup::Backup),
    Restore(restore::Restore),
    List(list::List),
}

impl Database {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Failure> {
        match self.verb {
            Verb::Check(verb) => verb.run(context).await,
            Verb::Migrate(verb) => verb.run(context).await,
            Verb::Backup(verb) => verb.run(context).await,
            Verb::Restore(verb) => verb.run(context).await,
            Verb::List(verb) => verb.run(context).await,
        }
    }
}

/// Refuses `--server` for what works on the files of a home while nothing else does.
fn only_here(context: &Context) -> Result<(), Failure> {
    match &context.global.server {
        None => Ok(()),
        Some(_) => Err(Failure::input(
            "this works on a home that nothing else works on, and not over --server",
            "end the server and run it where the home is",
        )),
    }
}
