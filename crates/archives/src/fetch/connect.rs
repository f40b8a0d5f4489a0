//! From a configuration to archives that can be asked.

use std::sync::Arc;

use holotype_core::Clock;
use secrecy::SecretString;

use super::config::{ArchiveConfig, FetchConfig};
use super::run::Sources;
use crate::ArchiveError;
use crate::http::{Http, Policy};
use crate::source::{ArchiveSource, Ocs, SourceError};

/// Where secrets are looked up by the names of environment variables.
pub trait Secrets: Send + Sync {
    /// The value of a variable, if it is set and not empty.
    fn get(&self, variable: &str) -> Option<SecretString>;
}

/// Makes ready to ask every active archive of a configuration. Nothing is asked yet.
///
/// # Errors
/// A variable that is not set, an address or a definition that cannot be used.
pub fn connect(config: &FetchConfig, secrets: &dyn Secrets, clock: &Arc<dyn Clock>) -> Result<Sources, ArchiveError> {
    let one = |archive: &ArchiveConfig| archive.active.then(|| source(archive, secrets, clock)).transpose();
    config.archives.iter().map(one).collect()
}

fn source(
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
