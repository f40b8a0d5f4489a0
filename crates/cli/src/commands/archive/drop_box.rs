//! Files that appear in a directory, and when they are complete.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use holotype_fits::Hdu;

use super::files;
use crate::failure::Failure;

/// What is seen of a file from outside: a file that is being written changes one of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    size: u64,
    modified: Option<SystemTime>,
}

/// A directory that is watched.
#[derive(Debug)]
pub(super) struct DropBox {
    directory: PathBuf,
    /// Each file as it was at the look before.
    seen: HashMap<PathBuf, Stamp>,
    /// Each file as it was when it was dealt with.
    done: HashMap<PathBuf, Stamp>,
}

/// A file that has not changed between two looks.
#[derive(Debug)]
pub(super) enum Still {
    /// It can be read to its end.
    Complete(PathBuf),
    /// It cannot, and is left alone until it changes.
    Unreadable(PathBuf, String),
}

impl DropBox {
    pub(super) fn new(directory: PathBuf) -> Self {
        Self { directory, seen: HashMap::new(), done: HashMap::new() }
    }

    /// Looks once: the files that are as they were at the look before, and that were not dealt with as they are.
    pub(super) fn look(&mut self) -> Result<Vec<Still>, Failure> {
        let mut found = Vec::new();
        files::below(&self.directory, 0, &mut found)?;
        let now: HashMap<PathBuf, Stamp> = found.iter().filter_map(|path| Some((path.clone(), stamp(path)?))).collect();
        let mut still = Vec::new();
        for path in found {
            let Some(stamp) = now.get(&path) else { continue };
            if self.seen.get(&path) == Some(stamp) && self.done.get(&path) != Some(stamp) {
                still.push(match problem(&path) {
                    None => Still::Complete(path),
                    Some(problem) => {
                        self.done.insert(path.clone(), *stamp);
                        Still::Unreadable(path, problem)
                    }
                });
            }
        }
        self.done.retain(|path, _| now.contains_key(path));
        self.seen = now;
        Ok(still)
    }

    /// Notes that a file was dealt with as it was seen; once it changes, it is looked at again.
    pub(super) fn settle(&mut self, path: &Path) {
        if let Some(stamp) = self.seen.get(path) {
            self.done.insert(path.to_owned(), *stamp);
        }
    }
}

fn stamp(path: &Path) -> Option<Stamp> {
    // A file that went in between is seen no more.
    let about = path.metadata().ok()?;
    Some(Stamp { size: about.len(), modified: about.modified().ok() })
}

/// Why a file cannot be read to its end, if so. What is gzipped is for the archive to find out.
fn problem(path: &Path) -> Option<String> {
    if path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("gz")) {
        return None;
    }
    let file = std::fs::File::open(path).map_err(|error| error.to_string());
    match file.map(std::io::BufReader::new) {
        Ok(mut file) => Hdu::walk(&mut file).err().map(|error| error.to_string()),
        Err(problem) => Some(problem),
    }
}

#[cfg(test)]
mod tests {
    use holotype_fits::{Header, Image, Pixels, write};

    use super::*;

    fn frame() -> Vec<u8> {
        let mut bytes = Vec::new();
        let image = Image { shape: vec![2, 2], pixels: Pixels::U8(vec![1, 2, 3, 4]) };
        write::image(&mut bytes, write::Position::Primary, &Header::default(), &image).unwrap();
        bytes
    }

    fn complete(box_: &mut DropBox) -> usize {
        box_.look().unwrap().iter().filter(|still| matches!(still, Still::Complete(_))).count()
    }

    #[test]
    fn a_file_is_complete_when_it_is_the_same_twice_and_can_be_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.fits");
        let mut watched = DropBox::new(folder.path().to_owned());
        let whole = frame();
        std::fs::write(&path, &whole[..whole.len() - 2880]).unwrap();
        assert_eq!(watched.look().unwrap().len(), 0, "it was never seen before");
        assert!(matches!(watched.look().unwrap().as_slice(), [Still::Unreadable(..)]), "it is cut");
        assert_eq!(watched.look().unwrap().len(), 0, "it is told of once");
        std::fs::write(&path, &whole).unwrap();
        assert_eq!(watched.look().unwrap().len(), 0, "it changed");
        assert_eq!(complete(&mut watched), 1);
        assert_eq!(complete(&mut watched), 1, "until it is dealt with");
        watched.settle(&path);
        assert_eq!(watched.look().unwrap().len(), 0);
        std::fs::write(&path, [whole.clone(), whole[2880..].to_vec()].concat()).unwrap();
        assert_eq!(watched.look().unwrap().len(), 0);
        assert_eq!(watched.look().unwrap().len(), 1, "changed bytes are looked at again");
    }
}
