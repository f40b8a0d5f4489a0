//! What of a filter a database can be asked: conditions on indexed columns, each true of every document that matches.
//!
//! The matcher decides; this only spares it most of the documents that cannot match. Where the two could differ (long labels,
//! U+0000, values of another type) the narrowing is the wider one.

use std::time::Duration;

use holotype_core::Instant;
use holotype_core::filter::{Conjunct, Filter, Test};
use jiff::tz::TimeZone;
use serde_json::Value;

use crate::model::{OWNER_FIELDS, is_indexed_owner};

/// The characters of a label that its column holds.
const LABEL_CHARACTERS: usize = 200;

/// The most values a statement lists; above that, a range takes their place. SQLite binds at most 32,766.
const MOST_LISTED: usize = 10_000;

/// The most conditions on columns of text: engines limit how deep a statement may nest.
const MOST_CONDITIONS: usize = 100;

/// Conditions on columns that every datapoint asked for fulfils.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Narrowing {
    /// On members of the document that have a column.
    pub(crate) texts: Vec<(TextColumn, TextTest)>,
    /// On members of `ownership_info`: the field, and the values it may have.
    pub(crate) owners: Vec<(&'static str, Vec<String>)>,
    /// On the point in time: not before.
    pub(crate) since: Option<Instant>,
    /// On the point in time: before.
    pub(crate) until: Option<Instant>,
}

/// A column of text that repeats a member of the document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TextColumn {
    Id,
    Label,
    DataType,
    Timestamp,
}

/// What a column of text must fulfil.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum TextTest {
    OneOf(Vec<String>),
    AtLeast(String),
    AtMost(String),
}

/// What the label's column holds for a label: enough to narrow and to sort by.
///
/// It never puts two labels into another order: a label is cut after [`LABEL_CHARACTERS`] and at U+0000, the least character.
pub(crate) fn label_key(label: Option<&str>) -> &str {
    let label = before_nul(label.unwrap_or_default());
    label.char_indices().nth(LABEL_CHARACTERS).map_or(label, |(end, _)| label.get(..end).unwrap_or(label))
}

/// Text up to U+0000, which PostgreSQL cannot be given.
fn before_nul(text: &str) -> &str {
    text.split('\0').next().unwrap_or_default()
}

impl Narrowing {
    /// What of `filter` can be asked of the database.
    pub(crate) fn of(filter: &Filter) -> Self {
        let mut narrowing = Self::default();
        let mut room = MOST_LISTED;
        for conjunct in filter.conjuncts() {
            narrowing.add(conjunct, &mut room);
        }
        narrowing.texts.truncate(MOST_CONDITIONS);
        narrowing
    }

    /// Keeps only points in time of a span.
    ///
    /// No clock is a day off UTC, so the text of a timestamp is within a day of what it means: that finds them by an index.
    pub(crate) fn within(&mut self, since: Option<Instant>, until: Option<Instant>) {
        const DAY: Duration = Duration::from_secs(25 * 3_600);
        (self.since, self.until) = (since, until);
        let bounds = [
            since.and_then(|since| text_of(since.before(DAY))).map(TextTest::AtLeast),
            until.and_then(|until| text_of(until.after(DAY))).map(TextTest::AtMost),
        ];
        self.texts.extend(bounds.into_iter().flatten().map(|bound| (TextColumn::Timestamp, bound)));
    }

    /// Whether a condition is on `column`, and an equality with one value.
    pub(crate) fn is_one(&self, column: TextColumn) -> bool {
        self.texts
            .iter()
            .any(|(on, test)| *on == column && matches!(test, TextTest::OneOf(values) if values.len() == 1))
    }

    /// Whether ids are listed, which are as many as they are.
    pub(crate) fn lists_ids(&self) -> bool {
        self.texts.iter().any(|(on, test)| *on == TextColumn::Id && matches!(test, TextTest::OneOf(_)))
    }

    /// Whether an index can find what is wanted. None is on the type.
    pub(crate) fn is_indexed(&self) -> bool {
        !self.owners.is_empty() || self.texts.iter().any(|(on, _)| *on != TextColumn::DataType)
    }

    fn add(&mut self, conjunct: Conjunct<'_>, room: &mut usize) {
        if let Some(field) = conjunct.path.strip_prefix("ownership_info.") {
            // A field narrows once: each is a table more in the statement.
            let is_new = |known: &&str| *known == field && self.owners.iter().all(|(used, _)| used != known);
            let field = OWNER_FIELDS.into_iter().filter(|field| is_indexed_owner(field)).find(is_new);
            if let (Some(field), Some(values)) = (field, listed(conjunct.test).and_then(exact_texts))
                && take(room, values.len())
            {
                self.owners.push((field, values));
            }
            return;
        }
        let column = match conjunct.path {
            "_id" => TextColumn::Id,
            "label" => TextColumn::Label,
            "data_type" => TextColumn::DataType,
            "data_timestamp" => TextColumn::Timestamp,
            _ => return,
        };
        self.texts.extend(tests(column, conjunct.test, room).into_iter().map(|test| (column, test)));
    }
}

/// A point in time as a timestamp's text in UTC, if it is in the years of timestamps.
fn text_of(instant: Instant) -> Option<String> {
    let civil = instant.timestamp().to_zoned(TimeZone::UTC).datetime();
    (1..=9999).contains(&civil.year()).then(|| civil.strftime("%Y-%m-%dT%H:%M:%S").to_string())
}

/// What `test` on a member means for its column.
fn tests(column: TextColumn, test: Test<'_>, room: &mut usize) -> Vec<TextTest> {
    let key = |text: &str| match column {
        TextColumn::Label => label_key(Some(text)).to_owned(),
        _ => before_nul(text).to_owned(),
    };
    match test {
        Test::AtLeast(bound) | Test::Above(bound) => bounds(bound, key, TextTest::AtLeast),
        Test::AtMost(bound) | Test::Below(bound) => bounds(bound, key, TextTest::AtMost),
        Test::Equals(_) | Test::In(_) => {
            let values = listed(test).unwrap_or_default();
            let texts = match column {
                // Null is a label like any other: its key is the empty one.
                TextColumn::Label => {
                    Some(values.iter().filter_map(label_of).map(|label| label_key(label).to_owned()).collect())
                }
                _ => exact_texts(values),
            };
            match texts {
                Some(texts) if take(room, texts.len()) => vec![TextTest::OneOf(texts)],
                // In the order of the filter's values, texts stand together and in their own order.
                Some(texts) => match (texts.iter().min(), texts.iter().max()) {
                    (Some(least), Some(greatest)) => {
                        vec![TextTest::AtLeast(least.clone()), TextTest::AtMost(greatest.clone())]
                    }
                    _ => vec![],
                },
                None => vec![],
            }
        }
        Test::Other => vec![],
    }
}

/// The values of an equality.
fn listed(test: Test<'_>) -> Option<&[Value]> {
    match test {
        Test::Equals(value) => Some(std::slice::from_ref(value)),
        Test::In(values) => Some(values),
        _ => None,
    }
}

/// The texts among values that a member must equal one of; none if it may also be null or missing.
///
/// The member is text without U+0000, so no other value can equal it.
fn exact_texts(values: &[Value]) -> Option<Vec<String>> {
    let texts = values.iter().filter_map(Value::as_str).filter(|text| !text.contains('\0'));
    (!values.contains(&Value::Null)).then(|| texts.map(str::to_owned).collect())
}

/// The label that a value of a filter equals, if it can equal one.
fn label_of(value: &Value) -> Option<Option<&str>> {
    match value {
        Value::Null => Some(None),
        Value::String(text) => Some(Some(text)),
        _ => None,
    }
}

/// A bound on text; no text is above or below a value of another type, and the matcher says so.
fn bounds(bound: &Value, key: impl Fn(&str) -> String, test: fn(String) -> TextTest) -> Vec<TextTest> {
    bound.as_str().map(|text| test(key(text))).into_iter().collect()
}

fn take(room: &mut usize, count: usize) -> bool {
    match room.checked_sub(count) {
        Some(rest) => {
            *room = rest;
            true
        }
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn narrowing(filter: Value) -> Narrowing {
        Narrowing::of(&Filter::parse(&filter).unwrap())
    }

    fn one_of(texts: &[&str]) -> TextTest {
        TextTest::OneOf(texts.iter().map(|text| (*text).to_owned()).collect())
    }

    #[test]
    fn equalities_and_ranges_on_indexed_members_narrow() {
        let filter = json!({"label": "a", "_id": {"$in": ["y", "x"]}, "$and": [{"data_timestamp": {"$gte": "2026", "$lt": "2027"}}]});
        let expected = vec![
            (TextColumn::Label, one_of(&["a"])),
            (TextColumn::Id, one_of(&["x", "y"])),
            (TextColumn::Timestamp, TextTest::AtLeast("2026".to_owned())),
            (TextColumn::Timestamp, TextTest::AtMost("2027".to_owned())),
        ];
        assert_eq!(narrowing(filter).texts, expected);
        let owners = narrowing(json!({"ownership_info.lab_id": "L", "ownership_info.more": "M"})).owners;
        assert_eq!(owners, [("lab_id", vec!["L".to_owned()])]);
    }

    #[test]
    fn what_may_be_missing_does_not_narrow() {
        assert_eq!(narrowing(json!({"ownership_info.lab_id": null})), Narrowing::default());
        assert_eq!(narrowing(json!({"ownership_info.lab_id": {"$in": ["L", null]}})), Narrowing::default());
        assert_eq!(narrowing(json!({"$or": [{"label": "a"}, {"_id": "b"}]})), Narrowing::default());
        assert_eq!(narrowing(json!({"label": {"$ne": "a"}})), Narrowing::default());
        assert_eq!(narrowing(json!({"value": 1})), Narrowing::default());
        assert_eq!(narrowing(json!({"label": null})).texts, [(TextColumn::Label, one_of(&[""]))]);
    }

    #[test]
    fn what_no_text_equals_narrows_to_nothing() {
        assert_eq!(narrowing(json!({"_id": 5})).texts, [(TextColumn::Id, one_of(&[]))]);
        assert_eq!(narrowing(json!({"_id": "a\0"})).texts, [(TextColumn::Id, one_of(&[]))]);
        assert_eq!(narrowing(json!({"data_type": ["json"]})).texts, [(TextColumn::DataType, one_of(&[]))]);
    }

    #[test]
    fn a_long_list_becomes_a_range() {
        let ids: Vec<String> = (0..MOST_LISTED + 1).map(|number| format!("{number:06}")).collect();
        let range = vec![
            (TextColumn::Id, TextTest::AtLeast("000000".to_owned())),
            (TextColumn::Id, TextTest::AtMost("010000".to_owned())),
        ];
        assert_eq!(narrowing(json!({"_id": {"$in": ids}})).texts, range);
    }

    #[test]
    fn a_filter_of_many_conditions_makes_a_small_statement() {
        let conditions: Vec<Value> = (0..5_000)
            .map(|number| json!({"label": {"$gte": number.to_string()}, "ownership_info.lab_id": "L"}))
            .collect();
        let narrowing = narrowing(json!({ "$and": conditions }));
        assert_eq!((narrowing.texts.len(), narrowing.owners.len()), (MOST_CONDITIONS, 1));
    }

    #[test]
    fn a_labels_key_keeps_the_order_of_labels() {
        let long = "é".repeat(300);
        let labels = ["", "\0", "a", "a\0b", "a\u{1}", "ab", &long, &format!("{long}x")];
        for pair in labels.windows(2) {
            assert!(pair[0] < pair[1] && label_key(Some(pair[0])) <= label_key(Some(pair[1])), "{pair:?}");
        }
        assert_eq!(label_key(Some(&long)).chars().count(), LABEL_CHARACTERS);
        assert_eq!(label_key(Some("a\0b")), "a");
        assert_eq!(label_key(None), "");
    }
}
