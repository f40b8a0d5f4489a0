//! `holotype user archive-token set`

use std::path::PathBuf;

use holotype_api::principal::NewArchiveToken;
use holotype_client::ClientError;
use serde_json::json;

use super::holder;
use crate::context::Context;
use crate::failure::Failure;
use crate::input;

/// Keep a user's token of the other archive, encrypted; nobody is shown it again
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
The archive is the one of the key sessions.archive. The token is encrypted with the key in the
environment variable that sessions.token_key_env names, and sent to that archive alone.

Examples:
  holotype user archive-token set --secret-file lco.txt
  holotype user archive-token set ada --secret-file -    (reads the token from stdin)")]
pub(super) struct Set {
    /// The user's name; yourself if not given
    name: Option<String>,
    /// A file with the token on its first line; - reads stdin
    #[arg(long = "secret-file", value_name = "FILE")]
    file: PathBuf,
}

impl Set {
    pub(super) async fn run(self, context: &Context) -> Result<(), Failure> {
        let token = NewArchiveToken { token: input::secret_line(&self.file, "the token")?.into() };
        let name = context
            .api(async |client| {
                let name = holder(client, self.name.as_deref()).await?;
                client.set_archive_token(&name, &token).await?;
                Ok::<_, ClientError>(name)
            })
            .await?;
        context.ui.result(&json!({ "name": name }), || format!("the archive token of {name} is kept\n"))
    }
}
