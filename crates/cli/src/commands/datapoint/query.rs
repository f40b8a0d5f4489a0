//! `holotype datapoint query`

use holotype_api::datapoint::QueryRequest;

use super::row::write_page;
use crate::context::Context;
use crate::failure::Failure;
use crate::input;
use crate::paging::{Listing, collect};

/// Find datapoints by a filter
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
FILTER is JSON in the query language of docs/guide/datapoints.md; @FILE reads a file, - reads stdin.

Examples:
  holotype datapoint query '{\"label\": \"temperature\", \"value\": {\"$gt\": 21}}'
  holotype datapoint query '{\"label\": {\"$regex\": \"^temp\"}}' --fields label,value --json
  holotype datapoint query @filter.json --sort -data_timestamp --limit 1000")]
pub(super) struct Query {
    /// What the datapoints must be like
    filter: String,
    /// Only these members, by dotted path
    #[arg(long, value_delimiter = ',', value_name = "PATH,..")]
    fields: Option<Vec<String>>,
    /// data_timestamp, sequence (of arrival) or label; with a leading - descending
    #[arg(long, default_value = "sequence", allow_hyphen_values = true, value_name = "ORDER")]
    sort: String,
    #[command(flatten)]
    listing: Listing,
}

impl Query {
    pub(super) async fn run(self, context: &Context) -> Result<(), Failure> {
        let filter = input::json(&self.filter, "the filter").await?;
        let query = QueryRequest { filter, fields: self.fields, sort: Some(self.sort), ..QueryRequest::default() };
        let page = context
            .api(async |client| {
                collect(&self.listing, async |limit, after| {
                    client.query_datapoints(&QueryRequest { limit, after, ..query.clone() }).await
                })
                .await
            })
            .await?;
        write_page(context.ui, &page)
    }
}
