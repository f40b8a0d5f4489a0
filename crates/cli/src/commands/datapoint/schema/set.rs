//! `holotype datapoint schema set`

use holotype_api::datapoint::PutDatapointSchema;

use crate::context::Context;
use crate::failure::Failure;
use crate::input;

/// Set the schema of a label, in place of the one it has
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
From then on a datapoint of this label whose value does not fit is refused; what is stored already
stays. SCHEMA is a JSON Schema; @FILE reads a file, - reads stdin, true lets everything pass.

Examples:
  holotype datapoint schema set temperature '{\"type\": \"number\"}' --unit degC
  holotype datapoint schema set spectrum @spectrum.schema.json")]
pub(super) struct Set {
    /// The label
    label: String,
    /// The JSON Schema of the value
    schema: String,
    /// The unit of the value
    #[arg(long)]
    unit: Option<String>,
}

impl Set {
    pub(super) async fn run(self, context: &Context) -> Result<(), Failure> {
        let schema = input::json(&self.schema, "the schema").await?;
        let schema = PutDatapointSchema { schema, unit: self.unit };
        let schema = context.api(async |client| client.put_datapoint_schema(&self.label, &schema).await).await?;
        context.ui.result(&schema, || format!("{}\n", schema.label))
    }
}
