//! `holotype init`

use holotype_app::{App, SystemClock};
use serde_json::json;

use crate::config_flags::ConfigFlags;
use crate::context::Context;
use crate::failure::Failure;
use crate::logging;

/// Make a home: a directory with a configuration, a catalog and a store
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
What is there already stays. Without --home it is made where HOLOTYPE_HOME says, else the nearest
.holotype/ upwards is taken, else the user's data directory. The new holotype.toml explains every
setting. To keep catalog or store elsewhere, set them there, or by variables, and run init again.

Examples:
  holotype init
  holotype init --home .holotype")]
pub(crate) struct Init {}

impl Init {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Failure> {
        logging::start_quiet()?;
        let (home, _) = context.home()?;
        let existed = home.exists();
        let config = context.config(home.clone(), &ConfigFlags::default())?;
        App::initialise(&config, SystemClock::shared()).await?;
        context.ui.note(match existed {
            true => "the home was there already; what it holds stays",
            false => "a home was made; 'holotype serve' serves it, and every command works without a server too",
        });
        context
            .ui
            .result(&json!({ "home": home.root(), "created": !existed }), || format!("{}\n", home.root().display()))
    }
}
