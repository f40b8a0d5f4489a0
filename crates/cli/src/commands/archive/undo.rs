//! `holotype archive undo`

use holotype_app::AppError;
use holotype_app::archives::fetch::{UndoAction, UndoStep};
use holotype_core::ActivityId;

use super::local::Local;
use crate::context::Context;
use crate::failure::Failure;
use crate::plan::Confirmation;
use crate::ui::Table;

/// Take a fetch back: remove the files it placed, and bring back those it replaced
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Files that were changed since they were placed stay. The frames stay in the store, so fetching
them again transfers nothing. Without --yes it only says what would be done.

Examples:
  holotype archive undo 01M7TYQ5S0BK0VXTWDM5JRXV37
  holotype archive undo 01M7TYQ5S0BK0VXTWDM5JRXV37 --yes")]
pub(super) struct Undo {
    /// The fetch; 'holotype archive list' shows those there are
    fetch: ActivityId,
    #[command(flatten)]
    confirmation: Confirmation,
}

impl Undo {
    pub(super) async fn run(self, context: &Context) -> Result<(), Failure> {
        let local = Local::open(context).await?;
        let (archives, caller) = (local.app.archives(), &local.caller);
        let steps = if self.confirmation.yes {
            archives.undo(caller, self.fetch).await
        } else {
            archives.undo_plan(caller, self.fetch).await
        };
        local.app.close().await;
        let steps = steps.map_err(AppError::from)?;
        self.confirmation.report(context.ui, &steps, || table(&steps))
    }
}

fn table(steps: &[UndoStep]) -> String {
    let mut table = Table::new(["ACTION", "FILE"]);
    for step in steps {
        let action = match step.action {
            UndoAction::Remove => "remove",
            UndoAction::Restore => "restore",
            UndoAction::Keep => "keep (changed)",
            UndoAction::Nothing => "gone already",
        };
        table.row([action.to_owned(), step.path.display().to_string()]);
    }
    table.render()
}
