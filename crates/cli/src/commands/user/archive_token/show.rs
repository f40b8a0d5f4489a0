//! `holotype user archive-token show`

use holotype_client::ClientError;

use super::holder;
use crate::context::Context;
use crate::failure::Failure;
use crate::ui::when;

/// Tell whether a user's token of the other archive is kept, and since when; never the token
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  holotype user archive-token show
  holotype user archive-token show ada --json")]
pub(super) struct Show {
    /// The user's name; yourself if not given
    name: Option<String>,
}

impl Show {
    pub(super) async fn run(self, context: &Context) -> Result<(), Failure> {
        let (name, told) = context
            .api(async |client| {
                let name = holder(client, self.name.as_deref()).await?;
                let told = client.archive_token(&name).await?;
                Ok::<_, ClientError>((name, told))
            })
            .await?;
        context.ui.result(&told, || match told.set_at {
            Some(at) => format!("{name} has a token of {}, set at {} UTC\n", told.archive, when(at)),
            None => format!("{name} has no token of {}\n", told.archive),
        })
    }
}
