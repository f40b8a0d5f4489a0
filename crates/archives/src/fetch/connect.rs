//! From a configuration to archives that can be asked.

use std::sync::Arc;

use holotype_core::Clock;
use secrecy::SecretString;

use super::config::ArchiveConfig;
use super::run::{FetchRequest, Sources};
use crate::ArchiveError;
use crate::http::{Http, Policy};
use crate::source::declared::{Declared, Definition};
use crate::source::{ArchiveSource, Ocs, SourceError};

/// Where secrets are looked up by the names of environment variables.
pub trait Secrets: Send + Sync {
    /// The value of a variable, if it is set and not empty.
    fn get(&self, variable: &str) -> Option<SecretString>;
}

/// Makes ready to ask every active archive of a request. Nothing is asked yet.
///
/// # Errors
/// A variable that is not set, an address or a definition that cannot be used.
pub fn connect(request: &FetchRequest, secrets: &dyn Secrets, clock: &Arc<dyn Clock>) -> Result<Sources, ArchiveError> {
    let one = |archive: &ArchiveConfig| -> Result<Option<Arc<dyn ArchiveSource>>, ArchiveError> {
        if !archive.active {
            return Ok(None);
        }
        match request.definitions.get(&archive.key) {
            Some(text) => declared(archive, text, secrets, clock).map(Some),
            None => ocs(archive, secrets, clock).map(Some),
        }
    };
    request.config.archives.iter().map(one).collect()
}

fn ocs(
    archive: &ArchiveConfig,
    secrets: &dyn Secrets,
    clock: &Arc<dyn Clock>,
) -> Result<Arc<dyn ArchiveSource>, ArchiveError> {
    let token = match &archive.token_variable {
        None => None,
        Some(variable) => Some(secrets.get(variable).ok_or_else(|| SourceError::Secret {
            variable: variable.clone(),
            purpose: "the token of the archive, as token_envvar says; '' asks without one",
        })?),
    };
    let http = Http::new(&archive.url, Policy::default(), Arc::clone(clock))?;
    Ok(Arc::new(Ocs::new(http, archive.url.clone(), token)))
}

/// An archive of another kind. Its definition names the variables that hold secrets itself.
fn declared(
    archive: &ArchiveConfig,
    text: &str,
    secrets: &dyn Secrets,
    clock: &Arc<dyn Clock>,
) -> Result<Arc<dyn ArchiveSource>, ArchiveError> {
    let definition = definition(archive, text)?;
    let mut settings = archive.parameters.clone();
    if definition.settings.contains_key("url") {
        settings.entry("url".to_owned()).or_insert_with(|| archive.url.to_string());
    }
    let find = |variable: &str| secrets.get(variable);
    Ok(Arc::new(Declared::open(definition, &settings, &find, Policy::default(), Arc::clone(clock))?))
}

/// Reads the definition of an archive.
pub(super) fn definition(archive: &ArchiveConfig, text: &str) -> Result<Definition, ArchiveError> {
    let name = archive.definition.as_deref().unwrap_or(&archive.key);
    Definition::parse(name, text).map_err(|error| ArchiveError::Config { file: error.name, problem: error.problem })
}
