//! The files beside a dump: from a path as the old server knew it to a file under a directory that the importer names.

use std::fs;
use std::path::{Path, PathBuf};

use crate::DatapointError;
use crate::import::dump::refused;

/// Where the files of a dump are now: directories of the old server, and what stands in for each.
#[derive(Debug, Clone, Default)]
pub struct FileTree {
    /// The longest prefix first.
    mappings: Vec<(Vec<String>, PathBuf)>,
}

/// What became of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Located {
    /// A file within the tree.
    File(PathBuf),
    /// There is none, and why.
    Missing(&'static str),
}

impl FileTree {
    /// Adds that what lay under `prefix` on the old server lies under `directory` here.
    ///
    /// # Errors
    /// [`DatapointError::Import`] if there is no such directory.
    pub fn map(mut self, prefix: &str, directory: &Path) -> Result<Self, DatapointError> {
        let directory = fs::canonicalize(directory).map_err(|error| refused(directory, error.to_string()))?;
        if !directory.is_dir() {
            return Err(refused(&directory, "it is not a directory".to_owned()));
        }
        let prefix = steps(prefix).map(str::to_owned).collect();
        self.mappings.push((prefix, directory));
        self.mappings.sort_by_key(|(prefix, _)| std::cmp::Reverse(prefix.len()));
        Ok(self)
    }

    /// The file that a path means, if it is within the tree. Looks at the disk.
    pub(super) fn locate(&self, path: &str) -> Located {
        let steps: Vec<&str> = steps(path).collect();
        if steps.iter().any(|step| *step == ".." || step.contains('\0')) {
            return Located::Missing("its path leads out of the tree");
        }
        let starts = |prefix: &[String]| {
            steps.len() > prefix.len() && prefix.iter().zip(&steps).all(|(left, right)| left == right)
        };
        let Some((prefix, directory)) = self.mappings.iter().find(|(prefix, _)| starts(prefix)) else {
            return Located::Missing("no directory was given for its path");
        };
        let wanted = directory.join(steps.iter().skip(prefix.len()).collect::<PathBuf>());
        // A link may lead out of the tree: what it leads to decides.
        match fs::canonicalize(&wanted) {
            Ok(found) if !found.starts_with(directory) => Located::Missing("a link leads out of the tree"),
            Ok(found) if found.is_file() => Located::File(found),
            Ok(_) => Located::Missing("it is not a file"),
            Err(_) => Located::Missing("there is no such file"),
        }
    }
}

/// The steps of a path of either kind of system.
fn steps(path: &str) -> impl Iterator<Item = &str> {
    path.split(['/', '\\']).filter(|step| !step.is_empty() && *step != ".")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_found_under_the_longest_prefix_that_fits() {
        let root = tempfile::tempdir().unwrap();
        for (folder, name) in [("all", "a.csv"), ("new", "b.csv")] {
            fs::create_dir(root.path().join(folder)).unwrap();
            fs::write(root.path().join(folder).join(name), name).unwrap();
        }
        let tree = FileTree::default().map("/srv/data", &root.path().join("all")).unwrap();
        let tree = tree.map("/srv/data/2026/", &root.path().join("new")).unwrap();
        let file = |name: &str| Located::File(fs::canonicalize(root.path()).unwrap().join(name));
        assert_eq!(tree.locate("/srv/data/a.csv"), file("all/a.csv"));
        assert_eq!(tree.locate("/srv/data/2026/b.csv"), file("new/b.csv"));
        assert_eq!(tree.locate("/srv//data/./2026/b.csv"), file("new/b.csv"));
        assert_eq!(tree.locate("/srv/data2026/b.csv"), Located::Missing("no directory was given for its path"));
        assert_eq!(tree.locate("/srv/data/none"), Located::Missing("there is no such file"));
        assert_eq!(tree.locate("/srv/data/2026"), Located::Missing("there is no such file"));
    }

    #[test]
    fn nothing_outside_the_tree_is_ever_reached() {
        let root = tempfile::tempdir().unwrap();
        let inside = root.path().join("inside");
        fs::create_dir(&inside).unwrap();
        fs::write(root.path().join("secret"), "x").unwrap();
        std::os::unix::fs::symlink(root.path().join("secret"), inside.join("link")).unwrap();
        std::os::unix::fs::symlink(root.path(), inside.join("up")).unwrap();
        let tree = FileTree::default().map("/srv", &inside).unwrap();
        for hostile in [
            "/srv/../secret",
            "/srv/link",
            "/srv/up/secret",
            "/srv/a/../../secret",
            "/srv/..\\secret",
            "/etc/hostname",
            "",
            "/srv",
            "/srv/a\0",
        ] {
            assert!(matches!(tree.locate(hostile), Located::Missing(_)), "{hostile}");
        }
        assert!(FileTree::default().map("/srv", &root.path().join("secret")).is_err());
        assert!(FileTree::default().map("/srv", &root.path().join("none")).is_err());
    }
}
