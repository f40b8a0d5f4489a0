//! `holotype archive`: frames of observations.

mod drop_box;
mod fetch;
mod files;
mod ingest;
mod list;
mod local;
mod schedule;
mod sending;
mod show;
mod undo;
mod watch;

use clap::Subcommand;

use crate::context::Context;
use crate::failure::Failure;

/// Frames of observations: fetched from online archives, sorted for reduction, served as an archive
#[derive(Debug, clap::Args)]
pub(crate) struct Archive {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Fetch(fetch::Fetch),
    List(list::List),
    Show(show::Show),
    Undo(undo::Undo),
    Schedule(schedule::Schedule),
    Ingest(ingest::Ingest),
    Watch(watch::Watch),
}

impl Archive {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Failure> {
        match self.verb {
            Verb::Fetch(verb) => verb.run(context).await,
            Verb::List(verb) => verb.run(context).await,
            Verb::Show(verb) => verb.run(context).await,
            Verb::Undo(verb) => verb.run(context).await,
            Verb::Schedule(verb) => verb.run(context).await,
            Verb::Ingest(verb) => verb.run(context).await,
            Verb::Watch(verb) => verb.run(context).await,
        }
    }
}
