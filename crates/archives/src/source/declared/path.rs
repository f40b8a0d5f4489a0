//! Where a value is in a JSON document: `hits.hits`, `files[0].links.self`, `row[Program ID]`.

use serde::Deserialize;
use serde_json::Value;

/// A way through objects and lists; the empty one is the whole document.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Path(Vec<Step>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Key(String),
    Index(usize),
}

impl Path {
    /// The value there, if there is one. `null` is none.
    pub(super) fn find<'v>(&self, document: &'v Value) -> Option<&'v Value> {
        let step = |value: &'v Value, step: &Step| match step {
            Step::Key(key) => value.get(key),
            Step::Index(index) => value.get(index),
        };
        self.0.iter().try_fold(document, step).filter(|value| !value.is_null())
    }

    /// The first name of the way.
    pub(super) fn root(&self) -> Option<&str> {
        match self.0.first()? {
            Step::Key(key) => Some(key),
            Step::Index(_) => None,
        }
    }

    /// The second name of the way.
    pub(super) fn second(&self) -> Option<&str> {
        match self.0.get(1)? {
            Step::Key(key) => Some(key),
            Step::Index(_) => None,
        }
    }
}

impl TryFrom<String> for Path {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let wrong = |problem: &str| format!("'{text}' is no path: {problem}");
        let mut steps = Vec::new();
        let mut rest = text.as_str();
        while !rest.is_empty() {
            if let Some(bracketed) = rest.strip_prefix('[') {
                let (inner, after) = bracketed.split_once(']').ok_or_else(|| wrong("a bracket is not closed"))?;
                steps.push(inner.parse().map_or_else(|_| Step::Key(inner.to_owned()), Step::Index));
                rest = after;
            } else {
                let key = if steps.is_empty() { Some(rest) } else { rest.strip_prefix('.') };
                let key = key.ok_or_else(|| wrong("a dot is missing"))?;
                let end = key.find(['.', '[']).unwrap_or(key.len());
                if end == 0 {
                    return Err(wrong("a name is missing"));
                }
                steps.push(Step::Key(key[..end].to_owned()));
                rest = &key[end..];
            }
        }
        Ok(Self(steps))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn path(text: &str) -> Path {
        Path::try_from(text.to_owned()).unwrap()
    }

    #[test]
    fn a_path_goes_through_objects_and_lists() {
        let document = json!({"hits": {"hits": [{"Program ID": 7, "none": null}]}});
        assert_eq!(path("hits.hits[0][Program ID]").find(&document), Some(&json!(7)));
        assert_eq!(path("").find(&document), Some(&document));
        for absent in ["hits.misses", "hits.hits[1]", "hits.hits[0].none", "hits.hits.name"] {
            assert_eq!(path(absent).find(&document), None, "{absent}");
        }
    }

    #[test]
    fn nonsense_is_no_path() {
        for text in [".", "a.", "a..b", "a[0", "a[0]b", ".a"] {
            assert!(Path::try_from(text.to_owned()).is_err(), "{text}");
        }
    }
}
