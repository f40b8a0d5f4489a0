//! `holotype project grant`

use holotype_core::Role;
use serde_json::json;

use crate::context::Context;
use crate::failure::Failure;

/// Give a user a role on a project, instead of the one the user has
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
A viewer reads everything, an editor also adds, changes and deletes records, an owner also decides
who the members are.

Examples:
  holotype project grant spectroscopy ada editor
  holotype project grant spectroscopy charles viewer")]
pub(super) struct Grant {
    /// The project, by name or id
    name: String,
    /// The user's name
    user: String,
    /// viewer, editor or owner
    role: Role,
}

impl Grant {
    pub(super) async fn run(self, context: &Context) -> Result<(), Failure> {
        let Self { name, user, role } = self;
        context.api(async |client| client.set_role(&name, &user, role).await).await?;
        let value = json!({ "project": name, "user": user, "role": role });
        context.ui.result(&value, || format!("{user} is {role} of {name}\n"))
    }
}
