//! `holotype datapoint import`: many datapoints at once, from here or from an earlier system.

mod mongodump;
mod ndjson;

use clap::Subcommand;

use crate::context::Context;
use crate::failure::Failure;

/// Take in many datapoints, from NDJSON or from a MADSci Data Manager
#[derive(Debug, clap::Args)]
pub(super) struct Import {
    #[command(subcommand)]
    kind: Kind,
}

#[derive(Debug, Subcommand)]
enum Kind {
    Ndjson(ndjson::Ndjson),
    Mongodump(mongodump::Mongodump),
}

impl Import {
    pub(super) async fn run(self, context: &Context) -> Result<(), Failure> {
        match self.kind {
            Kind::Ndjson(kind) => kind.run(context).await,
            Kind::Mongodump(kind) => kind.run(context).await,
        }
    }
}
