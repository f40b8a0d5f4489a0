//! `holotype project revoke`

use serde_json::json;

use crate::context::Context;
use crate::failure::Failure;
use crate::plan::Confirmation;

/// Take a user's role on a project away
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Without --yes it only says what would happen.

Examples:
  holotype project revoke spectroscopy charles
  holotype project revoke spectroscopy charles --yes")]
pub(super) struct Revoke {
    /// The project, by name or id
    name: String,
    /// The user's name
    user: String,
    #[command(flatten)]
    confirmation: Confirmation,
}

impl Revoke {
    pub(super) async fn run(self, context: &Context) -> Result<(), Failure> {
        let Self { name, user, confirmation } = self;
        if confirmation.yes {
            context.api(async |client| client.remove_member(&name, &user).await).await?;
        }
        let value = json!({ "project": name, "user": user, "removed": confirmation.yes });
        confirmation.report(context.ui, &value, || format!("{user}: no role on {name} any more\n"))
    }
}
