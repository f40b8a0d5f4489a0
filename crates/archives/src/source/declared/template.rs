//! Texts with holes: `{settings.url}/api/records`, `{file.links.self|file.links.download}`.
//!
//! A hole names a value; the first of its alternatives that there is fills it. `{{` and `}}` are braces.

use serde_json::Value;

use super::path::Path;

/// A text with holes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Template(Vec<Part>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Hole(Vec<Path>),
}

/// What a hole may begin with.
const ROOTS: [&str; 15] = [
    "settings",
    "start",
    "end",
    "proposal",
    "target",
    "parameters",
    "page",
    "offset",
    "limit",
    "cursor",
    "row",
    "file",
    "link",
    "adql",
    "secret",
];

/// What the text around a hole is, and so how what fills it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// As it is.
    Plain,
    /// Part of an address: everything special is percent-encoded, but not slashes, and not what the settings say.
    Address,
    /// A value of ADQL: texts in quotes.
    Adql,
}

/// Why a template could not be filled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Unfilled {
    /// No value of these names.
    Absent(String),
    /// A value that does not belong there.
    Unfit(String),
}

impl Template {
    /// Fills the holes from `scope`, an object.
    pub(super) fn fill(&self, scope: &Value, form: Form) -> Result<String, Unfilled> {
        let alone = self.0.len() == 1;
        let mut text = String::new();
        for part in &self.0 {
            match part {
                Part::Text(literal) => text.push_str(literal),
                Part::Hole(paths) => {
                    let (path, value) = pick(paths, scope)?;
                    let form = match form {
                        // A whole address, or what an administrator wrote.
                        Form::Address if alone || path.root() == Some("settings") => Form::Plain,
                        form => form,
                    };
                    push(&mut text, value, form)?;
                }
            }
        }
        Ok(text)
    }

    /// The value of a template that is one hole and nothing else, with its type; else the text.
    pub(super) fn value(&self, scope: &Value) -> Result<Value, Unfilled> {
        match self.0.as_slice() {
            [Part::Hole(paths)] => pick(paths, scope).map(|(_, value)| value.clone()),
            _ => self.fill(scope, Form::Plain).map(Value::String),
        }
    }
}

fn pick<'p, 'v>(paths: &'p [Path], scope: &'v Value) -> Result<(&'p Path, &'v Value), Unfilled> {
    let found = paths.iter().find_map(|path| path.find(scope).map(|value| (path, value)));
    found.ok_or_else(|| {
        let root = paths.first().and_then(Path::root).unwrap_or_default();
        match paths.first().and_then(Path::second) {
            // What is asked for may be absent; what the definition itself leaves open may not.
            Some(name) if root == "settings" => Unfilled::Unfit(format!("there is no setting '{name}'")),
            Some(name) => Unfilled::Absent(format!("{root}.{name}")),
            None => Unfilled::Absent(root.to_owned()),
        }
    })
}

fn push(text: &mut String, value: &Value, form: Form) -> Result<(), Unfilled> {
    let plain = match value {
        Value::String(plain) => plain.clone(),
        Value::Number(number) => number.to_string(),
        Value::Bool(truth) => truth.to_string(),
        Value::Null | Value::Array(_) | Value::Object(_) => {
            return Err(Unfilled::Unfit("a list or an object does not fit into a text".to_owned()));
        }
    };
    match form {
        Form::Plain => text.push_str(&plain),
        Form::Address => {
            // A way up would leave the folder that the template names.
            if plain.split('/').any(|segment| matches!(segment, "." | "..")) {
                return Err(Unfilled::Unfit(format!("'{plain}' leaves its folder")));
            }
            text.extend(percent_encoding::utf8_percent_encode(&plain, SPECIAL));
        }
        Form::Adql if value.is_string() => {
            text.push('\'');
            text.push_str(&plain.replace('\'', "''"));
            text.push('\'');
        }
        Form::Adql => text.push_str(&plain),
    }
    Ok(())
}

/// All that RFC 3986 and S3's signatures want encoded in a path.
const SPECIAL: &percent_encoding::AsciiSet =
    &percent_encoding::NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~').remove(b'/');

impl TryFrom<String> for Template {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let wrong = |problem: &str| format!("'{text}' is no template: {problem}");
        let mut parts = Vec::new();
        let mut literal = String::new();
        let mut rest = text.as_str();
        while let Some(at) = rest.find(['{', '}']) {
            literal.push_str(&rest[..at]);
            let brace = &rest[at..=at];
            rest = &rest[at + 1..];
            if let Some(after) = rest.strip_prefix(brace) {
                literal.push_str(brace);
                rest = after;
            } else if brace == "}" {
                return Err(wrong("a brace closes nothing; a brace itself is written twice"));
            } else {
                let (hole, after) = rest.split_once('}').ok_or_else(|| wrong("a brace is not closed"))?;
                if !literal.is_empty() {
                    parts.push(Part::Text(std::mem::take(&mut literal)));
                }
                let names = hole.split('|').map(|name| Path::try_from(name.trim().to_owned()));
                let paths = names.collect::<Result<Vec<_>, _>>()?;
                if let Some(unknown) = paths.iter().find(|path| path.root().is_none_or(|root| !ROOTS.contains(&root))) {
                    return Err(wrong(&format!("nothing is called '{}'", unknown.root().unwrap_or_default())));
                }
                parts.push(Part::Hole(paths));
                rest = after;
            }
        }
        literal.push_str(rest);
        if !literal.is_empty() || parts.is_empty() {
            parts.push(Part::Text(literal));
        }
        Ok(Self(parts))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn template(text: &str) -> Template {
        Template::try_from(text.to_owned()).unwrap()
    }

    #[test]
    fn holes_are_filled_by_the_first_value_that_there_is() {
        let scope = json!({"row": {"name": "a b", "size": 7, "none": null}});
        let fill = |text: &str| template(text).fill(&scope, Form::Plain);
        assert_eq!(fill("{{x}} {row.name}: {row.size}").unwrap(), "{x} a b: 7");
        assert_eq!(fill("{row.none|row.size}").unwrap(), "7");
        assert_eq!(fill("{row.none}"), Err(Unfilled::Absent("row.none".to_owned())));
        assert_eq!(template("{row.size}").value(&scope).unwrap(), json!(7));
        assert_eq!(template("").fill(&scope, Form::Plain).unwrap(), "");
    }

    #[test]
    fn a_value_stays_within_the_part_of_an_address_that_it_fills() {
        let scope = json!({"settings": {"url": "https://h/a?b"}, "row": {"key": "x/y z?#%", "up": "a/../../b"}});
        let fill = |text: &str| template(text).fill(&scope, Form::Address);
        assert_eq!(fill("{settings.url}/{row.key}").unwrap(), "https://h/a?b/x/y%20z%3F%23%25");
        assert!(matches!(fill("{settings.url}/{row.up}"), Err(Unfilled::Unfit(_))));
        assert_eq!(fill("{row.key}").unwrap(), "x/y z?#%", "a whole address");
    }

    #[test]
    fn a_text_cannot_leave_its_quotes_in_adql() {
        let scope = json!({"target": "x' OR '1'='1", "start": 60000.5});
        let filled = template("t = {target} AND d >= {start}").fill(&scope, Form::Adql).unwrap();
        assert_eq!(filled, "t = 'x'' OR ''1''=''1' AND d >= 60000.5");
    }

    #[test]
    fn nonsense_is_no_template() {
        for text in ["{", "}", "{row", "{}", "{row.}", "a}b", "{rwo.id}"] {
            assert!(Template::try_from(text.to_owned()).is_err(), "{text}");
        }
    }
}
