//! `holotype demo`

use std::path::PathBuf;

use holotype_app::demo::{DemoOptions, Tour, fill};
use holotype_app::{App, Home, SystemClock};
use holotype_core::Clock;
use holotype_server::{Bound, ServerOptions};
use serde_json::json;

use super::serve::serve;
use crate::config_flags::ConfigFlags;
use crate::connection::lock_for_server;
use crate::context::Context;
use crate::failure::Failure;
use crate::interrupt::Interrupts;
use crate::logging;

/// Make a throw-away laboratory with a day of measurements, serve it, and say what to try
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
The laboratory gets a new directory, and nothing else is touched. Ctrl-C ends it; the directory
stays until you delete it.

Examples:
  holotype demo
  holotype demo --listen 127.0.0.1:9000
  holotype demo --directory lab")]
pub(crate) struct Demo {
    /// Where to make it, instead of a new temporary directory
    #[arg(long, value_name = "DIR")]
    directory: Option<PathBuf>,
    /// Another number makes another laboratory
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    seed: u64,
    /// Where to serve it [default: 127.0.0.1:8004]
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<String>,
}

impl Demo {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Failure> {
        let home = self.home(context)?;
        let mut flags = ConfigFlags::default();
        if let Some(listen) = &self.listen {
            flags.0.set("listen", listen);
        }
        let config = context.config(home.clone(), &flags)?;
        logging::start_quiet()?;
        let interrupts = Interrupts::listen().map_err(|source| Failure::io("signals cannot be heard", source))?;
        App::initialise(&config, SystemClock::shared()).await?;
        let _lock = lock_for_server(&home).await?;
        let app = App::open(config, SystemClock::shared()).await?;
        let options = ServerOptions { unix_socket: Some(home.socket()), ..ServerOptions::new(app.config()) };
        // Before the laboratory is made: if the address is taken, that is said first.
        let bound = Bound::bind(&app, options).await?;
        let demo = fill(&app, DemoOptions { seed: self.seed, end: SystemClock.now() }).await?;
        let url = bound.addresses().into_iter().next().unwrap_or_default();
        let program = std::env::current_exe().map_or_else(|_| "holotype".to_owned(), |path| path.display().to_string());
        let directory = home.root().display().to_string();
        let tour = Tour { demo: &demo, url: &url, program: &program, home: &directory };
        let value = json!({
            "home": directory,
            "listening": bound.addresses(),
            "try": [tour.curl(), tour.command(), tour.python()],
        });
        context.ui.result(&value, || tour.to_string())?;
        serve(&app, bound, interrupts).await
    }

    /// A home that is not there yet: a laboratory must not be mixed with measurements.
    fn home(&self, context: &Context) -> Result<Home, Failure> {
        let Some(directory) = &self.directory else {
            let made = tempfile::Builder::new().prefix("holotype-demo-").tempdir();
            let made = made.map_err(|source| Failure::io("no temporary directory can be made", source))?;
            return Ok(Home::at(made.keep()));
        };
        let home = Home::at(context.environment.directory().join(directory));
        if home.root().exists() {
            return Err(Failure::InTheWay {
                message: format!("{} is there already", home.root().display()),
                next: "choose a directory that does not exist yet".to_owned(),
            });
        }
        Ok(home)
    }
}
