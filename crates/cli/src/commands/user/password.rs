//! `holotype user password`

use std::path::PathBuf;

use holotype_api::principal::NewPassword;
use serde_json::json;

use crate::context::Context;
use crate::failure::Failure;
use crate::input;

/// Set a user's password
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  holotype user password ada --password-file ada.txt
  holotype user password ada --password-file -    (reads the password from stdin)")]
pub(super) struct Password {
    /// The user's name
    name: String,
    /// A file with the password on its first line; - reads stdin
    #[arg(long, value_name = "FILE")]
    password_file: PathBuf,
}

impl Password {
    pub(super) async fn run(self, context: &Context) -> Result<(), Failure> {
        let password = NewPassword { password: input::secret_line(&self.password_file, "the password")?.into() };
        context.api(async |client| client.set_password(&self.name, &password).await).await?;
        context.ui.result(&json!({ "name": self.name }), || format!("the password of {} is set\n", self.name))
    }
}
