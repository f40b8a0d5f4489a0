//! Lists with a file on each line: the output of `md5sum` and its like, or whatever a pattern finds.

use regex::Regex;
use serde_json::{Map, Value};

use super::super::definition::LinesDecoder;
use super::{Decoded, is_markup};

/// A line of `md5sum`, `sha1sum`, `sha256sum` or `sha512sum`.
const SUM: &str = r"^(?<digest>[0-9a-fA-F]{32,128})[ \t]+\*?(?<path>.+?)\s*$";

pub(super) fn decode(decoder: &LinesDecoder, text: &str) -> Result<Decoded, String> {
    if is_markup(text) {
        return Err("it is a web page or XML".to_owned());
    }
    let rows = match &decoder.pattern {
        // The pattern chooses: a script of downloads has other lines too.
        Some(pattern) => text.lines().filter_map(|line| pattern.captures(line).map(|found| row(&found))).collect(),
        None => sums(text)?,
    };
    Ok(Decoded { rows, ..Decoded::default() })
}

fn sums(text: &str) -> Result<Vec<Value>, String> {
    let pattern = Regex::new(SUM).map_err(|error| error.to_string())?;
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty() && !line.starts_with('#'));
    let read = |(number, line): (usize, &str)| {
        let found = pattern.captures(line).ok_or_else(|| format!("line {} is no digest and a name", number + 1))?;
        Ok(row(&found))
    };
    lines.map(read).collect()
}

/// The named groups, and the last part of `path` as `name`.
fn row(found: &regex::Captures<'_>) -> Value {
    let groups = ["digest", "path", "url", "name", "size", "version", "date"];
    let named = groups.iter().filter_map(|name| Some((*name, found.name(name)?.as_str())));
    let mut row = Map::from_iter(named.map(|(name, value)| (name.to_owned(), Value::from(value))));
    if let Some(path) = found.name("path").or_else(|| found.name("url")) {
        let name = path.as_str().rsplit('/').next().unwrap_or_default();
        row.entry("name").or_insert_with(|| name.into());
    }
    Value::Object(row)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_sums_of_files_are_read_and_an_odd_line_is_told() {
        let md5 = "d8b7bce5f24922c5d03dec9fb73b6c8b";
        let text = format!("# night\n{md5}  raw/a b.fits\n{md5} *c.fits\r\n\n");
        let decoded = decode(&LinesDecoder { pattern: None }, &text).unwrap();
        let expected = [
            json!({"digest": md5, "path": "raw/a b.fits", "name": "a b.fits"}),
            json!({"digest": md5, "path": "c.fits", "name": "c.fits"}),
        ];
        assert_eq!(decoded.rows, expected);
        let error = decode(&LinesDecoder { pattern: None }, &format!("{text}oops\n")).unwrap_err();
        assert!(error.contains("line 5"), "{error}");
    }

    #[test]
    fn a_pattern_finds_files_in_a_script() {
        let pattern = String::from(r#"^wget .*"(?<url>https?://[^"]+)""#).try_into().unwrap();
        let script = "#!/bin/sh\nwget -nc \"https://h/data/a.fits\"\necho done\n";
        let decoded = decode(&LinesDecoder { pattern: Some(pattern) }, script).unwrap();
        assert_eq!(decoded.rows, [json!({"url": "https://h/data/a.fits", "name": "a.fits"})]);
    }
}
