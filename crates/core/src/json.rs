//! Reading JSON exactly, and refusing what would hurt later.
//!
//! Numbers keep the text they were written with, objects the order of their keys; of a repeated key the last value counts, as
//! in Python. What the clients' own reader cannot hold is treated as there: a number beyond the range of a double becomes null.

use serde_json::{Number, Value};

use crate::{Category, number};

/// The most digits one number may have; Python refuses longer integers too.
pub const MOST_DIGITS: usize = 4_300;

/// Keys by which serde_json passes its own types around; in a client's object they would turn into something else.
const RESERVED_KEYS: [&str; 2] = ["$serde_json::private::Number", "$serde_json::private::RawValue"];

/// What [`parse`] accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// How deep objects and arrays may nest, at most 127.
    pub depth: usize,
    /// How long the text may be, in bytes.
    pub bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { depth: 100, bytes: 16 * 1024 * 1024 }
    }
}

/// Text that is not acceptable JSON, and where it stops being so.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {problem}")]
pub struct JsonError {
    /// The line, from 1.
    pub line: usize,
    /// The character in the line, from 1.
    pub column: usize,
    /// The characters before the place, from the start of the text.
    pub offset: usize,
    /// What is wrong there.
    pub problem: Problem,
}

/// Why text is not acceptable JSON.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// The text is longer than [`Limits::bytes`].
    #[error("the text has {found} bytes, {limit} are accepted")]
    TooLarge {
        /// The length of the text.
        found: usize,
        /// The limit.
        limit: usize,
    },
    /// The bytes are not UTF-8.
    #[error("the text is not UTF-8")]
    NotUtf8,
    /// Objects and arrays nest deeper than [`Limits::depth`].
    #[error("objects and arrays nest deeper than {limit} levels")]
    TooDeep {
        /// The limit.
        limit: usize,
    },
    /// A number has more than [`MOST_DIGITS`] digits.
    #[error("a number has {found} characters, {MOST_DIGITS} digits are accepted")]
    NumberTooLong {
        /// The length of the number.
        found: usize,
    },
    /// A key that cannot be kept apart from the reader's own marks.
    #[error("the key '{key}' is reserved")]
    ReservedKey {
        /// The key.
        key: &'static str,
    },
    /// The text breaks the grammar of JSON.
    #[error("{message}")]
    Syntax {
        /// What was expected, without the place.
        message: String,
    },
}

impl JsonError {
    /// The request is wrong.
    pub fn category(&self) -> Category {
        Category::Invalid
    }

    /// An error at the byte `position` of `text`.
    fn at(text: &[u8], position: usize, problem: Problem) -> Self {
        let before = String::from_utf8_lossy(text.get(..position).unwrap_or(text));
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Self {
            line: before.matches('\n').count() + 1,
            column: before.get(line_start..).unwrap_or_default().chars().count() + 1,
            offset: before.chars().count(),
            problem,
        }
    }
}

/// Reads one JSON value.
///
/// # Errors
/// [`JsonError`] for text that is too large, not UTF-8, not JSON, too deep, or has trailing text, a number with too many digits or
/// a reserved key.
pub fn parse(bytes: &[u8], limits: &Limits) -> Result<Value, JsonError> {
    if bytes.len() > limits.bytes {
        let problem = Problem::TooLarge { found: bytes.len(), limit: limits.bytes };
        return Err(JsonError::at(bytes, 0, problem));
    }
    let text =
        std::str::from_utf8(bytes).map_err(|error| JsonError::at(bytes, error.valid_up_to(), Problem::NotUtf8))?;
    let extreme = scan(bytes, limits).map_err(|(position, problem)| JsonError::at(bytes, position, problem))?;
    let mut value = serde_json::from_str(text).map_err(|error| syntax_error(text, &error))?;
    if extreme {
        as_a_double_allows(&mut value);
    }
    Ok(value)
}

/// Looks over the text before it is read. Answers whether a number may lie beyond the range of a double.
///
/// Knows only strings, brackets and numbers; text that is wrong in any other way is left to the reader.
fn scan(bytes: &[u8], limits: &Limits) -> Result<bool, (usize, Problem)> {
    let (mut position, mut depth, mut extreme) = (0, 0, false);
    while let Some(byte) = bytes.get(position) {
        match byte {
            b'"' => {
                let end = end_of_string(bytes, position);
                if let Some(key) = reserved_key(bytes, position, end) {
                    return Err((position, Problem::ReservedKey { key }));
                }
                position = end;
            }
            b'-' | b'0'..=b'9' => {
                let run =
                    bytes.iter().skip(position).take_while(|byte| byte.is_ascii_digit() || b"+-.eE".contains(byte));
                let end = position + run.count();
                let number = bytes.get(position..end).unwrap_or_default();
                if number.len() > MOST_DIGITS
                    && number.iter().filter(|byte| byte.is_ascii_digit()).count() > MOST_DIGITS
                {
                    return Err((position, Problem::NumberTooLong { found: number.len() }));
                }
                extreme |= number.len() > 300 || number.iter().any(|byte| matches!(byte, b'e' | b'E'));
                position = end;
            }
            b'[' | b'{' if depth == limits.depth => return Err((position, Problem::TooDeep { limit: limits.depth })),
            b'[' | b'{' => (depth, position) = (depth + 1, position + 1),
            b']' | b'}' => (depth, position) = (depth.saturating_sub(1), position + 1),
            _ => position += 1,
        }
    }
    Ok(extreme)
}

/// The position behind the string that opens at `start`.
fn end_of_string(bytes: &[u8], start: usize) -> usize {
    let mut position = start + 1;
    loop {
        match bytes.get(position) {
            None => return position,
            Some(b'"') => return position + 1,
            Some(b'\\') => position += 2,
            Some(_) => position += 1,
        }
    }
}

/// The reserved key that the string between `start` and `end` is, if it is one and a colon follows.
fn reserved_key(bytes: &[u8], start: usize, end: usize) -> Option<&'static str> {
    let raw = bytes.get(start..end)?;
    if !raw.starts_with(b"\"$") && !raw.contains(&b'\\') {
        return None;
    }
    let next = bytes.iter().skip(end).find(|byte| !byte.is_ascii_whitespace())?;
    let key: String = (*next == b':').then(|| serde_json::from_slice(raw).ok())??;
    RESERVED_KEYS.into_iter().find(|reserved| *reserved == key)
}

fn syntax_error(text: &str, error: &serde_json::Error) -> JsonError {
    let full = error.to_string();
    let message = full.rsplit_once(" at line ").map_or(full.as_str(), |(message, _)| message).to_owned();
    let line_start: usize = text.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum();
    // serde_json counts the byte it stopped at, from 1.
    JsonError::at(text.as_bytes(), line_start + error.column().saturating_sub(1), Problem::Syntax { message })
}

/// Replaces numbers that are written as floating-point ones and lie beyond a double: too large by null, too small by zero. A zero
/// loses its exponent, so that no exponent is left that is far from the digits.
fn as_a_double_allows(value: &mut Value) {
    match value {
        Value::Number(number) if !number::is_written_as_integer(number) => match number.as_f64() {
            Some(double) if double == 0.0 && (number.as_str().contains(['e', 'E']) || !number::is_zero(number)) => {
                *number = zero_like(number);
            }
            Some(_) => {}
            None => *value = Value::Null,
        },
        Value::Array(items) => items.iter_mut().for_each(as_a_double_allows),
        Value::Object(members) => members.values_mut().for_each(as_a_double_allows),
        _ => {}
    }
}

fn zero_like(number: &Number) -> Number {
    let zero = if number.as_str().starts_with('-') { -0.0 } else { 0.0 };
    Number::from_f64(zero).unwrap_or_else(|| Number::from(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Value, JsonError> {
        parse(text.as_bytes(), &Limits::default())
    }

    fn problem(text: &str) -> Problem {
        read(text).unwrap_err().problem
    }

    #[test]
    fn what_was_written_is_kept_to_the_digit_and_in_order() {
        for text in [
            r#"{"z":1,"a":[1.0,-0.0,-0,0.10,123456789012345678901234567890],"m":null}"#,
            "1.7976931348623157e+308",
            r#""\u0000""#,
            r#"{"":{"":""}}"#,
        ] {
            assert_eq!(read(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn of_a_repeated_key_the_last_value_counts() {
        assert_eq!(read(r#"{"a": 1, "b": 2, "a": 3}"#).unwrap().to_string(), r#"{"a":3,"b":2}"#);
    }

    #[test]
    fn numbers_beyond_a_double_become_what_clients_see() {
        assert_eq!(
            read("[1e400, -1e400, 1e-400, -1e-400, 0e999999999]").unwrap().to_string(),
            "[null,null,0.0,-0.0,0.0]"
        );
        assert_eq!(read(r#"{"a": [{"b": 1e999999999999}]}"#).unwrap().to_string(), r#"{"a":[{"b":null}]}"#);
        assert_eq!(read(&format!("{}.5", "9".repeat(400))).unwrap(), Value::Null);
        let integer = "9".repeat(MOST_DIGITS);
        assert_eq!(read(&integer).unwrap().to_string(), integer);
    }

    #[test]
    fn a_number_may_not_have_more_digits_than_python_reads() {
        for text in ["9".repeat(MOST_DIGITS + 1), format!("[-0.{}]", "9".repeat(MOST_DIGITS))] {
            assert!(matches!(problem(&text), Problem::NumberTooLong { .. }));
        }
    }

    #[test]
    fn text_outside_the_limits_is_refused_before_it_is_read() {
        let limits = Limits { depth: 3, bytes: 20 };
        assert!(parse(br#"{"a": [[1], [2]]}"#, &limits).is_ok());
        assert_eq!(parse(br#"[[[["#, &limits).unwrap_err().problem, Problem::TooDeep { limit: 3 });
        assert_eq!(parse(br#"["[[[[", "\"[[["]"#, &limits).unwrap().as_array().unwrap().len(), 2);
        assert_eq!(parse(&[b' '; 21], &limits).unwrap_err().problem, Problem::TooLarge { found: 21, limit: 20 });
        assert!(read(&format!("{}{}", "[".repeat(100), "]".repeat(100))).is_ok());
        assert_eq!(problem(&"[".repeat(1_000_000)), Problem::TooDeep { limit: 100 });
    }

    #[test]
    fn the_readers_own_marks_are_refused_as_keys_however_they_are_written() {
        for text in [
            r#"{"$serde_json::private::Number": "1"}"#,
            r#"{"a": [{"\u0024serde_json::private::Number" : "1"}]}"#,
            r#"{"b": 1, "$serde_json::private::RawValue"
:"[1]"}"#,
        ] {
            assert!(matches!(problem(text), Problem::ReservedKey { .. }), "{text}");
        }
        assert!(read(r#"["$serde_json::private::Number", {"$serde_json::private::number": 1}]"#).is_ok());
    }

    #[test]
    fn what_is_not_json_is_refused() {
        for text in [
            "",
            " ",
            "nul",
            "NaN",
            "Infinity",
            "-Infinity",
            "01",
            "1.",
            ".5",
            "+1",
            "1e",
            "--1",
            "[1,]",
            "{\"a\":1,}",
            "{a:1}",
            "'a'",
            "[1] 2",
            "\"a",
            "\"\\x\"",
            "\"\\ud800\"",
            "\"\n\"",
            "{\"a\"}",
            "]",
            "/**/1",
            "\u{feff}1",
        ] {
            assert!(matches!(problem(text), Problem::Syntax { .. }), "{text:?}");
        }
    }

    #[test]
    fn an_error_says_where_in_lines_and_in_characters() {
        let error = read("{\n  \"é\": nope}").unwrap_err();
        assert_eq!((error.line, error.column, error.offset), (2, 9, 10), "{error}");
        assert_eq!(error.to_string(), "line 2, column 9: expected ident");
        assert_eq!(error.category(), Category::Invalid);
        let error = parse(b"[\"\xc3\xa9\", \"\xff\"]", &Limits::default()).unwrap_err();
        assert_eq!((error.offset, error.problem), (7, Problem::NotUtf8));
    }
}
