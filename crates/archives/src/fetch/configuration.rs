//! `reduction_config.yaml`: the user's template with what the frame says of its target.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{files, yaml};
use crate::ArchiveError;

/// What the file is called in a dataset's directory.
pub(super) const NAME: &str = "reduction_config.yaml";

/// The template of a reduction's configuration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Template(Map<String, Value>);

impl Template {
    /// Reads a template; `name` is what errors call it.
    ///
    /// # Errors
    /// [`ArchiveError::Config`] if it is no YAML mapping.
    pub fn parse(name: &str, text: &str) -> Result<Self, ArchiveError> {
        let options = serde_saphyr::options! {
            budget: serde_saphyr::budget! { max_depth: 32, max_aliases: 100, max_anchors: 100, max_nodes: 10_000 },
        };
        serde_saphyr::from_str_with_options(text, options)
            .map(Self)
            .map_err(|error| ArchiveError::Config { file: name.to_owned(), problem: error.render() })
    }

    /// The configuration with these values, by section and key; all else is the template's.
    pub fn fill(&self, values: &BTreeMap<String, BTreeMap<String, String>>) -> String {
        let mut filled = self.0.clone();
        for (section, keys) in values {
            let section = filled.entry(section).or_insert_with(|| Value::Object(Map::new()));
            if !section.is_object() {
                *section = Value::Object(Map::new());
            }
            if let Some(section) = section.as_object_mut() {
                section.extend(keys.iter().map(|(key, value)| (key.clone(), Value::String(value.clone()))));
            }
        }
        yaml::dump(&Value::Object(filled))
    }

    /// Writes the configuration of a dataset, unless it has one. Whether it was written.
    ///
    /// # Errors
    /// [`ArchiveError::File`].
    pub fn write(
        &self,
        directory: &Path,
        values: &BTreeMap<String, BTreeMap<String, String>>,
    ) -> Result<bool, ArchiveError> {
        let path = directory.join(NAME);
        // Whatever is there is the user's, a link that leads nowhere as well.
        if path.symlink_metadata().is_ok() {
            return Ok(false);
        }
        files::write_whole(&path, self.fill(values).as_bytes())?;
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values() -> BTreeMap<String, BTreeMap<String, String>> {
        let target = [("name", "Proxima"), ("RA", "14:29:42.9")].map(|(key, value)| (key.to_owned(), value.to_owned()));
        BTreeMap::from([("target".to_owned(), BTreeMap::from(target))])
    }

    #[test]
    fn the_template_keeps_its_order_and_everything_that_no_value_replaces() {
        let template =
            Template::parse("t", "target:\n  name: x\n  RA: 1\n  Dec: 2\nphotometry:\n  aperture_arcsec: 2.0\n");
        let filled = template.unwrap().fill(&values());
        assert_eq!(
            filled,
            "target:\n  name: Proxima\n  RA: '14:29:42.9'\n  Dec: 2\nphotometry:\n  aperture_arcsec: 2.0\n"
        );
    }

    #[test]
    fn a_configuration_that_is_there_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let template = Template::parse("t", "a: 1").unwrap();
        assert!(template.write(folder.path(), &values()).unwrap());
        let path = folder.path().join(NAME);
        std::fs::write(&path, "mine").unwrap();
        assert!(!template.write(folder.path(), &values()).unwrap());
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "mine");
    }

    #[test]
    fn a_template_that_is_no_mapping_is_refused() {
        for text in ["- a", "a", "a: [", "a: 1\na: 2"] {
            assert!(Template::parse("t", text).is_err(), "{text}");
        }
    }
}
