//! `holotype token revoke`

use holotype_core::TokenId;
use serde_json::json;

use crate::context::Context;
use crate::failure::Failure;
use crate::plan::Confirmation;

/// Make a token cease to work
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Without --yes it only says what would happen.

Examples:
  holotype token revoke 01JD3Z5N2V8Q0W4X6Y7Z8A9B0C
  holotype token revoke 01JD3Z5N2V8Q0W4X6Y7Z8A9B0C --yes")]
pub(super) struct Revoke {
    /// The token's id, as 'holotype token list' shows it
    id: TokenId,
    #[command(flatten)]
    confirmation: Confirmation,
}

impl Revoke {
    pub(super) async fn run(self, context: &Context) -> Result<(), Failure> {
        if self.confirmation.yes {
            context.api(async |client| client.revoke_token(self.id).await).await?;
        }
        let value = json!({ "id": self.id, "revoked": self.confirmation.yes });
        self.confirmation.report(context.ui, &value, || format!("token {}: ceases to work\n", self.id))
    }
}
