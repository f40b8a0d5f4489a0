//! A part of a document: some of its fields.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::DatapointError;

/// The most fields one request names.
const MOST_FIELDS: usize = 200;

/// The deepest field, in steps.
const DEEPEST: usize = 100;

/// Which fields of a document to keep. `_id` is always among them.
///
/// A dotted path keeps what lies below it, through arrays of objects as well, as in MongoDB. What is kept stays in its order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Projection(Branch);

/// Members to keep; an end keeps everything below it.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Branch {
    End,
    Members(BTreeMap<String, Branch>),
}

impl Projection {
    pub(crate) fn parse<'f>(fields: impl IntoIterator<Item = &'f str>) -> Result<Self, DatapointError> {
        let mut root = Branch::Members(BTreeMap::from([("_id".to_owned(), Branch::End)]));
        for (number, field) in fields.into_iter().enumerate() {
            let steps: Vec<&str> = field.split('.').collect();
            if steps.iter().any(|step| step.is_empty()) || steps.len() > DEEPEST {
                let problem = format!(
                    "'{}' is not a path of fields, such as value.temperature",
                    field.chars().take(80).collect::<String>()
                );
                return Err(DatapointError::parameter("fields", problem));
            }
            if number == MOST_FIELDS {
                return Err(DatapointError::parameter("fields", format!("at most {MOST_FIELDS} fields can be named")));
            }
            root.keep(&steps);
        }
        Ok(Self(root))
    }

    /// The parts of a document that are kept.
    pub(crate) fn apply(&self, document: Value) -> Value {
        self.0.apply(document).unwrap_or_else(|| Value::Object(Map::new()))
    }
}

impl Branch {
    fn keep(&mut self, steps: &[&str]) {
        // A path that was kept whole before stays whole.
        let Self::Members(members) = self else { return };
        match steps {
            [] => *self = Self::End,
            [first, rest @ ..] => {
                members.entry((*first).to_owned()).or_insert_with(|| Self::Members(BTreeMap::new())).keep(rest);
            }
        }
    }

    fn apply(&self, value: Value) -> Option<Value> {
        match (self, value) {
            (Self::End, value) => Some(value),
            (Self::Members(kept), Value::Object(members)) => {
                let members = members.into_iter().filter_map(|(key, value)| {
                    let value = kept.get(&key)?.apply(value)?;
                    Some((key, value))
                });
                Some(Value::Object(members.collect()))
            }
            (Self::Members(_), Value::Array(items)) => {
                Some(Value::Array(items.into_iter().filter_map(|item| self.apply(item)).collect()))
            }
            (Self::Members(_), _) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn project(fields: &[&str], document: Value) -> String {
        Projection::parse(fields.iter().copied()).unwrap().apply(document).to_string()
    }

    #[test]
    fn named_fields_and_the_id_are_kept_in_the_documents_order() {
        let document =
            json!({"label": "a", "_id": "x", "value": {"b": 1.0, "a": {"c": [1, {"d": 2, "e": 3}], "f": 4}}});
        assert_eq!(
            project(&["value.a.f", "label"], document.clone()),
            r#"{"label":"a","_id":"x","value":{"a":{"f":4}}}"#
        );
        assert_eq!(project(&["value.a.c.d"], document.clone()), r#"{"_id":"x","value":{"a":{"c":[{"d":2}]}}}"#);
        assert_eq!(project(&["value.b", "value"], document.clone()), project(&["value", "value.b"], document.clone()));
        assert_eq!(project(&["none", "label.below"], document), r#"{"_id":"x"}"#);
    }

    #[test]
    fn what_is_no_path_is_refused() {
        for bad in ["", ".", "a.", ".a", "a..b"] {
            assert!(Projection::parse([bad]).is_err(), "{bad}");
        }
        assert!(Projection::parse(vec!["a"; MOST_FIELDS + 1]).is_err());
    }
}
