//! `holotype db list`

use holotype_api::Page;
use holotype_api::database::Backup;
use holotype_app::upkeep::list_backups;
use holotype_client::PageQuery;

use crate::context::Context;
use crate::failure::Failure;
use crate::paging::{Listing, collect};
use crate::ui::{Table, bytes, when};

/// List the backups that are there, newest first
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  holotype db list
  holotype db list --json")]
pub(super) struct List {
    #[command(flatten)]
    listing: Listing,
}

impl List {
    pub(super) async fn run(self, context: &Context) -> Result<(), Failure> {
        let page = match &context.global.server {
            Some(_) => {
                let calls = async |client: &holotype_client::Client| {
                    collect(&self.listing, async |limit, after| client.backups(&PageQuery { limit, after }).await).await
                };
                context.api(calls).await?
            }
            // Folders can be looked at even if the catalog cannot be opened: that is when backups are wanted.
            None => here(context, &self.listing)?,
        };
        context.ui.result(&page, || {
            let mut table = Table::new(["NAME", "MADE (UTC)", "ENGINE", "VERSION", "SIZE", "BLOBS"]);
            for backup in &page.items {
                table.row([
                    backup.name.clone(),
                    when(backup.created_at),
                    backup.engine.clone(),
                    backup.schema_version.to_string(),
                    bytes(backup.size),
                    if backup.with_blobs { "included" } else { "named" }.to_owned(),
                ]);
            }
            table.render()
        })
    }
}

fn here(context: &Context, listing: &Listing) -> Result<Page<Backup>, Failure> {
    let (home, _) = context.home()?;
    home.require()?;
    let newest_first = list_backups(&home)?.into_iter().rev();
    let most = usize::try_from(listing.limit).unwrap_or(usize::MAX);
    let rest = newest_first.skip_while(|backup| listing.after.as_ref().is_some_and(|after| backup.name != *after));
    let mut items: Vec<Backup> = rest
        .skip(usize::from(listing.after.is_some()))
        .map(|backup| Backup {
            name: backup.name,
            created_at: backup.created_at,
            engine: backup.engine,
            schema_version: backup.schema_version,
            size: backup.size,
            with_blobs: backup.with_blobs,
        })
        .collect();
    let is_cut = items.len() > most;
    items.truncate(most);
    let next = items.last().filter(|_| is_cut).map(|backup| backup.name.clone());
    Ok(Page { items, next })
}
