//! `holotype worker`

use holotype_app::{App, SystemClock};
use tokio_util::sync::CancellationToken;

use crate::config_flags::ConfigFlags;
use crate::context::Context;
use crate::failure::Failure;
use crate::interrupt::Interrupts;
use crate::logging;

/// Work on jobs beside a server, on this machine or another that reaches its catalog and its store
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
'holotype serve' works on jobs too; more workers help when there is more to do than one machine
does. On another machine, use a home whose catalog.url and store.url are those of the server. It
ends at Ctrl-C or SIGTERM, after its jobs had time to stop; a second one ends it at once.

Examples:
  holotype worker
  holotype worker --jobs-workers 8
  holotype worker --catalog-url postgres://holotype@db/lab --store-url s3://lab/holotype")]
pub(crate) struct Worker {
    #[command(flatten)]
    flags: ConfigFlags,
}

impl Worker {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Failure> {
        let (home, _) = context.home()?;
        home.require()?;
        let config = context.config(home, &self.flags)?;
        logging::start(&config.log)?;
        let mut interrupts = Interrupts::listen().map_err(|source| Failure::io("signals cannot be heard", source))?;
        let app = App::open(config, SystemClock::shared()).await?;
        let shutdown = CancellationToken::new();
        context.ui.note(&format!("working on up to {} jobs at a time", app.config().workers));
        let result = tokio::select! {
            worked = app.run_workers(shutdown.clone()) => worked.map_err(Failure::from),
            () = interrupts.next_twice(|| shutdown.cancel()) => Err(Failure::Interrupted),
        };
        app.close().await;
        result
    }
}
