//! Names made out of what clients send: the logical path of a file, the name of an object, a media type.

use std::path::Path;

use jiff::civil::Date;

/// The longest name of a file that is kept, in bytes; file systems of clients end at 255.
const LONGEST_NAME: usize = 1_024;

/// The name a file is kept under: what the client called it, without what could lead out of a directory.
///
/// Separators and NUL become `_`, and so do all dots of a run of them. `%22`, as clients write a quotation mark, stays.
pub fn safe(name: &str) -> String {
    let mut kept = name.replace(['/', '\\', '\0'], "_");
    while let Some(start) = kept.find("..") {
        let end = kept[start..].find(|character| character != '.').map_or(kept.len(), |length| start + length);
        kept.replace_range(start..end, &"_".repeat(end - start));
    }
    kept.truncate(kept.floor_char_boundary(LONGEST_NAME));
    kept
}

/// Where a file of a datapoint lies in the dated layout: `<root>/<year>/<month>/<day>/<id>_<name>`, without padding.
///
/// The path is a name in the record and in answers. Nothing is ever written there or read from there.
pub(crate) fn logical_path(root: &Path, date: Date, id: &str, name: &str) -> String {
    let (year, month, day) = (date.year(), date.month(), date.day());
    let root = root.to_string_lossy();
    format!("{}/{year}/{month}/{day}/{}", root.trim_end_matches('/'), safe(&format!("{id}_{name}")))
}

/// The media type that a file is answered with, by the ending of its name.
pub fn media_type(name: &str) -> String {
    let guessed = mime_guess::from_path(name).first_or_octet_stream();
    if guessed.type_() == mime_guess::mime::TEXT { format!("{guessed}; charset=utf-8") } else { guessed.to_string() }
}

/// The same without a character set, as object stores keep it.
pub(crate) fn bare_media_type(name: &str) -> String {
    mime_guess::from_path(name).first_or_octet_stream().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(id: &str, name: &str) -> String {
        logical_path(Path::new("/srv/datapoints"), Date::constant(2026, 1, 2), id, name)
    }

    #[test]
    fn a_path_is_dated_without_padding_and_keeps_the_clients_name() {
        assert_eq!(path("01M7", "data 1.csv"), "/srv/datapoints/2026/1/2/01M7_data 1.csv");
        assert_eq!(path("01M7", "résultat%22q.bin"), "/srv/datapoints/2026/1/2/01M7_résultat%22q.bin");
    }

    #[test]
    fn a_hostile_id_or_name_stays_in_the_days_directory() {
        for (id, name) in [
            ("../../X", "a"),
            ("..", ".."),
            ("", ""),
            ("/etc/passwd", "x"),
            ("a", "../../../b"),
            ("a\0b", "c\0"),
            ("a", "..\\..\\b"),
            ("....", "...."),
            ("_", "\u{ff0f}.."),
            (".", "./."),
        ] {
            let path = path(id, name);
            let last = path.strip_prefix("/srv/datapoints/2026/1/2/").unwrap();
            assert!(
                !last.contains(['/', '\\', '\0']) && !last.contains("..") && !last.is_empty(),
                "{id:?} {name:?}: {path}"
            );
        }
    }

    #[test]
    fn a_long_name_is_cut_between_characters() {
        assert_eq!(safe(&"é".repeat(2_000)).len(), LONGEST_NAME);
        assert_eq!(safe(&format!("x{}", "é".repeat(2_000))).len(), LONGEST_NAME - 1);
    }

    #[test]
    fn the_ending_of_a_name_tells_the_media_type() {
        assert_eq!(media_type("data 1.csv"), "text/csv; charset=utf-8");
        assert_eq!(media_type("a.json"), "application/json");
        assert_eq!(media_type("a.png"), "image/png");
        for unknown in ["a.bin", "a", "", "a.unknown-ending", ".csv"] {
            assert_eq!(media_type(unknown), "application/octet-stream", "{unknown}");
        }
        assert_eq!(bare_media_type("a.txt"), "text/plain");
    }
}
