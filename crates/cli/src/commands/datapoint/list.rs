//! `holotype datapoint list`

use clap::ValueEnum;
use holotype_client::DatapointQuery;

use super::row::write_page;
use crate::context::Context;
use crate::failure::Failure;
use crate::paging::{Listing, collect};

/// List datapoints, the latest measurements first
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
TIME is ISO 8601; without an offset it is in the time zone of the setting datapoints.time_zone.

Examples:
  holotype datapoint list
  holotype datapoint list --label temperature --since 2026-11-20T08:00:00 --limit 100
  holotype datapoint list --type file --json
  holotype datapoint list --deleted")]
pub(super) struct List {
    /// Only datapoints with this label
    #[arg(long)]
    label: Option<String>,
    /// Only datapoints of this type
    #[arg(long = "type", value_name = "TYPE")]
    data_type: Option<DataType>,
    /// Only what was measured then or later
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Only what was measured before
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// Datapoints that were deleted and can still be restored, instead of the others
    #[arg(long)]
    deleted: bool,
    /// data_timestamp, sequence (of arrival) or label; with a leading - descending
    #[arg(long, default_value = "-data_timestamp", allow_hyphen_values = true, value_name = "ORDER")]
    sort: String,
    #[command(flatten)]
    listing: Listing,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
#[value(rename_all = "snake_case")]
enum DataType {
    Json,
    File,
    ObjectStorage,
}

impl DataType {
    fn name(self) -> &'static str {
        match self {
            DataType::Json => "json",
            DataType::File => "file",
            DataType::ObjectStorage => "object_storage",
        }
    }
}

impl List {
    pub(super) async fn run(self, context: &Context) -> Result<(), Failure> {
        let query = DatapointQuery {
            label: self.label,
            data_type: self.data_type.map(|data_type| data_type.name().to_owned()),
            since: self.since,
            until: self.until,
            deleted: self.deleted,
            sort: Some(self.sort),
            limit: None,
            after: None,
        };
        let page = context
            .api(async |client| {
                collect(&self.listing, async |limit, after| {
                    client.datapoints(&DatapointQuery { limit, after, ..query.clone() }).await
                })
                .await
            })
            .await?;
        write_page(context.ui, &page)
    }
}
