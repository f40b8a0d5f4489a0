//! `holotype user archive-token remove`

use holotype_client::ClientError;
use serde_json::json;

use super::holder;
use crate::context::Context;
use crate::failure::Failure;

/// Forget a user's token of the other archive
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Frames that were brought with it stay in the store for those whom the archive answers.

Examples:
  holotype user archive-token remove
  holotype user archive-token remove ada")]
pub(super) struct Remove {
    /// The user's name; yourself if not given
    name: Option<String>,
}

impl Remove {
    pub(super) async fn run(self, context: &Context) -> Result<(), Failure> {
        let name = context
            .api(async |client| {
                let name = holder(client, self.name.as_deref()).await?;
                client.remove_archive_token(&name).await?;
                Ok::<_, ClientError>(name)
            })
            .await?;
        context.ui.result(&json!({ "name": name }), || format!("no archive token of {name} is kept\n"))
    }
}
