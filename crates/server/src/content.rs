//! Ranges and entity tags: which part of some content a request wants, if it wants any.

use std::ops::Range;

use axum::http::HeaderMap;
use axum::http::header::{IF_NONE_MATCH, IF_RANGE, RANGE};

/// Which part of some content to answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Selection {
    /// All of it: 200.
    Whole,
    /// These bytes: 206.
    Part(Range<u64>),
    /// Bytes that the content does not have: 416.
    Unsatisfiable,
}

/// Which part a request wants of content with this size and entity tag (with its quotes).
///
/// A range that is not understood, and several ranges at once, are answered with the whole, as HTTP allows.
pub(crate) fn select(headers: &HeaderMap, size: u64, entity_tag: &str) -> Selection {
    let text = |name| headers.get(name).and_then(|value: &axum::http::HeaderValue| value.to_str().ok());
    if text(IF_RANGE).is_some_and(|tag| tag != entity_tag) {
        return Selection::Whole;
    }
    match text(RANGE).and_then(|range| parse(range, size)) {
        None => Selection::Whole,
        Some(range) if range.is_empty() => Selection::Unsatisfiable,
        Some(range) => Selection::Part(range),
    }
}

/// Whether the client already holds the content.
pub(crate) fn is_held(headers: &HeaderMap, entity_tag: &str) -> bool {
    let tags = headers.get_all(IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    tags.flat_map(|value| value.split(',')).map(str::trim).any(|tag| {
        let strong = tag.strip_prefix("W/").unwrap_or(tag);
        strong == "*" || strong == entity_tag
    })
}

/// One range of bytes, cut to the size; empty if the content has none of it.
fn parse(text: &str, size: u64) -> Option<Range<u64>> {
    let (first, last) = text.strip_prefix("bytes=")?.trim().split_once('-')?;
    let number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().unwrap_or(u64::MAX));
    match (first, last) {
        ("", "") => None,
        ("", suffix) => Some(size.saturating_sub(number(suffix)?)..size),
        (first, "") => Some(number(first)?.min(size)..size),
        (first, last) => {
            let (first, last) = (number(first)?, number(last)?);
            (first <= last).then(|| first.min(size)..last.saturating_add(1).min(size))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn selected(range: &str, if_range: Option<&str>) -> Selection {
        let mut headers = HeaderMap::from_iter([(RANGE, range.parse().unwrap())]);
        if let Some(tag) = if_range {
            headers.insert(IF_RANGE, tag.parse().unwrap());
        }
        select(&headers, 10, "\"tag\"")
    }

    #[test]
    fn a_range_selects_bytes_that_are_there() {
        for (range, expected) in [
            ("bytes=0-3", 0..4),
            ("bytes=4-", 4..10),
            ("bytes=-3", 7..10),
            ("bytes=-99", 0..10),
            ("bytes=8-99999999999999999999999", 8..10),
        ] {
            assert_eq!(selected(range, None), Selection::Part(expected), "{range}");
        }
    }

    #[test]
    fn a_range_beyond_the_end_is_unsatisfiable() {
        for range in ["bytes=10-", "bytes=10-12", "bytes=-0", "bytes=99999999999999999999-"] {
            assert_eq!(selected(range, None), Selection::Unsatisfiable, "{range}");
        }
    }

    #[test]
    fn what_is_not_one_range_of_bytes_selects_everything() {
        for range in ["bytes=3-1", "bytes=0-1,3-4", "lines=1-2", "bytes=a-b", "bytes=-", "bytes=+1-2", ""] {
            assert_eq!(selected(range, None), Selection::Whole, "{range}");
        }
    }

    #[test]
    fn a_range_of_other_content_selects_everything() {
        assert_eq!(selected("bytes=0-0", Some("\"other\"")), Selection::Whole);
        assert_eq!(selected("bytes=0-0", Some("\"tag\"")), Selection::Part(0..1));
    }

    #[test]
    fn a_held_tag_is_recognised_among_others() {
        let held = |value: &str| is_held(&HeaderMap::from_iter([(IF_NONE_MATCH, value.parse().unwrap())]), "\"tag\"");
        assert!(held("\"tag\"") && held("\"a\", W/\"tag\"") && held("*"));
        assert!(!held("\"a\"") && !held("tag"));
    }
}
