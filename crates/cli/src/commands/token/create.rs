//! `holotype token create`

use holotype_api::principal::NewToken;

use super::holder;
use crate::context::Context;
use crate::failure::Failure;

/// Create a token and print it: the only time it can be seen
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Hand the token to commands in the variable HOLOTYPE_TOKEN or with --token-file, and to the
clients of the earlier system in their URL: http://ada:TOKEN@host:8004/

Examples:
  holotype token create bench --user ada
  holotype token create night-run --expires-in-days 30 > token.txt")]
pub(super) struct Create {
    /// What the token is for
    name: String,
    /// The user it stands for, if not yourself
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    /// Days until it ceases to work; without it, it works until it is revoked
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(1..))]
    expires_in_days: Option<u32>,
}

impl Create {
    pub(super) async fn run(self, context: &Context) -> Result<(), Failure> {
        let created = context
            .api(async |client| {
                let user = holder(client, self.user.as_deref()).await?;
                let token = NewToken { name: self.name, expires_in_days: self.expires_in_days, user };
                Ok::<_, Failure>(client.create_token(&token).await?)
            })
            .await?;
        context
            .ui
            .note(&format!("keep it safe: it is not shown again; 'holotype token revoke {}' ends it", created.id));
        context.ui.result(&created, || format!("{}\n", created.token.expose()))
    }
}
