//! From files on the user's disk to a request that can be carried out anywhere.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use holotype_core::Instant;

use super::config::{ArchiveConfig, FetchConfig, MOST_BYTES, Window};
use super::configuration::Template;
use super::connect;
use super::packing::Packing;
use super::rules::Rules;
use super::run::{FetchOptions, FetchRequest};
use crate::ArchiveError;
use crate::source::declared;

impl FetchRequest {
    /// Reads a configuration and what it names. Relative paths are under the configuration's own directory.
    ///
    /// # Errors
    /// A file that cannot be read, and [`ArchiveError::Config`] with the line of what is wrong in one.
    pub fn load(path: &Path, rules: Option<&Path>, options: FetchOptions, now: Instant) -> Result<Self, ArchiveError> {
        let path = std::path::absolute(path).map_err(|error| ArchiveError::io(path, "cannot be found", error))?;
        let directory = path.parent().unwrap_or(Path::new("/"));
        let name = path.display().to_string();
        let mut config = FetchConfig::parse(&name, &read(&path)?, directory)?;
        if let Some(rules) = rules {
            let rules =
                std::path::absolute(rules).map_err(|error| ArchiveError::io(rules, "cannot be found", error))?;
            config.rules = Some(rules);
        }
        let rules = match &config.rules {
            Some(path) => Rules::parse(&path.display().to_string(), &read(path)?)?,
            None => Rules::shipped()?,
        };
        let template = Template::parse(&config.template.display().to_string(), &read(&config.template)?)?;
        let window = config.window_at(now);
        let (mut definitions, mut places, mut unpacking) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        for archive in &config.archives {
            let Some(named) = &archive.definition else { continue };
            let text = match declared::shipped_text(named) {
                Some(text) => text.to_owned(),
                None => read(&directory.join(named))?,
            };
            let definition = connect::definition(archive, &text)?;
            // Rules that the user names are the user's last word.
            if let Some(place) = definition.place.filter(|_| config.rules.is_none()) {
                let problem = |error: serde_json::Error| ArchiveError::Config {
                    file: named.clone(),
                    problem: format!("its place is no rules: {error}"),
                };
                places.insert(archive.key.clone(), serde_json::from_value(place).map_err(problem)?);
            }
            unpacking.insert(archive.key.clone(), definition.unpack);
            definitions.insert(archive.key.clone(), text);
        }
        Ok(Self { name, config, rules, places, unpacking, definitions, template, window, options })
    }

    /// The rules for an archive's frames.
    pub(super) fn rules_of(&self, archive: &ArchiveConfig) -> &Rules {
        self.places.get(&archive.key).unwrap_or(&self.rules)
    }

    /// What is done with an archive's packed files.
    pub(super) fn packing_of(&self, archive: &ArchiveConfig) -> Packing<'_> {
        Packing(self.unpacking.get(&archive.key))
    }

    /// The same request when a schedule asks for it: the observations since 24 hours before it was due, so that none is lost
    /// when it is asked for late.
    #[must_use]
    pub(super) fn due(self, due: Instant, now: Instant) -> Self {
        let window = self.config.window.unwrap_or(Window { end: now, ..Window::last_day(due) });
        Self { window, ..self }
    }
}

fn read(path: &Path) -> Result<String, ArchiveError> {
    let failed = |error| ArchiveError::io(path, "cannot be read", error);
    let mut text = String::new();
    File::open(path).map_err(failed)?.take(MOST_BYTES + 1).read_to_string(&mut text).map_err(failed)?;
    if text.len() as u64 > MOST_BYTES {
        return Err(ArchiveError::file(path, "it is larger than a mebibyte"));
    }
    Ok(text)
}
