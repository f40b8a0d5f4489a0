//! Reads `.env` files the way MADSci's reader does: `export`, quotes, comments, and `${NAME:-default}`.

use std::collections::BTreeMap;

use crate::Environment;

/// What a `.env` file says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Dotenv {
    /// The variables by name; a name that is set twice has its last value.
    pub(crate) variables: BTreeMap<String, String>,
    /// The numbers of lines that are not understood, and skipped.
    pub(crate) skipped: Vec<usize>,
}

/// Reads the text of a `.env` file.
pub(crate) fn parse(text: &str, environment: &Environment) -> Dotenv {
    let mut read = Dotenv::default();
    let mut rest = text;
    loop {
        rest = rest.trim_start();
        if rest.is_empty() {
            return read;
        }
        match statement(rest) {
            Some((Some((name, value)), after)) => {
                let value = expand(&value, &read.variables, environment);
                read.variables.insert(name.to_owned(), value);
                rest = after;
            }
            Some((None, after)) => rest = after,
            None => {
                read.skipped.push(text[..text.len() - rest.len()].matches('\n').count() + 1);
                rest = after_line(rest);
            }
        }
    }
}

/// The name and value that the text begins with, if it is not a comment or a name without `=`, and what follows.
fn statement(text: &str) -> Option<(Option<(&str, String)>, &str)> {
    if text.starts_with('#') {
        return Some((None, after_line(text)));
    }
    let (name, after) = name(text)?;
    let Some(after) = after.trim_start_matches([' ', '\t']).strip_prefix('=') else {
        return Some((None, after_line(after)));
    };
    let (value, after) = value(after.trim_start_matches([' ', '\t']))?;
    Some((Some((name, value)), after))
}

fn after_line(text: &str) -> &str {
    text.split_once('\n').map_or("", |(_, rest)| rest)
}

/// The name at the start of a line, and what follows it.
fn name(text: &str) -> Option<(&str, &str)> {
    let text = match text.strip_prefix("export") {
        Some(rest) if rest.starts_with([' ', '\t']) => rest.trim_start_matches([' ', '\t']),
        _ => text,
    };
    let end = text.find(|c: char| c == '=' || c == '#' || c.is_whitespace()).unwrap_or(text.len());
    (end > 0).then(|| text.split_at(end))
}

/// The value that begins here, and what follows its line.
fn value(text: &str) -> Option<(String, &str)> {
    let (value, rest) = match text.chars().next() {
        Some(quote @ ('"' | '\'')) => quoted(&text[1..], quote)?,
        _ => {
            let end = text.find(['\n', '\r']).unwrap_or(text.len());
            let (line, rest) = text.split_at(end);
            // A `#` begins a comment only after a blank.
            let comment = line.char_indices().find(|(at, c)| *c == '#' && line[..*at].ends_with([' ', '\t']));
            (line[..comment.map_or(end, |(at, _)| at)].trim_end().to_owned(), rest)
        }
    };
    let remainder = rest.split('\n').next().unwrap_or("").trim();
    (remainder.is_empty() || remainder.starts_with('#')).then(|| (value, after_line(rest)))
}

fn quoted(text: &str, quote: char) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        if character == quote {
            return Some((value, &text[at + 1..]));
        }
        if character != '\\' {
            value.push(character);
            continue;
        }
        match (characters.next()?.1, quote) {
            ('n', '"') => value.push('\n'),
            ('t', '"') => value.push('\t'),
            ('r', '"') => value.push('\r'),
            (escaped, _) if escaped == quote || escaped == '\\' => value.push(escaped),
            (other, _) => value.extend(['\\', other]),
        }
    }
    None
}

/// Replaces `${NAME}` and `${NAME:-default}`, the file's own names first, then the environment's.
fn expand(value: &str, file: &BTreeMap<String, String>, environment: &Environment) -> String {
    let mut expanded = String::new();
    let mut rest = value;
    while let Some((before, after)) = rest.split_once("${") {
        let Some((reference, after)) = after.split_once('}') else { break };
        let (name, default) = reference.split_once(":-").unwrap_or((reference, ""));
        expanded.push_str(before);
        expanded.push_str(file.get(name).map(String::as_str).or_else(|| environment.get(name)).unwrap_or(default));
        rest = after;
    }
    expanded.push_str(rest);
    expanded
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> BTreeMap<String, String> {
        let environment = Environment::new([("FOO".to_owned(), "foo".to_owned())], "/");
        parse(text, &environment).variables
    }

    #[test]
    fn every_form_that_the_earlier_system_reads_is_read() {
        for (line, value) in [
            ("A=one", "one"),
            ("export A=one", "one"),
            ("A = one ", "one"),
            ("A=\"two three\" # why", "two three"),
            ("A='a b'", "a b"),
            ("A=\"a\\nb\"", "a\nb"),
            ("A='a\\nb'", "a\\nb"),
            ("A=\"a\nb\"", "a\nb"),
            ("A=a b # c", "a b"),
            ("A=a#b", "a#b"),
            ("A=", ""),
            ("A=# taken", "# taken"),
            ("A='it\\'s'", "it's"),
            ("A='${FOO}'", "foo"),
            ("A=\"it's\"", "it's"),
            ("A=x\r\nB=y\r\n", "x"),
            ("B=1\nA=${B}-${FOO}-${NO:-default}-${NO}", "1-foo-default-"),
            ("A=1\nA=2", "2"),
        ] {
            assert_eq!(parsed(line).get("A").map(String::as_str), Some(value), "{line}");
        }
    }

    #[test]
    fn comments_and_names_without_a_value_set_nothing() {
        assert!(parsed("# A=1\n\n  # B=2\nEMPTY\n").is_empty());
    }

    #[test]
    fn a_line_that_is_not_understood_is_skipped_and_told_by_its_number() {
        let read = parse("A=1\nB=\"open\n\n=x\nC='x' y\nD=4\n", &Environment::default());
        assert_eq!(read.skipped, [2, 4, 5]);
        let names: Vec<_> = read.variables.keys().collect();
        assert_eq!(names, ["A", "D"]);
    }
}
