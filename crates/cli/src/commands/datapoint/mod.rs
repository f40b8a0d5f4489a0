//! `holotype datapoint`: what instruments measured.

mod count;
mod delete;
mod export;
mod get;
mod import;
mod list;
mod owner;
mod query;
mod restore;
mod row;
mod schema;
mod submit;
mod tail;
mod value;

use clap::Subcommand;

use crate::context::Context;
use crate::failure::Failure;

/// Values and files from instruments, with owners and metadata
#[derive(Debug, clap::Args)]
pub(crate) struct Datapoint {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Submit(submit::Submit),
    Get(get::Get),
    Value(value::Value),
    List(list::List),
    Query(query::Query),
    Count(count::Count),
    Delete(delete::Delete),
    Restore(restore::Restore),
    Tail(tail::Tail),
    Export(export::Export),
    Import(import::Import),
    Schema(schema::Schema),
}

impl Datapoint {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Failure> {
        match self.verb {
            Verb::Submit(verb) => verb.run(context).await,
            Verb::Get(verb) => verb.run(context).await,
            Verb::Value(verb) => verb.run(context).await,
            Verb::List(verb) => verb.run(context).await,
            Verb::Query(verb) => verb.run(context).await,
            Verb::Count(verb) => verb.run(context).await,
            Verb::Delete(verb) => verb.run(context).await,
            Verb::Restore(verb) => verb.run(context).await,
            Verb::Tail(verb) => verb.run(context).await,
            Verb::Export(verb) => verb.run(context).await,
            Verb::Import(verb) => verb.run(context).await,
            Verb::Schema(verb) => verb.run(context).await,
        }
    }
}
