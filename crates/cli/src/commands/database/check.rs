//! `holotype db check`

use holotype_app::upkeep;
use serde_json::json;

use super::only_here;
use crate::config_flags::ConfigFlags;
use crate::context::Context;
use crate::failure::Failure;
use crate::logging;

/// Compare the version of the catalog's tables with the one this program needs
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
It changes nothing. Exit code 1 when 'holotype db migrate', or a newer program, is needed.

Examples:
  holotype db check
  holotype db check --json")]
pub(super) struct Check {}

impl Check {
    pub(super) async fn run(self, context: &Context) -> Result<(), Failure> {
        only_here(context)?;
        logging::start_quiet()?;
        let (home, _) = context.home()?;
        home.require()?;
        let check = upkeep::check(&context.config(home, &ConfigFlags::default())?).await?;
        let value = json!({
            "database": check.database,
            "schema_version": check.found,
            "expected_version": check.expected,
            "current": check.is_current(),
        });
        let next = match (check.is_current(), check.needs_migration()) {
            (true, _) => "as this program needs it",
            (false, true) => "run 'holotype db migrate'",
            (false, false) => "made by a newer program: use that one",
        };
        context.ui.result(&value, || {
            format!("{}\nversion {} of {}: {next}\n", check.database, check.found, check.expected)
        })?;
        if check.is_current() { Ok(()) } else { Err(Failure::Negative) }
    }
}
