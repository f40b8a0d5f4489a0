//! A datapoint as a line of a table: every member is in a column of its own or in `extra`.

use std::sync::Arc;

use holotype_core::Instant;
use jiff::tz::TimeZone;
use serde_json::{Map, Value};

use crate::DatapointError;
use crate::model::OWNER_FIELDS;
use crate::schema::ProjectSchemas;
use crate::select::parsed;
use crate::table::Candidate;
use crate::timestamp::Timestamp;

/// The columns before the owners.
pub(super) const FIRST: [&str; 5] = ["_id", "label", "data_type", "data_timestamp", "instant"];

/// The columns after them.
pub(super) const LAST: [&str; 4] = ["value", "unit", "path", "extra"];

/// What a line takes from elsewhere than its datapoint.
pub(super) struct Context {
    pub(super) schemas: Arc<ProjectSchemas>,
    pub(super) zone: TimeZone,
}

/// One line.
pub(super) struct Line {
    /// In the order of [`FIRST`], without `instant`.
    pub(super) first: [Option<String>; 4],
    /// What `data_timestamp` means.
    pub(super) instant: Option<Instant>,
    /// In the order of [`OWNER_FIELDS`].
    pub(super) owners: [Option<String>; OWNER_FIELDS.len()],
    /// In the order of [`LAST`]: the value as JSON, the label's unit, the path, and as JSON all other members.
    pub(super) last: [Option<String>; LAST.len()],
}

impl Line {
    pub(super) fn of(datapoint: &Candidate, context: &Context) -> Result<Self, DatapointError> {
        let mut document = match parsed(&datapoint.id, &datapoint.document)? {
            Value::Object(members) => members,
            _ => Map::new(),
        };
        let first = [(); 4].map(|()| None::<String>);
        let mut line = Self { first, instant: None, owners: Default::default(), last: Default::default() };
        for (name, cell) in ["_id", "label", "data_type", "data_timestamp"].into_iter().zip(&mut line.first) {
            *cell = take_text(&mut document, name);
        }
        if let [_, label, _, Some(timestamp)] = &line.first {
            line.instant =
                Timestamp::parse(&Value::from(timestamp.as_str()), &context.zone).ok().and_then(|read| read.instant);
            line.last[1] = label.as_deref().and_then(|label| context.schemas.unit(label)).map(str::to_owned);
        }
        // An ownership of null stays among the extras, or it could not be told from an empty one.
        if let Some(Value::Object(owners)) = document.get_mut("ownership_info") {
            for (name, cell) in OWNER_FIELDS.into_iter().zip(&mut line.owners) {
                *cell = take_text(owners, name);
            }
            document.shift_remove("ownership_info");
        }
        line.last[0] = document.shift_remove("value").map(|value| value.to_string());
        // A path that is not text is some program's own member.
        if document.get("path").is_some_and(Value::is_string) {
            line.last[2] = take_text(&mut document, "path");
        }
        line.last[3] = (!document.is_empty()).then(|| Value::Object(document).to_string());
        Ok(line)
    }

    /// About how much memory the line takes.
    pub(super) fn bytes(&self) -> usize {
        let cells = self.first.iter().chain(&self.owners).chain(&self.last);
        cells.flatten().map(String::len).sum::<usize>() + size_of::<Self>()
    }
}

fn take_text(members: &mut Map<String, Value>, name: &str) -> Option<String> {
    match members.shift_remove(name) {
        Some(Value::String(text)) => Some(text),
        _ => None,
    }
}
