//! The one order of all JSON values, after BSON's: first by type bracket, then by value.

use std::cmp::Ordering;

use serde_json::{Map, Value};

use crate::number;

/// The group of types within which values compare with each other, from the least to the greatest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Bracket {
    /// `null`, which also stands for a missing field.
    Null,
    /// Integers and floating-point numbers alike.
    Number,
    /// Strings.
    String,
    /// Objects.
    Object,
    /// Arrays.
    Array,
    /// `false` and `true`, which are no numbers.
    Boolean,
}

impl Bracket {
    /// The bracket a value is in.
    pub fn of(value: &Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Number(_) => Self::Number,
            Value::String(_) => Self::String,
            Value::Object(_) => Self::Object,
            Value::Array(_) => Self::Array,
            Value::Bool(_) => Self::Boolean,
        }
    }
}

/// Orders any two values. Numbers go by exact value, strings by code point, arrays by their first difference, objects by the
/// first member that differs in the type of its value, then in its key, then in its value.
pub fn compare(left: &Value, right: &Value) -> Ordering {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => number::compare(left, right),
        (Value::String(left), Value::String(right)) => left.cmp(right),
        (Value::Bool(left), Value::Bool(right)) => left.cmp(right),
        (Value::Array(left), Value::Array(right)) => compare_arrays(left, right),
        (Value::Object(left), Value::Object(right)) => compare_objects(left, right),
        _ => Bracket::of(left).cmp(&Bracket::of(right)),
    }
}

fn compare_arrays(left: &[Value], right: &[Value]) -> Ordering {
    let first_difference = left.iter().zip(right).map(|(left, right)| compare(left, right)).find(|order| order.is_ne());
    first_difference.unwrap_or_else(|| left.len().cmp(&right.len()))
}

fn compare_objects(left: &Map<String, Value>, right: &Map<String, Value>) -> Ordering {
    let members = left.iter().zip(right).map(|((left_key, left), (right_key, right))| {
        let brackets = Bracket::of(left).cmp(&Bracket::of(right));
        brackets.then_with(|| left_key.cmp(right_key)).then_with(|| compare(left, right))
    });
    let mut differences = members.filter(|order| order.is_ne());
    differences.next().unwrap_or_else(|| left.len().cmp(&right.len()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_are_ordered_by_type_and_then_by_value() {
        let ascending = [
            json!(null),
            json!(-1),
            json!(0),
            json!(2.5),
            json!(""),
            json!("Z"),
            json!("a"),
            json!("é"),
            json!({}),
            json!({"b": 1}),
            json!({"c": 0}),
            json!({"b": "x"}),
            json!({"b": "x", "a": null}),
            json!({"b": {}}),
            json!([]),
            json!([null]),
            json!([1]),
            json!([1, null]),
            json!([2]),
            json!([[]]),
            json!(false),
            json!(true),
        ];
        for (left_index, left) in ascending.iter().enumerate() {
            for (right_index, right) in ascending.iter().enumerate() {
                assert_eq!(compare(left, right), left_index.cmp(&right_index), "{left} and {right}");
            }
        }
    }
}
