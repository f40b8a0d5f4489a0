//! A datapoint on one line.

use holotype_api::{Document, Page};
use serde::Deserialize;
use serde_json::Value;

use crate::failure::Failure;
use crate::ui::{Table, Ui, or_dash, short};

/// The members of a datapoint that a line shows; a projection may lack any of them.
#[derive(Debug, Deserialize)]
pub(super) struct Row {
    #[serde(rename = "_id")]
    pub(super) id: Option<String>,
    pub(super) label: Option<String>,
    pub(super) data_type: Option<String>,
    pub(super) data_timestamp: Option<String>,
    /// Present for values, whatever they are; JSON's null is a value.
    #[serde(default, deserialize_with = "present")]
    pub(super) value: Option<Value>,
    pub(super) path: Option<String>,
    pub(super) url: Option<String>,
}

fn present<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

impl Row {
    pub(super) fn read(document: &Document) -> Result<Self, Failure> {
        serde_json::from_str(document.get())
            .map_err(|source| Failure::Json { what: "a datapoint of the answer".to_owned(), source })
    }

    /// What there is to see of it: the value, or where its bytes are.
    pub(super) fn content(&self) -> String {
        match (&self.value, &self.url, &self.path) {
            (Some(value), ..) => value.to_string(),
            (None, Some(place), _) | (None, None, Some(place)) => place.clone(),
            (None, None, None) => "-".to_owned(),
        }
    }
}

/// Writes a list of datapoints: a table for people, the page as it came for programs.
pub(super) fn write_page(ui: Ui, page: &Page<Document>) -> Result<(), Failure> {
    if ui.is_json() {
        return ui.json(page);
    }
    let mut table = Table::new(["ID", "TIME", "LABEL", "TYPE", "VALUE"]);
    for document in &page.items {
        let row = Row::read(document)?;
        let content = short(&row.content(), 48);
        table.row([or_dash(row.id), or_dash(row.data_timestamp), or_dash(row.label), or_dash(row.data_type), content]);
    }
    ui.text(&table.render())?;
    if page.next.is_some() {
        ui.note("there are more; --limit shows more of them");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_shown_as_it_was_written() {
        let document: Document = serde_json::from_str(r#"{"_id":"a","value":1.50}"#).unwrap();
        let row = Row::read(&document).unwrap();
        assert_eq!((row.id.as_deref(), row.content().as_str()), (Some("a"), "1.50"));
        let document: Document = serde_json::from_str(r#"{"_id":"a","value":null,"path":"/x"}"#).unwrap();
        assert_eq!(Row::read(&document).unwrap().content(), "null");
        let document: Document = serde_json::from_str(r#"{"_id":"a","path":"/x"}"#).unwrap();
        assert_eq!(Row::read(&document).unwrap().content(), "/x");
    }
}
