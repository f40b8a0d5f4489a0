//! What is wrong with a submission, in the shape that clients of the contract read.

use std::borrow::Cow;
use std::fmt;

use serde::Serialize;
use serde_json::Value;

/// The most faults one answer lists.
const MOST_FAULTS: usize = 100;

/// The longest input that is sent back, in bytes of JSON.
const LONGEST_INPUT: usize = 1_000;

/// One fault of a request: an entry of the `detail` list.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FieldError {
    /// The stable name of the kind of fault, for example `missing` or `string_type`.
    #[serde(rename = "type")]
    pub kind: Cow<'static, str>,
    /// The way to the fault, from the part of the request inwards.
    pub loc: Vec<Step>,
    /// What is needed, for people.
    pub msg: Cow<'static, str>,
    /// What was there instead; null when it is missing, or too long to send back.
    pub input: Value,
    /// Figures of the message, for programs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ctx: Option<Value>,
}

/// One step of the way to a fault.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Step {
    /// The member of an object.
    Member(String),
    /// The place in an array, from 0.
    Index(usize),
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Member(name) => f.write_str(name),
            Self::Index(index) => index.fmt(f),
        }
    }
}

impl From<&str> for Step {
    fn from(name: &str) -> Self {
        Self::Member(name.to_owned())
    }
}

impl From<usize> for Step {
    fn from(index: usize) -> Self {
        Self::Index(index)
    }
}

/// The faults found so far, each under the place where it was found.
#[derive(Debug, Default)]
pub(crate) struct Faults(Vec<FieldError>);

impl Faults {
    /// Notes a fault at `path` inside the `datapoint` field.
    pub(crate) fn add(
        &mut self,
        path: &[&str],
        kind: &'static str,
        message: impl Into<Cow<'static, str>>,
        input: &Value,
    ) {
        self.add_with(path, kind, message, input, None);
    }

    /// Notes a fault that carries the figures of its message.
    pub(crate) fn add_with(
        &mut self,
        path: &[&str],
        kind: &'static str,
        message: impl Into<Cow<'static, str>>,
        input: &Value,
        context: Option<Value>,
    ) {
        let loc = path.iter().map(|step| Step::from(*step)).collect();
        self.push(FieldError { kind: kind.into(), loc, msg: message.into(), input: shown(input), ctx: context });
    }

    /// Notes a fault whose place is inside the `datapoint` field.
    pub(crate) fn push(&mut self, mut fault: FieldError) {
        if self.0.len() < MOST_FAULTS {
            fault.loc.splice(0..0, ["body".into(), "datapoint".into()]);
            self.0.push(fault);
        }
    }

    /// `value`, unless something was wrong.
    pub(crate) fn or<T>(self, value: T) -> Result<T, Vec<FieldError>> {
        if self.0.is_empty() { Ok(value) } else { Err(self.0) }
    }

    /// Everything noted.
    pub(crate) fn into_vec(self) -> Vec<FieldError> {
        self.0
    }
}

/// The input as it is sent back: whole, or null if that would be long.
fn shown(input: &Value) -> Value {
    if is_short(input, &mut LONGEST_INPUT.clone()) { input.clone() } else { Value::Null }
}

/// Whether the JSON of a value takes at most about `left` bytes, without writing it.
fn is_short(value: &Value, left: &mut usize) -> bool {
    let own = match value {
        Value::Null | Value::Bool(_) => 5,
        Value::Number(number) => number.as_str().len(),
        Value::String(text) => text.len() + 2,
        Value::Array(_) | Value::Object(_) => 2,
    };
    let Some(rest) = left.checked_sub(own) else { return false };
    *left = rest;
    match value {
        Value::Array(items) => items.iter().all(|item| is_short(item, left)),
        Value::Object(members) => members.iter().all(|(key, member)| {
            *left = left.saturating_sub(key.len() + 3);
            is_short(member, left)
        }),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_fault_is_written_as_clients_read_it() {
        let mut faults = Faults::default();
        faults.add(&["label"], "string_type", "Input should be a valid string", &json!(5));
        let expected = json!([{
            "type": "string_type", "loc": ["body", "datapoint", "label"], "msg": "Input should be a valid string", "input": 5
        }]);
        assert_eq!(serde_json::to_value(faults.into_vec()).unwrap(), expected);
    }

    #[test]
    fn a_long_input_is_not_sent_back() {
        assert_eq!(shown(&json!({"a": [1, 2]})), json!({"a": [1, 2]}));
        assert_eq!(shown(&json!("x".repeat(2_000))), Value::Null);
        assert_eq!(shown(&json!(vec![1; 2_000])), Value::Null);
    }

    #[test]
    fn a_thousand_faults_are_answered_by_the_first_hundred() {
        let mut faults = Faults::default();
        (0..1_000).for_each(|_| faults.add(&["x"], "missing", "Field required", &Value::Null));
        assert_eq!(faults.into_vec().len(), MOST_FAULTS);
    }
}
