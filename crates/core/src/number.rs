//! The order of JSON numbers by their exact decimal value.
//!
//! Numbers are kept as the text that was written, so neither a 64-bit integer nor a double limits them: everything here works on
//! the digits. `1`, `1.0` and `1e0` are equal, `-0.0` is equal to `0`, and 2^63 is less than 2^63 + 1.

use std::cmp::Ordering;

use serde_json::Number;

/// Orders two numbers by value.
pub fn compare(left: &Number, right: &Number) -> Ordering {
    match (left.as_i64(), right.as_i64()) {
        (Some(left), Some(right)) => left.cmp(&right),
        _ => Decimal::of(left).compare(&Decimal::of(right)),
    }
}

/// Whether the number is zero, however it is written.
pub fn is_zero(number: &Number) -> bool {
    Decimal::of(number).is_zero()
}

/// Whether the number is written as an integer: `1` is, `1.0` and `1e0` are not. Clients keep the two apart.
pub fn is_written_as_integer(number: &Number) -> bool {
    !number.as_str().contains(['.', 'e', 'E'])
}

/// The number without its fraction, if that fits 64 bits.
pub fn truncate(number: &Number) -> Option<i64> {
    Decimal::of(number).truncate()
}

/// The number, if it is whole and fits 64 bits: 2 for `2` and `2.0`, nothing for `2.5`.
pub fn to_integer(number: &Number) -> Option<i64> {
    let decimal = Decimal::of(number);
    let whole = decimal.truncate()?;
    (Decimal::of(&Number::from(whole)).compare(&decimal) == Ordering::Equal).then_some(whole)
}

/// The remainder, with the sign of the number, of dividing the number without its fraction by `divisor`.
///
/// Integers of any length have one. A number written with a fraction or an exponent has one if it fits 64 bits. A zero
/// divisor has none.
pub fn remainder(number: &Number, divisor: i64) -> Option<i64> {
    if !is_written_as_integer(number) {
        return truncate(number)?.checked_rem(divisor).or((divisor == -1).then_some(0));
    }
    let text = number.as_str();
    let (negative, digits) = text.strip_prefix('-').map_or((false, text), |digits| (true, digits));
    let modulus = u128::from(divisor.unsigned_abs());
    let rest =
        digits.bytes().try_fold(0u128, |rest, digit| (rest * 10 + u128::from(digit - b'0')).checked_rem(modulus))?;
    let rest = i64::try_from(rest).ok()?;
    Some(if negative { -rest } else { rest })
}

/// A number's text, taken apart: `-12.5e3` is negative, `12`, `5`, 3.
struct Decimal<'n> {
    negative: bool,
    /// Digits before the point, without leading zeros.
    whole: &'n [u8],
    /// Digits behind the point, without the leading zeros that `whole` being empty makes insignificant.
    fraction: &'n [u8],
    /// Where the first significant digit stands: 1 for units, 2 for tens, 0 for tenths. Meaningless for zero.
    position: i64,
}

impl<'n> Decimal<'n> {
    fn of(number: &'n Number) -> Self {
        let text = number.as_str();
        let (negative, text) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
        let (mantissa, exponent) =
            text.split_once(['e', 'E']).map_or((text, 0), |(mantissa, exponent)| (mantissa, read_exponent(exponent)));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let whole = whole.trim_start_matches('0').as_bytes();
        let significant = if whole.is_empty() { fraction.trim_start_matches('0') } else { fraction };
        let position = length(whole) - (length(fraction.as_bytes()) - length(significant.as_bytes()));
        Self { negative, whole, fraction: significant.as_bytes(), position: exponent.saturating_add(position) }
    }

    fn is_zero(&self) -> bool {
        self.digits().all(|digit| digit == b'0')
    }

    /// Every significant digit, the most significant one first.
    fn digits(&self) -> impl Iterator<Item = u8> + '_ {
        self.whole.iter().chain(self.fraction).copied()
    }

    /// The first `count` digits, with zeros behind the last significant one.
    fn padded_digits(&self, count: usize) -> impl Iterator<Item = u8> + '_ {
        self.digits().chain(std::iter::repeat(b'0')).take(count)
    }

    fn compare(&self, other: &Self) -> Ordering {
        let signs = |decimal: &Self| {
            if decimal.is_zero() {
                0
            } else if decimal.negative {
                -1
            } else {
                1
            }
        };
        let (left, right) = (signs(self), signs(other));
        match left.cmp(&right) {
            Ordering::Equal if left > 0 => self.compare_magnitude(other),
            Ordering::Equal if left < 0 => other.compare_magnitude(self),
            order => order,
        }
    }

    fn compare_magnitude(&self, other: &Self) -> Ordering {
        self.position.cmp(&other.position).then_with(|| {
            let longest = (self.whole.len() + self.fraction.len()).max(other.whole.len() + other.fraction.len());
            self.padded_digits(longest).cmp(other.padded_digits(longest))
        })
    }

    fn truncate(&self) -> Option<i64> {
        if self.position <= 0 || self.is_zero() {
            return Some(0);
        }
        // 64 bits end within 19 digits.
        let count = usize::try_from(self.position).ok().filter(|count| *count <= 19)?;
        let magnitude = self.padded_digits(count).fold(0i128, |value, digit| value * 10 + i128::from(digit - b'0'));
        i64::try_from(if self.negative { -magnitude } else { magnitude }).ok()
    }
}

fn length(digits: &[u8]) -> i64 {
    i64::try_from(digits.len()).unwrap_or(i64::MAX)
}

/// An exponent that does not fit is as good as the furthest one that does.
fn read_exponent(text: &str) -> i64 {
    text.parse().unwrap_or(if text.starts_with('-') { i64::MIN / 2 } else { i64::MAX / 2 })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> Number {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn numbers_are_ordered_by_value_and_not_by_how_they_are_written() {
        let ascending = [
            "-1e400",
            "-123456789012345678901234567891",
            "-123456789012345678901234567890",
            "-9223372036854775809",
            "-9223372036854775808",
            "-2.5",
            "-2",
            "-1e-400",
            "0",
            "1e-400",
            "0.1",
            "0.10000000000000000000000001",
            "1",
            "1.5",
            "2",
            "9",
            "10",
            "9007199254740992",
            "9007199254740993",
            "9223372036854775807",
            "9223372036854775808",
            "1e20",
            "123456789012345678901234567890",
            "1e400",
            "1e99999999999999999999999",
        ];
        for (left_index, left) in ascending.iter().enumerate() {
            for (right_index, right) in ascending.iter().enumerate() {
                let expected = left_index.cmp(&right_index);
                assert_eq!(compare(&number(left), &number(right)), expected, "{left} and {right}");
            }
        }
    }

    #[test]
    fn different_spellings_of_one_number_are_equal() {
        for spellings in [
            vec!["0", "-0", "0.0", "-0.0", "0e5", "0.000e-7"],
            vec!["1", "1.0", "1e0", "10e-1", "0.1e1", "1.000", "0.01E+2"],
            vec!["-100", "-1e2", "-100.0", "-1000e-1"],
            vec![
                "123456789012345678901234567890",
                "12345678901234567890123456789e1",
                "123456789012345678901234567890.00",
            ],
        ] {
            for left in &spellings {
                for right in &spellings {
                    assert_eq!(compare(&number(left), &number(right)), Ordering::Equal, "{left} and {right}");
                }
            }
        }
    }

    #[test]
    fn truncation_cuts_the_fraction_and_knows_the_ends_of_64_bits() {
        for (text, expected) in [
            ("2.9", Some(2)),
            ("-2.9", Some(-2)),
            ("0.99e1", Some(9)),
            ("99e-2", Some(0)),
            ("0", Some(0)),
            ("9223372036854775807.9", Some(i64::MAX)),
            ("-9223372036854775808", Some(i64::MIN)),
            ("9223372036854775808", None),
            ("1e30", None),
            ("1e-99999999999999999999", Some(0)),
        ] {
            assert_eq!(truncate(&number(text)), expected, "{text}");
        }
        assert_eq!(to_integer(&number("2.0")), Some(2));
        assert_eq!(to_integer(&number("2.5")), None);
    }

    #[test]
    fn a_remainder_has_the_sign_of_the_number_and_integers_of_any_length_have_one() {
        for (text, divisor, expected) in [
            ("7", 4, Some(3)),
            ("-7", 4, Some(-3)),
            ("7", -4, Some(3)),
            ("7.9", 4, Some(3)),
            ("-9223372036854775808", -1, Some(0)),
            ("-9223372036854775808.0", -1, Some(0)),
            ("-9223372036854775809", i64::MIN, Some(-1)),
            ("123456789012345678901234567890", 1000, Some(890)),
            ("1e30", 7, None),
            ("7", 0, None),
            ("7.5", 0, None),
        ] {
            assert_eq!(remainder(&number(text), divisor), expected, "{text} and {divisor}");
        }
    }
}
