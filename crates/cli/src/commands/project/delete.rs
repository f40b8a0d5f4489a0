//! `holotype project delete`

use serde_json::{Value, json};

use crate::context::Context;
use crate::failure::Failure;
use crate::plan::Confirmation;

/// Delete a project that holds nothing
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Without --yes it only says what would happen. A project that holds records is refused.

Examples:
  holotype project delete spectroscopy
  holotype project delete spectroscopy --yes")]
pub(super) struct Delete {
    /// The project, by name or id
    name: String,
    #[command(flatten)]
    confirmation: Confirmation,
}

impl Delete {
    pub(super) async fn run(self, context: &Context) -> Result<(), Failure> {
        let Self { name, confirmation } = self;
        let (project, held) = context
            .api(async |client| {
                let project = client.project(&name).await?;
                let held =
                    client.clone().in_project(Some(project.id.to_string())).count_datapoints(Value::Null).await?;
                if confirmation.yes {
                    client.delete_project(&name).await?;
                }
                Ok::<_, Failure>((project, held))
            })
            .await?;
        let value = json!({ "id": project.id, "name": project.name, "datapoints": held, "deleted": confirmation.yes });
        confirmation.report(context.ui, &value, || {
            format!("project {} ({}), which holds {held} datapoints\n", project.name, project.id)
        })
    }
}
