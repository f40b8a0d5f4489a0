//! Lists longer than one page.

use holotype_api::Page;
use holotype_api::page::MAXIMUM_LIMIT;
use holotype_client::ClientError;

/// How much of a list to answer.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Listing {
    /// Most items to list
    #[arg(long, default_value_t = 20, value_name = "NUMBER", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) limit: u64,
    /// Go on after the "next" of an earlier list (see --json)
    #[arg(long, value_name = "CURSOR")]
    pub(crate) after: Option<String>,
}

/// Asks for page after page until the limit or the end is reached. `fetch` is given the limit and the cursor of a page.
pub(crate) async fn collect<T>(
    listing: &Listing,
    fetch: impl AsyncFn(Option<u32>, Option<String>) -> Result<Page<T>, ClientError>,
) -> Result<Page<T>, ClientError> {
    let mut whole = Page { items: Vec::new(), next: listing.after.clone() };
    loop {
        let wanted = listing.limit.saturating_sub(whole.items.len() as u64).min(u64::from(MAXIMUM_LIMIT));
        let page = fetch(u32::try_from(wanted).ok(), whole.next.take()).await?;
        let is_empty = page.items.is_empty();
        whole.items.extend(page.items);
        whole.next = page.next;
        // A server that answers nothing and promises more would be asked for ever.
        if whole.next.is_none() || is_empty || whole.items.len() as u64 >= listing.limit {
            return Ok(whole);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn numbers(limit: Option<u32>, after: Option<String>) -> Result<Page<u32>, ClientError> {
        let first: u32 = after.map_or(0, |after| after.parse().unwrap());
        let last = 2500.min(first + limit.unwrap());
        Ok(Page { items: (first..last).collect(), next: (last < 2500).then(|| last.to_string()) })
    }

    #[tokio::test]
    async fn a_long_list_is_put_together_from_pages() {
        let whole = collect(&Listing { limit: 2100, after: None }, numbers).await.unwrap();
        assert_eq!(whole.items, (0..2100).collect::<Vec<_>>());
        assert_eq!(whole.next.as_deref(), Some("2100"));
        let rest = collect(&Listing { limit: 2100, after: whole.next }, numbers).await.unwrap();
        assert_eq!((rest.items.len(), rest.next), (400, None));
    }
}
