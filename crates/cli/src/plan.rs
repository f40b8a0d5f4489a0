//! Commands that take something away show a plan first, and do it only with `--yes`.

use serde::Serialize;

use crate::failure::Failure;
use crate::ui::Ui;

/// Whether the caller has seen the plan and wants it done.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(crate) struct Confirmation {
    /// Do it, instead of only saying what would be done
    #[arg(long)]
    pub(crate) yes: bool,
}

impl Confirmation {
    /// Tells what was done or would be done; `text` describes it either way.
    pub(crate) fn report<T: Serialize>(self, ui: Ui, value: &T, text: impl FnOnce() -> String) -> Result<(), Failure> {
        ui.result(value, text)?;
        if !self.yes {
            ui.note("plan only: nothing was changed; add --yes to do it");
        }
        Ok(())
    }
}
