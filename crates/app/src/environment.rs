//! What surrounds the process, handed in as a value: the library reads neither variables nor the working directory itself.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Component, Path, PathBuf};

/// Environment variables and the directory that relative paths start from.
#[derive(Clone, Default)]
pub struct Environment {
    variables: BTreeMap<String, String>,
    directory: PathBuf,
}

impl Environment {
    /// An environment of these variables, in this absolute directory.
    pub fn new(variables: impl IntoIterator<Item = (String, String)>, directory: impl Into<PathBuf>) -> Self {
        Self { variables: variables.into_iter().collect(), directory: directory.into() }
    }

    /// The value of a variable, unless it is unset or empty.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// A variable whose name matches in any case, and its value, which may be empty. The exact spelling wins.
    pub(crate) fn get_in_any_case(&self, name: &str) -> Option<(&str, &str)> {
        self.variables
            .get_key_value(name)
            .or_else(|| self.variables.iter().find(|(other, _)| other.eq_ignore_ascii_case(name)))
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The names of all variables that begin with `prefix`.
    pub(crate) fn names_with<'e>(&'e self, prefix: &'e str) -> impl Iterator<Item = &'e str> {
        self.variables.keys().map(String::as_str).filter(move |name| name.starts_with(prefix))
    }

    /// The working directory.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// The user's home directory.
    pub fn user_home(&self) -> Option<PathBuf> {
        self.get("HOME").map(PathBuf::from)
    }

    /// An absolute path from one a person wrote: `~/` is the user's home, anything relative starts at the working
    /// directory, and `.` and `..` are taken out by name.
    pub(crate) fn absolute(&self, path: &Path) -> PathBuf {
        let home = path.strip_prefix("~").ok().and_then(|rest| Some(self.user_home()?.join(rest)));
        let whole = self.directory.join(home.unwrap_or_else(|| path.to_owned()));
        let mut plain = PathBuf::new();
        for component in whole.components() {
            match component {
                Component::CurDir => {}
                Component::ParentDir => {
                    plain.pop();
                }
                other => plain.push(other),
            }
        }
        plain
    }
}

/// The values may be secrets, so only the names are shown.
impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Environment")
            .field("variables", &self.variables.keys().collect::<Vec<_>>())
            .field("directory", &self.directory)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(variables: &[(&str, &str)]) -> Environment {
        Environment::new(variables.iter().map(|(name, value)| (name.to_string(), value.to_string())), "/srv/lab")
    }

    #[test]
    fn an_empty_variable_counts_as_unset() {
        assert_eq!(environment(&[("HOLOTYPE_HOME", "")]).get("HOLOTYPE_HOME"), None);
    }

    #[test]
    fn the_exact_spelling_of_a_variable_wins_over_another_case() {
        let both = environment(&[("DATA_X", "upper"), ("data_x", "lower")]);
        assert_eq!(both.get_in_any_case("DATA_X"), Some(("DATA_X", "upper")));
        assert_eq!(environment(&[("data_x", "lower")]).get_in_any_case("DATA_X"), Some(("data_x", "lower")));
    }

    #[test]
    fn written_paths_become_absolute_without_asking_the_disk() {
        let environment = environment(&[("HOME", "/home/ada")]);
        for (written, absolute) in
            [("data/x", "/srv/lab/data/x"), ("~/x", "/home/ada/x"), ("../y/./z", "/srv/y/z"), ("/a/../b", "/b")]
        {
            assert_eq!(environment.absolute(Path::new(written)), Path::new(absolute), "{written}");
        }
    }

    #[test]
    fn debug_output_shows_names_and_no_values() {
        let shown = format!("{:?}", environment(&[("TOKEN", "hunter2")]));
        assert!(shown.contains("TOKEN") && !shown.contains("hunter2"), "{shown}");
    }
}
