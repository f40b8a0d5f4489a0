//! Where a value came from.

use std::fmt;
use std::path::PathBuf;

/// Where a configured value came from, in the words of whoever wants to change it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Nobody set it.
    Default,
    /// A file.
    File(PathBuf),
    /// An environment variable of this name.
    Variable(String),
    /// A flag of the command line, without its dashes.
    Flag(String),
    /// A setting of MADSci, by its name there, and where that one came from.
    Madsci(&'static str, Box<Origin>),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Default => f.write_str("default"),
            Origin::File(path) => write!(f, "{}", path.display()),
            Origin::Variable(name) => write!(f, "environment variable {name}"),
            Origin::Flag(name) => write!(f, "flag --{name}"),
            Origin::Madsci(name, origin) => write!(f, "MADSci setting {name} ({origin})"),
        }
    }
}
