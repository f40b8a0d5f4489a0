//! Templates over a frame's fields, such as `{target_name}/{class}/{observation_day|digits}`.

use std::path::PathBuf;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The longest name of a directory; more than most file systems take.
const MOST_BYTES_OF_A_NAME: usize = 200;

/// A text with named places.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Template {
    text: String,
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Field { name: String, change: Option<Change> },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Change {
    Digits,
    Lower,
    Upper,
}

/// Why a text is no template.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{text}' is not a template: {problem}")]
pub(super) struct InvalidTemplate {
    text: String,
    problem: String,
}

/// The field that a template names and a frame lacks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("nothing says its {name}")]
pub(super) struct Unknown {
    /// The field.
    pub name: String,
}

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    /// A brace without its other half, a place without a name, an unknown change.
    pub(super) fn parse(text: &str) -> Result<Self, InvalidTemplate> {
        let invalid = |problem: &str| InvalidTemplate { text: text.to_owned(), problem: problem.to_owned() };
        let (mut parts, mut rest) = (Vec::new(), text);
        while let Some(open) = rest.find(['{', '}']) {
            let (before, at) = rest.split_at(open);
            let inside = at.strip_prefix('{').ok_or_else(|| invalid("a } has no {"))?;
            let (inside, after) = inside.split_once('}').ok_or_else(|| invalid("a { has no }"))?;
            if !before.is_empty() {
                parts.push(Part::Text(before.to_owned()));
            }
            let (name, change) = match inside.split_once('|') {
                None => (inside, None),
                Some((name, "digits")) => (name, Some(Change::Digits)),
                Some((name, "lower")) => (name, Some(Change::Lower)),
                Some((name, "upper")) => (name, Some(Change::Upper)),
                Some(_) => return Err(invalid("after | comes digits, lower or upper")),
            };
            if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c)) {
                return Err(invalid("a place has a name of letters, digits, dots, dashes and underscores"));
            }
            parts.push(Part::Field { name: name.to_owned(), change });
            rest = after;
        }
        if !rest.is_empty() {
            parts.push(Part::Text(rest.to_owned()));
        }
        Ok(Self { text: text.to_owned(), parts })
    }

    /// The text with every place filled.
    ///
    /// # Errors
    /// The first field that `field` does not know.
    pub(super) fn fill(&self, field: impl Fn(&str) -> Option<String>) -> Result<String, Unknown> {
        self.fill_with(field, |value| value)
    }

    /// A relative path: what fills a place is one part of a name, whatever it holds, and no name leads out of the tree.
    ///
    /// # Errors
    /// The first field that `field` does not know.
    pub(super) fn path(&self, field: impl Fn(&str) -> Option<String>) -> Result<PathBuf, Unknown> {
        let filled = self.fill_with(field, |value| value.replace(['/', '\\'], "_"))?;
        Ok(filled.split('/').filter(|name| !name.is_empty()).map(directory_name).collect())
    }

    fn fill_with(
        &self,
        field: impl Fn(&str) -> Option<String>,
        fit: impl Fn(String) -> String,
    ) -> Result<String, Unknown> {
        let mut filled = String::new();
        for part in &self.parts {
            match part {
                Part::Text(text) => filled.push_str(text),
                Part::Field { name, change } => {
                    let value = field(name).ok_or_else(|| Unknown { name: name.clone() })?;
                    filled.push_str(&fit(match change {
                        None => value,
                        Some(Change::Digits) => value.chars().filter(char::is_ascii_digit).collect(),
                        Some(Change::Lower) => value.to_lowercase(),
                        Some(Change::Upper) => value.to_uppercase(),
                    }));
                }
            }
        }
        Ok(filled)
    }
}

/// The name, as a directory may be called: control characters become `_`, as do a leading dot and a trailing blank; long names are cut.
fn directory_name(name: &str) -> String {
    let mut safe = String::with_capacity(name.len());
    for (index, character) in name.trim().chars().enumerate() {
        let character = if character.is_control() || (index == 0 && character == '.') { '_' } else { character };
        if safe.len() + character.len_utf8() > MOST_BYTES_OF_A_NAME {
            break;
        }
        safe.push(character);
    }
    if safe.is_empty() { "_".to_owned() } else { safe }
}

impl<'de> Deserialize<'de> for Template {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

impl Serialize for Template {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn path_of(template: &str, target: &str) -> PathBuf {
        Template::parse(template).unwrap().path(|name| (name == "target").then(|| target.to_owned())).unwrap()
    }

    #[test]
    fn places_are_filled_and_changed() {
        let template = Template::parse("a {day|digits}-{name|lower}{name|upper}.").unwrap();
        let filled = template.fill(|name| Some(if name == "day" { "2024-07-15" } else { "Ip" }.to_owned()));
        assert_eq!(filled.unwrap(), "a 20240715-ipIP.");
        assert_eq!(template.fill(|_| None), Err(Unknown { name: "day".to_owned() }));
    }

    #[test]
    fn what_is_no_template_is_refused() {
        for text in ["{", "}", "{}", "{a", "a}", "{a|b}", "{a b}", "{{a}}", "{../x}"] {
            assert!(Template::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn no_value_leads_out_of_the_tree_or_into_another_directory() {
        for (target, name) in [
            ("OGLE-2024-BLG-0034", "OGLE-2024-BLG-0034"),
            ("M 31 ", "M 31"),
            ("..", "_."),
            ("../../etc", "_._.._etc"),
            ("/etc/passwd", "_etc_passwd"),
            ("a\0b\nc", "a_b_c"),
            (".hidden", "_hidden"),
            ("  ", "_"),
            ("a\\b", "a_b"),
        ] {
            assert_eq!(path_of("x/{target}/y", target), Path::new("x").join(name).join("y"), "{target:?}");
        }
        assert_eq!(path_of("{target}", &"ä".repeat(1000)).as_os_str().len(), MOST_BYTES_OF_A_NAME);
        assert_eq!(path_of("/{target}//y/", "t"), Path::new("t/y"));
        assert_eq!(path_of("../{target}", "t"), Path::new("_./t"));
    }
}
