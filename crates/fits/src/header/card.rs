//! One card: a keyword, its value and comment, and the records of 80 bytes they came from.

use super::value::{self, Value};
use crate::FitsError;

/// The length of a record in bytes.
pub(crate) const RECORD: usize = 80;

/// One record of a header.
pub(crate) type Record = [u8; RECORD];

/// A keyword with what a header says of it. A string that goes on in `CONTINUE` records is one card.
///
/// A card that was read keeps its records and is written back as it was; changing one means putting another in its place
/// ([`Header::set`](super::Header::set)).
#[derive(Debug, Clone, PartialEq)]
pub struct Card {
    keyword: String,
    value: Option<Value>,
    comment: String,
    records: Vec<Record>,
}

impl Card {
    /// A card with a value. A keyword that is longer than eight characters, or has others than `A-Z 0-9 - _`, is written
    /// as `HIERARCH`; a string that is too long for a record goes on in `CONTINUE` records; a comment is cut where the
    /// record ends.
    ///
    /// # Errors
    /// [`FitsError::Unwritable`] if keyword, value or comment have characters that a header cannot hold, or do not fit.
    pub fn new(keyword: &str, value: Value, comment: &str) -> Result<Self, FitsError> {
        let keyword = keyword.strip_prefix("HIERARCH ").unwrap_or(keyword).trim_matches(' ');
        let unwritable = |problem: &str| FitsError::Unwritable {
            what: format!("card {}", crate::error::shown(keyword)),
            problem: problem.to_owned(),
        };
        let written = value.written(keyword)?;
        if !is_printable(keyword) || !is_printable(&written) || !is_printable(comment) {
            return Err(unwritable("a header holds printable ASCII only"));
        }
        let start = if is_commentary(keyword) || keyword == "END" {
            return Err(unwritable("this keyword has no value"));
        } else if is_standard(keyword) {
            format!("{keyword:<8}= ")
        } else if keyword.contains(['=', '\'']) {
            return Err(unwritable("a keyword needs a name without '=' and quotes"));
        } else {
            format!("HIERARCH {keyword} = ")
        };
        let records = if start.len() + written.len() <= RECORD {
            vec![record(&with_comment(start + &written, comment))]
        } else {
            // What is padded for the eye gives way first.
            let short = written.trim_start();
            match &value {
                Value::Text(text) if start.len() <= RECORD / 2 => continued(&start, text, comment),
                Value::Text(_) => return Err(unwritable("keyword and value are too long for a record")),
                _ if start.len() + short.len() <= RECORD => vec![record(&with_comment(start + short, comment))],
                _ => return Err(unwritable("keyword and value are too long for a record")),
            }
        };
        Ok(Self::from_records(records))
    }

    /// A `COMMENT` or `HISTORY` record, or one without keyword: `text` is cut at 72 characters.
    ///
    /// # Errors
    /// [`FitsError::Unwritable`] if the text is not printable ASCII, or the keyword is not one of a commentary.
    pub fn commentary(keyword: &str, text: &str) -> Result<Self, FitsError> {
        if !is_commentary(keyword) || !is_printable(text) {
            return Err(FitsError::Unwritable {
                what: format!("card {}", crate::error::shown(keyword)),
                problem: "a commentary is COMMENT, HISTORY or blank, with printable ASCII text".to_owned(),
            });
        }
        Ok(Self::from_records(vec![record(&format!("{keyword:<8}{text}"))]))
    }

    /// The keyword: up to eight characters, or the whole name after `HIERARCH`; empty for a blank keyword.
    pub fn keyword(&self) -> &str {
        &self.keyword
    }

    /// The value; nothing for commentary.
    pub fn value(&self) -> Option<&Value> {
        self.value.as_ref()
    }

    /// The comment after the value, or the text of a commentary.
    pub fn comment(&self) -> &str {
        &self.comment
    }

    /// The records as they stand in the file, 80 bytes each, one character per byte (Latin-1).
    pub fn records(&self) -> impl Iterator<Item = String> + '_ {
        self.records.iter().map(|record| latin1(record))
    }

    pub(super) fn bytes(&self) -> impl Iterator<Item = &Record> {
        self.records.iter()
    }

    /// Whether this is the card of `keyword`, whatever the letter case and with or without `HIERARCH`.
    pub fn is(&self, keyword: &str) -> bool {
        self.keyword.eq_ignore_ascii_case(keyword.strip_prefix("HIERARCH ").unwrap_or(keyword))
    }

    /// The card under another keyword of at most eight characters, all else as it was, byte for byte.
    pub(crate) fn renamed(&self, keyword: &str) -> Self {
        let mut records = self.records.clone();
        if let Some(first) = records.first_mut() {
            let name: Vec<u8> = keyword.bytes().chain(std::iter::repeat(b' ')).take(8).collect();
            first[..8].copy_from_slice(&name);
        }
        Self::from_records(records)
    }

    /// Reads one record.
    pub(super) fn read(record: Record) -> Self {
        Self::from_records(vec![record])
    }

    /// Whether the card is a string that says it goes on in the next record.
    pub(super) fn goes_on(&self) -> bool {
        matches!(&self.value, Some(Value::Text(text)) if text.ends_with('&'))
    }

    /// The string and comment that this record adds to the one before, if it is a `CONTINUE` record.
    pub(super) fn continuation(record: &Record) -> Option<(String, String)> {
        let text = latin1(record);
        let (inner, rest) = value::quoted(text.strip_prefix("CONTINUE  ")?.trim_matches(' '))?;
        Some((inner.trim_end_matches(' ').to_owned(), value::comment(rest)))
    }

    /// Adds a `CONTINUE` record that was understood as `text` and `comment`.
    pub(super) fn extend(&mut self, record: Record, text: &str, comment: &str) {
        if let Some(Value::Text(joined)) = &mut self.value {
            joined.pop();
            joined.push_str(text);
            // Blanks at the end of a string mean nothing; what goes on ends with '&'.
            joined.truncate(joined.trim_end_matches(' ').len());
        }
        self.comment.push_str(comment);
        self.records.push(record);
    }

    /// Understands records; all after the first are `CONTINUE` records.
    fn from_records(records: Vec<Record>) -> Self {
        let mut records = records.into_iter();
        let Some(first) = records.next() else {
            return Self { keyword: String::new(), value: None, comment: String::new(), records: Vec::new() };
        };
        let (keyword, field) = understood(&first);
        let (value, comment) = match field {
            Ok(field) => (Some(field.value), field.comment),
            Err(text) => (None, text),
        };
        let mut card = Self { keyword, value, comment, records: vec![first] };
        for record in records {
            if let Some((text, comment)) = Self::continuation(&record) {
                card.extend(record, &text, &comment);
            }
        }
        card
    }
}

/// The keyword of a record, and its value and comment, or the text of a commentary.
fn understood(record: &Record) -> (String, Result<value::Field, String>) {
    let text = latin1(record);
    let (name, rest) = cut(&text, 8);
    let name = name.trim_end_matches(' ');
    let commentary = |rest: &str| Err(rest.trim_end_matches(' ').to_owned());
    if is_commentary(name) {
        return (name.to_owned(), commentary(rest));
    }
    if let Some(after) = rest.strip_prefix("= ") {
        return (name.to_owned(), Ok(value::parse(after)));
    }
    if name == "HIERARCH"
        && let Some((path, after)) = rest.split_once('=')
        && !path.contains('\'')
    {
        return (path.trim_matches(' ').to_owned(), Ok(value::parse(after)));
    }
    (name.to_owned(), commentary(rest))
}

/// `text` before and after its first `at` characters.
fn cut(text: &str, at: usize) -> (&str, &str) {
    let end = text.char_indices().nth(at).map_or(text.len(), |(end, _)| end);
    text.split_at(end)
}

/// Bytes as characters, one each: whatever stands in a header can be shown and compared.
pub(crate) fn latin1(bytes: &[u8]) -> String {
    bytes.iter().map(|&byte| char::from(byte)).collect()
}

fn is_commentary(keyword: &str) -> bool {
    matches!(keyword, "" | "COMMENT" | "HISTORY")
}

fn is_standard(keyword: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_');
    (1..=8).contains(&keyword.len()) && keyword.bytes().all(allowed)
}

fn is_printable(text: &str) -> bool {
    text.bytes().all(|byte| (b' '..=b'~').contains(&byte))
}

/// ASCII text as one record, cut or filled up with blanks.
fn record(text: &str) -> Record {
    let mut record = [b' '; RECORD];
    let length = text.len().min(RECORD);
    record[..length].copy_from_slice(&text.as_bytes()[..length]);
    record
}

fn with_comment(mut text: String, comment: &str) -> String {
    if !comment.is_empty() {
        text = format!("{text:<30} / {comment}");
    }
    text
}

/// A long string in a first record and `CONTINUE` records; the comment goes with the last.
fn continued(start: &str, text: &str, comment: &str) -> Vec<Record> {
    let mut records = Vec::new();
    let mut start = start.to_owned();
    let mut rest = text;
    loop {
        // Two quotes, and the '&' that says it goes on.
        let room = RECORD - start.len() - 3;
        let part = quotable(rest, room);
        rest = &rest[part..];
        let written = text[text.len() - rest.len() - part..text.len() - rest.len()].replace('\'', "''");
        if rest.is_empty() {
            records.push(record(&with_comment(format!("{start}'{written}'"), comment)));
            return records;
        }
        records.push(record(&format!("{start}'{written}&'")));
        start = "CONTINUE  ".to_owned();
    }
}

/// How many bytes of ASCII `text` fit into `room` once each quote is doubled.
fn quotable(text: &str, room: usize) -> usize {
    let mut used = 0;
    text.bytes()
        .take_while(|&byte| {
            used += if byte == b'\'' { 2 } else { 1 };
            used <= room
        })
        .count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Card {
        Card::read(record(text))
    }

    #[test]
    fn a_record_is_a_keyword_a_value_and_a_comment() {
        let card = read("EXPTIME =                 30.0 / [s] Exposure");
        assert_eq!(
            (card.keyword(), card.value(), card.comment()),
            ("EXPTIME", Some(&Value::Real(30.0)), "[s] Exposure")
        );
        let card = read("HISTORY = not a value");
        assert_eq!((card.keyword(), card.value(), card.comment()), ("HISTORY", None, "= not a value"));
        let card = read("HIERARCH ESO DET CHIP1 GAIN = 1.2 / gain");
        assert_eq!((card.keyword(), card.value()), ("ESO DET CHIP1 GAIN", Some(&Value::Real(1.2))));
        assert!(card.is("HIERARCH ESO DET CHIP1 GAIN") && card.is("eso det chip1 gain"));
    }

    #[test]
    fn bytes_that_are_not_ascii_are_shown_and_kept() {
        let mut bytes = record("OBSERVER= 'Jos  '");
        bytes[14] = 0xE9;
        let card = Card::read(bytes);
        assert_eq!(card.value(), Some(&Value::Text("José".into())));
        assert_eq!(card.bytes().next(), Some(&bytes));
    }

    #[test]
    fn a_card_is_written_in_the_fixed_form() {
        let written = |keyword: &str, value: Value, comment: &str| {
            Card::new(keyword, value, comment).unwrap().records().next().unwrap().trim_end().to_owned()
        };
        assert_eq!(written("NAXIS", Value::Integer(2), "axes"), "NAXIS   =                    2 / axes");
        assert_eq!(written("EXTNAME", Value::Text("SCI".into()), ""), "EXTNAME = 'SCI     '");
        assert_eq!(written("T", Value::Logical(true), ""), "T       =                    T");
        assert_eq!(written("ESO DET ID", Value::Integer(1), ""), "HIERARCH ESO DET ID =                    1");
    }

    #[test]
    fn a_long_string_goes_on_in_further_records_and_reads_back() {
        for length in [60, 67, 68, 69, 70, 200, 1000] {
            let text: String = "it's a long story ".chars().cycle().take(length - 1).chain(['.']).collect();
            let card = Card::new("STORY", Value::Text(text.clone()), "told").unwrap();
            assert_eq!(card.value(), Some(&Value::Text(text)), "{length}");
            assert!(length < 68 || card.records.len() > 1, "{length}");
        }
    }

    #[test]
    fn what_a_header_cannot_hold_is_refused() {
        let refused =
            |keyword: &str, value: Value| matches!(Card::new(keyword, value, ""), Err(FitsError::Unwritable { .. }));
        assert!(refused("A", Value::Text("é".into())));
        assert!(refused("A\n", Value::Integer(1)));
        assert!(refused("A=B", Value::Integer(1)));
        assert!(refused("it's", Value::Integer(1)));
        assert!(refused("END", Value::Integer(1)));
        assert!(refused("HIERARCH COMMENT", Value::Integer(1)));
        assert!(refused("", Value::Integer(1)));
        assert!(refused(&"LONG ".repeat(16), Value::Integer(1)));
        assert!(Card::commentary("EXPTIME", "x").is_err());
    }
}
