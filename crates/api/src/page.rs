//! How every list is answered.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Part of a list, and how to ask for the next part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Page<T> {
    /// The items, in the order of the list.
    pub items: Vec<T>,
    /// What to send as `after` for the next page; null at the end of the list. Its content is the server's own business.
    pub next: Option<String>,
}

/// Items in a page when a request does not say.
pub const DEFAULT_LIMIT: u32 = 100;

/// Most items in a page.
pub const MAXIMUM_LIMIT: u32 = 1000;
