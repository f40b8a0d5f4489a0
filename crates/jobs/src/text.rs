//! Text from handlers is kept, but only so much of it.

/// `text` in at most `bytes` bytes, with a note where it was cut.
pub(crate) fn cut(text: &str, bytes: usize) -> String {
    if text.len() <= bytes {
        return text.to_owned();
    }
    let note = format!(" [cut: {} bytes]", text.len());
    let mut end = bytes.saturating_sub(note.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}{note}", &text[..end])
}

/// `text` without the one character that PostgreSQL cannot keep.
pub(crate) fn storable(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_text_is_cut_at_a_character_and_says_how_long_it_was() {
        assert_eq!(cut("short", 5), "short");
        let long = cut(&"é".repeat(100), 50);
        assert!(long.len() <= 50 && long.ends_with("é [cut: 200 bytes]"), "{long}");
    }

    #[test]
    fn a_null_character_is_replaced_because_one_engine_refuses_it() {
        assert_eq!(storable("a\0b"), "a\u{fffd}b");
    }
}
