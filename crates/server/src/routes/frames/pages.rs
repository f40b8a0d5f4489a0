//! Pages by number, as the archive's framework makes them.

use serde_json::{Value, json};

use super::links::Links;

/// Items in a page when a request does not say.
const DEFAULT: u64 = 100;

/// Most items in a page; who asks for more gets so many.
const MOST: u64 = 1_000;

/// The parameters of a request.
#[derive(Debug, Clone)]
pub(crate) struct Parameters(Vec<(String, String)>);

impl Parameters {
    pub(crate) fn of(query: Option<&str>) -> Self {
        let pairs = url::form_urlencoded::parse(query.unwrap_or_default().as_bytes());
        Self(pairs.map(|(name, value)| (name.into_owned(), value.into_owned())).collect())
    }

    /// The last value of a parameter that is not empty.
    pub(crate) fn last(&self, name: &str) -> Option<&str> {
        self.all(name).last()
    }

    /// Every value of a parameter that is not empty.
    pub(super) fn all<'p>(&'p self, name: &str) -> impl Iterator<Item = &'p str> {
        self.0.iter().filter(move |(key, value)| key == name && !value.is_empty()).map(|(_, value)| value.as_str())
    }

    /// The truth of a parameter, in the words that the archive takes; others are passed over.
    pub(super) fn truth(&self, name: &str) -> Option<bool> {
        match self.last(name)?.to_ascii_lowercase().as_str() {
            "true" | "1" => Some(true),
            "false" | "0" => Some(false),
            _ => None,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many items a page is to have.
    pub(crate) fn limit(&self) -> u64 {
        self.last("limit")
            .and_then(|text| text.parse().ok())
            .filter(|limit| *limit > 0)
            .map_or(DEFAULT, |limit: u64| limit.min(MOST))
    }

    /// How many items come before the page.
    pub(crate) fn offset(&self) -> u64 {
        self.last("offset").and_then(|text| text.parse().ok()).unwrap_or(0).min(i64::MAX as u64)
    }

    /// The same with other values of some parameters; those without one are left out.
    pub(crate) fn with(&self, changes: &[(&str, Option<String>)]) -> Vec<(String, String)> {
        let kept = self.0.iter().filter(|(name, _)| changes.iter().all(|(changed, _)| changed != name)).cloned();
        let changed = changes.iter().filter_map(|(name, value)| Some(((*name).to_owned(), value.clone()?)));
        kept.chain(changed).collect()
    }
}

/// A page by number.
pub(super) fn numbered(links: &Links, path: &str, asked: &Parameters, count: u64, results: Vec<Value>) -> Value {
    let (limit, offset) = (asked.limit(), asked.offset());
    let at = |offset: Option<u64>| {
        let changes = [("limit", Some(limit.to_string())), ("offset", offset.map(|offset| offset.to_string()))];
        links.page(path, asked.with(&changes))
    };
    let next = offset.checked_add(limit).filter(|next| *next < count).map(|next| at(Some(next)));
    let previous = (offset > 0).then(|| at(offset.checked_sub(limit).filter(|before| *before > 0)));
    json!({"count": count, "next": next, "previous": previous, "results": results, "count_estimated": false})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_taken_as_far_as_it_goes() {
        let limit = |query: &str| Parameters::of(Some(query)).limit();
        assert_eq!(
            [limit(""), limit("limit=7"), limit("limit=5000"), limit("limit=0"), limit("limit=x")],
            [100, 7, 1000, 100, 100]
        );
    }

    #[test]
    fn the_last_value_counts_and_an_empty_one_does_not() {
        let asked = Parameters::of(Some("a=1&a=2&a=&b=True&c=perhaps"));
        assert_eq!(
            (asked.last("a"), asked.truth("b"), asked.truth("c"), asked.all("a").count()),
            (Some("2"), Some(true), None, 2)
        );
    }
}
