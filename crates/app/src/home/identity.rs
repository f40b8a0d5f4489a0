//! Which Data Manager this is: an id that stays, by the manager's name.
//!
//! `registry.json` of the home has the shape of MADSci's own registry, so one reader serves both. The home's is asked
//! first; what MADSci's registry says is taken over once, and that file is never written.

use std::collections::BTreeMap;
use std::path::Path;

use holotype_catalog::random;
use holotype_core::Instant;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use ulid::Ulid;

use super::{Home, HomeError};
use crate::files;
use crate::madsci::Madsci;

/// The largest registry that is read, in bytes.
const LARGEST: u64 = 16 << 20;

/// The identity under which datapoints are stored and the contract's routes answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manager {
    /// A ULID, unless an operator set something else.
    pub id: String,
    /// The name, also the title of the API description.
    pub name: String,
    /// A sentence about it.
    pub description: String,
}

/// Names and ids. Members that we do not use are kept as they are.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Registry {
    #[serde(default)]
    entries: BTreeMap<String, Entry>,
    #[serde(flatten)]
    rest: BTreeMap<String, Value>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Entry {
    id: String,
    #[serde(flatten)]
    rest: BTreeMap<String, Value>,
}

impl Registry {
    fn read(path: &Path) -> Result<Self, HomeError> {
        let unreadable = |problem| HomeError::Unreadable { path: path.to_owned(), problem };
        match files::read_text(path, LARGEST).map_err(|error| unreadable(error.to_string()))? {
            None => Ok(Self::default()),
            Some(text) => {
                serde_json::from_str(&text).map_err(|error| unreadable(format!("it is not a registry: {error}")))
            }
        }
    }
}

impl Home {
    /// The manager's identity: the id that is configured, else the one of this home's registry, else the one that
    /// MADSci's registry has for the same name, else a new one; the last two are written down in the home.
    pub fn manager(&self, madsci: &Madsci, now: Instant) -> Result<Manager, HomeError> {
        let name = madsci.manager_name().to_owned();
        let description = madsci.manager_description().map_or_else(|| format!("{name} Manager"), str::to_owned);
        let id = match madsci.manager_id() {
            Some(id) => id.to_owned(),
            None => self.registered(&name, madsci, now)?,
        };
        Ok(Manager { id, name, description })
    }

    fn registered(&self, name: &str, madsci: &Madsci, now: Instant) -> Result<String, HomeError> {
        let path = self.registry_file();
        let mut registry = Registry::read(&path)?;
        if let Some(entry) = registry.entries.get(name) {
            return Ok(entry.id.clone());
        }
        let foreign = madsci.registry_file().map(Registry::read).transpose()?.unwrap_or_default();
        let id = match foreign.entries.get(name) {
            Some(entry) => entry.id.clone(),
            None => {
                let millis = u64::try_from(now.as_micros() / 1000).unwrap_or(0);
                Ulid::from_parts(millis, random::bits().map_err(HomeError::Random)?).to_string()
            }
        };
        let rest = [("component_type", Value::from("manager")), ("created_at", Value::from(now.to_string()))];
        let rest = rest.map(|(key, value)| (key.to_owned(), value)).into();
        registry.entries.insert(name.to_owned(), Entry { id: id.clone(), rest });
        registry.rest.entry("version".to_owned()).or_insert_with(|| Value::from(1));
        let text = serde_json::to_string_pretty(&registry)
            .map_err(|error| HomeError::Unreadable { path: path.clone(), problem: error.to_string() })?;
        files::write_text(&path, &text).map_err(|source| HomeError::NotWritable { path, source })?;
        Ok(id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Environment;

    const NOW: Instant = Instant::from_micros(1_700_000_000_000_000);

    fn madsci(variables: &[(&str, &str)], directory: &Path) -> Madsci {
        let variables = variables.iter().map(|(name, value)| (name.to_string(), value.to_string()));
        Madsci::load(&Environment::new(variables, directory)).unwrap()
    }

    #[test]
    fn a_new_identity_is_kept_for_the_next_start() {
        let folder = tempfile::tempdir().unwrap();
        let (home, settings) = (Home::at(folder.path()), madsci(&[], folder.path()));
        let first = home.manager(&settings, NOW).unwrap();
        assert_eq!((first.name.as_str(), first.description.as_str()), ("DataManager", "DataManager Manager"));
        assert_eq!(first.id.len(), 26);
        assert_eq!(home.manager(&settings, NOW).unwrap(), first);
        let other = home.manager(&madsci(&[("DATA_MANAGER_NAME", "Other")], folder.path()), NOW).unwrap();
        assert_ne!(other.id, first.id);
        assert_eq!(home.manager(&settings, NOW).unwrap().id, first.id);
    }

    #[test]
    fn a_configured_id_wins_and_writes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::at(folder.path());
        let settings = madsci(&[("DATA_MANAGER_ID", "01M7WHEJCMGV6B9J0D4H1XDJTZ")], folder.path());
        assert_eq!(home.manager(&settings, NOW).unwrap().id, "01M7WHEJCMGV6B9J0D4H1XDJTZ");
        assert!(!home.registry_file().exists());
    }

    #[test]
    fn the_id_of_a_lab_that_moves_here_is_taken_over_and_its_registry_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let lab = folder.path().join("lab");
        std::fs::create_dir_all(lab.join(".madsci")).unwrap();
        let registry = lab.join(".madsci/registry.json");
        let text = r#"{"version":1,"entries":{"Lab Data":{"id":"01M7WHEJQPF9ZW4EHPGTRPDJCM","component_type":"manager","lock":null}}}"#;
        std::fs::write(&registry, text).unwrap();
        let home = Home::at(folder.path().join("home"));
        home.create().unwrap();

        let named = [("DATA_MANAGER_NAME", "Lab Data"), ("HOME", "/nowhere")];
        assert_eq!(home.manager(&madsci(&named, &lab), NOW).unwrap().id, "01M7WHEJQPF9ZW4EHPGTRPDJCM");
        assert_eq!(std::fs::read_to_string(&registry).unwrap(), text);
        std::fs::remove_file(&registry).unwrap();
        assert_eq!(home.manager(&madsci(&named, &lab), NOW).unwrap().id, "01M7WHEJQPF9ZW4EHPGTRPDJCM");
    }

    #[test]
    fn without_registry_resolution_the_registry_of_the_lab_is_not_read() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join(".madsci")).unwrap();
        std::fs::write(folder.path().join(".madsci/registry.json"), "damaged").unwrap();
        let home = Home::at(folder.path());
        let error = home.manager(&madsci(&[], folder.path()), NOW).unwrap_err();
        assert!(error.to_string().contains(".madsci/registry.json"), "{error}");
        let off = madsci(&[("DATA_ENABLE_REGISTRY_RESOLUTION", "false")], folder.path());
        assert_eq!(home.manager(&off, NOW).unwrap().id.len(), 26);
    }
}
