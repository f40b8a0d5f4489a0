//! `holotype user create`

use std::path::PathBuf;

use holotype_api::principal::NewUser;

use crate::context::Context;
use crate::failure::Failure;
use crate::input;

/// Create a user; the first one becomes the administrator and takes over what is stored already
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Without a password the user signs in by token alone: see 'holotype token create --help'.

Examples:
  holotype user create ada
  holotype user create ada --admin --password-file ada.txt
  holotype user create ada --password-file -    (reads the password from stdin)")]
pub(super) struct Create {
    /// The user's name, unique in the service
    name: String,
    /// The user runs the service: users, store, database, everyone's jobs
    #[arg(long)]
    admin: bool,
    /// A file with the password on its first line; - reads stdin
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
}

impl Create {
    pub(super) async fn run(self, context: &Context) -> Result<(), Failure> {
        let password = self.password_file.map(|path| input::secret_line(&path, "the password")).transpose()?;
        let user = NewUser { name: self.name, password: password.map(Into::into), admin: self.admin };
        let user = context.api(async |client| client.create_user(&user).await).await?;
        context.ui.note(if user.admin { "created, as an administrator" } else { "created" });
        context.ui.result(&user, || format!("{}\n", user.name))
    }
}
