//! Reading JSON exactly, and refusing what would hurt later.
//!
//! Numbers keep the text they were written with, objects the order of their keys; of a repeated key the last value counts, as
//! in Python. What the clients' own reader cannot hold is treated as there: a number beyond the range of a double becomes null.

use std::fmt;

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
#[derive(Debug, Clone, PartialEq, Eq)]
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

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}: {}", self.line, self.column, self.problem)
    }
}

impl std::error::Error for JsonError {}

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

/// Replaces numbers that are written as floating-point ones and lie beyond a double: too large by null, too small by zero.
fn as_a_double_allows(value: &mut Value) {
    match value {
        Value::Number(number) if !number::is_written_as_integer(number) => match number.as_f64() {
            Some(double) if double == 0.0 && !number::is_zero(number) => *number = zero_like(number),
            Some(double) if double.is_finite() => {}
            _ => *value = Value::Null,
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
