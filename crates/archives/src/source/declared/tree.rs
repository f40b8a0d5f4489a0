//! A document whose texts are templates: what is posted.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::template::{Template, Unfilled};

/// A document with holes.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "Value")]
pub(super) enum Tree {
    /// A text.
    Text(Template),
    /// A number, a truth value, nothing.
    Fixed(Value),
    /// A list.
    List(Vec<Tree>),
    /// An object.
    Object(Vec<(String, Tree)>),
}

impl Tree {
    /// The document. A field whose holes cannot be filled is left out; so is an item of a list with anything in it that
    /// cannot be filled, because half a condition is another condition.
    pub(super) fn fill(&self, scope: &Value) -> Result<Value, Unfilled> {
        match self {
            Self::Text(template) => template.value(scope),
            Self::Fixed(value) => Ok(value.clone()),
            Self::List(items) => present(items.iter().map(|item| item.fill_all(scope))).map(Value::Array),
            Self::Object(fields) => {
                let fields = fields.iter().map(|(name, tree)| Ok((name.clone(), tree.fill(scope)?)));
                Ok(Value::Object(Map::from_iter(present(fields)?)))
            }
        }
    }

    /// The document, with every hole filled.
    fn fill_all(&self, scope: &Value) -> Result<Value, Unfilled> {
        match self {
            Self::Text(_) | Self::Fixed(_) => self.fill(scope),
            Self::List(items) => {
                items.iter().map(|item| item.fill_all(scope)).collect::<Result<_, _>>().map(Value::Array)
            }
            Self::Object(fields) => {
                let fields = fields.iter().map(|(name, tree)| Ok((name.clone(), tree.fill_all(scope)?)));
                Ok(Value::Object(fields.collect::<Result<_, Unfilled>>()?))
            }
        }
    }
}

/// What could be filled.
fn present<T>(filled: impl Iterator<Item = Result<T, Unfilled>>) -> Result<Vec<T>, Unfilled> {
    filled.filter(|item| !matches!(item, Err(Unfilled::Absent(_)))).collect()
}

impl TryFrom<Value> for Tree {
    type Error = String;

    fn try_from(value: Value) -> Result<Self, String> {
        Ok(match value {
            Value::String(text) => Self::Text(Template::try_from(text)?),
            Value::Array(items) => Self::List(items.into_iter().map(Self::try_from).collect::<Result<_, _>>()?),
            Value::Object(fields) => {
                let fields = fields.into_iter().map(|(name, value)| Ok((name, Self::try_from(value)?)));
                Self::Object(fields.collect::<Result<_, String>>()?)
            }
            fixed => Self::Fixed(fixed),
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_cannot_be_filled_is_left_out_with_the_condition_it_is_part_of() {
        let text = json!({"page": "{page}", "target": "{target}", "fixed": 7, "filters": [
            {"name": "t_min", "values": [{"min": "{start}", "max": "{end}"}]},
            {"name": "target", "values": ["{target}"]},
            {"name": "kind", "values": ["image"]},
        ]});
        let tree = Tree::try_from(text).unwrap();
        let filled = tree.fill(&json!({"page": 2, "start": 60000.5, "end": 60001})).unwrap();
        let expected = json!({"page": 2, "fixed": 7, "filters": [
            {"name": "t_min", "values": [{"min": 60000.5, "max": 60001}]},
            {"name": "kind", "values": ["image"]},
        ]});
        assert_eq!(filled, expected);
    }
}
