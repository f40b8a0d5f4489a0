//! Tables of text: a line of names, then a line for each row.

use serde_json::{Map, Value};

use super::super::definition::CsvDecoder;
use super::{Decoded, is_markup};

pub(super) fn decode(decoder: &CsvDecoder, text: &str) -> Result<Decoded, String> {
    if is_markup(text) {
        return Err("it is a web page or XML".to_owned());
    }
    let byte = |character: char| u8::try_from(character).ok().filter(u8::is_ascii);
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(byte(decoder.separator).unwrap_or(b','))
        .comment(decoder.comment.and_then(byte))
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes());
    let names = reader.headers().map_err(|error| error.to_string())?.clone();
    if names.is_empty() {
        return Err("it has no line of names".to_owned());
    }
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|error| error.to_string())?;
        let fields = names.iter().zip(&record).filter(|(_, value)| !value.is_empty());
        rows.push(Value::Object(Map::from_iter(fields.map(|(name, value)| (name.to_owned(), value.into())))));
    }
    Ok(Decoded { rows, ..Decoded::default() })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn rows_are_named_by_the_first_line() {
        let decoder = CsvDecoder { separator: '\t', comment: Some('#') };
        let decoded = decode(&decoder, "# made today\nname\tsize\n\"a\tb\"\t7\nc\t\n").unwrap();
        assert_eq!(decoded.rows, [json!({"name": "a\tb", "size": "7"}), json!({"name": "c"})]);
    }

    #[test]
    fn a_line_of_another_length_and_a_page_are_told() {
        let decoder = CsvDecoder { separator: ',', comment: None };
        assert!(decode(&decoder, "a,b\n1,2,3\n").is_err());
        assert!(decode(&decoder, "<html>").is_err());
        assert!(decode(&decoder, "").is_err());
    }
}
