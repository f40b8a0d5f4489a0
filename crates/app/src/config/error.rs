//! What can be wrong with a configuration.

use std::path::PathBuf;

use holotype_core::Category;

use super::Origin;
use crate::madsci::MadsciError;

/// A configuration that cannot be used, by file and key.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file is there and cannot be read.
    #[error("{path} cannot be read: {source}", path = .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// The file is not TOML.
    #[error("{path} is not TOML: {problem}", path = .path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// Where and why.
        problem: String,
    },
    /// The file sets something that does not exist.
    #[error("'{name}' in {path} is not a setting; `holotype config show` lists them", path = .path.display())]
    UnknownKey {
        /// The file.
        path: PathBuf,
        /// The key as written.
        name: String,
    },
    /// An override names something that does not exist.
    #[error("'{name}' is not a setting; `holotype config show` lists them")]
    UnknownOverride {
        /// The key as handed in.
        name: String,
    },
    /// A value that does not fit its key.
    #[error("{key} {}cannot be used (from: {origin}): {problem}", shown(.value))]
    Invalid {
        /// The key.
        key: &'static str,
        /// The value, without secrets, if it is one text.
        value: Option<String>,
        /// Where it came from.
        origin: Origin,
        /// What is wrong, and what is needed.
        problem: String,
    },
    /// A password where others can read it.
    #[error(
        "{key} holds a password (from: {origin}), where others may read it: take it out, put it into an environment \
         variable, and name that variable in {instead}"
    )]
    SecretInTheOpen {
        /// The key.
        key: &'static str,
        /// The key that names a variable instead.
        instead: &'static str,
        /// Where it came from.
        origin: Origin,
    },
    /// A secret is to be in an environment variable that is not set.
    #[error("the environment variable {variable} is not set, and {key} says that it holds a secret")]
    MissingSecret {
        /// The key that names the variable.
        key: &'static str,
        /// The variable.
        variable: String,
    },
    /// MADSci's settings cannot be used.
    #[error(transparent)]
    Madsci(#[from] MadsciError),
}

impl ConfigError {
    /// What kind of failure this is.
    pub fn category(&self) -> Category {
        match self {
            ConfigError::Unreadable { .. } => Category::Unavailable,
            ConfigError::Syntax { .. }
            | ConfigError::UnknownKey { .. }
            | ConfigError::UnknownOverride { .. }
            | ConfigError::Invalid { .. }
            | ConfigError::SecretInTheOpen { .. }
            | ConfigError::MissingSecret { .. } => Category::Invalid,
            ConfigError::Madsci(error) => error.category(),
        }
    }
}

fn shown(value: &Option<String>) -> String {
    value.as_ref().map(|value| format!("= '{value}' ")).unwrap_or_default()
}
