//! What kind of failure an error is, from which HTTP status, exit code and log level follow at the edges.

/// The kind of a failure, as far as whoever asked can act on it. Every error enum maps to it by an exhaustive match.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Category {
    /// The named thing does not exist, or the caller may not know that it does.
    NotFound,
    /// The request contradicts what is stored; repeating it does not help.
    Conflict,
    /// The request itself is wrong.
    Invalid,
    /// The caller is known and may not do this, or is not known.
    Denied,
    /// Something else holds what is needed; repeating it later helps.
    Busy,
    /// A part that is needed (disk, bucket, database, remote host) cannot be reached or is full; repeating it later may help.
    Unavailable,
    /// A fault of ours.
    Internal,
}

impl Category {
    /// The stable name used in problem documents and `--json` errors.
    pub fn name(self) -> &'static str {
        match self {
            Category::NotFound => "not_found",
            Category::Conflict => "conflict",
            Category::Invalid => "invalid",
            Category::Denied => "denied",
            Category::Busy => "busy",
            Category::Unavailable => "unavailable",
            Category::Internal => "internal",
        }
    }

    /// Whether the same request may succeed later without anyone changing it.
    pub fn is_transient(self) -> bool {
        matches!(self, Category::Busy | Category::Unavailable)
    }
}
