//! What is known of a frame before and after it was fetched, by name: the archive's answer and the primary header.

use holotype_fits::{Header, Value as Card};
use serde_json::{Map, Value};

/// The older, upper-case names of an OCS archive's fields, which some archives answer instead.
const ALIASES: &[(&str, &str)] = &[
    ("observation_date", "DATE_OBS"),
    ("observation_day", "DAY_OBS"),
    ("proposal_id", "PROPID"),
    ("instrument_id", "INSTRUME"),
    ("target_name", "OBJECT"),
    ("reduction_level", "RLEVEL"),
    ("site_id", "SITEID"),
    ("telescope_id", "TELID"),
    ("exposure_time", "EXPTIME"),
    ("primary_optical_element", "FILTER"),
    ("public_date", "L1PUBDAT"),
    ("configuration_type", "OBSTYPE"),
    ("observation_id", "BLKUID"),
    ("request_id", "REQNUM"),
];

/// The values that rules and templates may name.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fields<'f> {
    /// The name of its file in the archive, which is its `filename` where the archive calls it otherwise.
    pub name: &'f str,
    /// What the archive said.
    pub listed: &'f Map<String, Value>,
    /// The header of the first HDU, once the frame is there: its cards are named `header.KEYWORD`.
    pub header: Option<&'f Header>,
}

impl Fields<'_> {
    /// The value of a field as text; `None` if nothing says it.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        if let Some(keyword) = name.strip_prefix("header.") {
            return self.header.and_then(|header| header.value(keyword)).and_then(text_of_card);
        }
        let alias = ALIASES.iter().find(|(field, _)| *field == name).map(|(_, alias)| *alias);
        let said =
            [Some(name), alias].into_iter().flatten().find_map(|name| self.listed.get(name).and_then(text_of_json));
        said.or_else(|| (name == "filename").then(|| self.name.to_owned()))
    }
}

fn text_of_json(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// A card's value as its text; `None` where it has none.
pub(super) fn text_of_card(value: &Card) -> Option<String> {
    match value {
        Card::Text(text) => Some(text.trim_end().to_owned()),
        Card::Integer(number) => Some(number.to_string()),
        Card::Real(number) => Some(super::python::real(*number)),
        Card::Logical(truth) => Some(if *truth { "True" } else { "False" }.to_owned()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_has_its_name_its_older_name_or_that_of_a_card() {
        let listed = serde_json::json!({"target_name": "M 31", "RLEVEL": 91, "area": null, "public": true});
        let mut header = Header::default();
        header.set("OBJECT", Card::Text("M 31  ".into()), None).unwrap();
        header.set("EXPTIME", Card::Real(60.0), None).unwrap();
        let fields = Fields { name: "x.fits", listed: listed.as_object().unwrap(), header: Some(&header) };
        let text = |name: &str| fields.text(name);
        assert_eq!(text("target_name").as_deref(), Some("M 31"));
        assert_eq!(text("reduction_level").as_deref(), Some("91"));
        assert_eq!(text("filename").as_deref(), Some("x.fits"));
        assert_eq!(text("public").as_deref(), Some("true"));
        assert_eq!(text("header.OBJECT").as_deref(), Some("M 31"));
        assert_eq!(text("header.EXPTIME").as_deref(), Some("60.0"));
        for absent in ["area", "filter", "header.FILTER"] {
            assert_eq!(text(absent), None);
        }
    }
}
