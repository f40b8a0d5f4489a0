//! YAML as the pipeline's own library writes it: block style, keys in their order, quotes only where they are needed.

use serde_json::Value;

use super::python;

/// The document of a value.
pub(super) fn dump(value: &Value) -> String {
    let mut text = String::new();
    match value {
        Value::Object(map) if !map.is_empty() => mapping(&mut text, map, 0),
        Value::Array(items) if !items.is_empty() => sequence(&mut text, items, 0),
        other => text = format!("{}\n", scalar(other)),
    }
    text
}

fn mapping(text: &mut String, map: &serde_json::Map<String, Value>, indent: usize) {
    for (key, value) in map {
        text.push_str(&" ".repeat(indent));
        text.push_str(&string(key));
        text.push(':');
        match value {
            Value::Object(inner) if !inner.is_empty() => {
                text.push('\n');
                mapping(text, inner, indent + 2);
            }
            // The items of a sequence stand under their key, not further in.
            Value::Array(items) if !items.is_empty() => {
                text.push('\n');
                sequence(text, items, indent);
            }
            other => line(text, other),
        }
    }
}

fn sequence(text: &mut String, items: &[Value], indent: usize) {
    for item in items {
        text.push_str(&" ".repeat(indent));
        text.push('-');
        match item {
            Value::Object(map) if !map.is_empty() => nested(text, indent, |inner| mapping(inner, map, indent + 2)),
            Value::Array(items) if !items.is_empty() => {
                nested(text, indent, |inner| sequence(inner, items, indent + 2));
            }
            other => line(text, other),
        }
    }
}

/// What is nested begins on the line of its dash.
fn nested(text: &mut String, indent: usize, write: impl FnOnce(&mut String)) {
    let mut inner = String::new();
    write(&mut inner);
    text.push(' ');
    text.push_str(inner.get(indent + 2..).unwrap_or(""));
}

fn line(text: &mut String, value: &Value) {
    text.push(' ');
    text.push_str(&scalar(value));
    text.push('\n');
}

fn scalar(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(truth) => truth.to_string(),
        Value::Number(number) if number.is_i64() || number.is_u64() => number.to_string(),
        Value::Number(number) => number.as_f64().map_or_else(|| number.to_string(), real),
        Value::String(text) => string(text),
        Value::Array(_) => "[]".to_owned(),
        Value::Object(_) => "{}".to_owned(),
    }
}

/// A real has a point even with an exponent, or it would be read as text.
fn real(value: f64) -> String {
    let text = python::real(value);
    match text.split_once('e') {
        Some((mantissa, exponent)) if !mantissa.contains('.') => format!("{mantissa}.0e{exponent}"),
        _ => text,
    }
}

fn string(text: &str) -> String {
    if text.chars().any(|c| c.is_control() || c == '\u{feff}') {
        return double_quoted(text);
    }
    if is_plain(text) { text.to_owned() } else { format!("'{}'", text.replace('\'', "''")) }
}

fn is_plain(text: &str) -> bool {
    let starts_badly = text.starts_with(|c: char| "#,[]{}&*!|>'\"%@`".contains(c))
        || text.starts_with(['-', '?', ':']) && text[1..].chars().next().is_none_or(char::is_whitespace);
    !text.is_empty()
        && text.trim() == text
        && !starts_badly
        && !text.contains(": ")
        && !text.contains(" #")
        && !text.ends_with(':')
        && !text.starts_with("---")
        && !text.starts_with("...")
        && !means_something_else(text)
}

/// Whether a reader would take the bare word for something other than text: a number (also one in base 60), a truth, nothing, a date.
fn means_something_else(text: &str) -> bool {
    const WORDS: [&str; 12] = ["~", "null", "true", "false", "yes", "no", "on", "off", "=", "<<", ".nan", ".inf"];
    if WORDS.contains(&text.to_lowercase().trim_start_matches(['+', '-'])) {
        return true;
    }
    let number = text.trim_start_matches(['+', '-']);
    // Anything that begins as a number and has only what numbers and dates have is quoted; that is never wrong.
    number.starts_with(|c: char| c.is_ascii_digit() || c == '.')
        && number.contains(|c: char| c.is_ascii_digit())
        && number.chars().all(|c| c.is_ascii_hexdigit() || "_.:xo+-TZtz ".contains(c))
        && !is_version(number)
}

/// `1.2.3` has two points and no colon: text to every reader.
fn is_version(text: &str) -> bool {
    text.chars().filter(|c| *c == '.').count() > 1 && !text.contains(':')
}

fn double_quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for character in text.chars() {
        match character {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            '\r' => quoted.push_str("\\r"),
            c if c.is_control() || c == '\u{feff}' => quoted.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_configuration_is_written_as_the_pipeline_writes_it() {
        let value = json!({
            "target": {"name": "OGLE-2024-BLG-0034", "RA": "17:47:03.3800", "Dec": "-34:11:21.100"},
            "photometry": {"aperture_arcsec": 2.0, "reference_image": "name_of_image.fits"},
            "tom": {"upload": true, "config_file": "/path/to/config", "data_label": "TEST"},
            "list": [1, "two", {"a": 1, "b": [2]}, []], "empty": {}, "nothing": null, "small": 1e-7,
        });
        let expected = "\
target:
  name: OGLE-2024-BLG-0034
  RA: '17:47:03.3800'
  Dec: '-34:11:21.100'
photometry:
  aperture_arcsec: 2.0
  reference_image: name_of_image.fits
tom:
  upload: true
  config_file: /path/to/config
  data_label: TEST
list:
- 1
- two
- a: 1
  b:
  - 2
- []
empty: {}
nothing: null
small: 1.0e-07
";
        assert_eq!(dump(&value), expected);
    }

    #[test]
    fn every_text_is_read_back_as_the_same_text() {
        let texts = [
            "",
            " ",
            "a b",
            "yes",
            "No",
            "null",
            "~",
            "1",
            "-1.5",
            "1e5",
            "0x1f",
            "12:30",
            "17:47:03.38",
            "2024-07-15",
            "1_000",
            ".5",
            ".",
            "..",
            "1.2.3",
            "- a",
            "-a",
            "? b",
            ":",
            "a: b",
            "a:b",
            "a #b",
            "a#b",
            "#a",
            "'",
            "it's",
            "\"",
            "[a]",
            "{a}",
            "&a",
            "*a",
            "!a",
            "|",
            ">",
            "%a",
            "@a",
            "`a",
            "a:",
            "line\nbreak",
            "tab\t",
            "\u{7}",
            "ä",
            "---",
            "...",
            "<<",
            "=",
            "on",
            "0o17",
            "+12",
            ".inf",
            "a\\b",
            " lead",
            "trail ",
            "\u{feff}x",
        ];
        for text in texts {
            let dumped = dump(&json!({ "key": text }));
            let read: Value = serde_saphyr::from_str(&dumped).unwrap();
            assert_eq!(read["key"], json!(text), "{dumped}");
        }
    }
}
