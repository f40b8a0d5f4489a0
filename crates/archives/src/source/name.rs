//! Whether a file name from outside may become the name of a file here.

/// Names longer than this are refused by the file systems we write to.
const MAX_BYTES: usize = 255;

/// Says why `name` may not become the name of a file, if so: it must be one plain path component, without control
/// characters, of at most 255 bytes.
///
/// # Errors
/// The reason, as the end of a sentence that begins with the name.
pub fn check_name(name: &str) -> Result<(), &'static str> {
    if name.is_empty() {
        Err("is empty")
    } else if name.len() > MAX_BYTES {
        Err("is longer than 255 bytes")
    } else if name == "." || name == ".." {
        Err("is a folder's own name")
    } else if name.contains(['/', '\\']) {
        Err("holds a path separator")
    } else if name.chars().any(|character| character.is_control() || is_disguise(character)) {
        Err("holds a control character")
    } else {
        Ok(())
    }
}

/// Characters that change how the text around them is shown, so that a name reads as another one.
fn is_disguise(character: char) -> bool {
    matches!(character, '\u{200e}' | '\u{200f}' | '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_file_name_may_be_used() {
        for name in ["lsc1m005-fa15-20240714-0100-e91.fits.fz", "a b.fits", ".hidden", "Ünïcode.fits", &"x".repeat(255)]
        {
            assert_eq!(check_name(name), Ok(()), "{name}");
        }
    }

    #[test]
    fn a_name_that_leaves_its_folder_or_hides_itself_is_refused() {
        let hostile = ["", ".", "..", "../a", "/etc/passwd", "a\\b", "a\0b", "a\nb", "a\u{202e}stif", &"x".repeat(256)];
        for name in hostile {
            assert!(check_name(name).is_err(), "{name:?}");
        }
    }
}
