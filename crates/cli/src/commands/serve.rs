//! `holotype serve`

use holotype_app::{App, Home, SystemClock};
use holotype_server::{Bound, ServerOptions};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::config_flags::ConfigFlags;
use crate::connection::lock_for_server;
use crate::context::Context;
use crate::failure::Failure;
use crate::interrupt::Interrupts;
use crate::logging;

/// Serve the home over HTTP, and work on its jobs
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
It ends at Ctrl-C or SIGTERM, after the requests that are under way; a second one ends it at once.
While it runs, other commands on the same home talk to it. An address that other machines can reach
needs a user first: 'holotype user create'.

Examples:
  holotype serve
  holotype serve --listen 0.0.0.0:8004 --tls-certificate cert.pem --tls-key key.pem
  holotype serve --listen 10.0.0.7:8004 --behind-proxy 10.0.0.1 --allowed-hosts data.lab.example
  holotype serve --static /app=frontend/dist")]
pub(crate) struct Serve {
    #[command(flatten)]
    flags: ConfigFlags,
}

impl Serve {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Failure> {
        let (home, _) = context.home()?;
        home.require()?;
        let config = context.config(home.clone(), &self.flags)?;
        logging::start(&config.log)?;
        let interrupts = Interrupts::listen().map_err(|source| Failure::io("signals cannot be heard", source))?;
        let _lock = lock_for_server(&home).await?;
        let app = App::open(config, SystemClock::shared()).await?;
        let options = ServerOptions { unix_socket: Some(home.socket()), ..ServerOptions::new(app.config()) };
        let bound = Bound::bind(&app, options).await?;
        announce(context, &home, &bound)?;
        serve(&app, bound, interrupts).await
    }
}

/// Says where it listens, once clients can come.
fn announce(context: &Context, home: &Home, bound: &Bound) -> Result<(), Failure> {
    let addresses = bound.addresses();
    let value = json!({ "home": home.root(), "listening": addresses, "pid": std::process::id() });
    context.ui.result(&value, || addresses.iter().map(|address| format!("listening on {address}\n")).collect())
}

/// Answers, works on jobs and does the upkeep until a signal, or until one of them fails; then closes the application.
pub(super) async fn serve(app: &App, bound: Bound, mut interrupts: Interrupts) -> Result<(), Failure> {
    let shutdown = CancellationToken::new();
    let answering = bound.serve(app.clone(), shutdown.clone());
    let working = async {
        let worked = app.run_workers(shutdown.clone()).await;
        // Without workers the server would take jobs that nobody does.
        shutdown.cancel();
        worked
    };
    let upkeep = app.run_upkeep(shutdown.clone());
    let result = tokio::select! {
        ((), worked, ()) = async { tokio::join!(answering, working, upkeep) } => worked.map_err(Failure::from),
        () = interrupts.next_twice(|| shutdown.cancel()) => Err(Failure::Interrupted),
    };
    app.close().await;
    result
}
