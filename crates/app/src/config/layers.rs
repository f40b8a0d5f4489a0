//! The places a value may come from, one over the other: flags, environment variables, `holotype.toml`, defaults.

use std::collections::BTreeMap;
use std::path::Path;

use super::key::{KEYS, Key};
use super::value::WrongForm;
use super::{ConfigError, Origin};
use crate::Environment;

/// Values that override file and environment, by the name of their key; the command line hands its flags in as these.
#[derive(Debug, Clone, Default)]
pub struct Overrides(BTreeMap<String, Vec<String>>);

impl Overrides {
    /// Adds a value for the key `name`; a key that takes a list may be given several times.
    pub fn set(&mut self, name: impl Into<String>, value: impl Into<String>) -> &mut Self {
        self.0.entry(name.into()).or_default().push(value.into());
        self
    }
}

/// A value as it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Raw {
    One(String),
    Many(Vec<String>),
}

/// What was found for every key that somebody set.
#[derive(Debug, Default)]
pub(crate) struct Layers(BTreeMap<&'static str, (Raw, Origin)>);

impl Layers {
    /// Reads the text of the file, if there is one, then the environment, then the overrides; later ones win.
    pub(crate) fn gather(
        file: Option<(&Path, &str)>,
        environment: &Environment,
        overrides: &Overrides,
    ) -> Result<Self, ConfigError> {
        let mut layers = Self::default();
        if let Some((path, text)) = file {
            layers.read_file(path, text)?;
        }
        for key in KEYS {
            let variable = key.variable();
            if let Some(value) = environment.get(&variable) {
                layers.0.insert(key.name, (Raw::One(value.to_owned()), Origin::Variable(variable)));
            }
        }
        for (name, values) in &overrides.0 {
            let key = Key::named(name).ok_or_else(|| ConfigError::UnknownOverride { name: name.clone() })?;
            let raw = match values.as_slice() {
                [one] => Raw::One(one.clone()),
                many => Raw::Many(many.to_vec()),
            };
            layers.0.insert(key.name, (raw, Origin::Flag(key.flag())));
        }
        Ok(layers)
    }

    fn read_file(&mut self, path: &Path, text: &str) -> Result<(), ConfigError> {
        let table: toml::Table = text.parse().map_err(|error: toml::de::Error| ConfigError::Syntax {
            path: path.to_owned(),
            problem: error.to_string(),
        })?;
        for (name, value) in flatten(table) {
            let key = Key::named(&name)
                .ok_or_else(|| ConfigError::UnknownKey { path: path.to_owned(), name: name.clone() })?;
            let raw = raw(value).ok_or_else(|| ConfigError::Invalid {
                key: key.name,
                value: None,
                origin: Origin::File(path.to_owned()),
                problem: format!("text, a number, true, false or a list of texts is needed ({})", key.form),
            })?;
            self.0.insert(key.name, (raw, Origin::File(path.to_owned())));
        }
        Ok(())
    }

    /// Where the value of a key came from.
    pub(crate) fn origin(&self, key: &Key) -> Origin {
        self.0.get(key.name).map_or(Origin::Default, |(_, origin)| origin.clone())
    }

    /// The text of a key that has one value, unless it is empty; the default if nobody set it and the default is a value.
    pub(crate) fn text(&self, key: &Key) -> Result<Option<&str>, ConfigError> {
        let text = match self.0.get(key.name) {
            None => key.default_value(),
            Some((Raw::One(text), _)) => Some(text.as_str()),
            Some((Raw::Many(_), _)) => return Err(self.invalid(key, None, "one value is needed, not a list")),
        };
        Ok(text.filter(|text| !text.is_empty()))
    }

    /// The value of a key, read by `parse`; none if it is empty or follows from something else.
    pub(crate) fn optional<T>(
        &self,
        key: &Key,
        parse: impl FnOnce(&str) -> Result<T, WrongForm>,
    ) -> Result<Option<T>, ConfigError> {
        self.text(key)?.map(|text| parse(text).map_err(|problem| self.invalid(key, Some(text), problem))).transpose()
    }

    /// The value of a key that always has one.
    pub(crate) fn required<T>(
        &self,
        key: &Key,
        parse: impl FnOnce(&str) -> Result<T, WrongForm>,
    ) -> Result<T, ConfigError> {
        self.optional(key, parse)?
            .ok_or_else(|| self.invalid(key, Some(""), format!("a value is needed ({})", key.form)))
    }

    /// The values of a key that takes a list, each read by `parse`; one text is split at its commas.
    pub(crate) fn list<T>(
        &self,
        key: &Key,
        parse: impl Fn(&str) -> Result<T, WrongForm>,
    ) -> Result<Vec<T>, ConfigError> {
        let items: Vec<&str> = match self.0.get(key.name) {
            None => Vec::new(),
            Some((Raw::One(text), _)) => text.split(',').collect(),
            Some((Raw::Many(items), _)) => items.iter().map(String::as_str).collect(),
        };
        items
            .into_iter()
            .map(str::trim)
            .filter(|item| !item.is_empty())
            .map(|item| parse(item).map_err(|problem| self.invalid(key, Some(item), problem)))
            .collect()
    }

    /// How the value of a key is shown, whatever its form.
    pub(crate) fn shown(&self, key: &Key) -> String {
        match self.0.get(key.name) {
            None => key.default.to_owned(),
            Some((Raw::One(text), _)) => text.clone(),
            Some((Raw::Many(items), _)) => items.join(","),
        }
    }

    pub(crate) fn invalid(&self, key: &Key, value: Option<&str>, problem: impl ToString) -> ConfigError {
        ConfigError::Invalid {
            key: key.name,
            value: value.map(super::redacted),
            origin: self.origin(key),
            problem: problem.to_string(),
        }
    }
}

/// The entries of a file as `table.key`. There is one level of tables; what lies deeper is no value and is refused.
fn flatten(table: toml::Table) -> impl Iterator<Item = (String, toml::Value)> {
    table.into_iter().flat_map(|(name, value)| match value {
        toml::Value::Table(inner) => {
            inner.into_iter().map(|(key, value)| (format!("{name}.{key}"), value)).collect::<Vec<_>>()
        }
        value => vec![(name, value)],
    })
}

fn raw(value: toml::Value) -> Option<Raw> {
    let text = |value: toml::Value| match value {
        toml::Value::String(text) => Some(text),
        toml::Value::Integer(number) => Some(number.to_string()),
        toml::Value::Boolean(flag) => Some(flag.to_string()),
        _ => None,
    };
    match value {
        toml::Value::Array(items) => items.into_iter().map(text).collect::<Option<_>>().map(Raw::Many),
        value => text(value).map(Raw::One),
    }
}

#[cfg(test)]
mod tests {
    use super::super::key::{ALLOWED_ORIGINS, JOBS_WORKERS, LISTEN, STORE_URL, TLS_KEY};
    use super::*;

    fn gather(file: &str, variables: &[(&str, &str)], overrides: &[(&str, &str)]) -> Result<Layers, ConfigError> {
        let variables = variables.iter().map(|(name, value)| (name.to_string(), value.to_string()));
        let mut handed_in = Overrides::default();
        for (name, value) in overrides {
            handed_in.set(*name, *value);
        }
        Layers::gather(Some((Path::new("/h/holotype.toml"), file)), &Environment::new(variables, "/"), &handed_in)
    }

    #[test]
    fn a_flag_wins_over_a_variable_and_a_variable_over_the_file() {
        let file = "listen = '1.1.1.1:1'\njobs.workers = 3\n[store]\nurl = '/file'\n";
        let layers =
            gather(file, &[("HOLOTYPE_LISTEN", "2.2.2.2:2"), ("HOLOTYPE_STORE_URL", "/variable")], &[("listen", "3")]);
        let layers = layers.unwrap();
        assert_eq!(layers.text(&LISTEN).unwrap(), Some("3"));
        assert_eq!(layers.origin(&LISTEN).to_string(), "flag --listen");
        assert_eq!(layers.origin(&STORE_URL).to_string(), "environment variable HOLOTYPE_STORE_URL");
        assert_eq!(layers.text(&JOBS_WORKERS).unwrap(), Some("3"));
        assert_eq!(layers.origin(&JOBS_WORKERS).to_string(), "/h/holotype.toml");
        assert_eq!(layers.origin(&TLS_KEY), Origin::Default);
    }

    #[test]
    fn a_list_is_an_array_or_separated_by_commas_or_a_repeated_flag() {
        let parse = |text: &str| Ok(text.to_owned());
        let expected = ["http://a:1", "http://b:2"];
        let file = "allowed_origins = ['http://a:1', 'http://b:2']";
        assert_eq!(gather(file, &[], &[]).unwrap().list(&ALLOWED_ORIGINS, parse).unwrap(), expected);
        let variable = [("HOLOTYPE_ALLOWED_ORIGINS", "http://a:1, http://b:2,")];
        assert_eq!(gather("", &variable, &[]).unwrap().list(&ALLOWED_ORIGINS, parse).unwrap(), expected);
        let flags = [("allowed_origins", "http://a:1"), ("allowed_origins", "http://b:2")];
        assert_eq!(gather("", &[], &flags).unwrap().list(&ALLOWED_ORIGINS, parse).unwrap(), expected);
    }

    #[test]
    fn a_key_that_does_not_exist_is_refused_by_name() {
        let error = gather("[store]\nurll = '/x'", &[], &[]).unwrap_err().to_string();
        assert!(error.contains("store.urll") && error.contains("/h/holotype.toml"), "{error}");
        assert!(gather("", &[], &[("lisen", "x")]).unwrap_err().to_string().contains("lisen"));
    }

    #[test]
    fn a_value_of_a_wrong_form_is_refused_with_its_origin() {
        let error = gather("jobs.workers = 1.5", &[], &[]).unwrap_err().to_string();
        assert!(error.contains("jobs.workers") && error.contains("/h/holotype.toml"), "{error}");
        let error = gather("not toml", &[], &[]).unwrap_err().to_string();
        assert!(error.contains("/h/holotype.toml") && error.contains("line 1"), "{error}");
        let layers = gather("listen = ['a', 'b']", &[], &[]).unwrap();
        assert!(layers.text(&LISTEN).unwrap_err().to_string().contains("not a list"));
    }
}
