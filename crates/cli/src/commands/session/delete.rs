//! `holotype session delete`

use serde_json::json;

use crate::context::Context;
use crate::failure::Failure;
use crate::plan::Confirmation;

/// Delete a session with its operations; results stay
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Work that nobody else waits for is stopped. What was made stays: to ask for the same again is to have
it at once. Without --yes it only says what would happen.

Examples:
  holotype session delete 7
  holotype session delete 7 --yes")]
pub(super) struct Delete {
    /// The session's number
    session: i64,
    #[command(flatten)]
    confirmation: Confirmation,
}

impl Delete {
    pub(super) async fn run(self, context: &Context) -> Result<(), Failure> {
        let found = context
            .api(async |client| {
                let found = client.session(self.session).await?.session;
                if self.confirmation.yes {
                    client.delete_session(self.session).await?;
                }
                Ok::<_, Failure>(found)
            })
            .await?;
        let value = json!({ "id": found.id, "operations": found.operations, "deleted": self.confirmation.yes });
        let text = || format!("session {} with {} operations: goes\n", found.id, found.operations);
        self.confirmation.report(context.ui, &value, text)
    }
}
