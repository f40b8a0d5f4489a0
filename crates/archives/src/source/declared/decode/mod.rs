//! Answers to rows. A row is an object, whatever form it came in.

mod csv;
mod html;
mod json;
mod lines;
mod s3;
pub(crate) mod votable;
mod xml;

use serde_json::Value;
use url::Url;

use super::definition::Decoder;
use crate::http::Answer;
use crate::source::SourceError;

/// An answer, read.
#[derive(Debug, Default)]
pub(super) struct Decoded {
    /// What is said beside the rows, for paths into it.
    pub(super) document: Value,
    /// The rows.
    pub(super) rows: Vec<Value>,
    /// Whether the server says that it cut the list.
    pub(super) overflow: bool,
    /// Whether the query is still being worked on.
    pub(super) pending: bool,
    /// Folders that may be entered.
    pub(super) folders: Vec<Url>,
}

/// Reads an answer.
///
/// # Errors
/// If it is in another form, for example a page that asks to log in.
pub(super) fn decode(decoder: &Decoder, answer: &Answer) -> Result<Decoded, SourceError> {
    let unreadable = |expected| move |problem| SourceError::Answer { host: answer.host(), expected, problem };
    match decoder {
        Decoder::Json(decoder) => json::decode(decoder, answer.json()?).map_err(unreadable("the JSON it should be")),
        Decoder::Votable => votable::decode(text(answer)?).map_err(unreadable("a VOTable")),
        Decoder::Csv(decoder) => csv::decode(decoder, text(answer)?).map_err(unreadable("a table of text")),
        Decoder::S3Listing => s3::decode(text(answer)?).map_err(unreadable("a list of a bucket")),
        Decoder::HtmlLinks(decoder) => {
            html::decode(decoder, &answer.url, text(answer)?).map_err(unreadable("an index of files"))
        }
        Decoder::Lines(decoder) => {
            lines::decode(decoder, text(answer)?).map_err(unreadable("a list of files by lines"))
        }
    }
}

fn text(answer: &Answer) -> Result<&str, SourceError> {
    let text = std::str::from_utf8(&answer.bytes).map_err(|error| SourceError::Answer {
        host: answer.host(),
        expected: "text in UTF-8",
        problem: error.to_string(),
    })?;
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
}

/// Whether a text is a page or XML where a table or a list was expected.
fn is_markup(text: &str) -> bool {
    text.trim_start().starts_with('<')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use reqwest::header::HeaderMap;

    use super::super::definition::{CsvDecoder, HtmlDecoder, JsonDecoder, LinesDecoder};
    use super::*;

    /// Pieces of answers in every form, to be put together in any order.
    fn piece() -> impl Strategy<Value = String> {
        let pieces = [
            "<VOTABLE>",
            "</VOTABLE>",
            "<TABLE>",
            "</TABLE>",
            "<FIELD name=\"a\" datatype=\"long\"/>",
            "<TR>",
            "</TR>",
            "<TD>",
            "</TD>",
            "<ListBucketResult>",
            "</ListBucketResult>",
            "<Contents>",
            "</Contents>",
            "<Key>",
            "</Key>",
            "<IsTruncated>true</IsTruncated>",
            "<html>",
            "<a href=\"",
            "<a href=",
            "\">",
            "</a>",
            "%2e%2e/",
            "../",
            "/",
            "?",
            "//",
            "2024-07-15 01:02 7 ",
            "&amp;",
            "&x;",
            "&#0;",
            "<![CDATA[",
            "]]>",
            "<!DOCTYPE a [",
            "d8b7bce5f24922c5d03dec9fb73b6c8b",
            "  ",
            "\n",
            ",",
            "\"",
            "{\"a\":",
            "[",
            "]",
            "}",
            "1",
            "é",
            "\u{202e}",
        ];
        prop_oneof![4 => prop::sample::select(pieces.to_vec()).prop_map(str::to_owned), 1 => any::<String>()]
    }

    proptest! {
        #[test]
        fn no_answer_stops_the_program(pieces in prop::collection::vec(piece(), 0..40)) {
            let answer = Answer {
                url: Url::parse("http://h/data/").unwrap(),
                headers: HeaderMap::new(),
                bytes: pieces.concat().into(),
            };
            let decoders = [
                Decoder::Json(JsonDecoder::default()),
                Decoder::Votable,
                Decoder::Csv(CsvDecoder { separator: ',', comment: Some('#') }),
                Decoder::S3Listing,
                Decoder::HtmlLinks(HtmlDecoder { folders: None, depth: 0 }),
                Decoder::Lines(LinesDecoder { pattern: None }),
            ];
            for decoder in decoders {
                if let Ok(decoded) = decode(&decoder, &answer) {
                    let is_object = |row: &Value| row.is_object() || matches!(decoder, Decoder::Json(_));
                    prop_assert!(decoded.rows.iter().all(is_object));
                }
            }
        }
    }
}
