//! The value of a card: what its text means, and how a value is written.

use crate::FitsError;

/// What a card says of its keyword.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A string, without its quotes and its trailing blanks.
    Text(String),
    /// `T` or `F`.
    Logical(bool),
    /// A whole number.
    Integer(i128),
    /// A number with a point or an exponent (`E` or `D`).
    Real(f64),
    /// A pair of numbers, real part first.
    Complex(f64, f64),
    /// There is a value indicator and nothing after it.
    Undefined,
    /// Text that the standard gives no meaning, as it stands.
    Other(String),
}

/// What stands after the value indicator of one record.
pub(super) struct Field {
    pub(super) value: Value,
    pub(super) comment: String,
}

/// Reads a value and its comment from the text that follows the value indicator.
pub(super) fn parse(text: &str) -> Field {
    let text = text.trim_matches(' ');
    let (value, rest) = match text.chars().next() {
        None => (Value::Undefined, ""),
        Some('\'') => match quoted(text) {
            Some((inner, rest)) => (Value::Text(inner.trim_end_matches(' ').to_owned()), rest),
            None => (Value::Other(text.to_owned()), ""),
        },
        Some('(') => match text.split_once(')') {
            Some((inside, rest)) => (complex(inside), rest),
            None => (Value::Other(text.to_owned()), ""),
        },
        Some(_) => {
            let end = text.find('/').unwrap_or(text.len());
            (plain(text[..end].trim_matches(' ')), &text[end..])
        }
    };
    Field { value, comment: comment(rest) }
}

/// The inside of a quoted string (`''` is one quote) and what follows it; nothing if the string is not closed.
pub(super) fn quoted(text: &str) -> Option<(String, &str)> {
    let mut rest = text.strip_prefix('\'')?;
    let mut inner = String::new();
    loop {
        let (before, after) = rest.split_once('\'')?;
        inner.push_str(before);
        match after.strip_prefix('\'') {
            Some(more) => {
                inner.push('\'');
                rest = more;
            }
            None => return Some((inner, after)),
        }
    }
}

/// The comment in what follows a value.
pub(super) fn comment(rest: &str) -> String {
    rest.trim_matches(' ').strip_prefix('/').map(|comment| comment.trim_matches(' ').to_owned()).unwrap_or_default()
}

fn plain(token: &str) -> Value {
    match token {
        "" => Value::Undefined,
        "T" => Value::Logical(true),
        "F" => Value::Logical(false),
        _ => match (integer(token), real(token)) {
            (Some(value), _) => Value::Integer(value),
            (None, Some(value)) => Value::Real(value),
            (None, None) => Value::Other(token.to_owned()),
        },
    }
}

fn integer(token: &str) -> Option<i128> {
    let digits = token.strip_prefix(['+', '-']).unwrap_or(token);
    (!digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())).then(|| token.parse().ok())?
}

/// A number as FITS writes it: no `inf`, no `nan`, no hexadecimal; a `D` is an `E`.
pub(crate) fn real(token: &str) -> Option<f64> {
    let numeric = |byte: u8| byte.is_ascii_digit() || matches!(byte, b'+' | b'-' | b'.' | b'E' | b'D' | b'e' | b'd');
    if !token.bytes().all(numeric) {
        return None;
    }
    token.replace(['D', 'd'], "E").parse().ok()
}

fn complex(inside: &str) -> Value {
    let parts = inside[1..].split_once(',');
    match parts.map(|(re, im)| (real(re.trim_matches(' ')), real(im.trim_matches(' ')))) {
        Some((Some(re), Some(im))) => Value::Complex(re, im),
        _ => Value::Other(format!("{inside})")),
    }
}

impl Value {
    /// The value as it is written after the value indicator, of any length.
    pub(super) fn written(&self, keyword: &str) -> Result<String, FitsError> {
        Ok(match self {
            Self::Text(text) => format!("'{:<8}'", text.replace('\'', "''")),
            Self::Logical(value) => format!("{:>20}", if *value { "T" } else { "F" }),
            Self::Integer(value) => format!("{value:>20}"),
            Self::Real(value) => format!("{:>20}", real_text(keyword, *value)?),
            Self::Complex(re, im) => format!("({}, {})", real_text(keyword, *re)?, real_text(keyword, *im)?),
            Self::Undefined => String::new(),
            Self::Other(text) => format!("{text:>20}"),
        })
    }
}

/// The shortest text that reads back as the same number, with a point so that it is read as a real.
fn real_text(keyword: &str, value: f64) -> Result<String, FitsError> {
    if !value.is_finite() {
        return Err(FitsError::Unwritable {
            what: format!("card {keyword}"),
            problem: format!("a header cannot hold {value}; leave the card out"),
        });
    }
    let text = format!("{value:?}");
    Ok(match text.split_once('e') {
        None => text,
        Some((mantissa, power)) if mantissa.contains('.') => format!("{mantissa}E{power}"),
        Some((mantissa, power)) => format!("{mantissa}.0E{power}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str) -> Value {
        parse(text).value
    }

    #[test]
    fn a_value_is_what_its_text_says() {
        assert_eq!(value("  'it''s  '  / c"), Value::Text("it's".into()));
        assert_eq!(value("                   T / c"), Value::Logical(true));
        assert_eq!(value("-0042"), Value::Integer(-42));
        assert_eq!(value("123456789012345678901234567890"), Value::Integer(123456789012345678901234567890));
        assert_eq!(value("1.5D3/x"), Value::Real(1500.0));
        assert_eq!(value("(1, -2.5) / c"), Value::Complex(1.0, -2.5));
        assert_eq!(value("   / only a comment"), Value::Undefined);
        assert_eq!(value("2024-07-15"), Value::Other("2024-07-15".into()));
        assert_eq!(value("nan"), Value::Other("nan".into()));
        assert_eq!(value("'never closed"), Value::Other("'never closed".into()));
    }

    #[test]
    fn a_slash_within_quotes_begins_no_comment() {
        let field = parse("'a/b' / c / d");
        assert_eq!((field.value, field.comment.as_str()), (Value::Text("a/b".into()), "c / d"));
    }

    #[test]
    fn a_number_that_is_written_reads_back_as_itself() {
        for number in [0.0, -0.0, 1.0, 0.1, 1e22, 1e-7, f64::MAX, f64::MIN_POSITIVE, 5e-324, -123456.789] {
            let text = Value::Real(number).written("X").unwrap();
            let Value::Real(read) = value(&text) else { panic!("{text} is not read as a real") };
            assert_eq!(read.to_bits(), number.to_bits(), "{text}");
        }
    }

    #[test]
    fn a_number_that_fits_cannot_hold_is_refused() {
        assert!(matches!(Value::Real(f64::NAN).written("X"), Err(FitsError::Unwritable { .. })));
    }
}
