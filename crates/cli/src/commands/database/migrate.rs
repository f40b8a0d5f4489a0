//! `holotype db migrate`

use holotype_app::{SystemClock, upkeep};
use serde_json::json;

use super::only_here;
use crate::config_flags::ConfigFlags;
use crate::context::Context;
use crate::failure::Failure;
use crate::logging;

/// Bring the catalog's tables to the version this program needs, after a verified backup
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
The server must not run meanwhile. If a step fails, the catalog is as it was.

Examples:
  holotype db migrate")]
pub(super) struct Migrate {}

impl Migrate {
    pub(super) async fn run(self, context: &Context) -> Result<(), Failure> {
        only_here(context)?;
        logging::start_quiet()?;
        let (home, _) = context.home()?;
        let config = context.config(home, &ConfigFlags::default())?;
        let migrated = context.unless_insisted(upkeep::migrate(&config, SystemClock::shared())).await?;
        let value = json!({ "from": migrated.from, "to": migrated.to, "backup": migrated.backup });
        context.ui.result(&value, || match (migrated.from == migrated.to, &migrated.backup) {
            (true, _) => format!("version {}: there was nothing to do\n", migrated.to),
            (false, None) => format!("version {} to {}\n", migrated.from, migrated.to),
            (false, Some(backup)) => {
                format!("version {} to {}; the catalog before is in {}\n", migrated.from, migrated.to, backup.display())
            }
        })
    }
}
