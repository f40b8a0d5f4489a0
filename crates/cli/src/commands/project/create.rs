//! `holotype project create`

use holotype_api::principal::NewProject;

use crate::context::Context;
use crate::failure::Failure;

/// Create a project; you become its owner
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  holotype project create spectroscopy
  holotype datapoint submit --project spectroscopy --label flux --value 3.2")]
pub(super) struct Create {
    /// The project's name, unique in the service
    name: String,
}

impl Create {
    pub(super) async fn run(self, context: &Context) -> Result<(), Failure> {
        let project = context.api(async |client| client.create_project(&NewProject { name: self.name }).await).await?;
        context.ui.result(&project, || format!("{}\n", project.id))
    }
}
