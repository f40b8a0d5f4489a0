//! Rows to frames.

use holotype_core::filter::Budget;
use serde_json::{Map, Value, json};

use super::ask::{address, instant, present};
use super::definition::{Condition, Definition, Expression};
use super::template::{Form, Unfilled};
use crate::http::message::plain;
use crate::source::{Checksum, Download, Listed, Query, SourceError, check_name};

/// Enough for a condition on a row of an archive; a pattern that explodes ends there.
const STEPS: u64 = 1_000_000;

/// What a row is.
#[derive(Debug)]
pub(super) enum Mapped {
    /// A frame that is wanted.
    Frame(Box<Listed>),
    /// One with this id, which the definition's filter leaves out.
    LeftOut(String),
}

/// What a message calls a row of which nothing else can be said: the row itself may hold signed addresses.
pub(super) const A_ROW: &str = "a row of its list";

/// The frame of a row, without credentials in its download. `scope` holds the row as `row` and its file as `file`.
pub(super) fn mapped(definition: &Definition, scope: &Value) -> Result<Mapped, SourceError> {
    let fields = &definition.fields;
    let id = text(value(&fields.id, scope, A_ROW)?);
    let id = id.filter(|id| !id.is_empty()).ok_or_else(|| refused(A_ROW, "it has no id"))?;
    let optional = |expression: &Option<Expression>| match expression {
        Some(expression) => value(expression, scope, &id),
        None => Ok(None),
    };
    let checksum = match text(optional(&fields.checksum)?).filter(|text| !text.is_empty()) {
        Some(text) => Some(Checksum::parse(&text, fields.algorithm).map_err(|error| refused(&id, &error.to_string()))?),
        None => None,
    };
    let date = optional(&fields.date)?.as_ref().and_then(instant);
    let mut metadata = Map::new();
    for (name, expression) in &fields.metadata {
        if let Some(value) = value(expression, scope, &id)? {
            metadata.insert(name.clone(), value);
        }
    }
    if let Some(date) = date {
        metadata.entry("observation_date").or_insert_with(|| date.to_string().into());
    }
    let name = text(value(&fields.name, scope, &id)?);
    let size = optional(&fields.size)?.as_ref().and_then(size);
    let version = text(optional(&fields.version)?);
    let document = document(
        &metadata,
        [
            ("id", Some(id.as_str().into())),
            ("name", name.clone().map(Value::from)),
            ("size", size.map(Value::from)),
            ("version", version.clone().map(Value::from)),
        ],
    );
    if !holds(definition.filter.as_ref(), &document, &id)? {
        return Ok(Mapped::LeftOut(id));
    }
    let name = name.ok_or_else(|| refused(&id, "it has no file name"))?;
    check_name(&name).map_err(|problem| refused(&name, &format!("its name {problem}")))?;
    let download = match &fields.url {
        Some(expression) => {
            let address_text = text(file_address(expression, scope, &id)?);
            let address_text = address_text.ok_or_else(|| refused(&name, "it has no address"))?;
            Some(Download::open(address(&address_text).map_err(|problem| refused(&name, &problem))?))
        }
        None => None,
    };
    for part in ["row", "file"] {
        if let Some(value) = scope.get(part) {
            metadata.insert(part.to_owned(), value.clone());
        }
    }
    Ok(Mapped::Frame(Box::new(Listed { id, name, size, checksum, version, download, fields: metadata })))
}

/// What the filter looks at.
fn document(metadata: &Map<String, Value>, own: [(&str, Option<Value>); 4]) -> Value {
    let mut document = metadata.clone();
    document.extend(own.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
    Value::Object(document)
}

/// Whether a condition holds, if there is one.
pub(super) fn holds(condition: Option<&Condition>, document: &Value, frame: &str) -> Result<bool, SourceError> {
    match condition {
        Some(Condition(filter)) => {
            filter.matches(document, &mut Budget::new(STEPS)).map_err(|error| refused(frame, &error.to_string()))
        }
        None => Ok(true),
    }
}

/// What an expression gives for a row; nothing if what it needs is not there.
fn value(expression: &Expression, scope: &Value, frame: &str) -> Result<Option<Value>, SourceError> {
    let filled = match expression {
        Expression::Template(template) => template.value(scope),
        Expression::Part(part) => part.from.fill(scope, Form::Plain).map(|text| match part.pattern.captures(&text) {
            Some(found) => {
                found.name("value").or_else(|| found.get(0)).map_or(Value::Null, |part| part.as_str().into())
            }
            None => Value::Null,
        }),
    };
    let value = present(filled).map_err(|problem| unfit(frame, problem))?;
    Ok(value.filter(|value| !value.is_null()))
}

/// The address of a file, whose holes are parts of an address.
fn file_address(expression: &Expression, scope: &Value, frame: &str) -> Result<Option<Value>, SourceError> {
    match expression {
        Expression::Template(template) => {
            let filled = present(template.fill(scope, Form::Address)).map_err(|problem| unfit(frame, problem))?;
            Ok(filled.map(Value::from))
        }
        Expression::Part(_) => value(expression, scope, frame),
    }
}

fn unfit(frame: &str, problem: Unfilled) -> SourceError {
    match problem {
        Unfilled::Absent(name) => refused(frame, &format!("it has no '{name}'")),
        Unfilled::Unfit(problem) => refused(frame, &problem),
    }
}

fn text(value: Option<Value>) -> Option<String> {
    match value? {
        Value::String(text) => Some(text),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// A length in bytes; a rounded one is none.
fn size(value: &Value) -> Option<u64> {
    match value {
        Value::Number(number) => number.as_u64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// A frame that cannot be taken.
pub(super) fn refused(frame: &str, problem: &str) -> SourceError {
    SourceError::Frame { frame: plain(frame), problem: problem.to_owned() }
}

/// What of a query the archive cannot be asked for, and is therefore looked for among what it lists.
#[derive(Debug, Default)]
pub(super) struct Cut {
    pub(super) dates: bool,
    pub(super) fields: Vec<(String, String)>,
}

impl Cut {
    /// Whether a frame is among those that the query means. One that does not say its date is: nothing is lost in silence.
    pub(super) fn keeps(&self, query: &Query, frame: &Listed) -> bool {
        if self.dates {
            let date = frame.fields.get("observation_date").and_then(instant);
            let late = |date| query.start.is_none_or(|start| start <= date);
            let early = |date| query.end.is_none_or(|end| date <= end);
            if date.is_some_and(|date| !late(date) || !early(date)) {
                return false;
            }
        }
        self.fields.iter().all(|(name, wanted)| text(frame.fields.get(name).cloned()).as_ref() == Some(wanted))
    }
}

/// The row and the file that a frame was made from, to fill the holes of a later request.
pub(super) fn scope_of(base: &Map<String, Value>, frame: &Listed) -> Value {
    let mut scope = base.clone();
    for part in ["row", "file"] {
        scope.insert(part.to_owned(), frame.fields.get(part).cloned().unwrap_or(json!({})));
    }
    Value::Object(scope)
}
