//! Where MADSci's settings are: environment variables, `.env` files, and JSON, TOML and YAML files found upwards.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;

use super::MadsciError;
use super::dotenv;
use super::table::{Group, Setting};
use crate::config::Origin;
use crate::{Environment, files};

/// The largest settings file that is read, in bytes.
const LARGEST_FILE: u64 = 1 << 20;

/// How many directories above the first are searched.
const LEVELS: usize = 10;

/// Where the search for files begins, and where it ends.
#[derive(Debug)]
pub(crate) struct Search {
    /// `MADSCI_SETTINGS_DIR`, else the working directory.
    start: PathBuf,
    user_home: Option<PathBuf>,
}

impl Search {
    pub(crate) fn new(environment: &Environment) -> Self {
        let start = environment.get("MADSCI_SETTINGS_DIR").unwrap_or(".");
        Self { start: environment.absolute(Path::new(start)), user_home: environment.user_home() }
    }

    /// The directories to look in, nearest first, up to and with the user's home.
    fn upwards(&self) -> impl Iterator<Item = &Path> {
        let mut above_home = false;
        self.start.ancestors().take(LEVELS + 1).take_while(move |directory| {
            let within = !above_home;
            above_home |= Some(*directory) == self.user_home.as_deref();
            within
        })
    }

    /// A file of this name: the nearest one up to the project's root, else one in a subdirectory of the start.
    fn file(&self, name: &str, subdirectories: &[&str]) -> Option<PathBuf> {
        for directory in self.upwards() {
            let candidate = directory.join(name);
            if candidate.is_file() {
                return Some(candidate);
            }
            // A project's root is searched, and nothing above it.
            if directory.join(".madsci").is_dir() || directory.join(".git").exists() {
                break;
            }
        }
        subdirectories.iter().map(|subdirectory| self.start.join(subdirectory).join(name)).find(|path| path.is_file())
    }

    /// MADSci's own directory: the nearest `.madsci/`, else one beside the nearest `.git`, else the one of the user.
    pub(crate) fn madsci_directory(&self) -> Option<PathBuf> {
        let nearest = self.upwards().map(|directory| directory.join(".madsci")).find(|path| path.is_dir());
        let beside_git =
            || self.upwards().find(|directory| directory.join(".git").exists()).map(|root| root.join(".madsci"));
        nearest.or_else(beside_git).or_else(|| self.user_home.as_ref().map(|home| home.join(".madsci")))
    }
}

/// What was found for the settings of a group: values as they were written, by lower-case name as in files.
pub(crate) struct Found<'e> {
    group: &'static Group,
    environment: &'e Environment,
    /// The group's `.env` files, the one that wins first.
    dotenv: Vec<(PathBuf, BTreeMap<String, String>)>,
    files: BTreeMap<String, (Value, PathBuf)>,
}

impl<'e> Found<'e> {
    /// Reads every file of the group. `warnings` receives what was skipped.
    pub(crate) fn gather(
        group: &'static Group,
        search: &Search,
        environment: &'e Environment,
        warnings: &mut Vec<String>,
    ) -> Result<Self, MadsciError> {
        let mut found = Self { group, environment, dotenv: Vec::new(), files: BTreeMap::new() };
        for name in [format!("{}.env", group.stem), ".env".to_owned()] {
            if let Some((path, text)) = open(search, &name, group)? {
                let read = dotenv::parse(&text, environment);
                for line in read.skipped {
                    warnings.push(format!("line {line} of {} is not understood and was skipped", path.display()));
                }
                found.dotenv.push((path, read.variables));
            }
        }
        let wanted = found.wanted();
        // Later ones win: JSON over TOML over YAML, the group's own file over the shared one.
        for (extension, read) in [("yaml", yaml as Reader), ("toml", toml), ("json", json)] {
            for name in [format!("settings.{extension}"), format!("{}.settings.{extension}", group.stem)] {
                if let Some((path, text)) = open(search, &name, group)? {
                    let values =
                        read(&text, &wanted).map_err(|problem| MadsciError::Syntax { path: path.clone(), problem })?;
                    found.files.extend(values.into_iter().map(|(key, value)| (key, (value, path.clone()))));
                }
            }
        }
        Ok(found)
    }

    /// The names, in lower case, that may be in a file.
    fn wanted(&self) -> Vec<String> {
        self.group.settings.iter().flat_map(|setting| self.names(setting)).collect()
    }

    /// The names of a setting in a file. One without a prefix wins over one with it, wherever they are.
    fn names(&self, setting: &Setting) -> Vec<String> {
        let plain = std::iter::once(setting.name).chain(setting.aliases.iter().copied());
        let prefixed = plain.clone().map(|name| format!("{}_{name}", self.group.stem));
        plain.map(str::to_owned).chain(prefixed).collect()
    }

    /// The value of a setting as it was written, and where.
    pub(crate) fn value(&self, setting: &Setting) -> Option<(Value, Origin)> {
        let prefixed = format!("{}{}", self.group.prefix, setting.name.to_ascii_uppercase());
        let variables = std::iter::once(prefixed).chain(setting.aliases.iter().map(|name| name.to_ascii_uppercase()));
        let variables: Vec<String> = variables.collect();
        let in_environment = variables.iter().find_map(|name| self.environment.get_in_any_case(name));
        if let Some((name, value)) = in_environment {
            return Some((Value::from(value), Origin::Variable(name.to_owned())));
        }
        for (path, values) in &self.dotenv {
            let set = |name: &String| values.iter().find(|(other, _)| other.eq_ignore_ascii_case(name));
            if let Some((_, value)) = variables.iter().find_map(set) {
                return Some((Value::from(value.as_str()), Origin::File(path.clone())));
            }
        }
        let (value, path) = self.names(setting).iter().find_map(|name| self.files.get(name))?;
        Some((value.clone(), Origin::File(path.clone())))
    }
}

fn open(search: &Search, name: &str, group: &Group) -> Result<Option<(PathBuf, String)>, MadsciError> {
    let Some(path) = search.file(name, group.subdirectories) else { return Ok(None) };
    match files::read_text(&path, LARGEST_FILE) {
        Ok(text) => Ok(text.map(|text| (path, text))),
        Err(source) => Err(MadsciError::Unreadable { path, source }),
    }
}

type Reader = fn(&str, &[String]) -> Result<BTreeMap<String, Value>, String>;

fn yaml(text: &str, wanted: &[String]) -> Result<BTreeMap<String, Value>, String> {
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! { max_depth: 64, max_aliases: 1_000, max_anchors: 1_000, max_nodes: 50_000 },
        duplicate_keys: serde_saphyr::options::DuplicateKeyPolicy::LastWins,
    };
    serde_saphyr::with_deserializer_from_str_with_options(text, options, |deserializer| {
        Wanted(wanted).deserialize(deserializer)
    })
    .map_err(|error| error.to_string())
}

fn toml(text: &str, wanted: &[String]) -> Result<BTreeMap<String, Value>, String> {
    let deserializer = toml::Deserializer::parse(text).map_err(|error| error.to_string())?;
    Wanted(wanted).deserialize(deserializer).map_err(|error| error.to_string())
}

fn json(text: &str, wanted: &[String]) -> Result<BTreeMap<String, Value>, String> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let values = Wanted(wanted).deserialize(&mut deserializer).and_then(|values| deserializer.end().map(|()| values));
    values.map_err(|error| error.to_string())
}

/// Takes the wanted members of a mapping, by their names in any case, and passes over everything else: a shared file
/// holds the settings of many programs.
struct Wanted<'w>(&'w [String]);

impl<'de> DeserializeSeed<'de> for Wanted<'_> {
    type Value = BTreeMap<String, Value>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Wanted<'_> {
    type Value = BTreeMap<String, Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a mapping of settings")
    }

    /// An empty file.
    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(BTreeMap::new())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut values = BTreeMap::new();
        while let Some(key) = map.next_key::<String>()? {
            let key = key.to_ascii_lowercase();
            if self.0.contains(&key) {
                values.insert(key, map.next_value()?);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(values)
    }
}
