//! `holotype db restore`

use std::path::PathBuf;

use holotype_app::catalog::Catalog;
use holotype_app::upkeep::{self, RestoreRequest};
use holotype_app::{Home, SystemClock};
use serde_json::json;

use super::only_here;
use crate::config_flags::ConfigFlags;
use crate::context::Context;
use crate::failure::Failure;
use crate::logging;
use crate::plan::Confirmation;
use crate::ui::{bytes, when};

/// Bring a backup back, into a new home or in place of the catalog that is there
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
BACKUP is a name that 'holotype db list' shows, or a directory. Where a catalog is, it is replaced
only with --yes, and backed up before; without --yes the command says what it would do. If anything
fails, what was there stays. The server must not run meanwhile.

Examples:
  holotype db restore 20261120T130000Z
  holotype db restore 20261120T130000Z --yes
  holotype db restore /mnt/backups/20261120T130000Z --home /srv/new-lab")]
pub(super) struct Restore {
    /// The backup, by name or directory
    backup: PathBuf,
    /// Go on although bytes that records name are nowhere
    #[arg(long)]
    without_blobs: bool,
    #[command(flatten)]
    confirmation: Confirmation,
}

impl Restore {
    pub(super) async fn run(self, context: &Context) -> Result<(), Failure> {
        only_here(context)?;
        logging::start_quiet()?;
        let (home, _) = context.home()?;
        let folder = self.folder(context, &home);
        let manifest = Catalog::read_backup(&folder)?;
        let config = context.config(home.clone(), &ConfigFlags::default())?;
        let describe = || {
            let rows = manifest.tables.get("datapoints").copied().unwrap_or(0);
            format!(
                "backup of {} ({}, version {}): {rows} datapoints, {} blobs ({})\n",
                when(manifest.created_at),
                manifest.engine,
                manifest.schema_version,
                manifest.blobs.count,
                bytes(manifest.blobs.bytes),
            )
        };
        // With --yes nothing is asked of a catalog that may be damaged: that is when backups are wanted.
        if !self.confirmation.yes && home.exists() && upkeep::check(&config).await?.found > 0 {
            let value = json!({ "backup": folder, "manifest": manifest, "restored": false });
            return self.confirmation.report(context.ui, &value, || {
                format!("{}takes the place of the catalog {}\n", describe(), config.catalog.url)
            });
        }
        let request = RestoreRequest {
            folder: folder.clone(),
            replace: self.confirmation.yes,
            without_blobs: self.without_blobs,
        };
        let restored = context.unless_insisted(upkeep::restore(&config, &request, SystemClock::shared())).await?;
        let kept = restored.replaced.as_ref().map(|old| old.path().display().to_string());
        if let Some(kept) = &kept {
            context.ui.note(&format!("the catalog before is in {kept}"));
        }
        let value = json!({
            "backup": folder,
            "manifest": restored.manifest,
            "restored": true,
            "blobs_copied": restored.copied,
            "blobs_present": restored.proof.present,
            "blobs_missing": restored.proof.missing,
            "replaced": kept,
        });
        context.ui.result(&value, describe)
    }

    /// The folder of the backup: one of the home by its name, else a directory.
    fn folder(&self, context: &Context, home: &Home) -> PathBuf {
        let named = home.backups_directory().join(&self.backup);
        let is_name = self.backup.components().count() == 1;
        if is_name && named.is_dir() { named } else { context.environment.directory().join(&self.backup) }
    }
}
