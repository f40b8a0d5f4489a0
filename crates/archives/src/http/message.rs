//! What a server says about its refusal, in one short line.

use serde_json::Value;

use crate::source::declared::decode::votable;

/// The most of an answer that is looked at.
pub(crate) const MAX_BYTES: usize = 16 * 1024;

/// The most of it that is repeated.
const MAX_CHARACTERS: usize = 200;

/// The reason in a refusal: of a problem document, of S3's XML, of a VOTable, or the text if it is short and no page.
pub(crate) fn of(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let text = text.trim();
    let reason = match serde_json::from_str::<Value>(text) {
        Ok(Value::Object(fields)) => ["detail", "message", "error_description", "error"]
            .iter()
            .find_map(|name| fields.get(*name)?.as_str().map(str::to_owned))
            .unwrap_or_else(|| Value::Object(fields).to_string()),
        Ok(other) => other.to_string(),
        Err(_) if text.starts_with('<') => {
            element(text, "Message").map(str::to_owned).or_else(|| votable::refusal(text)).unwrap_or_default()
        }
        Err(_) => text.to_owned(),
    };
    plain(&reason)
}

/// The text of the first element of this name, where it is plain.
fn element<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    let (_, rest) = text.split_once(&format!("<{name}>"))?;
    Some(rest.split_once('<')?.0)
}

/// One line without control characters, cut to a length that can be shown.
pub(crate) fn plain(text: &str) -> String {
    let line = text.chars().map(|character| if character.is_control() { ' ' } else { character });
    let mut shown: String = line.take(MAX_CHARACTERS).collect();
    if text.chars().nth(MAX_CHARACTERS).is_some() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reason_is_found_in_every_form_that_archives_use() {
        assert_eq!(of(br#"{"detail":"Invalid token."}"#), "Invalid token.");
        assert_eq!(of(br#"{"start":["Enter a valid date/time."]}"#), r#"{"start":["Enter a valid date/time."]}"#);
        assert_eq!(
            of(b"<?xml version=\"1.0\"?><Error><Code>X</Code><Message>Access Denied</Message></Error>"),
            "Access Denied"
        );
        assert_eq!(
            of(b"<VOTABLE><RESOURCE><INFO value='ERROR' name='QUERY_STATUS'> no\ntable &lt;x> </INFO></RESOURCE></VOTABLE>"),
            "no table <x>"
        );
        assert_eq!(of(b"<html><body>Log in</body></html>"), "");
        assert_eq!(of(b"no\r\nsuch\x1b[31m thing"), "no  such [31m thing");
        assert_eq!(of("x".repeat(300).as_bytes()).chars().count(), 201);
        assert_eq!(of(&[0xff, 0xfe]), "\u{fffd}\u{fffd}");
    }
}
