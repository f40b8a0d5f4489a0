//! `holotype datapoint schema show`

use crate::context::Context;
use crate::failure::Failure;
use crate::ui::plain;

/// Show the schema of a label
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  holotype datapoint schema show temperature
  holotype datapoint schema show temperature --json")]
pub(super) struct Show {
    /// The label
    label: String,
}

impl Show {
    pub(super) async fn run(self, context: &Context) -> Result<(), Failure> {
        let schema = context.api(async |client| client.datapoint_schema(&self.label).await).await?;
        context.ui.result(&schema, || {
            let unit = schema.unit.as_ref().map(|unit| format!("unit: {unit}\n")).unwrap_or_default();
            plain(&format!("{unit}{:#}\n", schema.schema))
        })
    }
}
