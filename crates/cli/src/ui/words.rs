//! How times, sizes and texts from elsewhere are written for people.

use holotype_core::{Instant, UserId};

/// A text without the control characters that would steer a terminal; they are shown escaped.
pub(crate) fn plain(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_control() && character != '\n' {
            safe.extend(character.escape_default());
        } else {
            safe.push(character);
        }
    }
    safe
}

/// A text on one line, cut to so many characters.
pub(crate) fn short(text: &str, longest: usize) -> String {
    let line = text.replace('\n', " ");
    if line.chars().count() <= longest {
        return line;
    }
    line.chars().take(longest.saturating_sub(3)).chain("...".chars()).collect()
}

/// A point in time to the second, in UTC, which its `Z` says.
pub(crate) fn when(instant: Instant) -> String {
    let second = Instant::from_micros(instant.as_micros().div_euclid(1_000_000).saturating_mul(1_000_000));
    second.to_string().replace('T', " ")
}

/// A number of bytes in the largest unit that leaves a whole part.
pub(crate) fn bytes(bytes: u64) -> String {
    indicatif::BinaryBytes(bytes).to_string()
}

/// A user by id; the owner of a home without users by what that is.
pub(crate) fn who(user: UserId) -> String {
    if user == UserId::LOCAL { "the home's owner".to_owned() } else { user.to_string() }
}

/// A text, or a dash where there is none.
pub(crate) fn or_dash(text: Option<String>) -> String {
    text.unwrap_or_else(|| "-".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_in_utc_to_the_second() {
        assert_eq!(when(Instant::from_micros(1_700_000_000_999_999)), "2023-11-14 22:13:20Z");
        assert_eq!(when(Instant::from_micros(-1)), "1969-12-31 23:59:59Z");
    }

    #[test]
    fn a_long_text_is_cut_and_says_so() {
        assert_eq!(short("abcdef", 6), "abcdef");
        assert_eq!(short("abc\ndefg", 6), "abc...");
    }

    #[test]
    fn sizes_have_units() {
        assert_eq!(bytes(1536), "1.50 KiB");
        assert_eq!(bytes(12), "12 B");
    }
}
