//! `holotype user disable`

use serde_json::json;

use crate::context::Context;
use crate::failure::Failure;
use crate::plan::Confirmation;

/// Stop a user from signing in; what the user stored stays
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Without --yes it only says what would happen.

Examples:
  holotype user disable ada
  holotype user disable ada --yes")]
pub(super) struct Disable {
    /// The user's name
    name: String,
    #[command(flatten)]
    confirmation: Confirmation,
}

impl Disable {
    pub(super) async fn run(self, context: &Context) -> Result<(), Failure> {
        let done = context
            .api(async |client| {
                let user = client.user(&self.name).await?;
                if self.confirmation.yes {
                    client.disable_user(&user.name).await?;
                }
                Ok::<_, Failure>(self.confirmation.yes)
            })
            .await?;
        self.confirmation.report(context.ui, &json!({ "name": self.name, "disabled": done }), || {
            format!("user {}: no token and no password of theirs works any more\n", self.name)
        })
    }
}
