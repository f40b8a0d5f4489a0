//! `holotype datapoint schema delete`

use serde_json::json;

use crate::context::Context;
use crate::failure::Failure;
use crate::plan::Confirmation;

/// Remove the schema of a label; datapoints stay as they are
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Without --yes it only says what would happen.

Examples:
  holotype datapoint schema delete temperature
  holotype datapoint schema delete temperature --yes")]
pub(super) struct Delete {
    /// The label
    label: String,
    #[command(flatten)]
    confirmation: Confirmation,
}

impl Delete {
    pub(super) async fn run(self, context: &Context) -> Result<(), Failure> {
        let Self { label, confirmation } = self;
        let schema = context
            .api(async |client| {
                let schema = client.datapoint_schema(&label).await?;
                if confirmation.yes {
                    client.delete_datapoint_schema(&label).await?;
                }
                Ok::<_, Failure>(schema)
            })
            .await?;
        let value = json!({ "label": label, "schema": schema.schema, "deleted": confirmation.yes });
        confirmation.report(context.ui, &value, || format!("schema of {label}: {}\n", schema.schema))
    }
}
